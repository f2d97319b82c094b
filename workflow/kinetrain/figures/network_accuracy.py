"""Figure: accuracy of networks by their edges and rankings, of neural models and yardsticks."""

import pandas as pd

from kinetrain.appearance import in_order, label
from kinetrain.evaluation.network_summaries import GROUP, means, panel_names
from kinetrain.figures.catalogue import PRUNING, Declaration
from kinetrain.figures.style import BLACK, GREY, colour, marker, new_figure, nothing_to_show
from kinetrain.networks.controls import CONTROLS

FIGURE = Declaration(
    title="Accuracy and ranking of the networks",
    section=PRUNING,
    place=1,
    sources=("networks",),
    needs=("datasets",),
    caption="""
**How true the networks are.** Neural models, ordinary network inference on the same data (crosses: yardsticks) and
predictors that need no training (black). Asterisk: the method uses the prior; dagger: it knows part of the gold
standard. Balanced accuracy asks which effects are exactly zero, and says little of
dense networks. The area under the precision-recall curve (AUPRC) and the precision among as many pairs as there are
true edges ask how pairs are ranked by the size of their effect. Recall outside the prior: of the true edges that the
prior lacks, how many the network has; a dense network has all of them, so the AUPRC over the pairs outside the prior
is shown too. Mean over the seeds and 95 %
interval by Student's t on the logit scale; what a data set does not have (true edges outside its prior) is empty.""",
)

QUANTITIES = {
    "balanced_accuracy": "Balanced\naccuracy (%)",
    "auprc": "AUPRC (%)",
    "precision_at_edges": "Precision at the number\nof true edges (%)",
    "recall_outside_prior": "Recall outside\nthe prior (%)",
    "auprc_outside_prior": "AUPRC outside\nthe prior (%)",
}
SIGNS = {"yes": " *", "truth": " †"}


def tabulate(networks: pd.DataFrame) -> pd.DataFrame:
    """Return mean and 95 % interval over seeds of every quantity, method and data set with a gold standard.

    Columns: panel, dataset, noise, prior_corruption, method, uses_prior, quantity, models, mean, low, high.
    """
    scored = networks[networks["balanced_accuracy"].notna()]
    table = means(scored, [*GROUP, "method", "uses_prior"], QUANTITIES)
    table = table[table["models"] > 0]
    table.insert(0, "panel", panel_names(table))
    return table


def draw(table):
    """Return one row of panels per data set, one column per quantity; methods are rows within each panel."""
    if table.empty:
        return nothing_to_show("no scored networks")
    titles = list(table["panel"].drop_duplicates())
    quantities = [name for name in QUANTITIES if name in set(table["quantity"])]
    methods = {title: in_order(table.loc[table["panel"] == title, "method"]) for title in titles}
    heights = [0.9 + 0.16 * len(methods[title]) for title in titles]
    figure = new_figure(1.9 * len(quantities) + 1.8, sum(heights))
    axes = figure.subplots(len(titles), len(quantities), squeeze=False, height_ratios=heights)
    for row, title in zip(axes, titles, strict=True):
        own = table[table["panel"] == title]
        for axis, quantity in zip(row, quantities, strict=True):
            _panel(axis, own[own["quantity"] == quantity].set_index("method"), methods[title])
            axis.set_xlabel(QUANTITIES[quantity])
        uses = own.drop_duplicates("method").set_index("method")["uses_prior"]
        names = [label(name) + SIGNS.get(uses[name], "") for name in methods[title]]
        row[0].set_yticks(range(len(names)), names)
        row[0].set_title(title)
    return figure


def _panel(axis, rows, methods) -> None:
    for place, method in enumerate(methods):
        if method in rows.index:
            row = rows.loc[method]
            bounds = row[["low", "high"]].fillna(row["mean"]).astype(float)
            shade = BLACK if method in CONTROLS else colour(method)
            axis.plot(100 * bounds, [place, place], color=shade, linewidth=1)
            look = {"marker": "|", "markersize": 7} if method in CONTROLS else marker(method, 5)
            axis.plot(100 * row["mean"], place, color=shade, linestyle="", **look)
    axis.set_ylim(len(methods) - 0.4, -0.6)
    axis.set_yticks(range(len(methods)), [])
    axis.set_xlim(-4, 104)
    axis.axvline(0, color=GREY, linewidth=0.6)
