"""The tidy tables behind the figures of mechanistic fits."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kinetrain.evaluation.names import FULL_BATCH
from kinetrain.evaluation.pairs import ALL
from kinetrain.evaluation.scores import (
    BLOCK,
    SETTING,
    best_objectives,
    first_of_each,
    in_all_problems,
    in_order_of_rank,
    mean_ranks,
    of_settings,
    settings_of,
    size_order,
    with_best,
    with_size,
)
from kinetrain.evaluation.statistics import median_over_blocks, quantiles_over_blocks, wilson_interval

SMALLEST = 1e-3  # differences of the objective below this mean nothing; on log axes they are drawn here
READABLE = 8  # settings that can be told apart in one panel
QUARTER = 4  # of the starts of a setting the best quarter is "the best 25" of 100
POINTS = 100  # of a course, or of a sorted set of runs
ENORMOUS = 1e300  # stands for the objective of a failed run where quantiles are interpolated
ADAMS = ("adam_balanced", "adam_standard")


@dataclass(frozen=True)
class Benchmark:
    """What figures of fits are made of: fits and traces with size, best and excess, and what names stand for."""

    fits: pd.DataFrame
    traces: pd.DataFrame
    meaning: dict


def benchmark(fits, traces, nominal, best_known: dict[str, float], meaning: dict) -> Benchmark:
    """Return the result tables with the columns that all figures need; `meaning` as in kinetrain.evaluation.pairs."""
    best = best_objectives(fits, traces, nominal, best_known)
    conditions = fits.drop_duplicates("problem").set_index("problem")["conditions"]
    traces = with_size(traces.assign(conditions=traces["problem"].map(conditions)))
    return Benchmark(with_best(with_size(fits), best), with_best(traces, best), meaning)


# --- which runs belong to which figure ---


def readable(fits: pd.DataFrame) -> pd.DataFrame:
    """Return the fits of all settings or, of more than READABLE, of the best by mean rank of each optimizer.

    The mean is over problems; one that was not run with an optimizer's best setting has the best of those it was.
    """
    if len(fits[SETTING].drop_duplicates()) <= READABLE:
        return fits
    return first_of_each(fits, in_order_of_rank(fits), ("problem", "optimizer"))


def for_all_problems(fits: pd.DataFrame, select) -> pd.DataFrame:
    """Return what `select` takes from the settings that all problems have or, if that is nothing, by problem.

    Problems of which it takes nothing do not count.
    """
    parts = {problem: select(group) for problem, group in fits.groupby("problem", sort=False)}
    parts = {problem: part for problem, part in parts.items() if len(part)}
    common = select(in_all_problems(fits[fits["problem"].isin(parts)]))
    return common if len(common) else pd.concat([fits[:0], *parts.values()])


def schedule_grid(fits: pd.DataFrame) -> pd.DataFrame:
    """Return the grid of optimizers and schedules: of the batch size and safeguard that most pairs were run with.

    Of equally many the smallest batch size counts. Full-batch optimizers stand beside. Nothing where no optimizer was
    run with two schedules.
    """
    mini = fits[fits["schedule"] != FULL_BATCH]
    largest, chosen = 0, fits[:0]
    for _, group in sorted(mini.groupby(["size", "safeguard"]), key=lambda item: (size_order(item[0][0]), item[0][1])):
        pairs = group[["optimizer", "schedule"]].drop_duplicates()
        if pairs["optimizer"].duplicated().any() and len(pairs) > largest:
            largest, chosen = len(pairs), group
    return pd.concat([chosen, fits[fits["schedule"] == FULL_BATCH]]) if len(chosen) else chosen


def batch_size_grid(fits: pd.DataFrame) -> pd.DataFrame:
    """Return the runs that differ only in their batch size: of the combinations that most sizes were run with.

    Of more than two combinations the two whose sizes rank best are kept, as in the paper. Full-batch optimizers stand
    beside. Nothing where no combination was run with two sizes.
    """
    others = ["optimizer", "schedule", "safeguard"]
    varied = _most_varied(fits, "size", others)
    if varied.empty:
        return varied
    keep = []
    for optimizer, schedule, _, safeguard in in_order_of_rank(varied):
        if (optimizer, schedule, safeguard) not in keep:
            keep.append((optimizer, schedule, safeguard))
    chosen = varied[[row in keep[:2] for row in varied[others].itertuples(index=False, name=None)]]
    return pd.concat([chosen, fits[fits["schedule"] == FULL_BATCH]])


def safeguard_grid(fits: pd.DataFrame) -> pd.DataFrame:
    """Return the runs that differ only in their safeguard: of the combinations that most safeguards were run with."""
    return _most_varied(fits, "safeguard", ["optimizer", "schedule", "size"])


def adams(fits: pd.DataFrame) -> pd.DataFrame:
    """Return standard and balanced Adam with the schedule, batch size and safeguard at which both rank best."""
    others = ["schedule", "size", "safeguard"]
    both = fits[fits["optimizer"].isin(ADAMS)]
    both = both[both.groupby(others)["optimizer"].transform("nunique") == 2]
    if both.empty:
        return both
    table = mean_ranks(both).groupby(others)["rank"].mean()
    return both[(both[others] == list(table.idxmin())).all(axis=1)]


def _most_varied(fits: pd.DataFrame, column: str, others: list[str]) -> pd.DataFrame:
    mini = fits[fits["schedule"] != FULL_BATCH]
    number = mini.groupby(others)[column].transform("nunique")
    return mini[(number == number.max()) & (number > 1)]


def best_quarter(fits: pd.DataFrame) -> pd.DataFrame:
    """Return per problem, data replicate and setting the quarter of the starts that ended lowest, rounded up.

    They are other starts for every setting, and say nothing of how often a run ends there.
    """
    groups = fits.groupby(["problem", "replicate", *SETTING], sort=False)["excess"]
    place = groups.rank(method="first")
    return fits[place <= np.ceil(groups.transform("size") / QUARTER)]


# --- the tables ---


def final_objective(data: Benchmark) -> pd.DataFrame:
    """Return one row per start: its final objective above the best of its problem, and the median of its setting.

    Columns added to those of a run: objective, best, excess (inf for a failed start), excess_drawn (at least SMALLEST),
    excess_median, median_low, median_high (95 % hierarchical bootstrap interval), failed, runs and the interval of the
    failure rate. Objectives are negative log-likelihoods over all data.
    """
    parts = []
    for _, group in readable(data.fits).groupby(["problem", *SETTING], sort=False):
        median, low, high = np.maximum(median_over_blocks(group[BLOCK], group["excess"]), SMALLEST)
        parts.append(group.assign(excess_median=median, median_low=low, median_high=high, **_failures(group)))
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
    return _table([_drawn(part) for part in parts], [*names, *FAILURES])


def best_starts(data: Benchmark) -> pd.DataFrame:
    """Return one row per start of the best quarter of each setting, with how many of all its starts failed."""
    fits = readable(data.fits)
    parts = [group.assign(**_failures(group)) for _, group in fits.groupby(["problem", *SETTING], sort=False)]
    parts = [_drawn(best_quarter(part)) for part in parts]
    return _table(parts, [*BLOCK, *SETTING, "excess", "excess_drawn", *FAILURES])


def waterfall(data: Benchmark) -> pd.DataFrame:
    """Return the sorted final objectives of each setting: a row per place. Columns as adam_comparison."""
    return _table(
        [_sorted(group) for _, group in readable(data.fits).groupby(["problem", *SETTING], sort=False)], PLACES
    )


def adam_comparison(data: Benchmark) -> pd.DataFrame:
    """Return the sorted final objectives of the best quarter of the starts of standard and balanced Adam.

    Columns: problem and setting, place (share of starts that end at least as low), excess, low, high (95 % hierarchical
    bootstrap interval of the quantile), failed, runs and the interval of the failure rate.
    """
    fits = for_all_problems(data.fits, adams)
    parts = [_sorted(group, 1 / QUARTER) for _, group in fits.groupby(["problem", *SETTING], sort=False)]
    return _table(parts, PLACES)


def rank_by_schedule(data: Benchmark) -> pd.DataFrame:
    """Return the mean rank of every optimizer with every schedule, per problem and over all. Columns: RANKS.

    Over all are the most problems that were run with the same settings.
    """
    return _ranks(for_all_problems(data.fits, schedule_grid))


def rank_by_batch_size(data: Benchmark) -> pd.DataFrame:
    """Return the mean rank of every batch size and of full-batch optimizers, as rank_by_schedule."""
    return _ranks(for_all_problems(data.fits, batch_size_grid))


def safeguards(data: Benchmark) -> pd.DataFrame:
    """Return per problem and safeguard the failure rate and the median final objective, with intervals.

    rescue and line_search are the settings behind the name of the safeguard, missing where it is not told.
    """
    rows, known = [], data.meaning.get("safeguards", {})
    for (problem, *setting), group in for_all_problems(data.fits, safeguard_grid).groupby(
        ["problem", *SETTING], sort=False
    ):
        median, low, high = np.maximum(median_over_blocks(group[BLOCK], group["excess"]), SMALLEST)
        own = known.get(setting[-1], {})
        row = {"problem": problem, **dict(zip(SETTING, setting, strict=True))}
        row |= {"rescue": own.get("rescue", np.nan), "line_search": own.get("line_search", np.nan)}
        rows.append(row | {"excess": median, "low": low, "high": high} | _failures(group))
    names = ["problem", *SETTING, "rescue", "line_search", "excess", "low", "high", *FAILURES]
    return pd.DataFrame(rows, columns=names)


def objective_against_cost(data: Benchmark) -> pd.DataFrame:
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
            parts.append(_course(courses[key], len(group)).assign(**same, **_failures(group)))
    return _table(parts, ["problem", *SETTING, "cost", "excess", "low", "high", *FAILURES])


FAILURES = ["failed", "runs", "failure_low", "failure_high"]
PLACES = ["problem", *SETTING, "place", "excess", "low", "high", *FAILURES]
RANKS = ["problem", *SETTING, "rank", "rank_low", "rank_high", "blocks", "compared", *FAILURES]


def _failures(group: pd.DataFrame) -> dict:
    failed = int((~np.isfinite(group["excess"])).sum())
    low, high = wilson_interval(failed, len(group))
    return {"failed": failed, "runs": len(group), "failure_low": low, "failure_high": high}


def _drawn(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(excess_drawn=table["excess"].clip(lower=SMALLEST))


def _table(parts: list[pd.DataFrame], names: list[str]) -> pd.DataFrame:
    return pd.concat(parts, ignore_index=True)[names] if parts else pd.DataFrame(columns=names)


def _sorted(group: pd.DataFrame, share: float = 1.0) -> pd.DataFrame:
    """Return the quantiles of the final objective at the places of the lowest `share` of the runs."""
    count = min(POINTS, len(group))
    places = (np.arange(count) + 0.5) / count
    places = places[: int(np.ceil(count * share))]
    found = np.maximum(quantiles_over_blocks(group[BLOCK], group["excess"], places), SMALLEST)
    first = group[["problem", *SETTING]].iloc[0].to_dict()
    return pd.DataFrame({"place": places, "excess": found[:, 0], "low": found[:, 1], "high": found[:, 2]}).assign(
        **first, **_failures(group)
    )


def _ranks(fits: pd.DataFrame) -> pd.DataFrame:
    groups = [*fits.groupby("problem", sort=False)]
    alike = _problems_alike(fits)
    if len(alike) > 1:
        groups = [(ALL, fits[fits["problem"].isin(alike)]), *groups]
    parts = []
    for problem, group in groups:
        failures = [{**dict(zip(SETTING, s, strict=True)), **_failures(own)} for s, own in group.groupby(SETTING)]
        parts.append(mean_ranks(group).merge(pd.DataFrame(failures), on=SETTING).assign(problem=problem))
    return _table(parts, RANKS)


def _problems_alike(fits: pd.DataFrame) -> list[str]:
    """Return the most problems that were run with the same settings: means over others would be of other ranks."""
    designs = {}
    for problem, group in fits.groupby("problem", sort=False):
        designs.setdefault(frozenset(settings_of(group)), []).append(problem)
    return max(designs.values(), key=len, default=[])


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
