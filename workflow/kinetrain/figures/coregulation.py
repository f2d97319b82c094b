"""Figure: heat maps of regulators that act through the same hidden units, and of their common targets in the prior."""

import numpy as np
import pandas as pd

from kinetrain.appearance import in_order, label
from kinetrain.evaluation.network_summaries import GROUP, few_of_many, one_corruption, panel_names
from kinetrain.figures.catalogue import PRUNING, Declaration
from kinetrain.figures.style import heat_map, new_figure, nothing_to_show

FIGURE = Declaration(
    title="Co-regulation",
    section=PRUNING,
    place=6,
    sources=("coregulation",),
    needs=("datasets",),
    caption="""
**Regulators that act through the same hidden units.** Left: how many targets two regulators share in the prior that
the models were given. Others: the Gram matrix of the absolute first-layer weights, summed over branches, of the first
seed that did not fail: how strongly two regulators act on the same hidden units. Each panel is scaled to its largest
value, with full colour from half of it. Rows and columns are the regulators of the prior (at most the 60 with most
targets), ordered so that regulators with common targets stand together. Agreement: correlation with the prior of
that seed over all pairs of different regulators. After the first version of the paper (arXiv 2403.04805v1); order and
agreement are choices of ours. Of more than five methods four are shown, and of several corruptions of a prior the
lowest above 0. "none": no such model.""",
)

STRONG = 0.5  # of the largest value: full colour


def tabulate(table: pd.DataFrame) -> pd.DataFrame:
    """Return the heat maps of regulators that share hidden units (in the prior: targets), and how well these agree.

    Of many methods and corruptions the same are kept as for the effect matrices, and of several priors that of the
    lowest seed; methods agree or not with the prior of their own seed. Columns: panel, dataset, noise,
    prior_corruption, method, regulator, other, place, other_place, value, agreement (correlation with the prior over
    all pairs of different regulators; NaN for the prior itself and where nothing varies).
    """
    kept = one_corruption(few_of_many(table, "prior"))
    kept = kept.drop_duplicates([*GROUP, "method", "seed", "regulator", "other"], ignore_index=True)
    kept = kept.assign(agreement=np.nan)
    for _, rows in kept.groupby([*GROUP, "seed"], sort=False):  # each seed has a prior of its own, and its order
        size = int(rows[["place", "other_place"]].max(axis=None)) + 1
        maps = {method: _above_diagonal(own, size) for method, own in rows.groupby("method")}
        for method, own in maps.items():
            if method != "prior" and "prior" in maps and own.std() > 0 and maps["prior"].std() > 0:
                kept.loc[rows.index[rows["method"] == method], "agreement"] = np.corrcoef(own, maps["prior"])[0, 1]
    kept = kept[kept["seed"] == kept.groupby([*GROUP, "method"])["seed"].transform("min")]
    kept.insert(0, "panel", panel_names(kept))
    return kept[["panel", *GROUP, "method", "regulator", "other", "place", "other_place", "value", "agreement"]]


def draw(table):
    """Return one row of square maps per data set and noise: the prior, then the methods."""
    if table.empty:
        return nothing_to_show("no regulators")
    titles, methods = list(table["panel"].drop_duplicates()), in_order(table["method"])
    figure = new_figure(0.9 + 2.0 * len(methods), 2.5 * len(titles))
    axes = figure.subplots(len(titles), len(methods), squeeze=False)
    for row, title in zip(axes, titles, strict=True):
        own = table[table["panel"] == title]
        size = int(own[["place", "other_place"]].max(axis=None)) + 1
        for axis, method in zip(row, methods, strict=True):
            rows = own[own["method"] == method]
            look = {"cmap": "Purples", "vmin": 0, "vmax": STRONG}
            image = heat_map(axis, rows["place"], rows["other_place"], rows["value"], (size, size), **look)
            axis.set_title(label(method), fontsize=9, fontweight="normal")
            agreement = rows["agreement"].dropna()
            axis.set_xlabel(f"agreement {agreement.iloc[0]:.2f}" if len(agreement) else "", fontsize=8)
        row[0].set_ylabel(title.replace(", ", "\n", 1) + f"\n{size} regulators", fontsize=8)
    bar = figure.colorbar(image, ax=axes, shrink=0.8 / len(titles), aspect=20, extend="max", pad=0.01)
    bar.set_label(f"Shared units or targets\n(largest of the panel = 1,\nfull colour from {STRONG:g})", fontsize=8)
    return figure


def _above_diagonal(rows: pd.DataFrame, size: int) -> np.ndarray:
    matrix = np.zeros((size, size))
    matrix[rows["place"], rows["other_place"]] = rows["value"]
    return matrix[np.triu_indices(size, 1)]
