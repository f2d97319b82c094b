"""Initial assignments of an SBML model that the tables of a PEtab problem override."""

import math

import libsbml

from kinetrain.errors import InputError


def remove_overridden(model: libsbml.Model, tables, empty, where: str) -> None:
    """Remove from a model the initial assignments of parameters that PEtab tables set, and that nothing changes later.

    AMICI puts such an assignment into what is computed from it (the start of a species, say) and goes on with it: a
    parameter that is estimated, fixed or set by a condition then has no effect there, and its derivative is zero.

    Parameters
    ----------
    tables: names that the parameter table or the condition table sets.
    empty: those of them for which the condition table leaves a cell empty, so that the model's own value counts.
    where: of messages, the problem.

    Raises
    ------
    InputError
        If the model's own value counts, and it is a formula.
    """
    changing = {rule.getVariable() for rule in model.getListOfRules()}
    for event in model.getListOfEvents():
        changing |= {one.getVariable() for one in event.getListOfEventAssignments()}
    for name in tables:
        assignment = model.getInitialAssignmentBySymbol(name)
        parameter = model.getParameter(name)
        if assignment is None or parameter is None or name in changing:  # those that change are states of AMICI
            continue
        if not _names(assignment.getMath()):
            parameter.setValue(_evaluated(model, assignment.getMath()))
        elif name in empty:
            formula = libsbml.formulaToL3String(assignment.getMath())
            raise InputError(
                f"{where}: condition table: '{name}' is empty in a condition, but its initial assignment "
                f"in the model is {formula}, which AMICI cannot leave to some conditions; give it in all of them"
            )
        model.removeInitialAssignment(name)
    _insert_numbers(model, changing)


def _insert_numbers(model: libsbml.Model, changing: set[str]) -> None:
    """Insert parameters that an initial assignment sets to a number into the initial assignments of other parameters.

    AMICI does so too, and takes what is a number then for a parameter of its own; PEtab's library takes a formula for
    no value at all. Parameters in `changing` are states of AMICI, and stay.
    """
    found = {one.getSymbol(): one for one in model.getListOfInitialAssignments() if one.isSetMath()}
    formulas = {name: one for name, one in found.items() if model.getParameter(name) and name not in changing}
    depending = {name for name, one in formulas.items() if _names(one.getMath())}
    values = {name: _evaluated(model, formulas[name].getMath()) for name in formulas.keys() - depending}
    while values:
        name, value = values.popitem()
        for other in sorted(depending) if math.isfinite(value) else ():  # not finite: a function unknown to libsbml
            tree = _inserted(formulas[other].getMath(), name, value)
            if not _names(tree):
                depending.remove(other)
                values[other] = _evaluated(model, tree)
                tree = _number(values[other]) if math.isfinite(values[other]) else tree
            formulas[other].setMath(tree)


def _evaluated(model: libsbml.Model, tree) -> float:
    """Return the value of a formula that depends on nothing."""
    return libsbml.SBMLTransforms.evaluateASTNode(tree, model)


def _inserted(tree, name: str, value: float):
    """Return a formula with a number in place of a name."""
    if tree.isName() and tree.getName() == name:
        return _number(value)
    copied = tree.deepCopy()
    copied.replaceIDWithFunction(name, _number(value))
    return copied


def _number(value: float):
    """Return a number as a formula."""
    tree = libsbml.ASTNode(libsbml.AST_REAL)
    tree.setValue(float(value))
    return tree


def assigned_parameters(model: libsbml.Model) -> list[str]:
    """Return the parameters that initial assignments set, sorted."""
    symbols = (one.getSymbol() for one in model.getListOfInitialAssignments())
    return sorted(name for name in symbols if model.getParameter(name) is not None)


def _names(tree) -> bool:
    """Whether a formula depends on anything."""
    return tree.isName() or any(_names(tree.getChild(index)) for index in range(tree.getNumChildren()))
