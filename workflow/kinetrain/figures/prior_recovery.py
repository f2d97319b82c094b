"""Figure: true edges found outside the prior, and wrong ones kept of it, by the corruption of the prior."""

import numpy as np
import pandas as pd

from kinetrain.appearance import in_order, label
from kinetrain.evaluation.network_summaries import GROUP, means, panel_names
from kinetrain.figures.catalogue import PRUNING, Declaration
from kinetrain.figures.style import GREY, colour, error_bars, marker, new_figure, nothing_to_show
from kinetrain.networks.controls import CONTROLS

FIGURE = Declaration(
    title="Beyond the prior",
    section=PRUNING,
    place=3,
    sources=("networks",),
    needs=("datasets",),
    caption="""
**Beyond the prior.** A model that copies its prior has a high balanced accuracy and has learned nothing. Left: of the
true edges that the prior lacks, how many the model has (copying the prior: none). Middle: of the edges that the prior
has wrong, how many the model has (copying: all). Right: balanced accuracy over the pairs that are not in the prior
(copying, and chance: 50 %). A dense model scores high on the left and in the middle alike. Mean and 95 % interval by
Student's t on the logit scale over seeds, against the share of the prior's edges that were moved elsewhere before
training; points of different methods are set side by side. For measured data the prior also has errors of its own. A
choice of ours, after the paper's table 6.""",
)

QUANTITIES = {
    "recall_outside_prior": "True edges outside\nthe prior that are found (%)",
    "wrong_prior_kept": "Wrong edges of\nthe prior that are kept (%)",
    "balanced_accuracy_outside_prior": "Balanced accuracy\noutside the prior (%)",
}


def tabulate(networks: pd.DataFrame) -> pd.DataFrame:
    """Return, per method and corruption of the prior, what was found outside the prior and what wrong was kept of it.

    Columns: panel (data set and noise), dataset, noise, prior_corruption, method, quantity (one of QUANTITIES), models,
    mean, low, high (95 % interval over seeds). Quantities that have no value anywhere in a panel are left out.
    """
    table = means(networks[~networks["method"].isin(CONTROLS)], [*GROUP, "method"], QUANTITIES)
    table = table[table["models"] > 0]
    table.insert(0, "panel", panel_names(table.assign(prior_corruption=0.0)))
    return table


def draw(table):
    """Return one row of panels per data set and noise: three quantities, mean and 95 % interval over seeds."""
    if table.empty:
        return nothing_to_show("no scores outside a prior")
    titles, methods = list(table["panel"].drop_duplicates()), in_order(table["method"])
    quantities = [name for name in QUANTITIES if name in set(table["quantity"])]
    size = 2.9 * len(quantities) + 1.7, 2.7 * len(titles)
    figure = new_figure(*size)
    axes = figure.subplots(len(titles), len(quantities), squeeze=False)
    for row, title in zip(axes, titles, strict=True):
        for axis, quantity in zip(row, quantities, strict=True):
            _panel(axis, table[(table["panel"] == title) & (table["quantity"] == quantity)], methods)
            axis.set_ylabel(QUANTITIES[quantity])
        row[0].set_title(title)
    for axis in axes[-1]:
        axis.set_xlabel("Edges of the prior moved (%)")
    figure.legend(handles=_legend(methods), loc="outside right upper")
    return figure


def _panel(axis, rows, methods) -> None:
    places = np.sort(rows["prior_corruption"].unique())
    step = np.diff(places).min() if len(places) > 1 else 0.05
    for number, method in enumerate(methods):
        own = rows[rows["method"] == method].sort_values("prior_corruption")
        shift = (number - (len(methods) - 1) / 2) / max(len(methods), 1) * 0.5 * step  # keeps intervals apart
        look = {"color": colour(method), "linewidth": 1, "elinewidth": 0.8, **marker(method, 4.5)}
        axis.errorbar(100 * (own["prior_corruption"] + shift), 100 * own["mean"], 100 * error_bars(own), **look)
    if (rows["quantity"] == "balanced_accuracy_outside_prior").any():
        axis.axhline(50, color=GREY, linewidth=0.8)
    axis.set_ylim(-4, 104)
    axis.set_xticks(100 * places, [f"{100 * place:g}" for place in places])


def _legend(methods):
    from matplotlib.lines import Line2D

    looks = [{"color": colour(name), "linewidth": 1, **marker(name, 4.5), "label": label(name)} for name in methods]
    return [Line2D([], [], **look) for look in [*looks, {"color": GREY, "linewidth": 0.8, "label": "Chance"}]]
