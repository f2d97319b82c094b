"""Panels with one curve per setting, and a legend of all settings below them."""

from kinetrain.figures.settings import looks, settings_in_order, shared, with_setting
from kinetrain.figures.style import first_column, panels


def curves_of_settings(table, draw_panel, width: float, axis_label: str, most_columns: int = 4):
    """Return one panel per problem, each of `width` inches, with `axis_label` at the vertical axis.

    draw_panel(axis, rows, look) draws the rows of one problem and returns a line per setting; look: colour and dashes
    of every setting. `table` has the columns of a setting, and problem. most_columns: of the legend.
    """
    common, table = shared(table), with_setting(table)
    problems = list(table["problem"].drop_duplicates())
    figure, axes = panels(problems, width=width, height=3.0)
    look = looks(settings_in_order(table))
    lines: dict = {}
    for axis, problem in zip(axes, problems, strict=True):
        lines |= draw_panel(axis, table[table["problem"] == problem], look)
    for axis in first_column(axes):
        axis.set_ylabel(f"{axis_label} above the best known\n(negative log-likelihood)")
    drawn = [setting for setting in look if setting in lines]  # the budget of a setting may end at its start, cost 0
    handles = [lines[setting] for setting in drawn]
    columns = max(1, min(len(handles), 2 if len(axes) == 1 else most_columns))
    figure.legend(handles, drawn, loc="outside lower center", ncols=columns, title=common, title_fontsize=8)
    return figure


def draw_sorted(axis, rows, look, marker="") -> dict:
    """Draw the sorted objectives of every setting with its interval as a band, and return the lines by setting."""
    lines = {}
    for setting, own in rows.groupby("setting", sort=False):
        place, colour = 100 * own["place"], look[setting]["color"]
        axis.fill_between(place, own["low"], own["high"], color=colour, alpha=0.15, linewidth=0)
        (lines[setting],) = axis.plot(place, own["excess"], marker=marker, markersize=3, linewidth=1.2, **look[setting])
    return lines
