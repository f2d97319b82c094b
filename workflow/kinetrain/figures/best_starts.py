"""Figure: where the best starts of each optimizer ended (figure 2d-f of Stapor et al. 2022)."""

import numpy as np
from matplotlib.figure import Figure

from kinetrain.figures.rows import rows_of_settings
from kinetrain.figures.style import BLACK, nothing_to_show

BOX = {"orientation": "horizontal", "widths": 0.6, "whis": (0, 100), "patch_artist": True, "manage_ticks": False}


def draw(table) -> Figure:
    """Return one panel per problem: a box per setting over the best quarter of its starts, and its failed runs.

    Boxes hold the middle half, whiskers the range. `table` is that of kinetrain.evaluation.fits.best_starts.
    """
    return rows_of_settings(table, _box) if len(table) else nothing_to_show("no fits")


def _box(axis, rows, place, colour) -> None:
    ended = rows.loc[np.isfinite(rows["excess_drawn"]), "excess_drawn"]
    if len(ended):
        box = axis.boxplot([ended], positions=[place], **BOX)
        box["boxes"][0].set(facecolor=colour, alpha=0.75, linewidth=0.8)
        box["medians"][0].set(color=BLACK, linewidth=2)
