"""Figure: the final objectives of all starts, sorted."""

from matplotlib.figure import Figure

from kinetrain.figures.curves import curves_of_settings, draw_sorted
from kinetrain.figures.style import nothing_to_show


def draw(table) -> Figure:
    """Return one panel per problem: a curve per setting that ends where its starts fail, with an interval as a band.

    `table` is that of kinetrain.evaluation.fits.waterfall.
    """
    if table.empty:
        return nothing_to_show("no fits")
    return curves_of_settings(table, _panel, 3.4, "Final objective")


def _panel(axis, rows, look) -> dict:
    lines = draw_sorted(axis, rows, look)
    axis.set(yscale="log", xlabel="Starts, sorted (%)", xlim=(0, 100))
    return lines
