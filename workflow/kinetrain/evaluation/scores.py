"""Scores of optimizers: ranks between paired runs, what they end with, how often they fail, what a target costs.

A setting is an optimizer with its schedule, batch size and safeguard; a block is one start of one data replicate of one
problem, from which all settings begin. `size` is the batch size as text, and "full" where a batch holds all conditions,
so that a setting is the same across problems with different numbers of conditions.
"""

import numpy as np
import pandas as pd

from kinetrain.evaluation.statistics import (
    BLOCK,
    LEVEL,
    hierarchical_weights,
    interval,
    mean_over_blocks,
    median_over_blocks,
    wilson_interval,
)
from kinetrain.tables import FIT, FULL_BATCH, frame

SETTING = ["optimizer", "schedule", "size", "safeguard"]
DATA = ["problem", "replicate"]
RUN = [*FIT, "start"]
ROUNDING = 1e-9  # relative; of costs that are sums in another order
FLOOR = 1e-3  # of the negative log-likelihood per data point: differences below it mean nothing
SHARES = (0.1, 1, 10, 50, 100)  # percent of the budget, Grein et al. 2026
# Above the best; None: 0.5 chi2(0.95, estimated parameters). 1.92 is 0.5 chi2(0.95, 1), by which Grein et al. 2026
# count a search as successful (significance 0.05).
TARGETS = {"1.92": 1.92, "quantile": None, "10": 10.0, "100": 100.0}


def best_objectives(fits, traces, nominal, best_known: dict[str, float]) -> dict[tuple, float]:
    """Return the best value known per (problem, replicate), a negative log-likelihood.

    It is the lowest of all runs anywhere on their way, of the true parameters of artificial data and, on measured data,
    of `best_known`, which maps the name of a problem to the lowest value ever reported. traces and nominal may be None.
    """
    tables = [table[[*DATA, "objective"]] for table in (fits, traces) if table is not None]
    if nominal is not None:
        truth = nominal[nominal["data"] == "artificial"].rename(columns={"objective_nominal": "objective"})
        tables.append(truth[[*DATA, "objective"]])
        best_known = {name: value for name, value in best_known.items() if name not in set(truth["problem"])}
    rows = pd.concat(tables, ignore_index=True)
    rows = rows[np.isfinite(rows["objective"].astype(float))]
    lowest = rows.groupby(DATA)["objective"].min().to_dict()
    return {key: float(min(value, best_known.get(key[0], np.inf))) for key, value in lowest.items()}


def with_best(table: pd.DataFrame, best: dict[tuple, float]) -> pd.DataFrame:
    """Return the table with `best` and `excess`, the objective above it; inf for a run that failed."""
    objective = table["objective"].astype(float).fillna(np.inf)
    keys = zip(table["problem"], table["replicate"], strict=True)
    lowest = np.array([best.get(key, np.nan) for key in keys], dtype=float)
    excess = np.where(np.isfinite(objective), objective - lowest, np.inf)
    return table.assign(objective=objective, best=lowest, excess=excess)


def with_size(fits: pd.DataFrame) -> pd.DataFrame:
    """Return the fits with the column `size`: the batch size as text, "full" where it takes all conditions."""
    rows = zip(fits["schedule"], fits["batch_size"], fits["conditions"], strict=True)
    sizes = ["full" if s == FULL_BATCH or size >= conditions else f"{size:g}" for s, size, conditions in rows]
    return fits.assign(size=pd.Series(sizes, index=fits.index, dtype=object))


def size_order(size: str) -> float:
    """Return a key that sorts batch sizes by number, "full" last."""
    return np.inf if size == "full" else float(size)


def settings_of(fits: pd.DataFrame) -> list[tuple]:
    """Return the distinct settings of fits that have a `size`, as tuples in the order of SETTING."""
    return list(fits[SETTING].drop_duplicates().itertuples(index=False, name=None))


def values_by_block(fits: pd.DataFrame) -> pd.DataFrame:
    """Return the objective with one row per block and one column per setting.

    Blocks that lack one of the settings that their problem was run with are left out: their ranks would be among
    others. A setting that a problem was not run with is missing (NaN) there.
    """
    parts = []
    for _, group in fits.groupby("problem", sort=False):
        table = group.pivot(index=BLOCK, columns=SETTING, values="objective")
        parts.append(table.dropna())
    return pd.concat(parts) if parts else pd.DataFrame()


def ranks(fits: pd.DataFrame) -> pd.DataFrame:
    """Return the rank of every setting in every block, 1 = lowest final objective, blocks x settings.

    Ties have the average of their ranks; failed runs tie at the bottom. The compared set is that of the fits given:
    ranks depend on it. Source: Stapor et al. 2022, figure 2a; ties and failures are a choice of ours.
    """
    values = values_by_block(fits.assign(objective=fits["objective"].astype(float).fillna(np.inf)))
    return values.rank(axis=1, method="average") if len(values) else values


def mean_ranks(fits: pd.DataFrame) -> pd.DataFrame:
    """Return per setting its mean rank over all blocks, with interval, number of blocks and of compared settings.

    Columns: SETTING, rank, rank_low, rank_high, blocks, compared. The interval is a 95 % hierarchical bootstrap.
    """
    table = ranks(fits)
    rows = []
    for setting in table.columns:
        own = table[setting].dropna()
        blocks = own.index.to_frame(index=False)
        if len(own):
            compared = int(table.loc[own.index].notna().sum(axis=1).max())
            rows.append((*setting, *mean_over_blocks(blocks, own), len(own), compared))
    return pd.DataFrame(rows, columns=[*SETTING, "rank", "rank_low", "rank_high", "blocks", "compared"])


def in_order_of_rank(fits: pd.DataFrame) -> list[tuple]:
    """Return the settings by their mean rank over problems, best first; those that not all problems have come last.

    Ranks are taken relative to the number of settings compared: the second of two is no better than the ninth of ten.
    Data replicates count equally, as in `mean_ranks`.
    """
    table = ranks(fits) if len(fits) else pd.DataFrame()
    if table.empty:
        return []
    table = table.sub(0.5).div(table.notna().sum(axis=1), axis=0)
    table = table.groupby(level=DATA).mean().groupby(level="problem").mean()
    complete, means = set(table.columns[table.notna().all()]), table.mean()
    return sorted(table.columns, key=lambda setting: (setting not in complete, means[setting]))


def first_of_each(fits: pd.DataFrame, order: list[tuple], groups=("problem",)) -> pd.DataFrame:
    """Return the fits of one setting per group: of those that it was run with the first in `order`."""
    place = {setting: number for number, setting in enumerate(order)}
    places = [place.get(setting) for setting in fits[SETTING].itertuples(index=False, name=None)]
    fits = fits.assign(place=np.array(places, dtype=float))
    return fits[fits["place"] == fits.groupby(list(groups))["place"].transform("min")].drop(columns="place")


def chosen_crosswise(fits: pd.DataFrame) -> pd.DataFrame:
    """Return the runs of each problem's best setting by mean rank, chosen on other starts than those returned.

    The best of one half of the starts is taken from the other half, both ways: chosen and compared on the same runs it
    would look better than it is. A problem with a single start has none.
    """
    half = (fits["start"] + fits["replicate"]) % 2
    return pd.concat([first_of_each(fits[half == one], in_order_of_rank(fits[half != one])) for one in (0, 1)])


def of_settings(fits: pd.DataFrame, settings) -> pd.DataFrame:
    """Return the fits of some settings."""
    wanted = set(settings)
    kept = [setting in wanted for setting in fits[SETTING].itertuples(index=False, name=None)]
    return fits[np.array(kept, dtype=bool)]


def log_excess(fits: pd.DataFrame, best: dict[tuple, float], measurements: dict[str, float]) -> pd.Series:
    """Return log10(F - J_best + 1e-3 n) of every run, n the number of data points of its problem.

    A failed run counts as the worst end of any run on the same data: it must not vanish, and infinity has no mean.
    """
    fits = with_best(fits, best)
    ended = fits["excess"].where(np.isfinite(fits["excess"]))
    worst = ended.groupby([fits[name] for name in DATA]).transform("max")
    excess = ended.fillna(worst).fillna(0.0).clip(lower=0.0)  # 0: where no run ended, all are equal
    return np.log10(excess + FLOOR * fits["problem"].map(measurements))


def measurements_of(fits: pd.DataFrame) -> dict[str, float]:
    """Return the number of data points per problem."""
    return fits.drop_duplicates("problem").set_index("problem")["measurements"].to_dict()


def target_values(fits: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return per problem the targets above the best value, by the names of TARGETS.

    The quantile is statistically indistinguishable from the best: half the 95 % quantile of chi-squared with as many
    degrees of freedom as estimated parameters.
    """
    number = fits.drop_duplicates("problem").set_index("problem")["parameters"]
    from scipy import stats

    quantile = {problem: 0.5 * stats.chi2.ppf(0.95, count) for problem, count in number.items()}
    return {p: {name: quantile[p] if t is None else t for name, t in TARGETS.items()} for p in quantile}


def hits(fits: pd.DataFrame, traces: pd.DataFrame, targets: pd.Series) -> pd.DataFrame:
    """Return per fit whether its trace reaches a target, and the cost until then.

    targets: objective to reach, one per row of fits. The run hits where its trace, or else its end, is at or below the
    target for the first time; a run that does not has its whole cost. Columns hit, cost; the rows are those of fits.
    """
    keyed = fits[RUN].assign(target=targets.to_numpy(), row=np.arange(len(fits)))
    tables = (with_free_starts(traces), fits)
    points = pd.concat([table[[*RUN, "cost", "objective"]] for table in tables]).merge(keyed, on=RUN)
    first = points[points["objective"] <= points["target"]].groupby("row")["cost"].min()
    cost = first.reindex(range(len(fits))).to_numpy()
    hit = np.isfinite(cost)
    return pd.DataFrame({"hit": hit, "cost": np.where(hit, cost, fits["cost"])}, index=fits.index)


def with_free_starts(traces: pd.DataFrame) -> pd.DataFrame:
    """Return the traces with no cost at their first points, the starts.

    Mini-batch runs evaluate the objective of a start outside their cost, full-batch runs take it from their first
    gradient. Counted so, mini-batches would be favoured wherever a start meets a target.
    """
    first = ~traces.duplicated(RUN)
    return traces.assign(**{unit: traces[unit].mask(first, 0.0) for unit in ("cost", "cpu_seconds") if unit in traces})


def expected_cost(fits: pd.DataFrame, found: pd.DataFrame) -> tuple[float, float, float, int]:
    """Return the expected cost to a target, its 95 % interval, and the number of runs that reach it.

    fits: the runs of one setting; found: their hits. The total cost of all runs, each until it hits or ends, over the
    number of those that hit (expected running time). Where none does it is infinite, and its lower bound follows from
    the upper bound of their rate. Source: Hansen et al. 2009 (COCO); Wilson interval of the rate.
    """
    weights, draws = hierarchical_weights(fits[BLOCK])
    cost, hit = found["cost"].to_numpy(float), found["hit"].to_numpy(float)
    if not hit.any():
        return np.inf, least_cost(weights, found), np.inf, 0
    with np.errstate(divide="ignore"):
        low, high = interval((draws @ cost) / (draws @ hit), len(fits))
    return float((weights @ cost) / (weights @ hit)), low, high, int(hit.sum())


def costs_to_targets(fits: pd.DataFrame, traces: pd.DataFrame, targets, unit="cost") -> tuple[np.ndarray, np.ndarray]:
    """Return the cost of each run of `fits` until it first came within each target, and whether it did: (r, t) both.

    targets (t,): objective above the best value known (`excess` of both tables). A run that does not come there has its
    whole cost, as in `hits`. unit: the column of costs, `cost` or `cpu_seconds`.
    """
    cost = np.repeat(fits[unit].to_numpy(float)[:, None], len(targets), axis=1)
    hit = np.zeros(cost.shape, dtype=bool)
    for row, (spent, lowest) in enumerate(_courses(fits, traces, unit)):
        first = np.searchsorted(-lowest, -np.asarray(targets), side="left")  # lowest falls, its negative rises
        hit[row] = first < len(lowest)
        cost[row, hit[row]] = spent[first[hit[row]]]
    return cost, hit


def _courses(fits: pd.DataFrame, traces: pd.DataFrame, unit="cost"):
    """Yield what each run has spent at the points of its trace and at its end, and its lowest excess until then."""
    names = list(dict.fromkeys([*RUN, "cost", unit, "excess"]))
    courses = dict(list(pd.concat([with_free_starts(traces)[names], fits[names]]).groupby(RUN, sort=False)))
    for key in fits[RUN].itertuples(index=False, name=None):
        course = courses[key].sort_values("cost", kind="stable")
        yield course[unit].to_numpy(float), np.minimum.accumulate(course["excess"].fillna(np.inf).to_numpy(float))


def expected_costs(blocks: pd.DataFrame, cost, hit) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the expected cost to each target and its 95 % interval, (t,) each; `expected_cost` of many targets."""
    weights, draws = hierarchical_weights(blocks)
    hit = hit.astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = (weights @ cost) / (weights @ hit)
        drawn = (draws @ cost) / (draws @ hit)
    low, high = np.array([interval(column, len(cost)) for column in drawn.T]).T if drawn.size else np.empty((2, 0))
    return value, low, high


def values_within(fits: pd.DataFrame, traces: pd.DataFrame, budgets) -> np.ndarray:
    """Return the lowest excess of each run within each budget (b,): (r, b); inf before its first point.

    budgets: (r, b), costs of each run. A run that ended keeps what it found.
    """
    found = np.full(np.shape(budgets), np.inf)
    for row, (spent, lowest) in enumerate(_courses(fits, traces)):
        last = np.searchsorted(spent, budgets[row] * (1 + ROUNDING), side="right") - 1
        found[row, last >= 0] = lowest[last[last >= 0]]
    return found


def least_cost(weights, found: pd.DataFrame) -> float:
    """Return the lowest expected cost that agrees with no hit among these runs, by Wilson's interval of their rate.

    weights (n,): of the runs in the mean, as in `hierarchical_weights`. Runs of unequal weights tell of the rate as
    much as 1 / sum(weights²) runs of equal ones do (Kish 1965).
    """
    from scipy import stats

    number, quantile = 1 / (weights @ weights), stats.norm.ppf((1 + LEVEL) / 2) ** 2
    highest = quantile / (number + quantile)  # the upper bound of a rate without a success
    return float(weights @ found["cost"].to_numpy(float) / highest)


def scores(fits, traces, nominal, best_known: dict[str, float]) -> pd.DataFrame:
    """Return one row per problem and setting: how its runs end, rank, and what the targets cost.

    Ranks are among all settings that the problem was run with (`compared`). Excess is the final objective above the
    best value known; costs are in forward solves of one condition. Intervals are 95 %: Wilson for rates, hierarchical
    bootstrap over replicates and starts for the others.
    """
    best = best_objectives(fits, traces, nominal, best_known)
    fits = with_best(with_size(fits), best)
    limits = target_values(fits)
    rows = []
    for problem, group in fits.groupby("problem", sort=False):
        rank = mean_ranks(group).set_index(SETTING)
        courses = with_best(traces[traces["problem"] == problem], best)
        found = {name: hits(group, courses, group["best"] + limits[problem][name]) for name in TARGETS}
        for setting, own in group.groupby(SETTING, sort=False):
            row = {"problem": problem, **dict(zip(SETTING, setting, strict=True)), **_ends(own)}
            row |= rank.loc[setting].to_dict() if setting in rank.index else {}
            for name, table in found.items():
                value, low, high, successes = expected_cost(own, table.loc[own.index])
                row |= {f"cost_to_{name}": value, f"cost_to_{name}_low": low, f"cost_to_{name}_high": high}
                row[f"successes_{name}"] = successes
            row |= _values_at_shares(own, courses, group["cost"].max())
            rows.append(row | {"cost": own["cost"].sum(), "cpu_seconds": own["cpu_seconds"].sum()})
    return frame("scores", rows)


def _values_at_shares(own: pd.DataFrame, traces: pd.DataFrame, budget: float) -> dict:
    """Return the median excess when shares of the budget are spent.

    budget: the largest cost of any run of the problem. That of a setting, whose runs may all end early, would be
    another budget for each.
    """
    budgets = np.tile(np.array(SHARES) / 100 * budget, (len(own), 1))
    medians = [median_over_blocks(own[BLOCK], values)[0] for values in values_within(own, traces, budgets).T]
    return dict(zip([f"excess_at_{share:g}" for share in SHARES], medians, strict=True))


def _ends(own: pd.DataFrame) -> dict:
    failed = int((~np.isfinite(own["excess"])).sum())
    low, high = wilson_interval(failed, len(own))
    median, median_low, median_high = median_over_blocks(own[BLOCK], own["excess"])
    return {
        "batch_size": own["batch_size"].iloc[0],
        "runs": len(own),
        "failures": failed,
        "failure_rate": failed / len(own),
        "failure_rate_low": low,
        "failure_rate_high": high,
        "median_objective": own["objective"].median(),
        "best_objective": own["objective"].min(),
        "excess_median": median,
        "excess_low": median_low,
        "excess_high": median_high,
    }


def friedman(fits: pd.DataFrame) -> dict | None:
    """Return Friedman's test between the settings, and the critical distance of Nemenyi between their mean ranks.

    One observation is the mean rank over the starts of a (problem, replicate): starts on the same data depend on each
    other. Only settings that all problems have are compared. Returns statistic, p_value, critical_distance (level
    0.05), blocks, settings, ranks; None with fewer than three settings or two blocks. ranks: by setting, the mean over
    the blocks of the rank of its observation, between which the distance decides. Mean ranks over starts lie closer
    together, so that it would part too few of them. Where all settings tie in every block the statistic is 0.

    Source: Demsar, J. Mach. Learn. Res. 7:1-30 (2006).
    """
    common = in_all_problems(fits)
    means = ranks(common).groupby(level=DATA).mean() if len(common) else pd.DataFrame()
    count, settings = means.shape
    if settings < 3 or count < 2:
        return None
    from scipy import stats

    tied = (means.nunique(axis=1) == 1).all()  # then the correction for ties divides by 0
    statistic, p_value = (0.0, 1.0) if tied else stats.friedmanchisquare(*means.to_numpy().T)
    quantile = stats.studentized_range.ppf(0.95, settings, np.inf) / np.sqrt(2)
    distance = quantile * np.sqrt(settings * (settings + 1) / (6 * count))
    return {
        "statistic": float(statistic),
        "p_value": float(p_value),
        "critical_distance": float(distance),
        "blocks": count,
        "settings": settings,
        "ranks": means.rank(axis=1).mean(),
    }


def in_all_problems(fits: pd.DataFrame) -> pd.DataFrame:
    """Return the fits, with their `size`, of those settings that every problem was run with."""
    problems = fits.groupby(SETTING)["problem"].transform("nunique")
    return fits[problems == fits["problem"].nunique()]
