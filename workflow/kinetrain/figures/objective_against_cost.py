"""Figure: how the objective falls with what it costs (figure 6 of Stapor et al. 2022, as far as it is known)."""

from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

from kinetrain.figures.curves import curves_of_settings
from kinetrain.figures.style import nothing_to_show

MEDIAN = {"marker": "o", "markersize": 2.4, "linewidth": 1.1}  # dots, as nothing is measured between two of them


def draw(table) -> Figure:
    """Return one panel per problem: the median over starts of each setting, and a band between the quartiles.

    `table` is that of kinetrain.evaluation.fits.objective_against_cost.
    """
    if table.empty:
        return nothing_to_show("no courses of fits")
    return curves_of_settings(table, _panel, 3.4, "Objective")


def _panel(axis, rows, look) -> dict:
    lines, rows = {}, rows[rows["cost"] > 0]  # the axis is logarithmic
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
