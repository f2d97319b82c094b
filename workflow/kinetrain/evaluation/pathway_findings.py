"""Findings on gene sets: plain statements, each computed from the result table of pathways."""

import numpy as np
import pandas as pd

from kinetrain.appearance import label
from kinetrain.data.gene_sets import PLANTED
from kinetrain.evaluation.network_summaries import GROUP, panel_names
from kinetrain.evaluation.statements import counted, verdict
from kinetrain.evaluation.statistics import FEWEST_SEEDS

TESTS = {
    "p_tail": "the permutation test",
    "gsea_p_value": "prerank",
    "ora_p_value": "over-representation of the regulators kept",
}
STABLE = 0.8  # share of the models in which a set is among the top, from which on it is called stable


def significant_pathways(pathways: pd.DataFrame):
    """Yield per data set and method how many gene sets pass Bonferroni at 0.05 in each test and in the control.

    With permuted labels a test passes some set in one of twenty runs where it is exact. The verdict is `no` where the
    control passes at least as many as the labels do in some test, and any at all.
    """
    for panel, method, group in _models(pathways):
        if (group["status"] == "failed").all():
            statement = f"{method}: FAILED, the models diverge from the drawn initial states."
            yield "Pathways", panel, statement, np.nan, np.nan, "no"
            continue
        found = {name: int((group[name] * len(group) < 0.05).sum()) for name in TESTS}
        control = {name: int((group[f"control_{name}"] * len(group) < 0.05).sum()) for name in TESTS}
        said = [f"{found[name]} by {how}" for name, how in TESTS.items()]
        best = group.loc[group["p_tail"].idxmin()]
        statement = (
            f"{method}: gene sets of {len(group)} that pass Bonferroni at 0.05: {', '.join(said)}; with permuted "
            f"labels {', '.join(map(str, control.values()))}. The lowest p is {best['p_tail']:.1g} ({best['pathway']}, "
            f"{best['fold']:.2g} times the mean influence)."
        )
        doubtful = any(control[name] >= max(1, found[name]) for name in TESTS)
        yield "Pathways", panel, statement, sum(found.values()), sum(control.values()), "no" if doubtful else "-"


def stable_pathways(pathways: pd.DataFrame):
    """Yield per data set and method how many sets are among the top in most models; nothing of a single model."""
    for panel, method, group in _models(pathways[pathways["models"] > 1]):
        ever, often = int((group["top_share"] > 0).sum()), int((group["top_share"] >= STABLE).sum())
        if ever:
            statement = (
                f"{method}: {ever} gene sets are among the top ones in some of {group['models'].iloc[0]:.0f} models, "
                f"{often} in at least {100 * STABLE:.0f} % of them."
            )
            yield "Stability of pathways", panel, statement, often, ever, "-"


def planted_pathway(pathways: pd.DataFrame):
    """Yield per random network and method whether the planted set passes Bonferroni, and no set does in the control."""
    planted = pathways[(pathways["pathway"] == PLANTED) & (pathways["status"] != "failed")]
    for _, row in planted.iterrows():
        alike = (pathways[[*GROUP, "method"]] == row[[*GROUP, "method"]]).all(axis=1)
        count = int(alike.sum())
        passed = [how for name, how in TESTS.items() if row[name] * count < 0.05]
        control = [how for name, how in TESTS.items() if row[f"control_{name}"] * count < 0.05]
        statement = (
            f"{_named(row)}: the planted set of the genes with the most targets is "
            f"{'found by ' + ', '.join(passed) if passed else 'NOT found'} ({row['fold']:.2g} times the mean "
            f"influence, p {row['p_tail']:.1g}, Bonferroni {min(1, row['p_tail'] * count):.1g}); with permuted labels "
            f"{'by ' + ', '.join(control) if control else 'by none'}."
        )
        values = row["p_tail"] * count, row["control_p_tail"] * count
        yield (
            "Planted pathway",
            panel_names(planted.loc[[row.name]]).iloc[0],
            statement,
            *values,
            verdict(passed and not control),
        )


def _models(pathways: pd.DataFrame):
    """Yield the panel, the label of the method (with a small number of models) and the rows of every method."""
    for _, group in pathways.groupby([*GROUP, "method"], sort=False):
        yield panel_names(group).iloc[0], _named(group.iloc[0]), group


def _named(row: pd.Series) -> str:
    """Return the label of a method, with the number of its models where they are fewer than FEWEST_SEEDS."""
    few = row["status"] != "failed" and row["models"] < FEWEST_SEEDS
    return label(row["method"]) + (f" ({counted(int(row['models']), 'model')})" if few else "")
