"""Fits of mechanistic models: how far they end from the best known value, and what they cost on the way."""

import numpy as np
import pandas as pd

from kinetrain.evaluation.statistics import bootstrap_interval

SETTING = ["problem", "optimizer", "schedule", "batch_size"]
DATA = ["problem", "replicate"]
SMALLEST = 1e-3  # differences of the objective below this mean nothing; on log axes they are drawn here


def best_objectives(tables, best_known: dict[str, float]) -> dict[tuple, float]:
    """Return the lowest objective per (problem, replicate), over all `tables` and the best value known before.

    `best_known` maps the name of a problem with measured data to the lowest negative log-likelihood ever reported.
    """
    rows = pd.concat([table[[*DATA, "objective"]] for table in tables], ignore_index=True)
    rows = rows[np.isfinite(rows["objective"].astype(float))]
    lowest = rows.groupby(DATA)["objective"].min().to_dict()
    return {key: min(value, best_known.get(key[0], np.inf)) for key, value in lowest.items()}


def final_objective(fits: pd.DataFrame, best_known: dict[str, float]) -> pd.DataFrame:
    """Return one row per start: its final objective above the best of its problem, and the median of its setting.

    Added columns: best, excess (objective - best; inf for a failed start), excess_drawn (at least SMALLEST),
    excess_median, median_low, median_high (95 % bootstrap interval of the median over starts), failed_starts, starts.
    Objectives are negative log-likelihoods over all data.
    """
    table = _above_best(fits, best_objectives([fits], best_known))
    table["failed"] = ~np.isfinite(table["excess"])
    parts = []
    for _, group in table.groupby(SETTING, sort=False, dropna=False):
        low, high = bootstrap_interval(group["excess"])
        median = group["excess"].median()
        parts.append(
            group.assign(
                excess_median=max(median, SMALLEST),
                median_low=max(low, SMALLEST),
                median_high=max(high, SMALLEST),
                failed_starts=int(group["failed"].sum()),
                starts=len(group),
            )
        )
    names = [*SETTING, "replicate", "start", "objective", "best", "excess", "excess_drawn", "status"]
    more = ["excess_median", "median_low", "median_high", "failed_starts", "starts"]
    return pd.concat(parts, ignore_index=True)[names + more] if parts else pd.DataFrame(columns=names + more)


def objective_against_solves(traces: pd.DataFrame, fits: pd.DataFrame, best_known: dict[str, float]) -> pd.DataFrame:
    """Return the objective above the best per number of condition solves: every start, and the median over starts.

    A condition solve is one simulation of one condition, with or without its gradient. In the median a start that has
    ended keeps its last value, and one that failed counts as infinitely bad. Columns: problem, optimizer, schedule,
    batch_size, kind (start or median), replicate, start, condition_solves, excess_drawn.
    """
    best = best_objectives([traces, fits], best_known)
    failed = fits[~np.isfinite(fits["objective"].astype(float))]  # a start may fail before its first trace point
    table = _above_best(pd.concat([traces, failed[list(traces.columns.intersection(failed.columns))]]), best)
    table["condition_solves"] = table["gradient_solves"] + table["value_solves"]
    table = table.sort_values("condition_solves", kind="stable")
    names = [*SETTING, "kind", "replicate", "start", "condition_solves", "excess_drawn"]
    parts = [table.assign(kind="start")[names]]
    for setting, group in table.groupby(SETTING, sort=False, dropna=False):
        median = _median_course(group)
        parts.append(
            median.assign(**dict(zip(SETTING, setting, strict=True)), kind="median", replicate=-1, start=-1)[names]
        )
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)


def _above_best(table: pd.DataFrame, best: dict[tuple, float]) -> pd.DataFrame:
    table = table.copy()
    table["objective"] = table["objective"].astype(float).fillna(np.inf)
    keys = zip(table["problem"], table["replicate"], strict=True)
    table["best"] = [best.get(key, np.nan) for key in keys]
    table["excess"] = np.where(np.isfinite(table["objective"]), table["objective"] - table["best"], np.inf)
    table["excess_drawn"] = table["excess"].clip(lower=SMALLEST)
    return table


def _median_course(group: pd.DataFrame) -> pd.DataFrame:
    """Return the median over starts at every number of solves that some start was evaluated at."""
    courses = group.pivot_table(
        index="condition_solves", columns=["replicate", "start"], values="excess_drawn", aggfunc="last"
    )
    reached = courses.ffill().dropna()  # from where every start has a value
    return reached.median(axis=1).rename("excess_drawn").reset_index()
