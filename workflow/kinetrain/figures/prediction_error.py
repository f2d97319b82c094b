"""Figure: the test error of the trained models, in units of that of persistence."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from kinetrain.evaluation.names import in_order, label
from kinetrain.figures.style import BLACK, GREY, colour, nothing_to_show, panels


def draw(table) -> Figure:
    """Return one panel per data set: a point per model, a bar at the mean over seeds, a line where persistence lies.

    `table` is that of kinetrain.evaluation.figure_tables.prediction_error.
    """
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
    ticks = _ticks(*axis.get_xlim())
    axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.set_xlabel("Test error relative to persistence\n(ratio of mean squared errors)")
    axis.grid(axis="y", visible=False)


def _ticks(low: float, high: float) -> list[float]:
    """Return the marks of a logarithmic axis: powers of 10, 1, 2 and 5 times these, or even steps, as needed."""
    even = MaxNLocator(5, steps=[1, 2, 5, 10], min_n_ticks=4)
    for locator in (LogLocator(numticks=6), LogLocator(subs=(1, 2, 5)), even):
        ticks = [float(tick) for tick in locator.tick_values(low, high) if low <= tick <= high]
        if len(ticks) >= 3:
            break
    return ticks
