"""SBML models, read by libsbml and checked for names and formulas that AMICI cannot process safely."""

import warnings
from pathlib import Path

import libsbml

from kinetrain.errors import InputError, InputWarning
from kinetrain.mechanistic.formulas import check, nodes

NOT_UTF8 = (10101, libsbml.MissingXMLEncoding)  # what SBML demands, and libsbml can do without


def read_sbml(file) -> libsbml.SBMLDocument:
    """Return an SBML model whose names and formulas can be given to AMICI, in UTF-8.

    Raises
    ------
    InputError
        If it is no valid SBML or has a DOCTYPE, a name would break the code that AMICI writes, a formula is too large
        for sympy, or a reaction has no rate, for which AMICI takes 0; also if it is made of other models, which AMICI
        puts together unchecked, and reads from anywhere; or has something that AMICI reads as something else.
    """
    document = _valid(file)
    model = document.getModel()
    functions = {one.getId(): one.getBody() for one in model.getListOfFunctionDefinitions()}
    for element in [model, *model.getListOfAllElements()]:
        for name in (element.getId(), element.getName()):
            check_name(name, f"{file}: the {element.getElementName()} '{element.getId()}' has the name")
        tree = element.getMath() if hasattr(element, "getMath") else None
        if tree is not None:
            owner = element.getId() or getattr(element, "getVariable", element.getElementName)()
            check(tree, f"{file}: the formula of '{owner}'", functions)
            if any(node.isPiecewise() and node.getNumChildren() % 2 == 0 for node in nodes(tree)):
                what = "a piecewise formula without 'otherwise', which is 0 where none of its conditions holds"
                warnings.warn(f"{file}: '{owner}' has {what}", InputWarning, stacklevel=2)
        if element.getTypeCode() == libsbml.SBML_EVENT and element.isSetDelay():
            raise InputError(f"{file}: AMICI does not support the delay of an event ('{element.getId()}')")
    for reaction in model.getListOfReactions():
        if reaction.getKineticLaw() is None or reaction.getKineticLaw().getMath() is None:
            raise InputError(f"{file}: the reaction '{reaction.getId()}' has no kinetic law, so it has no rate")
        for side in (*reaction.getListOfReactants(), *reaction.getListOfProducts()):
            if side.getDenominator() != 1:
                raise InputError(
                    f"{file}: a stoichiometry in the reaction '{reaction.getId()}' has a denominator, which AMICI does "
                    "not read: convert the model to SBML level 3"
                )
    for event in model.getListOfEvents():
        _check_event(event, model, f"{file}: the event '{event.getId()}'")
    return document


def _check_event(event, model, where) -> None:
    """Raise InputError, which begins with `where`, of an event that AMICI would take for another one."""
    set_by_it = {one.getVariable() for one in event.getListOfEventAssignments()}
    for name in sorted(set_by_it):
        species = model.getSpecies(name)
        if species and not species.getHasOnlySubstanceUnits() and species.getCompartment() in set_by_it:
            raise InputError(
                f"{where} sets the concentration of '{name}' and the size of its compartment: AMICI would change the "
                "concentration with the size once more; give the species hasOnlySubstanceUnits, or two events"
            )
    trigger = event.getTrigger().getMath() if event.isSetTrigger() else None
    for node in nodes(trigger) if trigger is not None else ():
        if node.getType() == libsbml.AST_RELATIONAL_EQ and any(
            part.getType() == libsbml.AST_NAME_TIME for part in nodes(node)
        ):
            raise InputError(
                f"{where} is triggered where time equals something (==), which AMICI never finds: write >="
            )


def _valid(file) -> libsbml.SBMLDocument:
    """Return an SBML document; InputError with the first error that libsbml finds in it."""
    if b"<!DOCTYPE" in Path(file).read_bytes().replace(b"\0", b""):  # libsbml drops entities of other files silently
        raise InputError(f"{file}: it has a DOCTYPE; SBML needs none, and entities of other files are not read")
    document = libsbml.readSBMLFromFile(str(file))
    if document.getModel() is None or _errors(document, *NOT_UTF8):
        found = _errors(document, *NOT_UTF8) or ["no model in it"]
        raise InputError(f"{file}: not a valid SBML model: {found[0]}")
    parts = document.getPlugin("comp")  # checks of consistency would read those of other files
    if parts is not None and parts.getNumModelDefinitions() + parts.getNumExternalModelDefinitions():
        raise InputError(f"{file}: it is made of other models (SBML package comp); flatten them into one")
    if document.getNumErrors(libsbml.LIBSBML_SEV_ERROR):  # written in UTF-8 it is no error any more
        document = libsbml.readSBMLFromString(libsbml.writeSBMLToString(document))
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, False)
    document.checkConsistency()
    if found := _errors(document):
        raise InputError(f"{file}: not a valid SBML model: {found[0]}")
    return document


def _errors(document, *allowed) -> list[str]:
    errors = [document.getError(index) for index in range(document.getNumErrors())]
    return [
        f"line {error.getLine()}: {' '.join(error.getMessage().split())}"
        for error in errors
        if error.getSeverity() >= libsbml.LIBSBML_SEV_ERROR and error.getErrorId() not in allowed
    ]


def check_name(name, where: str) -> None:
    """Raise InputError, beginning with `where`, if a name would not stay a name in the C++ code that AMICI writes."""
    if bad := [letter for letter in str(name) if letter in '"\\' or not letter.isprintable()]:
        raise InputError(f"{where} {str(name)!r}, in which {bad[0]!r} is not allowed: it becomes part of a program")


def changed_by_events(model, names) -> list[str]:
    """Return those `names`, sorted, which are parameters that events of an SBML model change, but no rule.

    AMICI starts them from the model's value, whatever PEtab's tables say.
    """
    events = model.getListOfEvents()
    changed = {one.getVariable() for event in events for one in event.getListOfEventAssignments()}
    found = changed.intersection(names)
    return sorted(name for name in found if model.getParameter(name) and not model.getRuleByVariable(name))


def initial_value(model, name, constant: bool = False) -> float | None:
    """Return the number that a parameter, species or compartment of an SBML model starts from; None if it has none.

    Of a species it is the one that PEtab means: its amount, or its concentration. It has no number of its own where a
    rule or an initial assignment sets it, or it is missing; if only a `constant` is wanted, neither where it changes.
    """
    element = model.getElementBySId(name)
    if element is None or model.getInitialAssignmentBySymbol(name) or model.getAssignmentRuleByVariable(name):
        return None
    if constant and not (element.getTypeCode() == libsbml.SBML_PARAMETER and element.getConstant()):
        return None
    if element.getTypeCode() == libsbml.SBML_PARAMETER:
        return element.getValue() if element.isSetValue() else None
    if element.getTypeCode() == libsbml.SBML_COMPARTMENT:
        return element.getSize() if element.isSetSize() else None
    if element.getTypeCode() != libsbml.SBML_SPECIES:
        return None
    wants_amount, has_amount = element.getHasOnlySubstanceUnits(), element.isSetInitialAmount()
    if not (has_amount or element.isSetInitialConcentration()):
        return None
    given = element.getInitialAmount() if has_amount else element.getInitialConcentration()
    if wants_amount == has_amount:
        return given
    size = initial_value(model, element.getCompartment())
    return None if size is None else (given / size if has_amount else given * size)
