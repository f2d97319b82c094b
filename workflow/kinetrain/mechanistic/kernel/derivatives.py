"""Derivatives of expressions: along a direction (forward), and the gradient of a sum (reverse)."""

import heapq
from functools import reduce

from kinetrain.mechanistic.kernel.graph import LEAVES, NUMBER, Graph


def partials(graph: Graph, node: int) -> list[tuple[int, int]]:
    """Return the operands of a node that matter for its derivative, each with the derivative by it.

    `where` is left out: a factor of 0 would not undo an infinite derivative of the branch that is not chosen.
    """
    operation, *operands = graph.nodes[node]
    a = operands[0]
    b = operands[-1]
    one = graph.number(1)
    match operation:
        case "add":
            return [(a, one), (b, one)]
        case "sub":
            return [(a, one), (b, graph.number(-1))]
        case "neg":
            return [(a, graph.number(-1))]
        case "mul":
            return [(a, b), (b, a)]
        case "div":
            return [(a, graph.div(one, b)), (b, graph.neg(graph.div(node, b)))]
        case "pow":
            by_base = graph.mul(b, graph.power(a, graph.sub(b, one)))
            return [(a, by_base), (b, graph.mul(node, graph.function("log0", a)))]
        case "exp":
            return [(a, node)]
        case "log" | "log0":
            return [(a, graph.div(one, a))]
        case "sqrt":
            return [(a, graph.div(graph.number(0.5), node))]
        case "sin":
            return [(a, graph.function("cos", a))]
        case "cos":
            return [(a, graph.neg(graph.function("sin", a)))]
        case "tan":
            return [(a, graph.add(one, graph.mul(node, node)))]
        case "asin" | "acos":
            slope = graph.div(one, graph.function("sqrt", graph.sub(one, graph.mul(a, a))))
            return [(a, slope if operation == "asin" else graph.neg(slope))]
        case "atan":
            return [(a, graph.div(one, graph.add(one, graph.mul(a, a))))]
        case "sinh":
            return [(a, graph.function("cosh", a))]
        case "cosh":
            return [(a, graph.function("sinh", a))]
        case "tanh":
            return [(a, graph.sub(one, graph.mul(node, node)))]
    return []  # comparisons are constant but for their steps


def derivative(graph: Graph, node: int, leaf: int) -> int:
    """Return the derivative of a node by a leaf of a state or time."""
    return tangents(graph, [node], {leaf: graph.number(1)}, lambda other: not graph.depends(other, leaf))[0]


def tangents(graph: Graph, nodes, seeds: dict[int, int], is_constant) -> list[int]:
    """Return the derivatives of nodes along a direction: that of leaves is in `seeds`, else 0.

    is_constant: says of a node that its derivative is 0, so that its operands need not be looked at.
    """
    zero = graph.number(0)
    single = next(iter(seeds)) if len(seeds) == 1 and graph.value(next(iter(seeds.values()))) == 1 else None
    known = {} if single is None else graph.derivatives[single]

    def known_or_simple(node):
        if node in seeds:
            return seeds[node]
        if graph.nodes[node][0] in LEAVES or is_constant(node):
            return zero
        return known.get(node)

    def tangent(node):
        if graph.nodes[node][0] == "where":
            condition, a, b = graph.nodes[node][1:]
            return graph.where(condition, known_or_simple(a), known_or_simple(b))
        terms = [(known_or_simple(operand), slope) for operand, slope in partials(graph, node)]
        if graph.nodes[node][0] == "div":  # fewer operations than slope by slope
            (over, _), (under, _) = terms
            divisor = graph.nodes[node][2]
            return graph.sub(graph.div(over, divisor), graph.div(graph.mul(node, under), divisor))
        return reduce(graph.add, (graph.mul(direction, slope) for direction, slope in terms), zero)

    for node in graph.unknown(nodes, lambda node: known_or_simple(node) is not None):
        known[node] = tangent(node)
    return [known_or_simple(root) for root in nodes]


def adjoints(graph: Graph, seeds: list[tuple[int, int]], is_end) -> dict[int, int]:
    """Return the gradient of the sum of seed times node over some (node, seed), by nodes where `is_end` (reverse).

    Only nodes that `is_end` accepts are returned; what they are made of is not looked at.
    """
    sums, found = {}, {}
    waiting, seen = [], set()

    def collect(node, adjoint):
        if graph.nodes[node][0] == NUMBER or graph.value(adjoint) == 0:
            return
        if node in sums:
            sums[node] = graph.add(sums[node], adjoint)
        else:
            sums[node] = adjoint
            heapq.heappush(waiting, -node)

    for node, seed in seeds:
        collect(node, seed)
    zero = graph.number(0)
    while waiting:  # users of a node have larger indices: its adjoint is complete when its turn comes
        node = -heapq.heappop(waiting)
        if node in seen:
            continue
        seen.add(node)
        adjoint = sums[node]
        operation, *operands = graph.nodes[node]
        if is_end(node):
            found[node] = adjoint
        elif operation == "where":
            condition, a, b = operands
            collect(a, graph.where(condition, adjoint, zero))
            collect(b, graph.where(condition, zero, adjoint))
        elif operation == "div":
            part = graph.div(adjoint, operands[1])
            collect(operands[0], part)
            collect(operands[1], graph.neg(graph.mul(part, node)))
        elif operation not in LEAVES:
            for operand, slope in partials(graph, node):
                collect(operand, graph.mul(adjoint, slope))
    return found
