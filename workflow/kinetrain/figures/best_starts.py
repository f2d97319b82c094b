"""Figure: final objectives of the best starts of each optimizer (figure 2d-f of Stapor et al. 2022)."""

import numpy as np
import pandas as pd

from kinetrain.evaluation.benchmark import FAILURES, Benchmark, best_quarter, drawn, failure_counts, readable, table_of
from kinetrain.evaluation.scores import BLOCK, SETTING
from kinetrain.figures.catalogue import FITS, MINI_BATCH, Declaration
from kinetrain.figures.rows import rows_of_settings
from kinetrain.figures.style import BLACK, nothing_to_show

FIGURE = Declaration(
    title="Best starts",
    section=MINI_BATCH,
    place=4,
    sources=FITS,
    needs=("problems", "optimizers"),
    caption="""
**The best starts of each optimizer**, after figure 2d-f of Stapor et al. 2022: final objectives above the best known of
the best quarter of the starts. Thick line: median; box: middle half; whiskers: the whole range; fewer than eight are
points. The best quarter (the best 25 of 100, as in the paper) is taken per data replicate. Every optimizer has
its best setting by mean rank, chosen on the same runs, where there are more than eight settings (a choice of ours: the
paper does not say which setting it shows). The best quarter are other starts for every optimizer: it says how well an
optimizer can end, not how a typical run ends, and hides failed runs, whose number among all stands on the right.
Differences below 0.001 are drawn at 0.001.""",
)

FEWEST = 8  # points that a box is drawn from
BOX = {"orientation": "horizontal", "widths": 0.6, "whis": (0, 100), "patch_artist": True, "manage_ticks": False}


def tabulate(data: Benchmark) -> pd.DataFrame:
    """Return one row per start of the best quarter of each setting, with how many of all its starts failed."""
    fits = readable(data.fits)
    parts = [group.assign(**failure_counts(group)) for _, group in fits.groupby(["problem", *SETTING], sort=False)]
    parts = [drawn(best_quarter(part)) for part in parts]
    return table_of(parts, [*BLOCK, *SETTING, "excess", "excess_drawn", *FAILURES])


def draw(table):
    """Return one panel per problem: a box per setting over the best quarter of its starts, and its failed runs.

    Boxes hold the middle half, whiskers the range.
    """
    return rows_of_settings(table, _box) if len(table) else nothing_to_show("no fits")


def _box(axis, rows, place, colour) -> None:
    ended = rows.loc[np.isfinite(rows["excess_drawn"]), "excess_drawn"]
    if len(ended) < FEWEST:
        axis.plot(ended, [place] * len(ended), "o", color=colour, markersize=3.5, alpha=0.8)
    else:
        box = axis.boxplot([ended], positions=[place], **BOX)
        box["boxes"][0].set(facecolor=colour, alpha=0.75, linewidth=0.8)
        box["medians"][0].set(color=BLACK, linewidth=2)
