"""Findings on mechanistic fits: plain statements, each computed from the result tables."""

import numpy as np
import pandas as pd

from kinetrain.appearance import label
from kinetrain.evaluation.benchmark import Benchmark, for_all_problems, readable, schedule_grid
from kinetrain.evaluation.cost_ratios import BEST, CLAIMED, REACHED, ratios, reductions
from kinetrain.evaluation.pairs import ALL, decide
from kinetrain.evaluation.scores import BLOCK, SETTING, friedman, log_excess, with_size
from kinetrain.evaluation.setting_names import setting_name
from kinetrain.evaluation.statements import counted, interval_text, number_text, share_text, verdict
from kinetrain.evaluation.statistics import FEWEST, mean_over_blocks, wilson_interval
from kinetrain.tables import AT_MINIMUM, FULL_BATCH

TOLERANCE = 1e-3  # relative deviation of a nominal objective that still counts as the same model
PLATEAU = 1.0  # ends of the negative log-likelihood that are as near as this are the same
NEAR = 10  # of the negative log-likelihood: within reach of the minimum of artificial data
# the contrasts that test a claim of Stapor et al. 2022, and those that we add
CLAIMS = {
    "balanced Adam": "Claim: balanced Adam is better than standard Adam",
    "small batches": "Claim: small mini-batches are better",
    "medium-high learning rate": "Claim: a medium-high learning rate is better",
    "best mini-batch": "Claim: mini-batch training ends lower than full-batch training",
    "rescue": "Rescue interceptor against none",
    "line search": "Line search against none",
    "batch size": "Mini-batches against all conditions at once",
    "hybrid": "Mini-batch first, then full batch",
}
DECIDED = {"first": "yes", "second": "no"}


def nominal_objectives(nominal: pd.DataFrame):
    """Yield per problem with a reference whether the objective at its nominal parameters agrees within TOLERANCE.

    Of a reference of 0 there is no relative deviation: TOLERANCE is then that of the difference itself.
    """
    for _, row in nominal.dropna(subset=["reference"]).iterrows():
        value, reference = float(row["objective_nominal"]), float(row["reference"])
        deviation = abs(value - reference) / (abs(reference) or 1.0)
        agrees, what = deviation <= TOLERANCE, "relative deviation" if reference else "difference"
        statement = (
            f"The objective at the nominal parameters is {value:.7g}, the reference is {reference:.7g}: "
            f"{what} {deviation:.1e}, {'within' if agrees else 'NOT within'} {TOLERANCE:g}."
        )
        artificial = row["data"] == "artificial"
        subject = f"{row['problem']}, replicate {row['replicate']}" if artificial else row["problem"]
        yield "Import of the model", subject, statement, value, reference, verdict(agrees)


def distances_to_best(fits: pd.DataFrame, best_known: dict[str, float]):
    """Yield per problem and optimizer how far its best start ended from the best value known."""
    for (problem, optimizer), group in fits.groupby(["problem", "optimizer"], sort=False):
        values = group["objective"].astype(float).replace(np.inf, np.nan).dropna()
        if problem not in best_known or values.empty:
            continue
        best, known = values.min(), float(best_known[problem])
        distance = best - known
        place = f"{distance:.4g} above" if distance > 0 else f"{-distance:.4g} below"
        statement = (
            f"The best of {counted(len(group), 'run')} of {label(optimizer)} ended at {best:.7g}, {place} the best "
            f"value known, {known:.7g} ({'' if distance <= REACHED else 'NOT '}within {REACHED:g})."
        )
        yield "Distance to the best known", problem, statement, best, known, verdict(distance <= REACHED)


def reached_truth(fits: pd.DataFrame, nominal: pd.DataFrame | None):
    """Yield per problem with artificial data and optimizer how many runs end near the truth.

    The minimum lies below that objective, by half the number of estimated parameters in expectation.
    """
    fits = with_size(fits).assign(near=_near_truth(fits, nominal))
    fits = fits[fits["problem"].isin(_truths(nominal)["problem"])]
    for (problem, optimizer), group in fits.groupby(["problem", "optimizer"], sort=False):
        near, settings = int(group["near"].sum()), group.groupby(SETTING, sort=False)["near"]
        best = settings.mean().idxmax()
        most = f"; most with {setting_name(best)}: {settings.sum()[best]} of {settings.size()[best]}"
        statement = (
            f"{near} of {len(group)} runs of {label(optimizer)} end below the objective of the true parameters, "
            f"plus {NEAR} ({_rate(near, len(group))}{most if near and len(settings) > 1 else ''})."
        )
        yield "Distance to the truth", problem, statement, near, len(group), "-"


def _truths(nominal: pd.DataFrame | None) -> pd.DataFrame:
    """Return problem, replicate and objective_nominal of artificial data."""
    columns = ["problem", "replicate", "objective_nominal"]
    if nominal is None:
        return pd.DataFrame(columns=columns)
    return nominal.loc[nominal["data"] == "artificial", columns]


def _near_truth(fits: pd.DataFrame, nominal: pd.DataFrame | None) -> np.ndarray:
    """Return which fits (n,) end below the objective of the true parameters plus NEAR; none of measured data."""
    truths = _truths(nominal).set_index(["problem", "replicate"])["objective_nominal"].astype(float)
    rows = zip(fits["problem"], fits["replicate"], strict=True)
    return fits["objective"].to_numpy(float) <= np.array([truths.get(row, -np.inf) for row in rows]) + NEAR


def plateaus(fits: pd.DataFrame, nominal: pd.DataFrame | None):
    """Yield per problem how many runs of all settings end at one and the same value, if that is a tenth of them.

    Values within PLATEAU of each other, on the same data, are the same; the best end of the data is none, nor is what
    ends near the truth (`reached_truth`). Optimizers are named by how many of their runs leave it.
    """
    fits = fits.assign(objective=fits["objective"].astype(float)).reset_index(drop=True)
    fits["near_truth"] = _near_truth(fits, nominal)
    for problem, group in fits.groupby("problem", sort=False):
        stuck, values = pd.Series(False, index=group.index), []
        for _, rows in group.groupby("replicate"):
            own = rows["objective"]
            apart = np.isfinite(own) & (own > own.min() + PLATEAU) & ~rows["near_truth"]
            ends = np.sort(own[apart].to_numpy(float))
            inside = np.searchsorted(ends, ends + PLATEAU, side="right") - np.arange(len(ends))
            if len(ends):
                value = ends[inside.argmax()]
                stuck[own.index] = apart & (own >= value) & (own <= value + PLATEAU)
                values.append(f"{value:.5g}")
        if stuck.sum() >= max(0.1 * len(group), FEWEST):
            shares = (~stuck).groupby(group["optimizer"]).agg(["sum", "size"])
            shares = shares.loc[shares.eval("sum / size").sort_values(ascending=False, kind="stable").index]
            left = ", ".join(f"{label(name)} {row['sum']} of {row['size']}" for name, row in shares.iterrows())
            statement = (
                f"{stuck.sum()} of {len(group)} runs, of all settings, end within {PLATEAU:g} of "
                f"{' or '.join(values)}: a plateau or a local minimum. Elsewhere end: {left}."
            )
            yield "Plateaus and local minima", problem, statement, int(stuck.sum()), len(group), "-"


def median_ends(data: Benchmark):
    """Yield per problem the median final objective of the lowest setting, and of the others.

    All starts of all data replicates count, failed ones as infinitely bad. Of many settings those are named that the
    figures show.
    """
    for problem, group in readable(data.fits).groupby("problem", sort=False):
        ends = group.groupby(SETTING)["objective"].agg(["median", "size"]).sort_values("median", kind="stable")
        if len(ends) < 2:
            continue
        (first, lowest, runs), *others = ends.itertuples(name=None)
        place = f"ends at {lowest:.5g}" if np.isfinite(lowest) else "is a failed run"
        each = [
            f"that of {count} of {setting_name(setting)} {_above_lowest(median, lowest)}"
            for setting, median, count in others
        ]
        statement = f"The median of {counted(runs, 'run')} of {setting_name(first)} {place}, {'; '.join(each)}."
        yield "Medians of the optimizers", problem, statement, lowest, others[0][1], "-"


def _above_lowest(median: float, lowest: float) -> str:
    if not np.isfinite(median):
        return "is a failed run"
    return f"at {median:.5g}: " + (f"{median - lowest:.5g} lower" if median > lowest else "the same")


def ends_before_minimum(estimates: pd.DataFrame):
    """Yield per problem and data replicate whether the best fit, whose parameters are the estimates, is a minimum."""
    for (problem, replicate), rows in estimates.groupby(["problem", "replicate"], sort=False):
        row = rows.iloc[0]
        left = row["decrease_left"]
        if not np.isnan(left):
            named = problem if estimates["replicate"].nunique() == 1 else f"{problem}, data replicate {replicate}"
            what = "is at a minimum" if left <= AT_MINIMUM else "is NOT at a minimum, its parameters are not to be used"
            statement = (
                f"The best fit {what}: one step more lowers the objective by {left:.2g}. Fits that end as low, within "
                f"what the noise allows: {row['good_fits']:g}."
            )
            yield "Fitted parameters", named, statement, left, AT_MINIMUM, verdict(left <= AT_MINIMUM)


def failed_fits(fits: pd.DataFrame):
    """Yield how many fits of each problem failed, and of which optimizers."""
    for problem, group in fits.groupby("problem", sort=False):
        failed = group["status"] == "failed"
        count = int(failed.sum())
        statement = f"None of {len(group)} fits failed."
        if count:
            each = group.loc[failed, "optimizer"].value_counts()
            failures = ", ".join(f"{label(name)} {number}" for name, number in each.items())
            statement = f"{count} of {len(group)} fits failed ({_rate(count, len(group))}): {failures}."
        yield "Failed runs", problem, statement, count, 0, verdict(not count)


def relaxed_solves(fits: pd.DataFrame):
    """Yield per problem how many condition solves were repeated with looser tolerances."""
    for problem, group in fits.groupby("problem", sort=False):
        relaxed, runs = int(group["relaxed_solves"].sum()), int((group["relaxed_solves"] > 0).sum())
        solves = int(group["gradient_solves"].sum() + group["value_solves"].sum())
        where = f"in {runs} of {len(group)} fits"
        statement = f"{relaxed} of {solves} condition solves were repeated with looser tolerances, {where}."
        yield "Relaxed solves", problem, statement, relaxed, solves, "-"


def contrasts(pairs: pd.DataFrame):
    """Yield every registered contrast: its effect over all problems with interval, and problem by problem."""
    for name, topic in CLAIMS.items():
        groups = pairs[pairs["contrast"] == name].groupby(["first", "second"], sort=False)
        for (first, second), group in groups:
            whole = group[group["problem"] == ALL]
            row = (whole if len(whole) else group).iloc[0]
            single = group[group["problem"] != ALL]
            each = "; ".join(f"{one['problem']} {_factor(one)}" for _, one in single.iterrows()) if len(whole) else ""
            statement = (
                f"{first} against {second}: the final objective's distance from the best known is multiplied by "
                f"{_factor(row)} over {counted(row['blocks'], 'start')} (below 1 is better), "
                f"lower in {share_text(row['wins'])} of them"
                f"{'; by problem: ' + each if each else ''}. "
                f"Failed: {share_text(row['failure_rate_first'])} against {share_text(row['failure_rate_second'])}."
            )
            decided = DECIDED.get(row["verdict"], "undecided")
            yield topic, "All problems" if len(whole) else row["problem"], statement, row["factor"], 1.0, decided


def _factor(row) -> str:
    return interval_text(row["factor"], 10 ** row["low"], 10 ** row["high"])


def cheaper(data: Benchmark):
    """Yield per problem whether mini-batches reach the quality of full-batch training CLAIMED times cheaper."""
    for row in reductions(data).itertuples():
        found = f"none of {row.runs} starts of {row.mini_batch} does"
        if row.reached_mini_batch:
            cost = number_text(row.cost_mini_batch)
            found = f"{row.mini_batch} takes {cost} ({row.reached_mini_batch} of {row.runs} starts)"
        statement = (
            f"{row.conditions} conditions. To reach the {row.quality} final objective of {row.full_batch}, that takes "
            f"{number_text(row.cost_full_batch)} forward solves per success ({row.reached_full_batch} of {row.runs} "
            f"starts), {found}: {interval_text(row.factor, row.low, row.high)} times fewer; claimed are {CLAIMED:g}."
        )
        topic = f"Claim: {CLAIMED:g} times fewer solves to the quality of full batch"
        yield topic, row.problem, statement, row.factor, CLAIMED, row.verdict


def cheaper_at_targets(data: Benchmark):
    """Yield per problem and target what the best full-batch optimizer costs over mini-batches, and over hybrids."""
    table = ratios(data)
    table = table[(table["other"] == BEST) & (table["unit"] == "cost")]
    for (problem, kind), own in table.groupby(["problem", "kind"], sort=False):
        if not (own["reached"] + own["reached_other"]).any():
            statement = (
                f"No start of full-batch or {kind} training comes within {own['excess'].max():g} of the best known."
            )
            yield "Cost ratio by target", problem, statement, np.nan, 1.0, "undecided"
            continue
        parts = [
            f"{row.target} ({row.excess:g}) {interval_text(row.factor, row.low, row.high)} times, reached by "
            f"{row.reached_other} of {row.runs} starts in full batch and {row.reached} with {kind}"
            for row in own.itertuples()
        ]
        statement = (
            f"{own['conditions'].iloc[0]} conditions. What the cheapest full-batch optimizer costs per success, over "
            f"what the cheapest {kind} setting costs (above 1: full batch costs more; claimed are {CLAIMED:g}), by the "
            f"target above the best known: {'; '.join(parts)}."
        )
        decided = "yes" if (own["low"] > 1).all() else "no" if (own["high"] < 1).all() else "undecided"
        decided = "undecided" if own["runs"].min() < FEWEST else decided
        yield "Cost ratio by target", problem, statement, own["factor"].median(), 1.0, decided


def iterates(data: Benchmark, measurements: dict[str, float]):
    """Yield per problem whether the averaged iterate of mini-batch runs is better than the last, and the best seen."""
    best = dict(zip(zip(data.fits["problem"], data.fits["replicate"], strict=True), data.fits["best"], strict=True))
    for column, name in (
        ("averaged_objective", "averaged iterate"),
        ("best_objective", "best iterate seen in the trace"),
    ):
        chosen = (data.fits["schedule"] != FULL_BATCH) & (data.fits["size"] != "full")
        mini = data.fits[chosen & np.isfinite(data.fits["objective"])]
        mini = mini[mini[column].notna()]  # one that cannot be simulated is infinite, and counts
        other = mini.assign(objective=mini[column].astype(float))
        # All in one table: an iterate that failed counts as the worst end of any run, not of the iterates of its kind.
        ends = log_excess(pd.concat([data.fits, other, mini], ignore_index=True), best, measurements).to_numpy()
        mini = mini.assign(difference=np.subtract(*ends[len(data.fits) :].reshape(2, len(mini))))
        for problem, group in mini.groupby("problem", sort=False):
            blocks = group.groupby(BLOCK, sort=False)["difference"].mean()
            difference = mean_over_blocks(blocks.index.to_frame(index=False), blocks)
            value, low, high = 10 ** np.array(difference)
            statement = (
                f"The {name} of {counted(len(group), 'mini-batch run')} is at {interval_text(value, low, high)} times "
                "the distance of the last iterate from the best known (below 1 is better)."
            )
            decided = DECIDED.get(decide(*difference[1:], len(blocks)), "undecided")
            # the best can never be worse than the last
            decided = "-" if column == "best_objective" else decided
            yield "Last, averaged and best iterate", problem, statement, value, 1.0, decided


def ranks_differ(data: Benchmark):
    """Yield whether the settings differ at all, by Friedman's test over data replicates, and by how much ranks must.

    The settings are those of figures.rank_by_schedule or, where no schedules were compared, all.
    """
    grid = for_all_problems(data.fits, schedule_grid)
    found = friedman(grid if len(grid) else data.fits)
    if found:
        statement = (
            f"Friedman's test between {found['settings']} settings ({'by schedule' if len(grid) else 'all'}) over "
            f"{found['blocks']} data sets: "
            f"p = {found['p_value']:.2g}; ranks differ that are {found['critical_distance']:.3g} apart (Nemenyi, 0.05)."
        )
        decided = "yes" if found["p_value"] < 0.05 else "undecided"
        yield "Ranks of the settings", "All problems", statement, found["p_value"], 0.05, decided


def _rate(count: int, runs: int) -> str:
    low, high = wilson_interval(count, runs)
    return f"{share_text(count / runs)}, 95 % interval {share_text(low)} to {share_text(high)}"
