"""Translation of sympy's expressions into nodes of a graph."""

import math
from functools import reduce

import sympy

from kinetrain.mechanistic.kernel.graph import FUNCTIONS, Graph, UnsupportedModelError


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
