"""Findings on trained networks: plain statements, each computed from the result tables."""

import numpy as np
import pandas as pd

from kinetrain.appearance import in_order, label
from kinetrain.evaluation.network_summaries import (
    CONTROLS,
    GROUP,
    MULTIPLIERS,
    best_first,
    by_multipliers,
    of_seeds,
    panel_names,
    relative_errors,
    sparsity_against_accuracy,
)
from kinetrain.evaluation.statements import (
    FEW_SEEDS,
    VERDICTS,
    by_verdict,
    counted,
    interval_text,
    number_text,
    of_means,
    verdict,
)
from kinetrain.evaluation.statistics import POSITIVE, ROUNDING, SHARE, judge, mean_interval
from kinetrain.networks.controls import PERSISTENCE, PRIOR_ALONE, REGULATORS_X_ALL, REGULATORS_X_TARGETS
from kinetrain.pruning.methods import find_method, known_methods, l0
from kinetrain.yardsticks.methods import YARDSTICKS

# control predictors, and how a statement on each begins
PREDICTORS = {
    PRIOR_ALONE: "The prior alone, which needs no training, has",
    REGULATORS_X_TARGETS: "That every true regulator regulates every true target has",
    REGULATORS_X_ALL: "That every true regulator regulates every gene has",
}
MOVED = 0.05  # share of closed weights below which gates have hardly moved
COMPARED = (("dash", "sparseflow"), ("dash", "bioprune"))
# balanced accuracies in which neither the prior nor a list of regulators is better than chance
STRICT = {
    "balanced_accuracy_outside_prior": "Outside the prior",
    "balanced_accuracy_within_regulators": "Within the true regulators",
}
ABOVE_CHANCE = (
    "Better, with the whole interval",
    "NOT better with the whole interval",
    "Undecided, without an interval",
)


def against_persistence(networks: pd.DataFrame):
    """Yield per data set which methods have a test error below that of persistence by more than their spread.

    The spread is one standard deviation over the seeds; the criterion is a choice of ours. Fewer than
    `statistics.FEWEST_SEEDS` decide nothing.
    """
    untested = networks[(networks["method"] == PERSISTENCE) & networks["test_mse"].isna()]
    for panel in panel_names(untested).drop_duplicates():
        statement = "No transitions are held out for a test, so no prediction is judged."
        yield "Prediction", panel, statement, np.nan, np.nan, "-"
    for panel, group in relative_errors(networks).groupby("panel", sort=False):
        table = best_first(group, "test_mse", -1)
        if table.empty:
            continue
        reference, errors, seeds = group["persistence_mse"].iloc[0], table["mean"], of_seeds(table)
        spread, ratios = (
            group.groupby("method")[name].agg(how) for name, how in (("test_mse", "std"), ("ratio", "mean"))
        )
        found = of_means(table, errors + spread[errors.index] < reference)
        said = {
            method: f"{label(method)} {number_text(error)}"
            + (f" ± {spread[method]:.1g}" if np.isfinite(spread[method]) else "")
            + f" (ratio {number_text(ratios[method])}{seeds[method] and f'; {seeds[method]}'})"
            for method, error in errors.items()
        }
        lead = (
            f"Persistence (next = now) has a test error of {reference:.3g}. A method is better whose error is lower by "
            "more than its standard deviation over seeds."
        )
        words = "Better", "NOT better", FEW_SEEDS
        yield from by_verdict("Prediction", panel, lead, words, said, found, errors, reference)


def against_predictors(networks: pd.DataFrame):
    """Yield per data set and predictor without training which methods are closer to the gold standard than it.

    That is by their means; fewer seeds than `statistics.FEWEST_SEEDS` decide nothing.
    """
    for control, lead in PREDICTORS.items():
        for panel, table, reference in _against_control(networks, control):
            methods, seeds = table["mean"], of_seeds(table)
            said = {
                method: f"{label(method)} ({value:.3f}{seeds[method] and f'; {seeds[method]}'})"
                for method, value in methods.items()
            }
            lead_here = f"{lead} a balanced accuracy of {reference:.3f}."
            topic = f"Network against {label(control)[0].lower()}{label(control)[1:]}"
            words = "Above it", "NOT above it", FEW_SEEDS
            found = of_means(table, methods > reference + ROUNDING)
            yield from by_verdict(topic, panel, lead_here, words, said, found, methods, reference)


def _against_control(networks: pd.DataFrame, control: str):
    """Yield per data set its panel, the balanced accuracy of every trained method by `best_first`, and a control's."""
    for _, group in networks.groupby(GROUP, sort=False):
        table = best_first(group[~group["method"].isin(CONTROLS)], "balanced_accuracy", 1)
        reference = group.loc[group["method"] == control, "balanced_accuracy"].mean()
        if len(table) and not np.isnan(reference):
            yield panel_names(group).iloc[0], table, reference


def beyond_prior_and_regulators(networks: pd.DataFrame):
    """Yield per data set which methods are better than chance where copying the prior, or its regulators, is not.

    Better means that the 95 % interval of the mean balanced accuracy over seeds (Student's t on the logit scale) lies
    above 1/2; a method without an interval, of one seed or of a few that are all alike, is undecided.
    """
    models = networks[~networks["method"].isin(CONTROLS)]
    for column, where in STRICT.items():
        for _, group in models.groupby(GROUP, sort=False):
            seeds, group = of_seeds(best_first(group, column, 1)), group.dropna(subset=[column])
            if group.empty:
                continue
            intervals = {method: mean_interval(own[column], scale=SHARE) for method, own in group.groupby("method")}
            means = pd.Series({method: interval[0] for method, interval in intervals.items()}, dtype=float)
            said = {
                method: f"{label(method)} {interval_text(*interval)}{seeds[method] and f' from {seeds[method]}'}"
                for method, interval in intervals.items()
            }
            if column == "balanced_accuracy_outside_prior":
                said = {method: text + _recovered(group[group["method"] == method]) for method, text in said.items()}
            found = {method: _above_chance(*interval) for method, interval in intervals.items()}
            lead = f"{where}, chance has a balanced accuracy of 0.5."
            yield from by_verdict(where, panel_names(group).iloc[0], lead, ABOVE_CHANCE, said, found, means, 0.5)


def _above_chance(_, low: float, __) -> str:
    return "undecided" if np.isnan(low) else verdict(low > 0.5)


def _recovered(models: pd.DataFrame) -> str:
    """Return shares of true edges found outside the prior, and of its wrong edges kept, as text."""
    found, kept = (models[name].mean() for name in ("recall_outside_prior", "wrong_prior_kept"))
    parts = [f"{100 * found:.0f} % of the true edges there"] if np.isfinite(found) else []
    parts += [f"{100 * kept:.0f} % of the prior's wrong edges kept"] if np.isfinite(kept) else []
    return f" ({', '.join(parts)})" if parts else ""


def paired_methods(networks: pd.DataFrame, compared=COMPARED):
    """Yield how the pairs of methods `compared` do per data set, in balanced accuracy and in test error.

    That is the panel, the name of the quantity, the sign of the desired difference, and the values of both methods
    (seeds, 2), a column per method, for the seeds that both have.
    """
    for methods in map(list, compared):
        for column, name, wanted in (("balanced_accuracy", "balanced accuracy", 1), ("test_mse", "test error", -1)):
            for _, group in networks.groupby(GROUP, sort=False):
                pairs = group[group["method"].isin(methods)].pivot(index="seed", columns="method", values=column)
                pairs = pairs.reindex(columns=methods).dropna()
                if len(pairs):
                    yield panel_names(group).iloc[0], name, wanted, pairs


def compared_methods(networks: pd.DataFrame):
    """Yield per data set how two methods compare in balanced accuracy and test error, by pairs of the same seed."""
    for panel, name, wanted, pairs in paired_methods(networks):
        first, second = pairs.columns
        difference = mean_interval(pairs[first] - pairs[second])
        scale = SHARE if name == "balanced accuracy" else POSITIVE
        means = [interval_text(*mean_interval(pairs[method], scale=scale)) for method in (first, second)]
        statement = (
            f"{label(first)} has a {name} of {means[0]}, {label(second)} {means[1]}: difference "
            f"{interval_text(*difference)} over {counted(len(pairs), 'pair')} of the same seed."
        )
        judged = VERDICTS[judge(difference, wanted)]
        topic = f"{label(first)} against {label(second)}"
        yield topic, panel, statement, pairs[first].mean(), pairs[second].mean(), judged


def multipliers_matter(networks: pd.DataFrame):
    """Yield what treatments of the multipliers change: in the error of each method, and in who has the lower error.

    By pairs of the same seed, with 95 % intervals of the mean difference; the verdict is `yes` or `no` where the
    interval excludes zero.
    """
    topic = "Multipliers of the genes"
    for data, group in by_multipliers(networks).groupby("data", sort=False):
        errors = group.pivot(index="seed", columns=["multipliers", "method"], values="test_mse")
        treatments = [name for name in MULTIPLIERS if name in errors]
        for method in in_order(group["method"]):
            own = errors.xs(method, axis=1, level="method")
            for other in [name for name in treatments if name in own and name != "living" and "living" in own]:
                said, values, judged = _paired(own["living"], own[other], wanted=-1)
                lead = f"{label(method)}: test error with living multipliers against {MULTIPLIERS[other]}:"
                both = own[["living", other]].dropna().index
                more = "." if both.empty else _dead(group[group["seed"].isin(both)], method, other)
                yield topic, data, f"{lead} {said}{more}", *values, judged
        for first, second in COMPARED:
            for treatment in treatments:
                if {first, second} <= set(errors[treatment]):
                    said, values, judged = _paired(errors[treatment][first], errors[treatment][second], wanted=-1)
                    lead = f"With {MULTIPLIERS[treatment]}, test error of {label(first)} against {label(second)}:"
                    yield topic, data, f"{lead} {said}.", *values, judged


def _paired(first: pd.Series, second: pd.Series, wanted: int):
    """Return the comparison of two columns over the same seeds: a text, their means, and the verdict.

    wanted: the sign of the desired difference. The verdict is `undecided` where the interval holds zero, or there is
    none.
    """
    pairs = pd.DataFrame({"first": first, "second": second}).dropna()
    if pairs.empty:
        return "there is no seed with both", (np.nan, np.nan), "-"
    difference = mean_interval(pairs["first"] - pairs["second"])
    said = (
        f"{pairs['first'].mean():.3g} against {pairs['second'].mean():.3g}, difference "
        f"{interval_text(*difference)} over {counted(len(pairs), 'pair')} of the same seed"
    )
    judged = VERDICTS[judge(difference, wanted)]
    return said, (pairs["first"].mean(), pairs["second"].mean()), judged


def _dead(group: pd.DataFrame, method: str, other: str) -> str:
    """Return the dead targets of a method with living and other multipliers, and their share of its error, as text."""
    parts = []
    for treatment in ("living", other):
        own = group[(group["method"] == method) & (group["multipliers"] == treatment)]
        share = 100 * own["dead_error_share"].mean()
        parts.append(f"{own['dead_targets'].mean():.1f} dead targets with {share:.0f} % of the error")
    return f"; {parts[0]} against {parts[1]}."


def gates_move(networks: pd.DataFrame):
    """Yield per data set the methods whose gates stay open, and whether Adam could have closed them at all.

    The first gates are closed in evaluation at a log α of −l0.FALL from their start; each update brings it nearer by
    the learning rate at most.
    """
    trained = [name for name in networks["method"].unique() if name in known_methods()]
    names = [name for name in trained if issubclass(find_method(name), l0.Method)]
    gated = networks[networks["method"].isin(names) & (networks["status"] != "failed")]
    for _, group in gated.groupby(GROUP, sort=False):
        dense = group.groupby("method")[["mask_sparsity", "updates", "learning_rate"]].mean()
        dense = dense[dense["mask_sparsity"] < MOVED]
        for method, row in dense.iterrows():
            reach = row["updates"] * row["learning_rate"]
            able = reach >= l0.FALL
            why = (
                "they could have: the penalty is too weak against the data"
                if able
                else "they cannot have: more updates or a higher learning rate would be needed"
            )
            statement = (
                f"{label(method)} has closed gates of {100 * row['mask_sparsity']:.1f} % of the weights. The first "
                f"gates close when their logarithm falls by {l0.FALL:.1f}, and {row['updates']:.0f} updates of at most "
                f"{row['learning_rate']:g} move it by {reach:.2g} at most; {why}."
            )
            yield "Gates", panel_names(group).iloc[0], statement, reach, l0.FALL, "no"


def failed_models(networks: pd.DataFrame):
    """Yield how many trained models of each data set failed, and how many diverged late, with their methods.

    A model that diverged late counts everywhere, with its best model from before; one that failed has no numbers.
    """
    models = networks[~networks["method"].isin([*CONTROLS, *YARDSTICKS])]
    for dataset, group in models.groupby("dataset", sort=False):
        failed, listed = with_status(group, "failed")
        statement = f"{listed} failed." if failed else f"None of {len(group)} models failed."
        yield "Failed runs", dataset, statement, failed, 0, verdict(not failed)
        late, listed = with_status(group, "diverged")
        if late:
            statement = f"{listed} diverged late: their best models from before count."
            yield "Failed runs", dataset, statement, late, 0, "no"


def with_status(models: pd.DataFrame, status: str) -> tuple[int, str]:
    """Return the number of models with a status, and a text with their methods."""
    counts = models.loc[models["status"] == status, "method"].value_counts()
    listed = ", ".join(f"{label(method)} {counts[method]}" for method in in_order(counts.index))
    return int(counts.sum()), f"{counts.sum()} of {len(models)} models ({listed})"


def against_published(networks: pd.DataFrame, published: pd.DataFrame | None):
    """Yield sparsity and balanced accuracy with the published ones, where data set and noise are the same."""
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
            yield "Against the published values", ours["panel"], statement, *values, "-"
