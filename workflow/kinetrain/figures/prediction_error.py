"""Figure: the test error of the trained models, in units of that of persistence."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from kinetrain.evaluation.names import in_order, label
from kinetrain.figures.style import BLACK, GREY, colour, first_column, nothing_to_show, panels


def draw(table) -> Figure:
    """Return one panel per data set: a point per model, a bar at the mean over seeds, a line where persistence lies.

    `table` is that of kinetrain.evaluation.figure_tables.prediction_error.
    """
    if table.empty:
        return nothing_to_show("no test errors")
    titles = list(table["panel"].drop_duplicates())
    methods = in_order(table["method"])
    figure, axes = panels(titles, width=max(2.6, 1 + 0.6 * len(methods)), height=2.8, sharey=True)
    for axis, title in zip(axes, titles, strict=True):
        _panel(axis, table[table["panel"] == title], methods)
    for axis in first_column(axes):
        axis.set_ylabel("Test error relative to persistence\n(ratio of mean squared errors)")
    ticks = _ticks(*axes[0].get_ylim())
    axes[0].set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    dashed = Line2D([], [], color=BLACK, linestyle="--", linewidth=1, label="Persistence")
    figure.legend(handles=[dashed], loc="outside lower center")
    return figure


def _ticks(low: float, high: float) -> list[float]:
    """Return the marks of a logarithmic axis: 1, 2 and 5 times powers of 10, or even steps where those are too few."""
    for locator in (LogLocator(subs=(1, 2, 5)), MaxNLocator(5, steps=[1, 2, 5, 10], min_n_ticks=4)):
        ticks = [float(tick) for tick in locator.tick_values(low, high) if low <= tick <= high]
        if len(ticks) >= 3:
            break
    return ticks


def _panel(axis, rows, methods) -> None:
    axis.axhline(1, color=BLACK, linestyle="--", linewidth=1)
    for place, method in enumerate(methods):
        own = rows[rows["method"] == method]
        shift = np.linspace(-0.15, 0.15, len(own)) if len(own) > 1 else np.zeros(len(own))
        axis.scatter(place + shift, own["ratio"], s=18, color=colour(method), linewidth=0, alpha=0.8)
        if len(own):
            axis.plot([place - 0.3, place + 0.3], [own["ratio_mean"].iloc[0]] * 2, color=colour(method), linewidth=2)
        else:
            axis.text(place, 0.02, "none", transform=axis.get_xaxis_transform(), ha="center", color=GREY, fontsize=7)
    axis.set_yscale("log")
    axis.yaxis.set_minor_formatter(NullFormatter())
    axis.margins(y=0.15)
    axis.set_xlim(-0.6, len(methods) - 0.4)
    axis.set_xticks(range(len(methods)), [label(method) for method in methods], rotation=30, ha="right")
    axis.grid(axis="x", visible=False)
