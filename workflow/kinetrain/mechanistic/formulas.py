"""Formulas of PEtab and SBML, read by libsbml: their values where they are numbers, and limits that protect sympy.

AMICI and PEtab give formulas to sympy, which would evaluate `9^9^9^9` in full, and recurses into nested parts. So
formulas are checked here before anything else reads them.
"""

import math
from collections.abc import Callable

import libsbml

from kinetrain.errors import InputError

LONGEST, DEEPEST, LARGEST_EXPONENT = 20_000, 100, 1000  # nodes, levels (of published models: 47 and 24)
VALUES: dict[int, Callable[..., float]] = {
    libsbml.AST_PLUS: lambda *terms: math.fsum(terms),
    libsbml.AST_MINUS: lambda first, *other: first - other[0] if other else -first,
    libsbml.AST_TIMES: lambda *factors: math.prod(factors),
    libsbml.AST_DIVIDE: lambda a, b: a / b,
    libsbml.AST_POWER: lambda a, b: a**b,
    libsbml.AST_FUNCTION_POWER: lambda a, b: a**b,
    libsbml.AST_FUNCTION_ROOT: lambda degree, a: a ** (1 / degree),
    libsbml.AST_FUNCTION_EXP: math.exp,
    libsbml.AST_FUNCTION_LN: math.log,
    libsbml.AST_FUNCTION_LOG: lambda base, a: math.log(a) / math.log(base),
    libsbml.AST_FUNCTION_ABS: abs,
    libsbml.AST_FUNCTION_MIN: min,
    libsbml.AST_FUNCTION_MAX: max,
    libsbml.AST_FUNCTION_FACTORIAL: lambda a: math.gamma(a + 1),
}
POWERS = libsbml.AST_POWER, libsbml.AST_FUNCTION_POWER
SETTINGS = libsbml.L3ParserSettings()
SETTINGS.setComparisonCaseSensitivity(libsbml.L3P_COMPARE_BUILTINS_CASE_SENSITIVE)  # Pi is phosphate, no 3.14
SETTINGS.setParseLog(libsbml.L3P_PARSE_LOG_AS_LN)  # as PEtab means it
SETTINGS.setParseUnits(libsbml.L3P_NO_UNITS)  # else 1e400 is 1, in units called e400


class _TooMuch(Exception):
    """A formula is too large, or has a part that sympy or AMICI cannot process; the message says which."""


def parse(text, where: str) -> libsbml.ASTNode:
    """Return a PEtab formula as a tree; InputError, beginning with `where`, if it is none or too much for sympy."""
    tree = libsbml.parseL3FormulaWithSettings(str(text), SETTINGS)
    if tree is None:
        reason = " ".join(libsbml.getLastParseL3Error().split())
        raise InputError(f"{where} is '{_short(text)}', which is no formula ({reason})")
    check(tree, where)
    _check_conditions(tree, f"{where} is '{_short(text)}'")
    return tree


def _check_conditions(tree, where):
    """Raise InputError where a formula computes with a condition, or has none where one is needed: sympy cannot."""
    for node in nodes(tree):
        for index, child in enumerate(_children(node)):
            wanted = node.isLogical() or (node.isPiecewise() and index % 2 == 1)
            part, fault = _short(libsbml.formulaToL3String(child)), None
            if wanted and not child.isBoolean():
                fault = f"in which '{part}' is no condition; write a comparison"
            if not wanted and (child.isRelational() or child.isLogical()):
                fault = f"which computes with a condition; write piecewise(1, {part}, 0)"
            if fault:
                raise InputError(f"{where}, {fault}")


def _children(node) -> list:
    return [node.getChild(index) for index in range(node.getNumChildren())]


def nodes(tree):
    """Yield all parts of a formula, from the root on."""
    left = [tree]
    while left:
        yield (node := left.pop())
        left += _children(node)


def check(tree, where: str, functions: dict | None = None) -> None:
    """Raise InputError, which begins with `where`, if a formula is too much for sympy.

    `functions` are the bodies of the SBML model's own functions, by name, which AMICI puts in the place of their calls.
    """
    try:
        if _size(tree, functions or {}) > LONGEST:
            raise _TooMuch(f"has more than {LONGEST} parts")
        _value(tree, {})
    except _TooMuch as error:
        raise InputError(f"{where} {error}: '{_short(libsbml.formulaToL3String(tree))}'") from None


def value(tree, known: dict) -> float | None:
    """Return the value of a checked formula (`parse`), given those of some names; None if it depends on others.

    It is NaN where the formula has no value, as the logarithm of a negative number.
    """
    try:
        return _value(tree, known)
    except _TooMuch:
        return math.nan


def names(tree) -> set[str]:
    """Return the names in a formula."""
    return {node.getName() for node in nodes(tree) if node.getType() == libsbml.AST_NAME}


def _size(node, functions, level=1) -> int:
    """Return the number of parts that a formula has when calls of functions are replaced by their bodies."""
    if level > DEEPEST:
        raise _TooMuch(f"is nested more than {DEEPEST} deep")
    if node.getType() == libsbml.AST_FUNCTION_DELAY:
        raise _TooMuch("has a delay, and AMICI does not support delay()")
    parts = sum(_size(child, functions, level + 1) for child in _children(node))
    body = functions.get(node.getName()) if node.getType() == libsbml.AST_FUNCTION else None
    # each argument can stand wherever the body has a name
    size = 1 + (_size(body, functions, level + 1) * max(1, parts) if body is not None else parts)
    if size > LONGEST:
        raise _TooMuch(f"has more than {LONGEST} parts")
    return size


def _value(node, known) -> float | None:
    kind = node.getType()
    if node.isNumber():
        return node.getValue()
    if kind == libsbml.AST_NAME:
        return known.get(node.getName())
    children = [_value(child, known) for child in _children(node)]
    if kind in POWERS and children[1] is not None and abs(children[1]) > LARGEST_EXPONENT:
        raise _TooMuch(f"has an exponent of {children[1]:g}")
    known = [child for child in children if child is not None]
    if not children or len(known) < len(children):
        return None
    try:
        result = VALUES[kind](*known) if kind in VALUES else _value_by_libsbml(node, known)
    except OverflowError:
        raise _TooMuch("has a number that is too large") from None
    except (ValueError, ZeroDivisionError):
        return math.nan
    if isinstance(result, complex):
        return math.nan
    if math.isinf(result) and not any(map(math.isinf, known)):
        raise _TooMuch("has a number that is too large")
    return result


def _value_by_libsbml(node, children) -> float:
    """Return the value of a function or comparison of numbers, which libsbml can tell without much work."""
    copied = node.deepCopy()
    for index, child in enumerate(children):
        number = libsbml.ASTNode(libsbml.AST_REAL)
        number.setValue(float(child))
        copied.replaceChild(index, number, True)
    return libsbml.SBMLTransforms.evaluateASTNode(copied)


def _short(text) -> str:
    text = str(text)
    return text if len(text) <= 60 else f"{text[:57]}..."
