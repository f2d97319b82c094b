"""Summaries of pruned reactions: means with intervals over networks, data replicates and starts, and differences."""

import numpy as np
import pandas as pd

from kinetrain.evaluation.statistics import BLOCK, mean_over_blocks
from kinetrain.mechanistic.reaction_options import METHODS

LABELS = {name: method.label for name, method in METHODS.items()}
QUANTITIES = {
    "balanced_accuracy": "balanced accuracy",
    "precision": "precision",
    "true_positive_rate": "true positive rate",
    "auprc": "AUPRC",
}


def means(table: pd.DataFrame, group: list[str], quantities) -> pd.DataFrame:
    """Return the mean of each quantity in each group, with its 95 % interval by hierarchical bootstrap.

    Columns: those of `group`, quantity, mean, low, high, runs. Runs without a value (failed, or a precision where
    nothing is kept) are left out.
    """
    rows = []
    for key, part in table.groupby(group, sort=False, dropna=False):
        for quantity in quantities:
            known = part[np.isfinite(part[quantity].astype(float))]
            if len(known):
                mean, low, high = mean_over_blocks(known, known[quantity])
                row = dict(zip(group, key, strict=True)) | {"quantity": quantity, "mean": mean, "low": low}
                rows.append(row | {"high": high, "runs": len(known)})
    return pd.DataFrame(rows, columns=[*group, "quantity", "mean", "low", "high", "runs"])


def levels(reactions: pd.DataFrame) -> list[float]:
    """Return the corruptions of the prior, rising."""
    return sorted(reactions["prior_corruption"].dropna().unique())


def at_level(reactions: pd.DataFrame, corruption: float | None) -> pd.DataFrame:
    """Return the rows of one corruption of the prior, with those of the methods that use none."""
    own = reactions["prior_corruption"]
    return reactions[own.isna() if corruption is None else own.isna() | np.isclose(own.astype(float), corruption)]


def differences(rows: pd.DataFrame, first: str, second: str, quantity: str) -> pd.DataFrame:
    """Return problem, replicate, start, a quantity of two methods (`first`, `second`) and the difference, run by run.

    Runs of which one method has no value are left out.
    """
    values = rows.pivot_table(index=BLOCK, columns="method", values=quantity)
    if not {first, second} <= set(values.columns):
        return pd.DataFrame(columns=[*BLOCK, "first", "second", "difference"])
    both = pd.DataFrame({"first": values[first], "second": values[second]}).dropna()
    return both.assign(difference=both["first"] - both["second"]).reset_index()
