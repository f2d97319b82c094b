"""Figure: the objective by cost (in place of figure 6 of Stapor et al. 2022)."""

import numpy as np
import pandas as pd

from kinetrain.evaluation.benchmark import FAILURES, POINTS, SMALLEST, Benchmark, failure_counts, readable, table_of
from kinetrain.evaluation.scores import SETTING, of_settings
from kinetrain.figures.catalogue import FITS, MINI_BATCH, Declaration
from kinetrain.figures.curves import curves_of_settings
from kinetrain.figures.style import nothing_to_show

FIGURE = Declaration(
    title="Objective against cost",
    section=MINI_BATCH,
    place=2,
    sources=FITS,
    needs=("problems",),
    caption="""
**How the objective falls with its cost.** Negative log-likelihood over all data, minus the best value known, against
the cost: solves of one condition, a gradient counted at its measured weight in forward solves. Dots: median over all
starts and data replicates, joined for the eye; band: the middle half of the starts. Panels begin where
the first setting has fallen by a tenth; a start that has ended keeps its last value, a failed one counts as infinitely
bad from there, so the median may rise where starts fail. For mini-batches the objective is that of the current
iterate, evaluated over all data outside the counted cost, since that of a single mini-batch is noise, and it may
rise; for full-batch optimizers it is the best value so far, and never rises. Of more than eight settings the best by
mean rank of each optimizer is shown, chosen on the same runs. Solid, dashed and dotted lines of one colour are
different settings of one optimizer. Differences below 0.001 are drawn at 0.001. In place of figure 6 of Stapor et al.
2022, which could not be read: presumably mini-batch against full-batch training by cost.""",
)

MEDIAN = {"marker": "o", "markersize": 2.4, "linewidth": 1.1}  # dots, as nothing is measured between two of them
ENORMOUS = 1e300  # objective of a failed run where quantiles are interpolated


def tabulate(data: Benchmark) -> pd.DataFrame:
    """Return the objective above the best per cost: median and quartiles over all starts of each setting.

    The cost is in forward solves of one condition. A start that has ended keeps its last value, and one that failed
    counts as infinitely bad from there. Columns: problem and setting, cost, excess, low, high (quartiles), failed, runs
    and the interval of the failure rate.
    """
    fits = readable(data.fits)
    settings = fits[SETTING].drop_duplicates().itertuples(index=False, name=None)
    failed = fits[~np.isfinite(fits["excess"])]  # a start may fail before its first trace point
    traces = pd.concat([of_settings(data.traces, settings), failed])
    courses = {key: group for key, group in traces.groupby(["problem", *SETTING], sort=False)}
    parts = []
    for key, group in fits.groupby(["problem", *SETTING], sort=False):
        if key in courses:
            same = dict(zip(["problem", *SETTING], key, strict=True))
            parts.append(_course(courses[key], len(group)).assign(**same, **failure_counts(group)))
    return table_of(parts, ["problem", *SETTING, "cost", "excess", "low", "high", *FAILURES])


def draw(table):
    """Return one panel per problem: the median over starts of each setting, and a band between the quartiles."""
    if table.empty:
        return nothing_to_show("no courses of fits")
    return curves_of_settings(table, _panel, 3.4, "Objective")


def _panel(axis, rows, look) -> dict:
    from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

    lines, rows = {}, rows[rows["cost"] > 0]  # the axis is logarithmic
    for setting, own in rows.groupby("setting", sort=False):
        axis.fill_between(own["cost"], own["low"], own["high"], color=look[setting]["color"], alpha=0.15, linewidth=0)
        (lines[setting],) = axis.plot(own["cost"], own["excess"], **MEDIAN, **look[setting])
    axis.set(xscale="log", yscale="log")
    axis.set_xlim(left=_parting(rows))
    wide = len(rows) and rows["cost"].max() > 100 * rows["cost"].min()
    axis.xaxis.set_major_locator(LogLocator(subs=(1,) if wide else (1, 2, 5)))
    axis.xaxis.set_major_formatter(EngFormatter(sep=""))
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.set_xlabel("Cost (forward solves of one condition)")
    return lines


def _parting(rows: pd.DataFrame) -> float | None:
    """Return a cost shortly before the first setting has fallen by a tenth: until there all are the same."""
    fallen = rows[rows["excess"] < 0.9 * rows["excess"].max()]
    return fallen["cost"].min() / 1.5 if len(fallen) else None


def _course(traces: pd.DataFrame, runs: int) -> pd.DataFrame:
    """Return median and quartiles over runs at up to POINTS costs, from where every run has a value."""
    costs = np.sort(traces["cost"].unique())
    if len(costs) > POINTS:
        spread = np.geomspace(costs[costs > 0][0], costs[-1], POINTS)  # the axis is logarithmic
        costs = costs[np.unique([0, *np.searchsorted(costs, spread).clip(max=len(costs) - 1)])]
    values = np.full((len(costs), runs), np.nan)
    for column, (_, course) in enumerate(traces.groupby(["replicate", "start"], sort=False)):
        course = course.sort_values("cost", kind="stable")
        last = np.searchsorted(course["cost"], costs, side="right") - 1  # of what was known at that cost
        values[last >= 0, column] = course["excess"].to_numpy()[last[last >= 0]]
    known = ~np.isnan(values).any(axis=1)
    values = np.minimum(values[known], ENORMOUS)  # infinity times zero would be missing
    quartiles = np.quantile(values, [0.25, 0.5, 0.75], axis=1) if known.any() else np.empty((3, 0))
    quartiles = np.where(quartiles > ENORMOUS / 1e10, np.inf, np.maximum(quartiles, SMALLEST))
    return pd.DataFrame({"cost": costs[known], **dict(zip(["low", "excess", "high"], quartiles, strict=True))})
