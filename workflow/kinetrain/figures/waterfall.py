"""Figure: the final objectives of all starts, sorted."""

from matplotlib.figure import Figure

from kinetrain.figures.settings import looks, settings_in_order, shared, with_setting
from kinetrain.figures.style import first_column, nothing_to_show, panels


def draw(table) -> Figure:
    """Return one panel per problem: a curve per setting that ends where its starts fail, with an interval as a band.

    `table` is that of kinetrain.evaluation.fits.waterfall.
    """
    if table.empty:
        return nothing_to_show("no fits")
    common, table = shared(table), with_setting(table)
    problems = list(table["problem"].drop_duplicates())
    figure, axes = panels(problems, width=3.4, height=3.0)
    look, lines = looks(settings_in_order(table)), {}
    for axis, problem in zip(axes, problems, strict=True):
        lines |= curves(axis, table[table["problem"] == problem], look)
        axis.set(yscale="log", xlabel="Starts, sorted (%)", xlim=(0, 100))
    for axis in first_column(axes):
        axis.set_ylabel("Final objective above the best known\n(negative log-likelihood)")
    handles = [lines[setting] for setting in look]
    columns = min(len(handles), 2 if len(axes) == 1 else 4)
    figure.legend(handles, list(look), loc="outside lower center", ncols=columns, title=common, title_fontsize=8)
    return figure


def curves(axis, rows, look, marker="") -> dict:
    """Draw the sorted objectives of every setting with its interval, and return the lines by setting."""
    lines = {}
    for setting, own in rows.groupby("setting", sort=False):
        place, colour = 100 * own["place"], look[setting]["color"]
        axis.fill_between(place, own["low"], own["high"], color=colour, alpha=0.15, linewidth=0)
        (lines[setting],) = axis.plot(place, own["excess"], marker=marker, markersize=3, linewidth=1.2, **look[setting])
    return lines
