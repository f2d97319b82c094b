"""Expressions as straight-line C++: one assignment to a constant per node."""

from kinetrain.mechanistic.kernel.graph import NUMBER, Graph

PLAIN = {"add": "+", "sub": "-", "mul": "*"}


def assignments(
    graph: Graph, outputs: list[tuple[str, str, int]], name_of_leaf, names: dict | None = None
) -> tuple[list[str], int]:
    """Return lines of C++ that assign nodes, and how many operations of floating-point numbers they are.

    outputs: (left side, `=` or `+=`, node). name_of_leaf: a function that returns the name of a node that is there
    already, else None. Nodes are computed in the order in which outputs need them, which keeps few of them alive.
    names: of nodes that lines before computed; those of new ones are added.
    """
    names = {} if names is None else names
    lines, count = [], 0

    def name(node):
        if node not in names:
            names[node] = name_of_leaf(node)
        return names[node]

    for left, operator, root in outputs:
        waiting = [root]
        while waiting:
            node = waiting[-1]
            if name(node) is not None:
                waiting.pop()
                continue
            operation, *operands = graph.nodes[node]
            if operation == "neg" and name(operands[0]) is None:
                operation, operands = _negative(graph, operands[0])
            missing = [operand for operand in operands if name(operand) is None]
            if missing:
                waiting += reversed(missing)
                continue
            waiting.pop()
            terms = [name(operand) for operand in operands]
            if all(graph.nodes[operand][0] == NUMBER for operand in operands):
                terms[0] = f"spread({terms[0]})"
            names[node] = f"n{node}"
            lines.append(f"const V n{node} = {_expression(operation, terms)};")
            count += 1
        term = name(root)
        lines.append(f"{left} {operator} {f'spread({term})' if graph.nodes[root][0] == NUMBER else term};")
        count += operator == "+="
    return lines, count


def _negative(graph, node):
    """Return the operation and the operands of minus a node: a product with a number takes its sign."""
    operation, *factors = graph.nodes[node]
    numbers = [factor for factor in factors if operation == "mul" and graph.value(factor) is not None]
    if not numbers:
        return "neg", [node]
    factors.remove(numbers[0])
    return "mul", [graph.neg(numbers[0]), *factors]


def _expression(operation, terms) -> str:
    if operation in PLAIN:
        return f"{terms[0]} {PLAIN[operation]} {terms[1]}"
    if operation == "neg":
        return f"-{terms[0]}"
    return f"v{operation}({', '.join(f'spread({term})' for term in terms)})"  # functions, and division
