"""Panels with one row per setting, and how many of its runs failed."""

from kinetrain.figures.settings import settings_in_order, shared, with_setting
from kinetrain.figures.style import GREY, RED, colour, panels


def rows_of_settings(table, draw_row):
    """Return one panel per problem with a logarithmic horizontal axis and a row per setting.

    draw_row(axis, rows, place, colour) draws the rows of one setting at its place on the vertical axis. `table` has the
    columns of a setting, problem, failed and runs.
    """
    common, table = shared(table), with_setting(table)
    problems, settings = list(table["problem"].drop_duplicates()), settings_in_order(table)
    figure, axes = panels(problems, width=3.3, height=1.0 + 0.3 * len(settings), legend=1.2, sharey=True)
    for axis, problem in zip(axes, problems, strict=True):
        axis.set_xscale("log")
        axis.grid(axis="y", visible=False)
        axis.text(1.02, 1.0, "failed", transform=axis.transAxes, fontsize=7, va="bottom")
        for place, (setting, optimizer) in enumerate(settings.items()):
            own = table[(table["problem"] == problem) & (table["setting"] == setting)]
            if len(own):
                draw_row(axis, own, place, colour(optimizer))
                _note_failures(axis, place, *own[["failed", "runs"]].iloc[0])
        axis.set_xlabel("Final objective above the best known\n(negative log-likelihood)", fontsize=8)
    axes[0].set_yticks(range(len(settings)), list(settings), fontsize=7.5)
    axes[0].set_ylim(len(settings) - 0.4, -0.6)
    if common:
        figure.supxlabel(common, fontsize=8)
    return figure


def _note_failures(axis, place, failed, runs) -> None:
    tone, where = RED if failed else GREY, axis.get_yaxis_transform()
    axis.text(1.02, place, f"{failed} of {runs}", transform=where, fontsize=7, va="center", color=tone)
