"""Expressions of a model as one graph without repetitions, simplified as they are made.

A node is a tuple of an operation and the indices of its operands; equal nodes are one node, so that common
subexpressions are computed once. Leaves are numbers, the quantities of the model (states `x`, parameters `p`, constants
`k`, switches `h`, time `t`) and `in`, a name in the generated code (seeds of derivatives).

Truth values are the numbers 0 and 1: `lt` and `le` make them, `where` chooses by them.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from kinetrain.errors import InputError

NUMBER, TIME, INPUT = "number", "t", "in"
QUANTITIES = ("x", "p", "k", "h")
LEAVES = (NUMBER, TIME, INPUT, *QUANTITIES)
FUNCTIONS = ("exp", "log", "log0", "sqrt", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh")
LARGEST_PRODUCT = 16  # the largest integer power that is written as products


class UnsupportedModelError(Exception):
    """The model has something that the kernel does not support; the message says what."""


class KernelUnsupportedError(InputError):
    """The kernel does not support this problem; the message says why. AMICI may."""


class Graph:
    """Expressions as nodes; methods return the indices of new or existing nodes."""

    def __init__(self):
        self.nodes: list[tuple] = []
        self._index: dict[tuple, int] = {}
        self._leaves: list[frozenset] = []  # on what a node depends: kinds of quantities, and some leaves themselves
        self.derivatives: dict[int, dict[int, int]] = defaultdict(dict)  # found so far, by leaf and node

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

    def unknown(self, roots: Iterable[int], is_known: Callable[[int], bool]) -> Iterator[int]:
        """Yield what roots are made of and is not known yet, operands first; the caller makes each node known."""
        for root in roots:
            waiting = [root]
            while waiting:
                node = waiting[-1]
                operation, *operands = self.nodes[node]
                if is_known(node):
                    waiting.pop()
                elif missing := [one for one in operands if operation not in LEAVES and not is_known(one)]:
                    waiting += missing
                else:
                    yield node

    def substitute(self, node: int, new: dict[int, int]) -> int:
        """Return a node with some of its leaves replaced."""
        known = dict(new)
        for part in self.unknown([node], known.__contains__):
            operation, *operands = self.nodes[part]
            known[part] = part if operation in LEAVES else self._rebuilt(operation, [known[one] for one in operands])
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
        parts: dict = {}  # of a node: static factor, and the rest (None where all is static)

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

        for node in self.unknown(nodes, parts.__contains__):
            operation, *operands = self.nodes[node]
            if self.is_static(node):
                parts[node] = node, None
            else:
                parts[node] = (one, node) if operation in LEAVES else combine(operation, operands)
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

        for node in self.unknown(nodes, known.__contains__):
            operation, *operands = self.nodes[node]
            try:
                known[node] = (
                    operands[0] if operation == NUMBER else computed(operation, [known[one] for one in operands])
                )
            except (ValueError, ZeroDivisionError, OverflowError):
                known[node] = math.nan
        return [known[root] for root in nodes]
