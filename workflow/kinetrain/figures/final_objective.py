"""Figure: the final objective of every start of every optimizer, above the best known."""

import numpy as np
import pandas as pd

from kinetrain.evaluation.benchmark import FAILURES, SMALLEST, Benchmark, drawn, failure_counts, readable, table_of
from kinetrain.evaluation.scores import BLOCK, SETTING
from kinetrain.evaluation.statistics import median_over_blocks
from kinetrain.figures.catalogue import FITS, MINI_BATCH, Declaration
from kinetrain.figures.rows import rows_of_settings
from kinetrain.figures.style import BLACK, nothing_to_show

FIGURE = Declaration(
    title="Final objective per optimizer",
    section=MINI_BATCH,
    place=1,
    sources=FITS,
    needs=("problems",),
    caption="""
**Where the fits ended.** One point per start: the negative log-likelihood over all data that the run ended with,
minus the best value known for the problem. That is the lowest of all runs anywhere on their way, of the true
parameters of artificial data, and, for measured data, of the literature. A mini-batch run ends with its last iterate,
neither best nor averaged, as in parPE; a full-batch run, which sees the whole objective at each step, with the best
point it evaluated. Black bar: median over all starts and data replicates, failed starts counted as infinitely bad;
thin line: its 95 % interval by hierarchical bootstrap over data replicates and starts, drawn to the worst start where
it reaches into the failed ones. The numbers on the right count starts that failed; none is replaced. Of more than
eight settings the best by mean rank over problems of each optimizer is shown, chosen on the same runs (where a
problem was not run with it, the best of those that it was run with). All optimizers begin at the same points and have
the same budget in forward solves of one condition, from which gradients are paid at their measured weight, and
everything else that is evaluated; full-batch runs may end earlier by their own criteria. Differences below 0.001 mean
nothing and are drawn at 0.001. The quantity follows Stapor et al. 2022, figure 2; the paper's own values could not be
read and are not shown. Showing every start instead of the best 25 is a choice of ours.""",
)


def tabulate(data: Benchmark) -> pd.DataFrame:
    """Return one row per start: its final objective above the best of its problem, and the median of its setting.

    Columns added to those of a run: objective, best, excess (inf for a failed start), excess_drawn (at least SMALLEST),
    excess_median, median_low, median_high (95 % hierarchical bootstrap interval), failed, runs and the interval of the
    failure rate. Objectives are negative log-likelihoods over all data.
    """
    parts = []
    for _, group in readable(data.fits).groupby(["problem", *SETTING], sort=False):
        median, low, high = np.maximum(median_over_blocks(group[BLOCK], group["excess"]), SMALLEST)
        parts.append(group.assign(excess_median=median, median_low=low, median_high=high, **failure_counts(group)))
    names = [
        *BLOCK,
        *SETTING,
        "objective",
        "best",
        "excess",
        "excess_drawn",
        "excess_median",
        "median_low",
        "median_high",
    ]
    return table_of([drawn(part) for part in parts], [*names, *FAILURES])


def draw(table):
    """Return one panel per problem: a point per start, the median with its interval, and how many starts failed."""
    return rows_of_settings(table, _points) if len(table) else nothing_to_show("no fits")


def _points(axis, rows, place, colour) -> None:
    ended = rows.loc[np.isfinite(rows["excess_drawn"]), "excess_drawn"].sort_values()
    shift = 0.28 * np.sin(2.4 * np.arange(len(ended)))  # spreads points, the same way every time
    axis.scatter(ended, place + shift, s=10, color=colour, alpha=0.6, linewidth=0, zorder=3)
    first = rows.iloc[0]
    if np.isfinite(first["excess_median"]):
        axis.plot([first["excess_median"]] * 2, [place - 0.35, place + 0.35], color=BLACK, linewidth=1.8, zorder=4)
    if np.isfinite(first["median_low"]):
        # where the interval reaches into the failed starts, it is drawn to the last that did not fail
        high = first["median_high"] if np.isfinite(first["median_high"]) else ended.max()
        axis.plot([first["median_low"], high], [place] * 2, color=BLACK, linewidth=0.9, zorder=4)
