"""Plain statements about the results, each computed from the result tables and none from expectation."""

import numpy as np
import pandas as pd

from kinetrain.evaluation.figure_tables import CONTROLS, GROUP, panel_names, prediction_error, sparsity_against_accuracy
from kinetrain.evaluation.names import label
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
        (networks, against_persistence),
        (networks, against_prior),
        (networks, against_regulators),
        (networks, failed_models),
        (networks, lambda table: beside_published(table, published)),
        (pathways, significant_pathways),
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
        yield "Import of the model", subject, statement, value, reference, _verdict(agrees)


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
        yield "Distance to the best known", problem, statement, best, known, _verdict(distance <= REACHED)


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
        yield "Failed runs", problem, statement, failed, 0, _verdict(not failed)


def against_persistence(networks: pd.DataFrame):
    """Yield per data set and method whether its test error is below that of persistence, by more than its spread.

    The spread is one standard deviation over the seeds (none for a single seed); the criterion is a choice of ours.
    """
    untested = networks[(networks["method"] == "persistence") & networks["test_mse"].isna()]
    for panel in panel_names(untested).drop_duplicates():
        statement = "No transitions are set apart for a test, so no prediction is judged."
        yield "Prediction", panel, statement, np.nan, np.nan, "-"
    table = prediction_error(networks)
    for (panel, method), group in table.groupby(["panel", "method"], sort=False):
        error, persistence = group["test_mse"].mean(), group["persistence_mse"].iloc[0]
        spread = group["test_mse"].std() if len(group) > 1 else 0.0
        beats = bool(error + spread < persistence)
        statement = (
            f"{label(method)} {'beats' if beats else 'DOES NOT beat'} persistence (next = now): its test error is "
            f"{error:.3g} ± {spread:.1g} ({len(group)} models), that of persistence {persistence:.3g}, "
            f"ratio {error / persistence:.3g}."
        )
        yield "Prediction", panel, statement, error, persistence, _verdict(beats)


def against_prior(networks: pd.DataFrame):
    """Yield per data set and method whether the trained network is closer to the gold standard than its own prior."""
    for panel, methods, prior in _beside_control(networks, "prior alone"):
        for method, value in methods.items():
            better = bool(value > prior)
            statement = (
                f"The balanced accuracy of {label(method)} is {value:.3f}, {'above' if better else 'NOT above'} "
                f"that of the prior alone, {prior:.3f}, which needs no training."
            )
            yield "Network against the prior alone", panel, statement, value, prior, _verdict(better)


def _beside_control(networks: pd.DataFrame, control: str):
    """Yield per data set its panel, the mean balanced accuracy of every trained method, and that of a control."""
    scored = networks[networks["balanced_accuracy"].notna()]
    for _, group in scored.groupby(GROUP, sort=False):
        means = group.groupby("method", sort=False)["balanced_accuracy"].mean()
        methods = means.drop(labels=[name for name in CONTROLS if name in means])
        if control in means and len(methods):
            yield panel_names(group).iloc[0], methods, means[control]


def against_regulators(networks: pd.DataFrame):
    """Yield per data set which methods are no closer to the gold standard than its regulators acting on all genes."""
    for panel, methods, reference in _beside_control(networks, "regulators x all genes"):
        below = [f"{label(method)} ({value:.3f})" for method, value in methods.items() if not value > reference]
        who = f"NOT above it: {', '.join(below)}" if below else "All methods are above it"
        statement = f"That every true regulator regulates every gene has a balanced accuracy of {reference:.3f}. {who}."
        values = methods.min(), reference
        yield "Network against regulators × all genes", panel, statement, *values, _verdict(not below)


def failed_models(networks: pd.DataFrame):
    """Yield how many trained models of each data set failed."""
    models = networks[~networks["method"].isin(CONTROLS)]
    for dataset, group in models.groupby("dataset", sort=False):
        failed = int((group["status"] == "failed").sum())
        statement = f"{failed} of {len(group)} models failed." if failed else f"None of {len(group)} models failed."
        yield "Failed runs", dataset, statement, failed, 0, _verdict(not failed)


def beside_published(networks: pd.DataFrame, published: pd.DataFrame | None):
    """Yield sparsity and balanced accuracy beside the published ones, where data set and noise are the same."""
    if published is None:
        return
    table = sparsity_against_accuracy(networks, published)
    for _, theirs in table[table["kind"] == "published"].iterrows():
        same = (table["kind"] == "method") & (table[[*GROUP, "method"]] == theirs[[*GROUP, "method"]]).all(axis=1)
        for _, ours in table[same].iterrows():
            statement = (
                f"{label(ours['method'])}: balanced accuracy {ours['balanced_accuracy']:.3f} at sparsity "
                f"{ours['sparsity']:.3f}; published {theirs['balanced_accuracy']:.3f} at {theirs['sparsity']:.3f} "
                f"({theirs['source']})."
            )
            values = ours["balanced_accuracy"], theirs["balanced_accuracy"]
            yield "Beside the published values", ours["panel"], statement, *values, "-"


def significant_pathways(pathways: pd.DataFrame):
    """Yield per data set and method how many gene sets pass Bonferroni and Benjamini-Hochberg at 0.05."""
    for _, group in pathways.groupby([*GROUP, "method"], sort=False):
        if (group["status"] == "failed").all():
            statement = f"{label(group['method'].iloc[0])}: FAILED, the models diverge from the drawn initial states."
            yield "Pathways", panel_names(group).iloc[0], statement, np.nan, np.nan, "no"
            continue
        strict, loose = (int((group[name] < 0.05).sum()) for name in ("p_bonferroni", "p_bh"))
        statement = (
            f"{label(group['method'].iloc[0])}: {strict} of {len(group)} gene sets hold more influence than "
            f"chance gives (Bonferroni, 0.05), {loose} by Benjamini-Hochberg."
        )
        yield "Pathways", panel_names(group).iloc[0], statement, strict, len(group), "-"


def _verdict(good) -> str:
    return "yes" if good else "no"
