"""The runs of a benchmark: which of them a figure compares, and the summaries that figures share."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kinetrain.evaluation.pairs import ALL
from kinetrain.evaluation.scores import (
    BLOCK,
    SETTING,
    best_objectives,
    first_of_each,
    in_all_problems,
    in_order_of_rank,
    mean_ranks,
    settings_of,
    size_order,
    with_best,
    with_size,
)
from kinetrain.evaluation.setting_names import with_rates
from kinetrain.evaluation.statistics import quantiles_over_blocks, wilson_interval
from kinetrain.tables import FULL_BATCH

SMALLEST = 1e-3  # differences of the objective below this mean nothing; on log axes they are drawn here
READABLE = 8  # settings that can be distinguished in one panel
QUARTER = 4  # of the starts of a setting the best quarter is "the best 25" of 100
POINTS = 100  # of a course, or of a sorted set of runs
ADAMS = ("adam_balanced", "adam_standard")


@dataclass(frozen=True)
class Benchmark:
    """What figures of fits are made of.

    fits, traces: with size, best and excess. fit_settings: definitions of the names of settings. true_excess: by
    problem of artificial data, the median over replicates of the objective of the true parameters above the best value
    known.
    """

    fits: pd.DataFrame
    traces: pd.DataFrame
    fit_settings: dict
    true_excess: dict[str, float]


def benchmark(fits, traces, nominal, best_known: dict[str, float], fit_settings: dict) -> Benchmark:
    """Return the result tables with the columns that all figures need, schedules called by their learning rates.

    fit_settings: as in kinetrain.evaluation.pairs.
    """
    best = best_objectives(fits, traces, nominal, best_known)
    fits, traces = with_rates(fits, fit_settings), with_rates(traces, fit_settings)
    conditions = fits.drop_duplicates("problem").set_index("problem")["conditions"]
    traces = with_size(traces.assign(conditions=traces["problem"].map(conditions)))
    return Benchmark(
        with_best(with_size(fits), best), with_best(traces, best), fit_settings, _true_excess(nominal, best)
    )


def _true_excess(nominal, best) -> dict[str, float]:
    if nominal is None:
        return {}
    true = nominal[nominal["data"] == "artificial"].rename(columns={"objective_nominal": "objective"})
    return with_best(true, best).groupby("problem")["excess"].median().to_dict()


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

    Of equally many the smallest batch size counts. Full-batch optimizers are added. Nothing where no optimizer was
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

    Of more than two combinations the two whose sizes rank best are kept, as in the paper. Full-batch optimizers are
    added. Nothing where no combination was run with two sizes.
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


# --- the parts that figures share ---


FAILURES = ["failed", "runs", "failure_low", "failure_high"]
PLACES = ["problem", *SETTING, "place", "excess", "low", "high", *FAILURES]
RANKS = ["problem", *SETTING, "rank", "rank_low", "rank_high", "blocks", "compared", *FAILURES]


def failure_counts(group: pd.DataFrame) -> dict:
    failed = int((~np.isfinite(group["excess"])).sum())
    low, high = wilson_interval(failed, len(group))
    return {"failed": failed, "runs": len(group), "failure_low": low, "failure_high": high}


def drawn(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(excess_drawn=table["excess"].clip(lower=SMALLEST))


def table_of(parts: list[pd.DataFrame], names: list[str]) -> pd.DataFrame:
    return pd.concat(parts, ignore_index=True)[names] if parts else pd.DataFrame(columns=names)


def sorted_objectives(group: pd.DataFrame, share: float = 1.0) -> pd.DataFrame:
    """Return the quantiles of the final objective at the places of the lowest `share` of the runs."""
    count = min(POINTS, len(group))
    places = (np.arange(count) + 0.5) / count
    places = places[: int(np.ceil(count * share))]
    found = np.maximum(quantiles_over_blocks(group[BLOCK], group["excess"], places), SMALLEST)
    first = group[["problem", *SETTING]].iloc[0].to_dict()
    return pd.DataFrame({"place": places, "excess": found[:, 0], "low": found[:, 1], "high": found[:, 2]}).assign(
        **first, **failure_counts(group)
    )


def rank_table(fits: pd.DataFrame) -> pd.DataFrame:
    groups = [*fits.groupby("problem", sort=False)]
    alike = problems_alike(fits)
    if len(alike) > 1:
        groups = [(ALL, fits[fits["problem"].isin(alike)]), *groups]
    parts = []
    for problem, group in groups:
        failures = [{**dict(zip(SETTING, s, strict=True)), **failure_counts(own)} for s, own in group.groupby(SETTING)]
        parts.append(mean_ranks(group).merge(pd.DataFrame(failures), on=SETTING).assign(problem=problem))
    return table_of(parts, RANKS)


def problems_alike(fits: pd.DataFrame) -> list[str]:
    """Return the most problems that were run with the same settings: means over others would be of other ranks."""
    designs: dict[frozenset, list[str]] = {}
    for problem, group in fits.groupby("problem", sort=False):
        designs.setdefault(frozenset(settings_of(group)), []).append(problem)
    return max(designs.values(), key=len, default=[])
