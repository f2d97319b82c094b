"""Cost ratios: what full-batch training costs to reach its own final objective, over what mini-batches need."""

import numpy as np
import pandas as pd

from kinetrain.evaluation.benchmark import Benchmark
from kinetrain.evaluation.pairs import setting_name
from kinetrain.evaluation.scores import BLOCK, chosen_crosswise, hits, least_cost, settings_of
from kinetrain.evaluation.statistics import FEWEST, hierarchical_weights, interval
from kinetrain.tables import FULL_BATCH

CLAIMED = 10.0  # "more than an order of magnitude", Stapor et al. 2022
REACHED = 0.1  # an end this close to a negative log-likelihood has reached it, a choice of ours
COLUMNS = [
    *["problem", "conditions", "quality", "full_batch", "mini_batch", "cost_full_batch", "cost_mini_batch"],
    *["reached_full_batch", "reached_mini_batch", "runs", "factor", "low", "high", "verdict"],
]


def reductions(data: Benchmark) -> pd.DataFrame:
    """Return per problem by which factor mini-batch training lowers the cost of the full-batch optimum's quality.

    The quality is the median and the best final objective of each full-batch optimizer, plus REACHED, per data
    replicate. Costs are expected running times: the cost of all starts, each until it reaches the quality or ends, over
    the number of those that reach it. The mini-batch setting is the best by mean rank (no hybrid, not all conditions at
    once), chosen on other starts (`scores.chosen_crosswise`). low, high: 95 % hierarchical bootstrap interval of the
    factor, over pairs of the same start; verdict: whether it is at least CLAIMED: yes, no or undecided, as it is with
    fewer than `statistics.FEWEST` pairs.
    """
    hybrid = [name for name, settings in data.meaning.get("optimizers", {}).items() if "then" in settings]
    fits = data.fits
    mini = fits[(fits["schedule"] != FULL_BATCH) & (fits["size"] != "full") & ~fits["optimizer"].isin(hybrid)]
    chosen, rows = chosen_crosswise(mini), []
    for (problem, optimizer), whole in fits[fits["schedule"] == FULL_BATCH].groupby(
        ["problem", "optimizer"], sort=False
    ):
        whole, own = _paired(whole, chosen[chosen["problem"] == problem])
        traces = data.traces[data.traces["problem"] == problem]
        for quality, name in (("median", "median"), ("min", "best")) if len(own) else ():
            ends = whole.groupby("replicate")["objective"].transform(quality)
            if np.isfinite(ends).all():
                row = {"problem": problem, "conditions": int(whole["conditions"].iloc[0]), "quality": name}
                settings = " or ".join(setting_name(setting) for setting in settings_of(own))
                row |= {"full_batch": setting_name((optimizer, FULL_BATCH, "full", FULL_BATCH)), "mini_batch": settings}
                rows.append(row | _factor(whole, own, traces, ends + REACHED))
    return pd.DataFrame(rows, columns=COLUMNS)


def _paired(whole: pd.DataFrame, own: pd.DataFrame):
    """Return the runs of both from the same starts, in the same order."""
    both = whole[BLOCK].merge(own[BLOCK], on=BLOCK)
    return both.merge(whole, on=BLOCK), both.merge(own, on=BLOCK)


def _factor(whole, own, traces, targets) -> dict:
    """Return costs and their ratio; `targets` are the objectives to reach, one per row of both tables."""
    _, draws = hierarchical_weights(whole[BLOCK])
    found = [hits(runs, traces, targets) for runs in (whole, own)]
    with np.errstate(divide="ignore", invalid="ignore"):
        costs = [table["cost"].sum() / np.float64(table["hit"].sum()) for table in found]
        drawn = [(draws @ table["cost"]) / (draws @ table["hit"].astype(float)) for table in found]
        factors = drawn[0] / drawn[1]
    factors[np.isinf(drawn[0]) & np.isinf(drawn[1])] = 1.0  # neither is known to be cheaper
    low, high = interval(factors)
    few = len(own) < FEWEST
    if not found[1]["hit"].any():
        high = interval(drawn[0])[1] / least_cost(found[1])  # more runs might have reached it
    return {
        "cost_full_batch": costs[0],
        "cost_mini_batch": costs[1],
        "reached_full_batch": int(found[0]["hit"].sum()),
        "reached_mini_batch": int(found[1]["hit"].sum()),
        "runs": len(own),
        "factor": costs[0] / costs[1],
        "low": low,
        "high": high,
        "verdict": "undecided" if few else "yes" if low >= CLAIMED else "no" if high < CLAIMED else "undecided",
    }
