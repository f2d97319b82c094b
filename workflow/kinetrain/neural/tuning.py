"""Cross-validation of the options of a method (Hossain et al. 2024, NeurIPS: "K-fold cross-validation" of λ).

The paper states neither K nor the grid; the user gives both. The test data are not used.
"""

import dataclasses
import itertools
import json

import numpy as np
import pandas as pd

from kinetrain.data.expression import Expression
from kinetrain.errors import InputError
from kinetrain.seeds import FOLDS, generator
from kinetrain.tables import TABLES

FOLD = tuple(name for name in TABLES["tuning"].names() if name != "chosen")  # columns of the table of a fold


def candidates(grid: dict) -> list[dict]:
    """Return all settings of a grid {setting: values}; values `{each: [...]}` are all pairs of these."""
    lists = []
    for key, values in grid.items():
        if isinstance(values, dict):
            values = [list(pair) for pair in itertools.product(values["each"], repeat=2)]
        lists.append([(key, value) for value in values])
    return [dict(choice) for choice in itertools.product(*lists)]


def fold(expression: Expression, folds: int, number: int, seed: int) -> Expression:
    """Return the expression with one fold (counted from 0) of its training and validation data for validation.

    Folds are whole trajectories where there are enough of them, single transitions elsewhere.
    """
    used = expression.split != "test"
    trajectory = expression.transitions[:, 0]
    pool = np.unique(trajectory[used])
    units = trajectory if len(pool) >= folds else np.arange(len(trajectory))
    pool = np.unique(units[used])
    if len(pool) < folds:
        raise InputError(f"{len(pool)} transitions are too few for {folds} folds")
    parts = np.array_split(generator(seed, FOLDS).permutation(pool), folds)
    split = np.where(used, np.where(np.isin(units, parts[number]), "validation", "train"), "test")
    return dataclasses.replace(expression, split=split.astype(expression.split.dtype))


def choose(table: pd.DataFrame, choice: str) -> str:
    """Return the setting (JSON) that `choice` prefers; a setting with a failed fold is not eligible.

    `table` has the columns setting, fold, validation_mse (NaN if failed) and sparsity.

    Raises
    ------
    InputError
        If every setting failed in some fold.
    """
    groups = table.groupby("setting", sort=False)
    error = groups["validation_mse"].agg(lambda values: values.mean(skipna=False)).dropna()
    if error.empty:
        raise InputError("every setting of the grid failed in at least one fold: nothing can be chosen")
    best = error.idxmin()
    if choice == "best":
        return best
    values = groups.get_group(best)["validation_mse"]
    within = error[error <= error[best] + values.std() / np.sqrt(len(values))].sort_values().index
    return groups["sparsity"].mean()[within].idxmax()  # of equally sparse ones the first, which has the lowest error


def as_text(setting: dict) -> str:
    """Return a setting as text for tables: JSON with sorted keys."""
    return json.dumps(setting, sort_keys=True)
