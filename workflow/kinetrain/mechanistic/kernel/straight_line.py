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
            if operation == "neg" and name(operands[0]) is None:  # a product with a number takes its sign
                inner, *factors = graph.nodes[operands[0]]
                numbers = [factor for factor in factors if inner == "mul" and graph.value(factor) is not None]
                if numbers:
                    factors.remove(numbers[0])
                    operation, operands = "mul", [graph.neg(numbers[0]), *factors]
            missing = [operand for operand in operands if name(operand) is None]
            if missing:
                waiting += reversed(missing)
                continue
            waiting.pop()
            terms = [name(operand) for operand in operands]
            if all(graph.nodes[operand][0] == NUMBER for operand in operands):
                terms[0] = f"spread({terms[0]})"
            if operation in PLAIN:
                text = f"{terms[0]} {PLAIN[operation]} {terms[1]}"
            elif operation == "neg":
                text = f"-{terms[0]}"
            else:  # functions, and division, which has its own
                text = f"v{operation}({', '.join(f'spread({term})' for term in terms)})"
            names[node] = f"n{node}"
            lines.append(f"const V n{node} = {text};")
            count += 1
        term = name(root)
        lines.append(f"{left} {operator} {f'spread({term})' if graph.nodes[root][0] == NUMBER else term};")
        count += operator == "+="
    return lines, count
