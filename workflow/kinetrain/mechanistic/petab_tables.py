"""The tables of a PEtab problem: read as text or numbers, completed for AMICI, and what their cells name."""

import copy
import re
from typing import Any

import libsbml
import pandas as pd
import petab.v1 as petab
from petab.v1.models.sbml_model import SbmlModel

from kinetrain.data.text import read_table, refuse_repeated
from kinetrain.errors import InputError
from kinetrain.mechanistic.petab_checks import PAIR, PREEQUILIBRATION, is_number
from kinetrain.mechanistic.sbml_model import changed_by_events, initial_value

# Columns whose cells stay text: conditions 001 and 1 differ.
TEXT = {"parameterId", "conditionId", "observableId", "experimentId", "simulationConditionId", PREEQUILIBRATION}
TEXT |= {"parameterName", "conditionName", "observableName", "datasetId", "replicateId", "modelId", "targetId"}
TEXT |= {"observableFormula", "noiseFormula", "targetValue", "observablePlaceholders", "noisePlaceholders"}
TEXT |= {"petabEntityId", "modelEntityId", "initializationPriorParameters", "objectivePriorParameters"}
TEXT |= {"priorParameters"}
MISSING = ["nan", "NaN", "NAN", "NA"]  # as pandas writes them; Na is sodium


def read_tables(files, index: str | None) -> pd.DataFrame:
    """Return PEtab tables as one, as text where it is ids and formulas, else as numbers where all cells are.

    Its index is the column `index`, or, if that is None, the rows as a spreadsheet counts them.

    Raises
    ------
    InputError
        If a file is no table or lacks the column of the index, or a cell of that is empty or stands there twice.
    """
    tables = []
    for file in files:
        table = read_table(file, text=None)
        refuse_repeated(file, table.columns)
        table = table.astype(object).mask(table.isin(MISSING))
        if index and index not in table:
            raise InputError(f"{file}: no column '{index}'")
        if index and table[index].isna().any():
            raise InputError(f"{file}: row {table.index[table[index].isna()][0]} has no {index}")
        if len(files) > 1:
            table.index = [f"{row} of {file.name}" for row in table.index]
        tables.append(table)
    table = pd.concat(tables)
    for name in table.columns.difference(list(TEXT)):
        table[name] = _typed(table[name])
    if index:
        refuse_repeated(files[-1], table[index], f"the {index}")
        table = table.set_index(index)
    return table


def _typed(column: pd.Series) -> pd.Series:
    """Return a column of text as numbers if all of its cells are numbers, NaN or empty."""
    return column.astype(float) if column.dropna().map(is_number).all() else column


def for_amici(problem: petab.Problem, path) -> petab.Problem:
    """Return a problem with the numbers that AMICI does not find by itself.

    Sizes of compartments in the condition table become parameters that initial assignments of the model refer to.
    Parameters that events change get a rate of zero: they are states, which AMICI starts from the condition table.
    Species that the table sets get the model's own value as PEtab means it, which empty cells mean, as a number.

    Raises
    ------
    InputError
        If the size of a compartment is set by a rule, or there is pre-equilibration besides.
    """
    problem = copy.copy(problem)
    document: Any = problem.model.sbml_model.getSBMLDocument().clone()
    model, table = document.getModel(), problem.condition_df.copy()
    sizes = [name for name in table if model.getCompartment(name)]
    _let_events_change(changed_by_events(model, [*table, *problem.parameter_df.index]), model, table)
    problem.condition_df = table.rename(columns={name: _size_parameter(problem, name, model, path) for name in sizes})
    for species in filter(None, map(model.getSpecies, table)):
        own = initial_value(model, species.getId())
        if own is not None:
            give = species.setInitialAmount if species.getHasOnlySubstanceUnits() else species.setInitialConcentration
            give(own)
    problem.model = SbmlModel(sbml_document=document)
    return problem


def _let_events_change(names, model, table) -> None:
    """Give parameters of the model a rate of zero, and put those that the table lacks into it, both in place."""
    for name in names:
        rule = model.createRateRule()
        rule.setVariable(name)
        rule.setMath(libsbml.parseL3Formula("0"))
        table[name] = table.get(name, name)  # of the parameter table: its value there


def _size_parameter(problem, compartment: str, model, path) -> str:
    """Return the name of a new parameter that is the initial size of a compartment of the model."""
    if has_preequilibration(problem) or model.getRuleByVariable(compartment):
        raise InputError(
            f"{path}: the condition table sets the size of the compartment '{compartment}', which AMICI cannot do "
            "together with pre-equilibration or a rule for it"
        )
    name = f"size_of_{compartment}"
    while model.getElementBySId(name) or name in problem.parameter_df.index:
        name += "_"
    parameter = model.createParameter()
    parameter.setId(name)
    parameter.setConstant(True)
    parameter.setValue(model.getCompartment(compartment).getSize())
    assignment = model.getInitialAssignmentBySymbol(compartment) or model.createInitialAssignment()
    assignment.setSymbol(compartment)
    assignment.setMath(libsbml.parseL3Formula(name))
    return name


def has_preequilibration(problem: petab.Problem) -> bool:
    """Whether conditions of a problem of version 1 follow a pre-equilibration."""
    before = problem.measurement_df.get(PREEQUILIBRATION)
    return before is not None and bool(before.notna().any())


def is_version_1(problem) -> bool:
    """Whether a problem of `read_petab`, which decides by the YAML file, is one of PEtab version 1."""
    return hasattr(problem, "measurement_df")  # version 2 has a table of parameters too


def require_version_1(problem, name, wanted) -> None:
    """Raise InputError, which says what is `wanted` of the problem, if it is of PEtab version 2."""
    if not is_version_1(problem):
        raise InputError(f"{name}: {wanted} is possible for problems of PEtab version 1 only; this one is of version 2")


def text_column(table: pd.DataFrame, name: str, missing: str) -> pd.Series:
    """Return a column of text, with `missing` in cells that are empty and where there is no such column."""
    return table.reindex(columns=[name])[name].astype(object).fillna(missing)


def condition_name(before: str, simulated: str) -> str:
    """Return the name of a condition, `simulated` or `simulated+before`, from the ids of its pair."""
    return f"{simulated}+{before}" if before else simulated


def condition_names(measurements: pd.DataFrame) -> list[str]:
    """Return the name of the condition of each row of a measurement table."""
    pairs = measurements.reindex(columns=PAIR).astype(object).fillna("")
    return [condition_name(*pair) for pair in pairs.itertuples(index=False, name=None)]


def is_name(text) -> bool:
    """Whether a formula is a single identifier."""
    return re.fullmatch(r"[A-Za-z_]\w*", str(text).strip()) is not None


def is_placeholder(formula) -> bool:
    """Whether a noise formula is nothing but a placeholder that the measurement table fills in."""
    return is_name(formula) and str(formula).startswith("noiseParameter")


def known_noise(problem) -> pd.Series:
    """Return whether each measurement's noise is a plain number, which AMICI takes as data."""
    formulas = problem.observable_df["noiseFormula"]
    placeholder = {name: is_placeholder(formula) for name, formula in formulas.items()}
    numbers = pd.to_numeric(
        problem.measurement_df.reindex(columns=["noiseParameters"]).squeeze(axis=1), errors="coerce"
    )
    return problem.measurement_df["observableId"].map(placeholder).astype(bool) & numbers.notna()
