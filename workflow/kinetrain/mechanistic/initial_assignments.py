"""Initial assignments of an SBML model that the tables of a PEtab problem override."""

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
            parameter.setValue(libsbml.SBMLTransforms.evaluateASTNode(assignment.getMath(), model))
        elif name in empty:
            formula = libsbml.formulaToL3String(assignment.getMath())
            raise InputError(
                f"{where}: condition table: '{name}' is empty in a condition, but its initial assignment "
                f"in the model is {formula}, which AMICI cannot leave to some conditions; give it in all of them"
            )
        model.removeInitialAssignment(name)


def assigned_parameters(model: libsbml.Model) -> list[str]:
    """Return the parameters that initial assignments set, sorted."""
    symbols = (one.getSymbol() for one in model.getListOfInitialAssignments())
    return sorted(name for name in symbols if model.getParameter(name) is not None)


def _names(tree) -> bool:
    """Whether a formula depends on anything."""
    return tree.isName() or any(_names(tree.getChild(index)) for index in range(tree.getNumChildren()))
