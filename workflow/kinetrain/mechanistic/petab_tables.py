"""The tables of a PEtab problem: reading them, and telling clearly what is wrong with one."""

import copy
import logging
import math
import re
from pathlib import Path

import pandas as pd
import petab.v1 as petab

from kinetrain.errors import InputError
from kinetrain.mechanistic.initial_assignments import give_way
from kinetrain.mechanistic.petab_files import read_description

PREEQUILIBRATION, SIMULATION = "preequilibrationConditionId", "simulationConditionId"
PAIR = [PREEQUILIBRATION, SIMULATION]


def read_petab(path) -> petab.Problem:
    """Return the checked PEtab problem of a YAML file, ready to be simulated by AMICI (`ProblemOfVersion2`, if it is).

    Plots (visualization files) are left out. Overrides of observable or noise parameters that differ between time
    points become observables of their own, except plain numbers for the noise, which AMICI takes as they are.

    Raises
    ------
    InputError
        If the YAML, a key in it, or a table is missing, if a number is missing or out of its range, or if the PEtab
        linter finds errors.
    """
    path = Path(path)
    description = read_description(path)
    if "model_files" in description:
        from kinetrain.mechanistic.petab_v2 import (
            ProblemOfVersion2,  # its imports take a second that others need not wait
        )

        return ProblemOfVersion2(path, description)
    tables = {key: value for key, value in description["problems"][0].items() if key != "visualization_files"}
    try:
        problem = petab.Problem.from_yaml({**description, "problems": [tables]}, base_path=str(path.parent))
    except Exception as error:
        raise InputError(f"{path}: a table cannot be read ({error})") from error
    problem.measurement_df = problem.measurement_df.reset_index(drop=True)  # several files repeat their row numbers
    _check_numbers(problem, path)
    _check_conditions(problem, path)
    _check(problem, path)
    _separate_overrides(problem)
    _overrule_model(problem, path)
    return problem


def read_petab_1(path) -> petab.Problem:
    """Return the problem of a YAML file as `read_petab`, for what works with the tables of version 1 only."""
    problem = read_petab(path)
    require_version_1(problem, path, "artificial data")
    return problem


def require_version_1(problem, name, wanted) -> None:
    """Raise InputError, which says what is `wanted` of the problem, if it is of PEtab version 2."""
    if not hasattr(problem, "measurement_df"):
        raise InputError(f"{name}: {wanted} can be had of problems of PEtab version 1 only; this is one of version 2")


def is_number(text) -> bool:
    """Whether a cell of a table (text or number) is a number."""
    try:
        return float(text) == float(text)
    except (TypeError, ValueError):
        return False


def is_name(text) -> bool:
    """Whether a formula is a single identifier."""
    return re.fullmatch(r"[A-Za-z_]\w*", str(text).strip()) is not None


def is_placeholder(formula) -> bool:
    """Whether a noise formula is nothing but a placeholder that the measurement table fills in."""
    return is_name(formula) and str(formula).startswith("noiseParameter")


def _check_numbers(problem, path):
    """Raise InputError unless parameters, times, measurements and known noise are numbers in their range."""
    parameters, measurements = problem.parameter_df, problem.measurement_df
    where = f"{path}: parameter table"
    _numbers(parameters, "estimate", where)
    estimated = parameters[parameters["estimate"].astype(str) == "1"]
    if estimated.empty:
        raise InputError(f"{where}: 'estimate' is 1 for no parameter")
    _numbers(parameters, "nominalValue", where)
    logarithmic = estimated.reindex(columns=["parameterScale"])["parameterScale"].isin(["log", "log10"])
    for column in ("nominalValue", "lowerBound", "upperBound"):
        values = _numbers(estimated, column, where)
        zero_is_wrong = column != "nominalValue"  # some published models have nominal values of zero
        for name, value in values[logarithmic & ((values < 0) | (values == 0) & zero_is_wrong)].items():
            raise InputError(f"{where}: {column} of '{name}' is {value:g}, but its scale is logarithmic")
    _numbers(measurements, "measurement", f"{path}: measurement table")
    times = _numbers(measurements, "time", f"{path}: measurement table", infinite=True)
    for row, value in times[times < 0].items():
        raise InputError(f"{path}: measurement table: time of row '{row}' is {value:g}; simulations begin at 0")
    formulas = problem.observable_df.reindex(columns=["noiseFormula"])["noiseFormula"]
    noise = measurements.reindex(columns=["observableId", "noiseParameters"])
    known = noise["observableId"].map({name: is_placeholder(formula) for name, formula in formulas.items()})
    values = pd.to_numeric(noise["noiseParameters"], errors="coerce")
    for row, value in values[(known == True) & (values <= 0)].items():  # noqa: E712  unknown observables have none
        raise InputError(f"{path}: measurement table: noiseParameters in row {row} is {value:g}; it must be positive")


def _numbers(table, column, where, infinite=False):
    """Return a column as finite numbers, by row; InputError where it is missing or holds something else."""
    if column not in table:
        raise InputError(f"{where}: no column '{column}'")
    numbers = pd.to_numeric(table[column], errors="coerce")
    for row, value in table[column][numbers.isna() | (numbers.abs() == math.inf) & (not infinite)].items():
        found = "empty" if value != value or value == "" else f"'{value}'"
        wanted = "a number" if infinite else "a finite number"
        raise InputError(f"{where}: {column} of row '{row}' is {found}; {wanted} is needed")
    return numbers.astype(float)


def _check_conditions(problem, path):
    for column in PAIR:
        if column in problem.measurement_df:
            named = problem.measurement_df[column].dropna()
            for row, name in named[~named.isin(problem.condition_df.index)].items():
                raise InputError(
                    f"{path}: measurement table: {column} of row '{row}' is '{name}', "
                    "which is not in the condition table"
                )


def known_noise(problem) -> pd.Series:
    """Return whether each measurement's noise is a plain number, which AMICI takes as data."""
    formulas = problem.observable_df["noiseFormula"]
    placeholder = {name: is_placeholder(formula) for name, formula in formulas.items()}
    numbers = pd.to_numeric(
        problem.measurement_df.reindex(columns=["noiseParameters"]).squeeze(axis=1), errors="coerce"
    )
    return problem.measurement_df["observableId"].map(placeholder).astype(bool) & numbers.notna()


def _separate_overrides(problem):
    """Give an observable whose overrides change within a condition a copy for each of them.

    AMICI maps parameters once for each condition. PEtab's own function makes copies for each condition too.
    """
    table = problem.measurement_df
    keys = ["observableId", *PAIR]
    overrides = ["observableParameters", "noiseParameters"]
    cells = table.reindex(columns=[*keys, *overrides]).astype(object)
    cells["noiseParameters"] = cells["noiseParameters"].mask(known_noise(problem))
    cells = cells.fillna("").astype(str)
    distinct = cells.drop_duplicates()
    number = distinct.groupby(keys).cumcount().rename("number")
    cells = cells.merge(distinct.assign(number=number), how="left")
    for name in cells.loc[cells["number"] > 0, "observableId"].unique():
        mine = (cells["observableId"] == name) & (cells["number"] > 0)
        for copied in sorted(cells.loc[mine, "number"].unique()):
            new = f"{name}_{copied + 1}"
            while new in problem.observable_df.index:
                new += "_"
            row = problem.observable_df.loc[name].copy()
            for column in ("observableFormula", "noiseFormula"):
                row[column] = re.sub(rf"\b((?:observable|noise)Parameter\d+)_{name}\b", rf"\1_{new}", str(row[column]))
            problem.observable_df.loc[new] = row
            table.loc[mine & (cells["number"] == copied), "observableId"] = new


def _overrule_model(problem, path):
    """Let the parameter table and the condition table have the last word on what the model assigns initially."""
    conditions = problem.condition_df.drop(columns="conditionName", errors="ignore")
    empty = set(conditions.columns[conditions.isna().any()])
    give_way(problem.model.sbml_model, [*problem.parameter_df.index, *conditions.columns], empty, str(path))


def _typical_rows(measurements):
    """Return measurements with every combination of observable and overrides once: the smallest number of each.

    The linter takes a tenth of a millisecond for each row, and finds nothing in the others that we have not checked.
    """
    keys = measurements.reindex(columns=["observableId", "observableParameters", "noiseParameters"]).astype(object)
    numeric = pd.to_numeric(keys["noiseParameters"], errors="coerce").notna()
    keys["noiseParameters"] = keys["noiseParameters"].mask(numeric, "number")
    smallest = measurements["measurement"].sort_values().index
    return measurements.loc[keys.loc[smallest].astype(str).drop_duplicates().index].sort_index()


def _check(problem, path):
    messages = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: messages.append(str(record.getMessage()))
    logger = logging.getLogger("petab.v1.lint")
    level, propagate = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.ERROR)
    logger.propagate = False
    small = copy.copy(problem)
    small.measurement_df = _typical_rows(problem.measurement_df)
    try:
        failed = petab.lint_problem(small)
    except Exception as error:
        raise InputError(f"{path}: the PEtab linter cannot read its tables ({error})") from error
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate
    if failed:
        found = "; ".join(" ".join(message.split()) for message in messages if message != "Not OK")
        raise InputError(f"{path}: not a valid PEtab problem: {found}")
