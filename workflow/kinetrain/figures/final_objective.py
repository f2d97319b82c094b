"""Figure: where every start of every optimizer ended, above the best known objective."""

import numpy as np
from matplotlib.figure import Figure

from kinetrain.figures.settings import SETTING, setting_label, settings_in_order
from kinetrain.figures.style import BLACK, RED, colour, nothing_to_show, panels


def draw(table) -> Figure:
    """Return one panel per problem: a point per start, the median with its interval, failed starts as crosses on top.

    `table` is that of kinetrain.evaluation.fits.final_objective.
    """
    if table.empty:
        return nothing_to_show("no fits")
    problems = list(table["problem"].drop_duplicates())
    most = max(len(settings_in_order(table[table["problem"] == problem])) for problem in problems)
    figure, axes = panels(problems, width=max(2.6, 1.0 + 1.25 * most), height=3.2)
    for axis, problem in zip(axes, problems, strict=True):
        _panel(axis, table[table["problem"] == problem])
    for axis in axes[:: min(3, len(axes))]:
        axis.set_ylabel("Final objective above the best known\n(negative log-likelihood)")
    return figure


def _panel(axis, rows) -> None:
    settings = settings_in_order(rows)
    random = np.random.default_rng(0)
    for place, setting in enumerate(settings):
        own = rows[(rows[SETTING].astype(object) == list(setting)).all(axis=1)]
        ended = own[np.isfinite(own["excess_drawn"])]
        shift = random.uniform(-0.22, 0.22, len(ended))
        axis.scatter(place + shift, ended["excess_drawn"], s=16, color=colour(setting[0]), alpha=0.7, linewidth=0)
        summary = own.iloc[0]
        if np.isfinite(summary["excess_median"]):
            axis.plot([place - 0.32, place + 0.32], [summary["excess_median"]] * 2, color=BLACK, linewidth=1.6)
            if np.isfinite(summary["median_high"]):
                axis.plot([place] * 2, [summary["median_low"], summary["median_high"]], color=BLACK, linewidth=0.8)
        if summary["failed_starts"]:
            note = f"✕ {summary['failed_starts']} of {summary['starts']}\nfailed"
            axis.text(
                place, 0.99, note, transform=axis.get_xaxis_transform(), color=RED, fontsize=7, ha="center", va="top"
            )
    axis.set_yscale("log")
    axis.margins(y=0.12)
    if rows["failed_starts"].any():
        low, high = axis.get_ylim()
        axis.set_ylim(low, high * (high / low) ** 0.18)  # room for the notes on failed starts
    axis.set_xlim(-0.6, len(settings) - 0.4)
    axis.set_xticks(range(len(settings)), [setting_label(setting) for setting in settings], fontsize=7.5)
    axis.grid(axis="x", visible=False)
