"""Cost ratios: what full-batch training costs to reach a quality, over what mini-batches need."""

import numpy as np
import pandas as pd

from kinetrain.evaluation.benchmark import Benchmark
from kinetrain.evaluation.scores import (
    BLOCK,
    SETTING,
    chosen_crosswise,
    costs_to_targets,
    first_of_each,
    hits,
    least_cost,
    settings_of,
)
from kinetrain.evaluation.setting_names import hybrids, setting_name
from kinetrain.evaluation.statistics import hierarchical_weights, interval
from kinetrain.tables import FULL_BATCH

CLAIMED = 10.0  # "more than an order of magnitude", Stapor et al. 2022
REACHED = 0.1  # an end this close to a negative log-likelihood has reached it, a choice of ours
COLUMNS = [
    *["problem", "conditions", "quality", "full_batch", "mini_batch", "cost_full_batch", "cost_mini_batch"],
    *["reached_full_batch", "reached_mini_batch", "runs", "factor", "low", "high", "verdict"],
]


# Objectives above the best known: far, near, and as good as the best. A choice of ours.
TARGETS = {"coarse": 100.0, "medium": 10.0, "fine": 1.0}
BEST = "best full-batch optimizer"
RATIOS = [
    *["problem", "conditions", "target", "excess", "unit", "kind", "other", "chosen", "runs"],
    *["cost", "cost_other", "reached", "reached_other", "factor", "low", "high", "verdict"],
]


def ratios(data: Benchmark) -> pd.DataFrame:
    """Return per problem, target and unit of cost what full-batch training costs over what other training costs.

    kind: `mini-batch` or `hybrid`; other: a full-batch optimizer, or BEST. The setting of a kind, and the best
    optimizer, are those of the lowest expected cost to the very target on one half of the starts, judged on the other
    half, both ways. unit: `cost` (forward solves of one condition) or `cpu_seconds` of the evaluations. factor, low,
    high: as in `reductions`, above 1 where full-batch training costs more; NaN where neither reaches the target, or
    every start is there already.
    """
    fits, rows = data.fits, []
    hybrid = fits["optimizer"].isin(hybrids(data.fit_settings))
    whole = fits["schedule"] == FULL_BATCH
    kinds = {"mini-batch": fits[~whole & ~hybrid & (fits["size"] != "full")], "hybrid": fits[hybrid]}
    for problem, full in fits[whole].groupby("problem", sort=False):
        traces = data.traces[data.traces["problem"] == problem]
        sides = {kind: own[own["problem"] == problem] for kind, own in kinds.items()}
        for unit in ("cost", "cpu_seconds"):
            found = {kind: _to_targets(own, traces, unit) for kind, own in {**sides, BEST: full}.items()}
            for number, (target, excess) in enumerate(TARGETS.items()):
                at_target = {kind: _cheapest(table, number) for kind, table in found.items()}
                others = {BEST: at_target.pop(BEST)}
                others |= {name: _at(own, number) for name, own in found[BEST].groupby("optimizer")}
                same = {"problem": problem, "conditions": int(full["conditions"].iloc[0]), "target": target}
                same |= {"excess": excess, "unit": unit}
                rows += [
                    {**same, "kind": kind, "other": name, **row}
                    for kind, own in at_target.items()
                    for name, other in others.items()
                    if (row := _ratio(other, own))
                ]
    return pd.DataFrame(rows, columns=RATIOS)


def _to_targets(runs: pd.DataFrame, traces: pd.DataFrame, unit: str) -> pd.DataFrame:
    """Return the runs with columns cost0, hit0, ... of each of TARGETS."""
    cost, hit = costs_to_targets(runs, traces, np.array(list(TARGETS.values())), unit)
    numbers = range(len(TARGETS))
    columns = {f"cost{n}": cost[:, n] for n in numbers} | {f"hit{n}": hit[:, n] for n in numbers}
    return runs[[*BLOCK, *SETTING]].assign(**columns)


def _at(runs: pd.DataFrame, target: int) -> pd.DataFrame:
    """Return the runs with `cost` and `hit` of a target."""
    return runs.assign(cost=runs[f"cost{target}"], hit=runs[f"hit{target}"])


def _cheapest(runs: pd.DataFrame, target: int) -> pd.DataFrame:
    """Return the runs of the setting that is cheapest on the other half of the starts, with `cost` and `hit`."""
    runs = _at(runs, target)
    half, parts = (runs["start"] + runs["replicate"]) % 2, [runs[:0]]
    for one in (0, 1):
        means = runs[half != one].groupby([*SETTING, "replicate"], sort=False)[["cost", "hit"]].mean()
        means = means.groupby(level=SETTING, sort=False).mean()  # replicates count equally, as in the ratio
        expected = means["cost"] / means["hit"]  # infinite where none reaches the target
        order = sorted(means.index, key=lambda setting: (expected[setting], means["cost"][setting]))
        parts.append(first_of_each(runs[half == one], order))
    return pd.concat(parts)


def _ratio(whole: pd.DataFrame, own: pd.DataFrame) -> dict:
    """Return the ratio of two tables of runs with cost and hit, over their common blocks; {} where there are none."""
    whole, own = _paired(whole, own)
    if own.empty:
        return {}
    found = _costs(whole, [whole, own])
    names = {"cost_full_batch": "cost_other", "cost_mini_batch": "cost"}
    names |= {"reached_full_batch": "reached_other", "reached_mini_batch": "reached"}
    chosen = " or ".join(setting_name(setting) for setting in settings_of(own))
    return {names.get(key, key): value for key, value in found.items()} | {"chosen": chosen}


def reductions(data: Benchmark) -> pd.DataFrame:
    """Return per problem by which factor mini-batch training lowers the cost of the full-batch optimum's quality.

    The quality is the median and the best final objective of each full-batch optimizer, plus REACHED, per data
    replicate. Costs are expected running times: the cost of all starts, each until it reaches the quality or ends, over
    the number of those that reach it. The mini-batch setting is the best by mean rank (no hybrid, not all conditions at
    once), chosen on other starts (`scores.chosen_crosswise`). low, high: 95 % hierarchical bootstrap interval of the
    factor, over pairs of the same start; verdict: whether it is at least CLAIMED: yes, no or undecided, as it is with
    fewer than `statistics.FEWEST` pairs.
    """
    fits, hybrid = data.fits, hybrids(data.fit_settings)
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
    return _costs(whole, [hits(runs, traces, targets) for runs in (whole, own)])


def _costs(blocks: pd.DataFrame, found: list[pd.DataFrame]) -> dict:
    """Return the expected costs of two tables with cost and hit, from the same `blocks`, and the ratio of the first.

    Data replicates count equally, in the costs as in the bootstrap draws, however many starts each has.
    """
    weights, draws = hierarchical_weights(blocks[BLOCK])
    cost, hit = (np.array([table[name].to_numpy(float) for table in found]) for name in ("cost", "hit"))
    with np.errstate(divide="ignore", invalid="ignore"):
        costs = (cost @ weights) / (hit @ weights)
        drawn = (cost @ draws.T) / (hit @ draws.T)
        factors = drawn[0] / drawn[1]
    factors[(drawn == 0).all(axis=0)] = 1.0  # both starts cost nothing
    number, unknown = len(blocks), np.isnan(factors)  # of draws in which neither arrives, it may be anything
    low, high = (interval(np.where(unknown, end, factors), number)[side] for side, end in enumerate((0.0, np.inf)))
    low, high = (low, high) if max(costs) > 0 else (np.nan, np.nan)
    if not found[1]["hit"].any():
        high = interval(drawn[0], number)[1] / least_cost(weights, found[1])  # more runs might have reached it
    if not found[0]["hit"].any():
        low = least_cost(weights, found[0]) / interval(drawn[1], number)[1]
    with np.errstate(invalid="ignore"):
        factor = costs[0] / costs[1]
    return {
        "cost_full_batch": costs[0],
        "cost_mini_batch": costs[1],
        "reached_full_batch": int(found[0]["hit"].sum()),
        "reached_mini_batch": int(found[1]["hit"].sum()),
        "runs": number,
        "factor": factor,
        "low": low,
        "high": high,
        "verdict": "yes" if low >= CLAIMED else "no" if high < CLAIMED else "undecided",
    }
