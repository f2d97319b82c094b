"""Figure: the test error of trained models relative to that of persistence."""

import numpy as np

from kinetrain.appearance import in_order, label
from kinetrain.evaluation.network_summaries import prediction_error as tabulate  # noqa: F401
from kinetrain.figures.catalogue import PRUNING, Declaration
from kinetrain.figures.style import BLACK, GREY, colour, log_ticks, nothing_to_show, panels

FIGURE = Declaration(
    title="Prediction error",
    section=PRUNING,
    place=4,
    sources=("networks",),
    needs=("datasets",),
    caption="""
**Prediction error on test data.** Mean squared error of predicting the next time point from the present one, over
test transitions and genes, divided by that of persistence, which predicts that nothing changes (dashed, 1). Points:
models of single seeds; bars: their mean. A model to the right of the dashed line predicts worse than no model at all.
Test data are without added noise. Each model is that of one epoch of its training, chosen by the validation error as
``training.keep`` says: unless the configuration says otherwise, the sparsest within one standard error of the lowest.
Models that failed are left out and counted under *Findings*; "none" marks methods that the data set lacks or that
failed throughout.""",
)


def draw(table):
    """Return one panel per data set: a point per model, a bar at the mean over seeds, a line where persistence lies."""
    from matplotlib.lines import Line2D

    if table.empty:
        return nothing_to_show("no test errors")
    titles = list(table["panel"].drop_duplicates())
    methods = in_order(table["method"])
    figure, axes = panels(titles, width=3.4, height=1.2 + 0.2 * len(methods), sharey=True)
    for axis, title in zip(axes, titles, strict=True):
        _panel(axis, table[table["panel"] == title], methods)
    axes[0].set_ylim(len(methods) - 0.4, -0.6)
    axes[0].set_yticks(range(len(methods)), [label(method) for method in methods])
    dashed = Line2D([], [], color=BLACK, linestyle="--", linewidth=1, label="Persistence")
    figure.legend(handles=[dashed], loc="outside lower center")
    return figure


def _panel(axis, rows, methods) -> None:
    from matplotlib.ticker import NullFormatter

    axis.axvline(1, color=BLACK, linestyle="--", linewidth=1)
    for place, method in enumerate(methods):
        own = rows[rows["method"] == method]
        shift = np.linspace(-0.15, 0.15, len(own)) if len(own) > 1 else np.zeros(len(own))
        axis.scatter(own["ratio"], place + shift, s=14, color=colour(method), linewidth=0, alpha=0.8)
        if len(own):
            axis.plot([own["ratio_mean"].iloc[0]] * 2, [place - 0.35, place + 0.35], color=colour(method), linewidth=2)
        else:
            axis.text(0.02, place, "none", transform=axis.get_yaxis_transform(), va="center", color=GREY, fontsize=7)
    axis.set_xscale("log")
    axis.margins(x=0.1)
    axis.xaxis.set_minor_formatter(NullFormatter())
    ticks = log_ticks(*axis.get_xlim())
    axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.set_xlabel("Test error relative to persistence\n(ratio of mean squared errors)")
    axis.grid(axis="y", visible=False)
