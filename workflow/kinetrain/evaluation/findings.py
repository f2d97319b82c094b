"""Plain statements about the results, each computed from the result tables and none from expectation."""

import numpy as np
import pandas as pd

from kinetrain.evaluation import network_findings
from kinetrain.evaluation.names import label
from kinetrain.evaluation.network_findings import verdict
from kinetrain.figures.settings import with_setting

TOLERANCE = 1e-3  # relative deviation of a nominal objective that still counts as the same model
REACHED = 0.1  # an end this close to the best known negative log-likelihood has reached it, a choice of ours
NEAR = 10  # of the negative log-likelihood: within reach of the minimum of artificial data
COLUMNS = ["topic", "subject", "statement", "value", "reference", "verdict"]


def findings(nominal=None, fits=None, networks=None, pathways=None, best_known=None, published=None) -> pd.DataFrame:
    """Return the statements as a table: topic, subject, statement, value, reference, verdict.

    Every argument is a result table or None; what is missing or empty says nothing. verdict is `yes` where the
    statement is what one hopes for, `no` where it is not, `-` where it is neither.
    """
    rows = []
    for table, statements in (
        (nominal, nominal_objectives),
        (fits, lambda table: distances_to_best(table, best_known or {})),
        (fits, lambda table: reached_truth(table, nominal)),
        (fits, median_ends),
        (fits, failed_fits),
        (networks, network_findings.against_persistence),
        (networks, network_findings.compared_methods),
        (networks, network_findings.against_predictors),
        (networks, network_findings.beyond_prior_and_regulators),
        (networks, network_findings.failed_models),
        (networks, lambda table: network_findings.beside_published(table, published)),
        (pathways, network_findings.significant_pathways),
    ):
        if table is not None and len(table):
            rows.extend(statements(table))
    return pd.DataFrame(rows, columns=COLUMNS)


def nominal_objectives(nominal: pd.DataFrame):
    """Yield per problem with a reference whether the objective at its nominal parameters agrees within TOLERANCE."""
    for _, row in nominal.dropna(subset=["reference"]).iterrows():
        value, reference = float(row["objective_nominal"]), float(row["reference"])
        deviation = abs(value - reference) / abs(reference)
        agrees = deviation <= TOLERANCE
        statement = (
            f"The objective at the nominal parameters is {value:.7g}, the reference is {reference:.7g}: "
            f"relative deviation {deviation:.1e}, {'within' if agrees else 'NOT within'} {TOLERANCE:g}."
        )
        artificial = row.get("data") == "artificial"
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
            f"The best of {len(group)} runs of {label(optimizer)} ended at {best:.7g}, {place} the best value known, "
            f"{known:.7g} ({'' if distance <= REACHED else 'NOT '}within {REACHED:g})."
        )
        yield "Distance to the best known", problem, statement, best, known, verdict(distance <= REACHED)


def reached_truth(fits: pd.DataFrame, nominal: pd.DataFrame | None):
    """Yield per problem with artificial data and optimizer how many runs end near the truth.

    The minimum lies below that objective, by half the number of estimated parameters in expectation.
    """
    if nominal is None or "data" not in nominal:
        return
    truth = nominal.loc[nominal["data"] == "artificial", ["problem", "replicate", "objective_nominal"]]
    for (problem, optimizer), group in fits.merge(truth).groupby(["problem", "optimizer"], sort=False):
        near = int((group["objective"] <= group["objective_nominal"] + NEAR).sum())
        statement = (
            f"{near} of {len(group)} runs of {label(optimizer)} end below the objective of the true parameters, "
            f"plus {NEAR}."
        )
        yield "Distance to the truth", problem, statement, near, len(group), "-"


def median_ends(fits: pd.DataFrame):
    """Yield per problem the median final objective of the lowest setting beside those of all others.

    All starts of all data replicates count, failed ones as infinitely bad.
    """
    fits = with_setting(fits.assign(objective=fits["objective"].astype(float).fillna(np.inf)))
    for problem, group in fits.groupby("problem", sort=False):
        ends = group.groupby("setting")["objective"].agg(["median", "size"]).sort_values("median", kind="stable")
        if len(ends) < 2:
            continue
        (first, lowest, runs), *others = ends.itertuples(name=None)
        place = f"ends at {lowest:.5g}" if np.isfinite(lowest) else "is a failed run"
        told = [f"that of {count} of {setting} {_beside(median, lowest)}" for setting, median, count in others]
        statement = f"The median of {runs} runs of {first} {place}, {'; '.join(told)}."
        yield "Medians of the optimizers", problem, statement, lowest, others[0][1], "-"


def _beside(median: float, lowest: float) -> str:
    if not np.isfinite(median):
        return "is a failed run"
    return f"at {median:.5g}: " + (f"{median - lowest:.5g} lower" if median > lowest else "the same")


def failed_fits(fits: pd.DataFrame):
    """Yield how many fits of each problem failed."""
    for problem, group in fits.groupby("problem", sort=False):
        failed = int((group["status"] == "failed").sum())
        statement = f"{failed} of {len(group)} fits failed." if failed else f"None of {len(group)} fits failed."
        yield "Failed runs", problem, statement, failed, 0, verdict(not failed)
