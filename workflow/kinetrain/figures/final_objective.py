"""Figure: where every start of every optimizer ended, above the best known objective."""

import numpy as np
from matplotlib.figure import Figure

from kinetrain.figures.rows import rows_of_settings
from kinetrain.figures.style import BLACK, nothing_to_show


def draw(table) -> Figure:
    """Return one panel per problem: a point per start, the median with its interval, and how many starts failed.

    `table` is that of kinetrain.evaluation.fits.final_objective.
    """
    return rows_of_settings(table, _points) if len(table) else nothing_to_show("no fits")


def _points(axis, rows, place, colour) -> None:
    ended = rows.loc[np.isfinite(rows["excess_drawn"]), "excess_drawn"].sort_values()
    shift = 0.28 * np.sin(2.4 * np.arange(len(ended)))  # spreads points beside each other, the same way every time
    axis.scatter(ended, place + shift, s=10, color=colour, alpha=0.6, linewidth=0, zorder=3)
    first = rows.iloc[0]
    if np.isfinite(first["excess_median"]):
        axis.plot([first["excess_median"]] * 2, [place - 0.35, place + 0.35], color=BLACK, linewidth=1.8, zorder=4)
    if np.isfinite(first["median_low"]):
        # where the interval reaches into the failed starts, it is drawn to the last that did not fail
        high = first["median_high"] if np.isfinite(first["median_high"]) else ended.max()
        axis.plot([first["median_low"], high], [place] * 2, color=BLACK, linewidth=0.9, zorder=4)
