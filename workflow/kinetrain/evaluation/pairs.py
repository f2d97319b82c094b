"""Registered contrasts: two kinds of settings compared start by start, all else being equal."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kinetrain.appearance import label
from kinetrain.evaluation.scores import (
    BLOCK,
    SETTING,
    best_objectives,
    chosen_crosswise,
    log_excess,
    measurements_of,
    settings_of,
    size_order,
    with_size,
)
from kinetrain.evaluation.setting_names import hybrids, setting_name, with_rates
from kinetrain.evaluation.statistics import FEWEST, RESAMPLES, hierarchical_weights, holm, mean_over_blocks
from kinetrain.tables import FULL_BATCH, frame

ALL = "all problems"


@dataclass(frozen=True)
class Contrast:
    """Two kinds of runs, paired where they agree in BLOCK and in the columns `match`."""

    name: str
    first: str
    second: str
    runs: tuple[pd.DataFrame, pd.DataFrame]
    match: tuple[str, ...] = ()


def pairs(fits, traces, nominal, best_known: dict[str, float], fit_settings: dict) -> pd.DataFrame:
    """Return one row per contrast and problem, and one over all problems that have both sides.

    difference: mean over blocks of log10(F - J_best + 1e-3 n) of the first minus the second, averaged over the
    combinations of the other factors; low, high: its 95 % hierarchical bootstrap interval; factor: 10 ** difference;
    wins: share of blocks in which the first ends lower. verdict: `first` or `second` ends lower, where the interval
    leaves out 0 and there are at least `statistics.FEWEST` blocks, or `undecided`. p_value: two-sided; p_holm: the same
    corrected for the number of contrasts, those over all problems and those of single ones each by themselves.
    Intervals are not corrected.

    fit_settings: the definitions of the names of settings, {safeguards: {name: {rescue, line_search, variant}},
    schedules: {name: {start, end, shape, epochs}}, optimizers: {name: {rule or torch, then}}}; contrasts that need a
    part that is missing are left out.
    """
    best = best_objectives(fits, traces, nominal, best_known)
    runs = with_rates(_with_factors(with_size(fits), fit_settings), fit_settings)
    runs = runs.assign(
        y=log_excess(runs, best, measurements_of(fits)),
        failed=~np.isfinite(runs["objective"].astype(float).fillna(np.inf)),
    )
    table = frame("pairs", [row for contrast in contrasts(runs, fit_settings) for row in _compare(contrast)])
    for _, own in table.groupby(table["problem"] == ALL):
        table.loc[own.index, "p_holm"] = holm(own["p_value"])
    return table


def _with_factors(runs: pd.DataFrame, fit_settings: dict) -> pd.DataFrame:
    """Return the runs with rescue, line_search, their variants where they are on, and the first learning rate."""
    safeguards, schedules = fit_settings.get("safeguards", {}), fit_settings.get("schedules", {})
    own = [safeguards.get(name, {}) for name in runs["safeguard"]]
    rescue = pd.Series([one.get("rescue", np.nan) for one in own], index=runs.index, dtype=float)
    line_search = pd.Series([one.get("line_search", np.nan) for one in own], index=runs.index, dtype=float)
    variant = pd.Series([one.get("variant", "") for one in own], index=runs.index, dtype=object)
    return runs.assign(
        rescue=rescue,
        line_search=line_search,
        rescue_variant=variant.where(rescue > 0, ""),
        line_search_variant=variant.where(line_search > 0, ""),
        rate=[schedules.get(name, {}).get("start", np.nan) for name in runs["schedule"]],
        hybrid=runs["optimizer"].isin(hybrids(fit_settings)),
    )


def contrasts(runs: pd.DataFrame, fit_settings: dict):
    """Yield every registered contrast; one whose sides are not both in the data has no rows in the end."""
    mini = runs[runs["schedule"] != FULL_BATCH]
    whole = runs[runs["schedule"] == FULL_BATCH]
    yield _between("balanced Adam", mini, "optimizer", "adam_balanced", "adam_standard")
    for size in sorted(set(mini["size"]) - {"full"}, key=size_order):
        sides = mini[mini["size"] == size], mini[mini["size"] == "full"]
        yield Contrast("batch size", f"batch {size}", "all conditions", sides, ("optimizer", "schedule", "safeguard"))
    yield _halves_of_sizes(mini)
    yield _medium_high_rate(mini)
    match = ("optimizer", "schedule", "size", "line_search", "line_search_variant")
    sides = mini[mini["rescue"] == 2], mini[mini["rescue"] == 0]
    yield Contrast("rescue", "rescue and restart", "no rescue", sides, match)
    match = ("optimizer", "schedule", "size", "rescue", "rescue_variant")
    sides = mini[mini["line_search"] > 0], mini[mini["line_search"] == 0]
    yield Contrast("line search", "line search", "none", sides, match)
    yield from _best_mini_batch(mini, whole)
    yield from _hybrids(mini, whole, fit_settings)


def _between(name: str, runs, column: str, first: str, second: str) -> Contrast:
    sides = runs[runs[column] == first], runs[runs[column] == second]
    return Contrast(name, label(first), label(second), sides, tuple(one for one in SETTING if one != column))


def _halves_of_sizes(mini: pd.DataFrame) -> Contrast:
    """Return the smaller half of the batch sizes that the same settings were run with, against the larger half."""

    def halves(runs):
        varied = _varied(runs, "size")
        sizes = sorted(set(varied["size"]), key=size_order)
        half = len(sizes) // 2
        chosen = (sizes[:half], sizes[len(sizes) - half :]) if half else ()
        return [(varied[varied["size"].isin(own)], f"batch {' or '.join(own)}") for own in chosen]

    (first, second), sides = _sides(mini, halves, ("the smaller batches", "the larger batches"))
    return Contrast("small batches", first, second, sides, ("optimizer", "schedule", "safeguard"))


def _medium_high_rate(mini: pd.DataFrame) -> Contrast:
    """Return the second highest of at least three learning rates against all others: "medium-high", a choice of ours.

    Schedules that begin at the same rate are on the same side.
    """

    def second_and_others(runs):
        varied = _varied(runs, "schedule", "rate")
        rates = sorted(set(varied["rate"]), reverse=True)
        chosen = (varied["rate"] == rates[1], varied["rate"] != rates[1]) if len(rates) >= 3 else ()
        return [(varied[own], ", ".join(sorted(set(varied.loc[own, "schedule"])))) for own in chosen]

    (first, second), sides = _sides(
        mini.dropna(subset=["rate"]), second_and_others, ("the second highest rate", "the other rates")
    )
    return Contrast("medium-high learning rate", first, second, sides, ("optimizer", "size", "safeguard"))


def _sides(runs: pd.DataFrame, split, names: tuple[str, str]):
    """Return the names and the runs of two sides that `split` makes of the runs of each problem.

    split: returns two pairs of runs and a name, or nothing. `names` stand where those of the problems differ.
    """
    parts = [sides for _, own in runs.groupby("problem", sort=False) if (sides := split(own))]
    own_names = {tuple(name for _, name in sides) for sides in parts}
    sides = tuple(pd.concat([runs[:0], *(sides[side][0] for sides in parts)]) for side in (0, 1))
    return own_names.pop() if len(own_names) == 1 else names, sides


def _varied(runs: pd.DataFrame, column: str, counted: str = "") -> pd.DataFrame:
    """Return the runs of which the same setting was run with the most values of `column`, or of what is `counted`."""
    others = [name for name in SETTING if name != column]
    number = runs.groupby(others)[counted or column].transform("nunique")
    return runs[number == number.max()]


def _best_mini_batch(mini: pd.DataFrame, whole: pd.DataFrame):
    """Yield the best mini-batch setting against every full-batch optimizer.

    It is chosen on one half of the starts and compared on the other half (`scores.chosen_crosswise`).
    """
    best = chosen_crosswise(mini[(mini["size"] != "full") & ~mini["hybrid"]])
    names = [setting_name(setting) for setting in settings_of(best)]
    name = " or ".join(names) if len(names) <= 2 else "the best mini-batch setting"
    for optimizer, group in whole.groupby("optimizer", sort=False):
        yield Contrast("best mini-batch", name, label(optimizer), (best, group))


def _hybrids(mini: pd.DataFrame, whole: pd.DataFrame, fit_settings: dict):
    optimizers, going_on = fit_settings.get("optimizers", {}), hybrids(fit_settings)
    for name in mini.loc[mini["hybrid"], "optimizer"].unique():
        own = mini[mini["optimizer"] == name]
        kind = _update(optimizers[name])
        alone = [one for one, other in optimizers.items() if one not in going_on and _update(other) == kind]
        alone += [kind[0]] if kind[0] else []
        for part in dict.fromkeys(alone):
            yield _between("hybrid", pd.concat([own, mini[mini["optimizer"] == part]]), "optimizer", name, part)
        then = optimizers[name]["then"]
        yield Contrast("hybrid", label(name), label(then), (own, whole[whole["optimizer"] == then]))


def _update(optimizer: dict) -> tuple:
    return optimizer.get("rule"), optimizer.get("torch"), str(optimizer.get("arguments", {}))


def _compare(contrast: Contrast):
    """Yield a row per problem, and one over all of them."""
    keys = [*BLOCK, *contrast.match]
    first, second = (side[[*keys, "y", "failed"]] for side in contrast.runs)
    both = first.merge(second, on=keys, suffixes=("_first", "_second"))
    if both.empty:
        return
    both = both.assign(difference=both["y_first"] - both["y_second"])
    groups = [*both.groupby("problem", sort=False)]
    for problem, group in [*groups, *([(ALL, both)] if len(groups) > 1 else [])]:
        blocks = group.groupby(BLOCK, sort=False)["difference"].mean()
        frame_of_blocks = blocks.index.to_frame(index=False)
        value, low, high = mean_over_blocks(frame_of_blocks, blocks)
        yield {
            "contrast": contrast.name,
            "problem": problem,
            "first": contrast.first,
            "second": contrast.second,
            "blocks": len(blocks),
            "combinations": len(group[list(contrast.match)].drop_duplicates()) if contrast.match else 1,
            "difference": value,
            "low": low,
            "high": high,
            "factor": 10**value,
            "wins": float((blocks < 0).mean()),
            "failure_rate_first": group["failed_first"].mean(),
            "failure_rate_second": group["failed_second"].mean(),
            "p_value": p_value(frame_of_blocks, blocks.to_numpy()),
            "verdict": decide(low, high, len(blocks)),
        }


def p_value(blocks: pd.DataFrame, values) -> float:
    """Return twice the share of bootstrap means on the other side of 0, NaN with fewer than `statistics.FEWEST`.

    It is no lower than what a sign test gives of as many blocks that all agree: of six the bootstrap says 0.001, where
    one of 32 such sets of blocks agrees by chance.
    """
    if len(blocks) < FEWEST:
        return np.nan
    means = hierarchical_weights(blocks)[1] @ values
    tail = min((means <= 0).sum(), (means >= 0).sum())
    return float(np.clip(2 * (tail + 1) / (RESAMPLES + 1), 2.0 ** (1 - len(blocks)), 1))


def decide(low: float, high: float, number: int) -> str:
    """Return which of two ends lower, by the interval of the difference of `number` pairs: first, second, undecided."""
    if number < FEWEST:
        return "undecided"
    return "first" if high < 0 else "second" if low > 0 else "undecided"
