"""Expressions of a model as one graph without repetitions: simplified, differentiated, written as straight-line C++.

A node is a tuple of an operation and the indices of its operands; equal nodes are one node, so that common
subexpressions are computed once. Leaves are numbers, the quantities of the model (states `x`, parameters `p`, constants
`k`, switches `h`, time `t`) and `in`, a name in the generated code (seeds of derivatives).

Truth values are the numbers 0 and 1: `lt` and `le` make them, `where` chooses by them.
"""

import heapq
import math
from functools import reduce

import sympy

NUMBER, TIME, INPUT = "number", "t", "in"
QUANTITIES = ("x", "p", "k", "h")
LEAVES = (NUMBER, TIME, INPUT, *QUANTITIES)
PLAIN = {"add": "+", "sub": "-", "mul": "*"}
FUNCTIONS = ("exp", "log", "log0", "sqrt", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh")
LARGEST_PRODUCT = 16  # the largest integer power that is written as products


class UnsupportedModelError(Exception):
    """The model has something that the kernel does not support; the message says what."""


class Graph:
    """Expressions as nodes; methods return the indices of new or existing nodes."""

    def __init__(self):
        self.nodes: list[tuple] = []
        self._index: dict[tuple, int] = {}
        self._leaves: list[frozenset] = []  # on what a node depends: kinds of quantities, and some leaves themselves
        self._derivatives: dict[tuple[int, int], int] = {}

    def node(self, *key) -> int:
        """Return the node (operation, operands...), as it is."""
        found = self._index.get(key)
        if found is None:
            found = self._index[key] = len(self.nodes)
            self.nodes.append(key)
            if key[0] in LEAVES:
                own = frozenset(() if key[0] == NUMBER else (key[0], found) if key[0] in ("x", "h", TIME) else key[:1])
            else:
                own = frozenset().union(*(self._leaves[operand] for operand in key[1:]))
            self._leaves.append(own)
        return found

    def depends(self, node: int, *kinds_or_leaves) -> bool:
        """Whether a node depends on one of some kinds of quantities (`"x"`), or leaves of states, switches or time."""
        return not self._leaves[node].isdisjoint(kinds_or_leaves)

    def reaches(self, node: int, part: int) -> bool:
        """Whether a node is made of another one (or is it)."""
        seen, waiting = set(), [node]
        while waiting:
            one = waiting.pop()
            if one == part:
                return True
            if one not in seen and self.nodes[one][0] not in LEAVES:
                seen.add(one)
                waiting += self.nodes[one][1:]
        return False

    def leaves(self, node: int) -> list[int]:
        """Return the leaves of states, switches and time that a node depends on."""
        return sorted(leaf for leaf in self._leaves[node] if isinstance(leaf, int))

    def is_static(self, node: int) -> bool:
        """Whether a node depends on parameters and constants alone."""
        return not self.depends(node, "x", "h", TIME, INPUT)

    def number(self, value) -> int:
        """Return the node of a number."""
        return self.node(NUMBER, float(value))

    def value(self, node: int) -> float | None:
        """Return the value of a number, None for other nodes."""
        return self.nodes[node][1] if self.nodes[node][0] == NUMBER else None

    # The constructors below simplify: numbers are computed, neutral elements vanish, signs move outwards.

    def add(self, a: int, b: int) -> int:
        """Return a + b."""
        x, y = self.value(a), self.value(b)
        if x is not None and y is not None:
            return self.number(x + y)
        if x == 0:
            return b
        if y == 0:
            return a
        if self.nodes[b][0] == "neg":
            return self.sub(a, self.nodes[b][1])
        if self.nodes[a][0] == "neg":
            return self.sub(b, self.nodes[a][1])
        if common := self._common(a, b):
            return self.mul(common[0], self.add(*common[1:]))
        return self.node("add", min(a, b), max(a, b))

    def sub(self, a: int, b: int) -> int:
        """Return a - b."""
        x, y = self.value(a), self.value(b)
        if x is not None and y is not None:
            return self.number(x - y)
        if y == 0:
            return a
        if x == 0:
            return self.neg(b)
        if a == b:
            return self.number(0)
        if self.nodes[b][0] == "neg":
            return self.add(a, self.nodes[b][1])
        if self.nodes[a][0] == "neg":
            return self.neg(self.add(self.nodes[a][1], b))
        if common := self._common(a, b):
            return self.mul(common[0], self.sub(*common[1:]))
        return self.node("sub", a, b)

    def _common(self, a: int, b: int):
        """Return the number that two products share and what is left of them; None where there is none."""
        parts = []
        for node in (a, b):
            operation, *operands = self.nodes[node]
            numbers = [operand for operand in operands if operation == "mul" and self.value(operand) is not None]
            if not numbers:
                return None
            parts.append((numbers[0], operands[operands[0] == numbers[0]]))
        (x, left), (y, right) = parts
        return (x, left, right) if x == y else None

    def neg(self, a: int) -> int:
        """Return -a."""
        operation, *operands = self.nodes[a]
        if operation == NUMBER:
            return self.number(-operands[0])
        if operation == "neg":
            return operands[0]
        if operation == "sub":
            return self.sub(operands[1], operands[0])
        return self.node("neg", a)

    def mul(self, a: int, b: int) -> int:
        """Return a * b."""
        x, y = self.value(a), self.value(b)
        if x is not None and y is not None:
            return self.number(x * y)
        if x is not None:
            a, b, x, y = b, a, y, x
        if y == 0:
            return b
        if y == 1:
            return a
        if y is not None and y < 0:
            return self.neg(self.mul(a, self.number(-y)))
        if self.nodes[a][0] == "neg":
            return self.neg(self.mul(self.nodes[a][1], b))
        if self.nodes[b][0] == "neg":
            return self.neg(self.mul(a, self.nodes[b][1]))
        return self.node("mul", min(a, b), max(a, b))

    def div(self, a: int, b: int) -> int:
        """Return a / b; a divisor of parameters alone becomes a factor, which is computed once."""
        x, y = self.value(a), self.value(b)
        if x == 0 or y == 1:
            return a
        if x is not None and y:
            return self.number(x / y)
        if self.is_static(b) and not self.is_static(a):
            return self.mul(a, self.div(self.number(1), b))
        return self.node("div", a, b)

    def power(self, a: int, b: int) -> int:
        """Return a to the power b."""
        exponent = self.value(b)
        if exponent is None:
            return self.node("pow", a, b)
        if exponent == 0:
            return self.number(1)
        if exponent == 0.5:
            return self.function("sqrt", a)
        if exponent < 0:
            return self.div(self.number(1), self.power(a, self.number(-exponent)))
        if exponent != int(exponent) or exponent > LARGEST_PRODUCT:
            return self.node("pow", a, b)
        result, square, left = None, a, int(exponent)
        while left:
            if left & 1:
                result = square if result is None else self.mul(result, square)
            left >>= 1
            if left:
                square = self.mul(square, square)
        assert result is not None  # the exponent is at least 1
        return result

    def function(self, name: str, a: int) -> int:
        """Return one of FUNCTIONS of a."""
        x = self.value(a)
        if x is not None and name != "log0" and (x > 0 or name == "exp"):
            return self.number(getattr(math, name)(x))
        return self.node(name, a)

    def less(self, a: int, b: int, or_equal: bool = False) -> int:
        """Return whether a < b (a <= b)."""
        x, y = self.value(a), self.value(b)
        if x is not None and y is not None:
            return self.number(x < y or (or_equal and x == y))
        return self.node("le" if or_equal else "lt", a, b)

    def where(self, condition: int, a: int, b: int) -> int:
        """Return a where the condition is not 0, else b."""
        known = self.value(condition)
        if known is not None:
            return a if known else b
        return a if a == b else self.node("where", condition, a, b)

    def partials(self, node: int) -> list[tuple[int, int]]:
        """Return the operands of a node that matter for its derivative, each with the derivative by it.

        `where` is left out: a factor of 0 would not undo an infinite derivative of the branch that is not chosen.
        """
        operation, *operands = self.nodes[node]
        a = operands[0]
        b = operands[-1]
        one = self.number(1)
        match operation:
            case "add":
                return [(a, one), (b, one)]
            case "sub":
                return [(a, one), (b, self.number(-1))]
            case "neg":
                return [(a, self.number(-1))]
            case "mul":
                return [(a, b), (b, a)]
            case "div":
                return [(a, self.div(one, b)), (b, self.neg(self.div(node, b)))]
            case "pow":
                by_base = self.mul(b, self.power(a, self.sub(b, one)))
                return [(a, by_base), (b, self.mul(node, self.function("log0", a)))]
            case "exp":
                return [(a, node)]
            case "log" | "log0":
                return [(a, self.div(one, a))]
            case "sqrt":
                return [(a, self.div(self.number(0.5), node))]
            case "sin":
                return [(a, self.function("cos", a))]
            case "cos":
                return [(a, self.neg(self.function("sin", a)))]
            case "tan":
                return [(a, self.add(one, self.mul(node, node)))]
            case "asin" | "acos":
                slope = self.div(one, self.function("sqrt", self.sub(one, self.mul(a, a))))
                return [(a, slope if operation == "asin" else self.neg(slope))]
            case "atan":
                return [(a, self.div(one, self.add(one, self.mul(a, a))))]
            case "sinh":
                return [(a, self.function("cosh", a))]
            case "cosh":
                return [(a, self.function("sinh", a))]
            case "tanh":
                return [(a, self.sub(one, self.mul(node, node)))]
        return []  # comparisons are constant but for their steps

    def derivative(self, node: int, leaf: int) -> int:
        """Return the derivative of a node by a leaf of a state or time."""
        return self.tangents([node], {leaf: self.number(1)}, lambda other: not self.depends(other, leaf))[0]

    def tangents(self, nodes, seeds: dict[int, int], is_constant) -> list[int]:
        """Return the derivatives of nodes along a direction: that of leaves is in `seeds`, else 0.

        is_constant: says of a node that its derivative is 0, so that its operands need not be looked at.
        """
        zero = self.number(0)
        single = next(iter(seeds)) if len(seeds) == 1 and self.value(next(iter(seeds.values()))) == 1 else None
        known = {} if single is None else _View(self._derivatives, single)

        def known_or_simple(node):
            if node in seeds:
                return seeds[node]
            if self.nodes[node][0] in LEAVES or is_constant(node):
                return zero
            return known.get(node)

        def tangent(node):
            if self.nodes[node][0] == "where":
                condition, a, b = self.nodes[node][1:]
                return self.where(condition, known_or_simple(a), known_or_simple(b))
            terms = [(known_or_simple(operand), slope) for operand, slope in self.partials(node)]
            if self.nodes[node][0] == "div":  # fewer operations than slope by slope
                (over, _), (under, _) = terms
                divisor = self.nodes[node][2]
                return self.sub(self.div(over, divisor), self.div(self.mul(node, under), divisor))
            return reduce(self.add, (self.mul(direction, slope) for direction, slope in terms), zero)

        for root in nodes:
            waiting = [root]
            while waiting:
                node = waiting[-1]
                if known_or_simple(node) is not None:
                    waiting.pop()
                    continue
                missing = [operand for operand in self.nodes[node][1:] if known_or_simple(operand) is None]
                if missing:
                    waiting += missing
                else:
                    known[node] = tangent(node)
                    waiting.pop()
        return [known_or_simple(root) for root in nodes]

    def adjoints(self, seeds: list[tuple[int, int]], is_end) -> dict[int, int]:
        """Return the gradient of the sum of seed times node over some (node, seed), by nodes where `is_end` (reverse).

        Only nodes that `is_end` accepts are returned; what they are made of is not looked at.
        """
        sums, found = {}, {}
        waiting, seen = [], set()

        def collect(node, adjoint):
            if self.nodes[node][0] == NUMBER or self.value(adjoint) == 0:
                return
            if node in sums:
                sums[node] = self.add(sums[node], adjoint)
            else:
                sums[node] = adjoint
                heapq.heappush(waiting, -node)

        for node, seed in seeds:
            collect(node, seed)
        zero = self.number(0)
        while waiting:  # users of a node have larger indices: its adjoint is complete when its turn comes
            node = -heapq.heappop(waiting)
            if node in seen:
                continue
            seen.add(node)
            adjoint = sums[node]
            operation, *operands = self.nodes[node]
            if is_end(node):
                found[node] = adjoint
            elif operation == "where":
                condition, a, b = operands
                collect(a, self.where(condition, adjoint, zero))
                collect(b, self.where(condition, zero, adjoint))
            elif operation == "div":
                part = self.div(adjoint, operands[1])
                collect(operands[0], part)
                collect(operands[1], self.neg(self.mul(part, node)))
            elif operation not in LEAVES:
                for operand, slope in self.partials(node):
                    collect(operand, self.mul(adjoint, slope))
        return found

    def substitute(self, node: int, new: dict[int, int]) -> int:
        """Return a node with some of its leaves replaced."""
        known = dict(new)

        def rebuilt(node):
            operation, *operands = self.nodes[node]
            return node if operation in LEAVES else self._rebuilt(operation, [known[operand] for operand in operands])

        waiting = [node]
        while waiting:
            top = waiting[-1]
            missing = (
                []
                if top in known or self.nodes[top][0] in LEAVES
                else [operand for operand in self.nodes[top][1:] if operand not in known]
            )
            if missing:
                waiting += missing
            else:
                if top not in known:
                    known[top] = rebuilt(top)
                waiting.pop()
        return known[node]

    def _rebuilt(self, operation, operands) -> int:
        match operation:
            case "add" | "sub" | "mul" | "div" | "neg" | "where":
                return getattr(self, operation)(*operands)
            case "pow":
                return self.power(*operands)
            case "lt" | "le":
                return self.less(operands[0], operands[1], or_equal=operation == "le")
        return self.function(operation, *operands)

    def with_coefficients(self, nodes) -> list[int]:
        """Return nodes equal to others, in which all that is static in a product is one factor (computed once).

        A sum of products costs one operation for each term then. Derivatives had better be made of the originals, where
        fewer factors have a derivative of their own.
        """
        one = self.number(1)
        parts = {}  # of a node: static factor, and the rest (None where all is static)

        def product(coefficient, rest):
            return coefficient if rest is None else self.mul(coefficient, rest)

        def combine(operation, operands):
            match operation:
                case "neg":
                    coefficient, rest = parts[operands[0]]
                    return self.neg(coefficient), rest
                case "mul" | "div":
                    (a, x), (b, y) = (parts[operand] for operand in operands)
                    join = self.mul if operation == "mul" else self.div
                    if x is None or y is None:
                        if operation == "div" and x is None:
                            return a, self.div(one, product(b, y))
                        return join(a, b), x if y is None else y
                    return join(a, b), join(x, y)
            values = dict(zip(operands, (product(*parts[operand]) for operand in operands), strict=True))
            return one, self._rebuilt(operation, [values[operand] for operand in operands])

        for root in nodes:
            waiting = [root]
            while waiting:
                node = waiting[-1]
                operation, *operands = self.nodes[node]
                if node in parts:
                    waiting.pop()
                elif self.is_static(node):
                    parts[node] = node, None
                elif operation in LEAVES:
                    parts[node] = one, node
                elif missing := [operand for operand in operands if operand not in parts]:
                    waiting += missing
                else:
                    coefficient, rest = combine(operation, operands)
                    parts[node] = coefficient, rest
        return [product(*parts[root]) for root in nodes]

    def evaluate(self, nodes, values: dict[int, float]) -> list[float]:
        """Return the values of nodes, given those of the leaves; NaN where one is not defined."""
        known = dict(values)

        def computed(operation, operands):
            a, b = operands[0], operands[-1]
            match operation:
                case "add":
                    return a + b
                case "sub":
                    return a - b
                case "mul":
                    return a * b
                case "div":
                    return a / b
                case "neg":
                    return -a
                case "pow":
                    return math.pow(a, b)
                case "lt" | "le":
                    return float(a < b or (operation == "le" and a == b))
                case "where":
                    return operands[1] if a else b
                case "log0":
                    return math.log(abs(a)) if a else 0.0
            return getattr(math, operation)(a)

        for root in nodes:
            waiting = [root]
            while waiting:
                node = waiting[-1]
                operation, *operands = self.nodes[node]
                if node in known:
                    waiting.pop()
                elif operation == NUMBER:
                    known[node] = operands[0]
                elif missing := [operand for operand in operands if operand not in known]:
                    waiting += missing
                else:
                    try:
                        known[node] = computed(operation, [known[operand] for operand in operands])
                    except (ValueError, ZeroDivisionError, OverflowError):
                        known[node] = math.nan
        return [known[root] for root in nodes]

    def code(
        self, outputs: list[tuple[str, str, int]], name_of_leaf, names: dict | None = None
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
                operation, *operands = self.nodes[node]
                if operation == "neg" and name(operands[0]) is None:  # a product with a number takes its sign
                    inner, *factors = self.nodes[operands[0]]
                    numbers = [factor for factor in factors if inner == "mul" and self.value(factor) is not None]
                    if numbers:
                        factors.remove(numbers[0])
                        operation, operands = "mul", [self.neg(numbers[0]), *factors]
                missing = [operand for operand in operands if name(operand) is None]
                if missing:
                    waiting += reversed(missing)
                    continue
                waiting.pop()
                terms = [name(operand) for operand in operands]
                if all(self.nodes[operand][0] == NUMBER for operand in operands):
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
            lines.append(f"{left} {operator} {f'spread({term})' if self.nodes[root][0] == NUMBER else term};")
            count += operator == "+="
        return lines, count


class _View(dict):
    """The derivatives by one leaf in the store of all of them."""

    def __init__(self, store, leaf):
        super().__init__()
        self._store, self._leaf = store, leaf

    def get(self, node, default=None):
        return self._store.get((node, self._leaf), default)

    def __setitem__(self, node, value):
        self._store[node, self._leaf] = value


class Translator:
    """Makes nodes of sympy's expressions.

    names: {name of a symbol: node}. formulas: {name of a symbol: its expression}, translated where first needed.
    splines: {name: spline of AMICI}.
    """

    def __init__(self, graph: Graph, names: dict[str, int], formulas: dict | None = None, splines: dict | None = None):
        self.graph, self.names, self.formulas, self.splines = graph, dict(names), formulas or {}, splines or {}
        self._known = {}

    def __call__(self, expression) -> int:
        """Return the node of an expression of sympy.

        Raises
        ------
        UnsupportedModelError
            If it has a function or a symbol that is not known here.
        """
        expression = sympy.sympify(expression)
        if expression not in self._known:
            self._known[expression] = self._translate(expression)
        return self._known[expression]

    def _translate(self, e) -> int:
        graph = self.graph
        if e.is_Symbol:
            return self._symbol(str(e))
        if e.is_Number or e.is_NumberSymbol:
            return graph.number(float(e))
        if e is sympy.true or e is sympy.false:
            return graph.number(e is sympy.true)
        if e.is_Add:
            return self._sum(e)
        if e.is_Mul:
            return self._product(e)
        if e.is_Pow:
            if e.base is sympy.E:
                return graph.function("exp", self(e.exp))
            return graph.power(self(e.base), self(e.exp))
        if e.is_Piecewise:
            return self._piecewise(e)
        name = type(e).__name__
        if name == "AmiciSpline":
            spline = self.splines[str(e.args[0])]
            return self(spline.formula.subs(spline.evaluate_at, e.args[1]))
        operands = [self(operand) for operand in e.args]
        return self._function(name, operands, e)

    def _function(self, name, operands, e) -> int:
        graph = self.graph
        zero, one = graph.number(0), graph.number(1)
        if name in FUNCTIONS and len(operands) == 1:
            return graph.function(name, operands[0])
        match name, operands:
            case ("log", [a, base]):
                return graph.div(graph.function("log", a), graph.function("log", base))
            case ("Heaviside", [a, *given]):
                at_zero = given[0] if given else graph.number(0.5)
                return graph.where(graph.less(zero, a), one, graph.where(graph.less(a, zero), zero, at_zero))
            case ("Abs", [a]):
                return graph.where(graph.less(a, zero), graph.neg(a), a)
            case ("sign", [a]):
                return graph.sub(graph.less(zero, a), graph.less(a, zero))
            case ("Max", _):
                return reduce(lambda a, b: graph.where(graph.less(a, b), b, a), operands)
            case ("Min", _):
                return reduce(lambda a, b: graph.where(graph.less(b, a), b, a), operands)
            case ("StrictLessThan", [a, b]) | ("StrictGreaterThan", [b, a]):
                return graph.less(a, b)
            case ("LessThan", [a, b]) | ("GreaterThan", [b, a]):
                return graph.less(a, b, or_equal=True)
            case ("Equality", [a, b]):
                return graph.mul(graph.less(a, b, or_equal=True), graph.less(b, a, or_equal=True))
            case ("Unequality", [a, b]):
                return graph.add(graph.less(a, b), graph.less(b, a))
            case ("And", _):
                return reduce(graph.mul, operands)
            case ("Or", _):
                return reduce(lambda a, b: graph.where(a, one, b), operands)
            case ("Not", [a]):
                return graph.sub(one, a)
        raise UnsupportedModelError(f"the function {name} (in {str(e)[:100]})")

    def _symbol(self, name: str) -> int:
        if name not in self.names:
            if name not in self.formulas:
                raise UnsupportedModelError(f"the symbol '{name}', which the model does not explain")
            self.names[name] = self(self.formulas[name])
        return self.names[name]

    def _sum(self, e) -> int:
        # Terms of parameters alone first, so that they become one; negative ones last, so that signs vanish.
        terms = [self(term) for term in e.args]
        terms.sort(key=lambda term: (not self.graph.is_static(term), self.graph.nodes[term][0] == "neg", term))
        return reduce(self.graph.add, terms)

    def _product(self, e) -> int:
        graph = self.graph
        sides = {True: [], False: []}
        for factor in e.args:
            under = factor.is_Pow and factor.exp.is_Number and factor.exp < 0
            sides[bool(under)].append(self(factor.base ** (-factor.exp) if under else factor))
        one = graph.number(1)

        def product(side, static):
            return reduce(graph.mul, sorted(f for f in sides[side] if graph.is_static(f) == static), one)

        result = graph.mul(graph.div(product(False, True), product(True, True)), product(False, False))
        return graph.div(result, product(True, False))

    def _piecewise(self, e) -> int:
        result = self.graph.number(math.nan)
        for value, condition in reversed(e.args):
            result = self.graph.where(self(condition), self(value), result) if condition != True else self(value)  # noqa: E712
        return result
