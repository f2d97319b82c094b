"""Figure: where every start of every optimizer ended, above the best known objective."""

import numpy as np
from matplotlib.figure import Figure

from kinetrain.figures.settings import settings_in_order, with_setting
from kinetrain.figures.style import BLACK, RED, colour, first_column, nothing_to_show, panels


def draw(table) -> Figure:
    """Return one panel per problem: a point per start, the median with its interval, and how many starts failed.

    `table` is that of kinetrain.evaluation.fits.final_objective.
    """
    if table.empty:
        return nothing_to_show("no fits")
    table = with_setting(table)
    problems = list(table["problem"].drop_duplicates())
    most = table.groupby("problem")["setting"].nunique().max()
    figure, axes = panels(problems, width=max(2.8, 0.9 + 1.05 * most), height=3.2)
    for axis, problem in zip(axes, problems, strict=True):
        _panel(axis, table[table["problem"] == problem])
    for axis in first_column(axes):
        axis.set_ylabel("Final objective above the best known\n(negative log-likelihood)")
    return figure


def _panel(axis, rows) -> None:
    settings = settings_in_order(rows)
    _set_height(axis, rows)
    for place, (setting, optimizer) in enumerate(settings.items()):
        own = rows[rows["setting"] == setting]
        ended = own.loc[np.isfinite(own["excess_drawn"]), "excess_drawn"].sort_values()
        shift = 0.2 * np.sin(2.4 * np.arange(len(ended)))  # spreads points beside each other, the same way every time
        axis.scatter(place + shift, ended, s=16, color=colour(optimizer), alpha=0.7, linewidth=0, zorder=3)
        _summary(axis, place, own.iloc[0])
    axis.set_xlim(-0.6, len(settings) - 0.4)
    axis.set_xticks(range(len(settings)), [name.replace(", ", "\n", 1) for name in settings], fontsize=7.5)
    axis.grid(axis="x", visible=False)


def _set_height(axis, rows) -> None:
    """Fix the logarithmic axis, with room above the points for the notes on failed starts."""
    ended = rows.loc[np.isfinite(rows["excess_drawn"]), "excess_drawn"]
    low, high = (ended.min(), ended.max()) if len(ended) else (1.0, 10.0)
    span = max(high / low, 10.0)
    axis.set_yscale("log")
    axis.set_ylim(low / span**0.08, low * span ** (1.3 if rows["failed_starts"].any() else 1.08))


def _summary(axis, place, setting) -> None:
    top = axis.get_ylim()[1]
    if np.isfinite(setting["excess_median"]):
        axis.plot([place - 0.3, place + 0.3], [setting["excess_median"]] * 2, color=BLACK, linewidth=1.6)
    if np.isfinite(setting["median_low"]):
        axis.plot([place] * 2, [setting["median_low"], min(setting["median_high"], top)], color=BLACK, linewidth=0.8)
    if setting["failed_starts"]:
        note = f"{setting['failed_starts']} of {setting['starts']}\nfailed"
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1}
        axis.text(
            place,
            0.99,
            note,
            transform=axis.get_xaxis_transform(),
            color=RED,
            fontsize=7,
            ha="center",
            va="top",
            bbox=box,
        )
