"""Figure: how the objective falls with the number of condition solves."""

from matplotlib.figure import Figure

from kinetrain.figures.settings import SETTING, setting_label, settings_in_order
from kinetrain.figures.style import colour, nothing_to_show, panels

DASHES = ("-", "--", ":", "-.")  # settings of one optimizer share its colour


def draw(table) -> Figure:
    """Return one panel per problem: a thin line per start, a thick line for the median over starts.

    `table` is that of kinetrain.evaluation.fits.objective_against_solves.
    """
    if table.empty:
        return nothing_to_show("no courses of fits")
    problems = list(table["problem"].drop_duplicates())
    figure, axes = panels(problems, width=3.4, height=3.0)
    settings = settings_in_order(table)
    lines = {}
    for axis, problem in zip(axes, problems, strict=True):
        lines |= _panel(axis, table[table["problem"] == problem], settings)
    for axis in axes[:: min(3, len(axes))]:
        axis.set_ylabel("Objective above the best known\n(negative log-likelihood)")
    names = [setting_label(setting, ", ") for setting in lines]
    figure.legend(lines.values(), names, loc="outside lower center", ncols=min(len(lines), max(1, len(axes)) * 2))
    return figure


def _panel(axis, rows, settings) -> dict:
    lines = {}
    for setting in settings:
        own = rows[(rows[SETTING].astype(object) == list(setting)).all(axis=1)]
        same = [other for other in settings if other[0] == setting[0]]
        look = {"color": colour(setting[0]), "linestyle": DASHES[same.index(setting) % len(DASHES)]}
        for _, course in own[own["kind"] == "start"].groupby(["replicate", "start"]):
            axis.plot(course["condition_solves"], course["excess_drawn"], linewidth=0.6, alpha=0.45, **look)
        median = own[own["kind"] == "median"]
        if len(own):
            (lines[setting],) = axis.plot(median["condition_solves"], median["excess_drawn"], linewidth=2.2, **look)
    axis.set_yscale("log")
    axis.set_xlabel("Condition solves")
    return lines
