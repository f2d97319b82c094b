"""Figure: how the objective falls with the number of condition solves."""

from matplotlib.figure import Figure

from kinetrain.figures.settings import settings_in_order, with_setting
from kinetrain.figures.style import colour, first_column, nothing_to_show, panels

DASHES = ("-", "--", ":", "-.")  # settings of one optimizer share its colour
MEDIAN = {"marker": "o", "markersize": 3.6, "linewidth": 1.1}  # dots, as nothing is measured between two of them


def draw(table) -> Figure:
    """Return one panel per problem: a thin line per start, and dots where the median over starts is known.

    `table` is that of kinetrain.evaluation.fits.objective_against_solves.
    """
    if table.empty:
        return nothing_to_show("no courses of fits")
    table = with_setting(table)
    problems = list(table["problem"].drop_duplicates())
    figure, axes = panels(problems, width=3.4, height=3.0)
    looks, lines = _looks(settings_in_order(table)), {}
    for axis, problem in zip(axes, problems, strict=True):
        lines |= _panel(axis, table[table["problem"] == problem], looks)
    for axis in first_column(axes):
        axis.set_ylabel("Objective above the best known\n(negative log-likelihood)")
    handles = [lines[setting] for setting in looks]
    figure.legend(handles, list(looks), loc="outside lower center", ncols=min(len(handles), 2 if len(axes) == 1 else 4))
    return figure


def _looks(settings: dict[str, str]) -> dict[str, dict]:
    """Return colour and dashes of every setting: the optimizer's colour, and dashes to tell its settings apart."""
    looks, seen = {}, {}
    for setting, optimizer in settings.items():
        looks[setting] = {"color": colour(optimizer), "linestyle": DASHES[seen.get(optimizer, 0) % len(DASHES)]}
        seen[optimizer] = seen.get(optimizer, 0) + 1
    return looks


def _panel(axis, rows, looks) -> dict:
    lines = {}
    for setting, look in looks.items():
        own = rows[rows["setting"] == setting]
        if own.empty:
            continue
        for _, course in own[own["kind"] == "start"].groupby(["replicate", "start"]):
            axis.plot(course["condition_solves"], course["excess_drawn"], linewidth=0.6, alpha=0.45, **look)
        median = own[own["kind"] == "median"]
        (lines[setting],) = axis.plot(median["condition_solves"], median["excess_drawn"], **MEDIAN, **look)
    axis.set_yscale("log")
    axis.set_xlabel("Condition solves")
    return lines
