"""Starting points that are given: a table of the user's own, or the parameters that a former run ended with."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from kinetrain.data.text import as_numbers, read_table, refuse_repeated
from kinetrain.errors import InputError, did_you_mean
from kinetrain.mechanistic.petab_files import parameter_files, read_description
from kinetrain.mechanistic.scales import FROM_SCALE, TO_SCALE, scale_of_version_2
from kinetrain.training.starts import best_members, load_fits

COLUMNS = ["parameterScale", "lowerBound", "upperBound"]
FORMER = ".parameters.npz"  # what fit.py calls the parameters of a former run; its fits lie in the same folder
ROUNDING = 1e-9  # relative excess over a bound that is rounding


def files_of(path) -> list[str]:
    """Return the files that given starts are read from: a table, or both files of a former run."""
    former = str(path).endswith(FORMER)
    return [str(path), f"{str(path).removesuffix(FORMER)}.tsv"] if former else [str(path)]


def estimated_parameters(yaml, groups: Sequence[str] = ()) -> pd.DataFrame:
    """Return parameterScale, lowerBound and upperBound of the estimated parameters of a PEtab YAML, by name.

    Those of version 2 have no scale in their file; here they are on the scale that they are estimated on.
    groups: names of those that are fitted with scalings of their own, if the file is the template of artificial data:
    it has the scaling of the first one alone.
    """
    description = read_description(yaml, elsewhere=True)
    names = parameter_files(description)
    table = pd.concat([read_table(Path(yaml).parent / name, text=None) for name in names])
    rows = table[table["estimate"].astype(str).str.lower().isin(["1", "1.0", "true"])].copy()
    for name in ("lowerBound", "upperBound"):
        rows[name] = as_numbers(rows.reindex(columns=[name])[name])[0]
    if "parameterScale" not in rows:
        rows["parameterScale"] = rows["lowerBound"].map(scale_of_version_2)
    rows["parameterScale"] = rows["parameterScale"].fillna("lin")
    rows = rows.set_index("parameterId")[COLUMNS]
    if groups:
        first = f"scaling_{groups[0]}"
        scalings = pd.DataFrame([rows.loc[first]] * len(groups), index=[f"scaling_{name}" for name in groups])
        rows = pd.concat([rows.drop(index=first), scalings])
    return rows


def read_starts(path, parameters: pd.DataFrame, starts: int) -> np.ndarray:
    """Return at most `starts` given starting points (m, n), on the scales of the parameters and in their order.

    path: a table with a column for each estimated parameter, in the unit of the model, and a row per start; or
    `SETTING.parameters.npz` of a former run, whose fits are taken from the best on.
    parameters: of the problem, with COLUMNS (bounds in the unit of the model).

    Raises
    ------
    InputError
        If a parameter is missing or unknown, a value is missing, no number or out of bounds, or the table has no rows
        or more than `starts`; with file, row and column.
    """
    if str(path).endswith(FORMER):
        return _former(path, parameters, starts)
    table = read_table(path, text=None)
    refuse_repeated(path, table.columns)
    _check_names(path, table.columns, parameters.index, "column")
    if not 0 < len(table) <= starts:
        wanted = f"`starts` is {starts}: raise it, or leave rows out" if len(table) else "a row per start is needed"
        raise InputError(f"{path}: it has {len(table)} rows; {wanted}")
    points = np.empty((len(table), len(parameters)))
    for number, (name, scale, lower, upper) in enumerate(parameters.itertuples(name=None)):
        values, wrong = as_numbers(table[name])
        for row, cell in wrong.items():
            raise InputError(f"{path}: row {row}, column '{name}': '{cell}' is no number")
        for row, value in zip(table.index, values, strict=True):
            if not np.isfinite(value):
                raise InputError(f"{path}: row {row}, column '{name}': a finite number is needed")
            _check_bounds(f"{path}: row {row}, column '{name}'", value, lower, upper)
        points[:, number] = TO_SCALE[scale](values)
    return points


def _former(path, parameters, starts) -> np.ndarray:
    fits, arrays = load_fits(files_of(path)[1], path)
    names = list(map(str, arrays["names"]))
    _check_names(path, names, parameters.index, "parameter")
    points = best_members(fits, arrays, starts)[:, [names.index(name) for name in parameters.index]]
    if not len(points):
        raise InputError(f"{path}: none of its fits ended with a finite objective; there is nothing to start from")
    for number, (name, scale, lower, upper) in enumerate(parameters.itertuples(name=None)):
        for fit, value in enumerate(points[:, number]):
            where = f"{path}: fit {fit} from the best, parameter '{name}'"
            _check_bounds(where, FROM_SCALE[scale](value), lower, upper)
    return points


def _check_names(path, given, wanted, kind) -> None:
    for name in wanted:
        if name not in given:
            raise InputError(f"{path}: no {kind} '{name}', which is estimated{did_you_mean(name, given)}")
    for name in given:
        if name not in wanted:
            raise InputError(f"{path}: the {kind} '{name}' is not estimated{did_you_mean(name, wanted)}")


def _check_bounds(where, value, lower, upper) -> None:
    if value < lower - ROUNDING * abs(lower):
        raise InputError(f"{where}: {value:g} is below the lower bound {lower:g} of the problem")
    if value > upper + ROUNDING * abs(upper):
        raise InputError(f"{where}: {value:g} is above the upper bound {upper:g} of the problem")
