"""Figure: what models find outside their prior and what wrong they keep of it, against the corruption of the prior."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from kinetrain.evaluation.names import in_order, label
from kinetrain.figures.style import GREY, colour, marker, nothing_to_show

QUANTITIES = {
    "recall_outside_prior": "True edges outside\nthe prior that are found (%)",
    "wrong_prior_kept": "Wrong edges of\nthe prior that are kept (%)",
    "balanced_accuracy_outside_prior": "Balanced accuracy\noutside the prior (%)",
}


def draw(table) -> Figure:
    """Return one row of panels per data set and noise: three quantities, mean and 95 % interval over seeds.

    `table` is that of kinetrain.evaluation.figure_tables.prior_recovery.
    """
    if table.empty:
        return nothing_to_show("no scores outside a prior")
    titles, methods = list(table["panel"].drop_duplicates()), in_order(table["method"])
    quantities = [name for name in QUANTITIES if name in set(table["quantity"])]
    size = 2.9 * len(quantities) + 1.7, 2.7 * len(titles)
    figure = Figure(figsize=size, layout="constrained")
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
        errors = (own["mean"] - own["low"]).fillna(0), (own["high"] - own["mean"]).fillna(0)
        look = {"color": colour(method), "linewidth": 1, "elinewidth": 0.8, **marker(method, 4.5)}
        axis.errorbar(100 * (own["prior_corruption"] + shift), 100 * own["mean"], 100 * np.array(errors), **look)
    if (rows["quantity"] == "balanced_accuracy_outside_prior").any():
        axis.axhline(50, color=GREY, linewidth=0.8)
    axis.set_ylim(-4, 104)
    axis.set_xticks(100 * places, [f"{100 * place:g}" for place in places])


def _legend(methods) -> list[Line2D]:
    looks = [{"color": colour(name), "linewidth": 1, **marker(name, 4.5), "label": label(name)} for name in methods]
    return [Line2D([], [], **look) for look in [*looks, {"color": GREY, "linewidth": 0.8, "label": "Chance"}]]
