"""Figure: how the objective falls with what it costs (figure 6 of Stapor et al. 2022, as far as it is known)."""

from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

from kinetrain.figures.settings import looks, settings_in_order, shared, with_setting
from kinetrain.figures.style import first_column, nothing_to_show, panels

MEDIAN = {"marker": "o", "markersize": 2.4, "linewidth": 1.1}  # dots, as nothing is measured between two of them


def draw(table) -> Figure:
    """Return one panel per problem: the median over starts of each setting, and a band between the quartiles.

    `table` is that of kinetrain.evaluation.fits.objective_against_cost.
    """
    if table.empty:
        return nothing_to_show("no courses of fits")
    common, table = shared(table), with_setting(table)
    problems = list(table["problem"].drop_duplicates())
    figure, axes = panels(problems, width=3.4, height=3.0)
    look, lines = looks(settings_in_order(table)), {}
    for axis, problem in zip(axes, problems, strict=True):
        lines |= _panel(axis, table[(table["problem"] == problem) & (table["cost"] > 0)], look)
    for axis in first_column(axes):
        axis.set_ylabel("Objective above the best known\n(negative log-likelihood)")
    handles = [lines[setting] for setting in look]
    columns = min(len(handles), 2 if len(axes) == 1 else 4)
    figure.legend(handles, list(look), loc="outside lower center", ncols=columns, title=common, title_fontsize=8)
    return figure


def _panel(axis, rows, look) -> dict:
    lines = {}
    for setting, own in rows.groupby("setting", sort=False):
        axis.fill_between(own["cost"], own["low"], own["high"], color=look[setting]["color"], alpha=0.15, linewidth=0)
        (lines[setting],) = axis.plot(own["cost"], own["excess"], **MEDIAN, **look[setting])
    axis.set(xscale="log", yscale="log")
    wide = len(rows) and rows["cost"].max() > 100 * rows["cost"].min()
    axis.xaxis.set_major_locator(LogLocator(subs=(1,) if wide else (1, 2, 5)))
    axis.xaxis.set_major_formatter(EngFormatter(sep=""))
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.set_xlabel("Cost (forward solves of one condition)")
    return lines
