"""Figure: test error and network accuracy with multipliers of genes kept alive, and without."""

import numpy as np
import pandas as pd

from kinetrain.appearance import in_order, label
from kinetrain.evaluation.network_summaries import MULTIPLIERS, by_multipliers, means
from kinetrain.figures.catalogue import PRUNING, Declaration
from kinetrain.figures.style import colour, error_bars, marker, new_figure, nothing_to_show

MEASURES = {
    "test_mse": "Test error (MSE × $10^{-3}$)",
    "dead_error_share": "Share of dead targets in it (%)",
    "balanced_accuracy": "Balanced accuracy",
    "auprc": "AUPRC",
}
SCALES = {"test_mse": 1e3, "dead_error_share": 100}

FIGURE = Declaration(
    title="Living and dead multipliers",
    section=PRUNING,
    place=5,
    sources=("networks",),
    needs=("datasets", "multipliers"),
    caption="""
**Living and dead multipliers.** The same data and methods with four treatments of the multipliers v of the genes. A
gene whose v has crossed zero predicts that it never changes: dead targets are such genes that do change in the data.
*v 5x*: v learns five times as fast as all else (the corrected published model); *slip*: after the first pruning event
U_P does, as in the released code; *v 1x*: nothing does; *living*: v 5x, kept at 0.001 or above. Points: means over
seeds; bars: 95 % intervals by Student's t on the logit scale (errors: logarithmic). Test data are without added
noise. A method without a point has a model whose error is infinite.""",
)


def tabulate(networks: pd.DataFrame) -> pd.DataFrame:
    """Return mean and 95 % interval over seeds of every measure per data, treatment of the multipliers and method.

    Columns: data, multipliers, method, measure, models, mean, low, high.
    """
    group = ["data", "multipliers", "method"]
    models = by_multipliers(networks).sort_values(group, kind="stable")
    return means(models, group, MEASURES, errors=["test_mse"]).rename(columns={"quantity": "measure"})


def draw(table):
    """Return a row of panels per data, one per measure: a point and an interval per treatment and method."""
    if table.empty:
        return nothing_to_show("no data sets that differ in their multipliers alone")
    names = list(table["data"].drop_duplicates())
    figure = new_figure(3 * len(MEASURES), 2.8 * len(names))
    axes = figure.subplots(len(names), len(MEASURES), squeeze=False)
    treatments = [name for name in MULTIPLIERS if name in set(table["multipliers"])]
    methods = in_order(table["method"])
    for row, data in zip(axes, names, strict=True):
        row[0].set_title(data.replace("_", " "))
        for axis, measure in zip(row, MEASURES, strict=True):
            rows = table[(table["data"] == data) & (table["measure"] == measure)]
            _panel(axis, rows, SCALES.get(measure, 1), treatments, methods)
            axis.set_ylabel(MEASURES[measure])
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(methods))
    return figure


def _panel(axis, rows, scale, treatments, methods) -> None:
    for number, method in enumerate(methods):
        own = rows[rows["method"] == method].set_index("multipliers").reindex(treatments).replace(np.inf, np.nan)
        places = np.arange(len(treatments)) + 0.12 * (number - (len(methods) - 1) / 2)
        look = {"color": colour(method), "linewidth": 1, "capsize": 2, **marker(method, 5)}
        axis.errorbar(
            places, scale * own["mean"], scale * error_bars(own), linestyle="none", label=label(method), **look
        )
    axis.set_xticks(range(len(treatments)), [MULTIPLIERS[name] for name in treatments])
    axis.set_xlim(-0.5, len(treatments) - 0.5)
    axis.grid(axis="x", visible=False)
