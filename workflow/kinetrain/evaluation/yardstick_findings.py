"""Findings on yardsticks: neural models against ordinary network inference, and against "next = now"."""

import numpy as np
import pandas as pd

from kinetrain.appearance import in_order, label
from kinetrain.evaluation.network_summaries import GROUP, best_first, of_seeds, panel_names, relative_errors
from kinetrain.evaluation.statements import (
    FEW_SEEDS,
    UNDECIDED,
    by_verdict,
    counted,
    interval_text,
    number_text,
    of_means,
    verdict,
)
from kinetrain.evaluation.statistics import FEWEST_SEEDS, ROUNDING, judge, mean_interval
from kinetrain.networks.controls import CONTROLS, PRIOR_ALONE
from kinetrain.yardsticks.methods import YARDSTICKS

# what is compared: its label, and whether high (1) or low (-1) values are good
QUANTITIES = {
    "balanced_accuracy": ("balanced accuracy", 1),
    "auprc": ("AUPRC", 1),
    "precision_at_edges": ("precision at the number of true edges", 1),
    "auprc_outside_prior": ("AUPRC outside the prior", 1),
    "test_mse": ("test error", -1),
}
KNOWLEDGE = {"no": "Without a prior", "yes": "With the prior"}
NAMED = 6  # data sets in one statement; a statement on each follows
TOPIC = "Neural models against yardsticks"


def worse_than_persistence(networks: pd.DataFrame):
    """Yield the data sets on which no method, or no neural model, predicts better than that nothing changes.

    Methods that do, but of which more seeds failed than of the best of the others, are named. Fewer seeds of that one
    than `statistics.FEWEST_SEEDS` decide nothing.
    """
    for panel, group in relative_errors(networks).groupby("panel", sort=False):
        errors = best_first(group, "ratio", -1)
        for what, own in (("NO method", errors), ("NO neural model", errors[~errors.index.isin(YARDSTICKS)])):
            if len(own) and own["mean"].iloc[0] >= 1:
                names = _named(own)
                but = ", ".join(names[own["mean"] < 1])
                statement = (
                    f"{what}{f' but {but}' if but else ''} predicts better than that nothing changes (next = now): the "
                    f"best{' of the others' if but else ''}, {names.iloc[0]}, has {own['mean'].iloc[0]:.4g} times its "
                    "test error."
                )
                few = own["values"].iloc[0] < FEWEST_SEEDS
                statement += f" Fewer than {FEWEST_SEEDS} seeds decide nothing." if few else ""
                decided = UNDECIDED if few else "no"
                yield "Not better than next = now", panel, statement, own["mean"].iloc[0], 1, decided
                break


def _named(table: pd.DataFrame) -> pd.Series:
    """Return the names of the methods of `best_first`, with their seeds where not all have a value."""
    seeds = of_seeds(table)
    return pd.Series([label(name) + (f" ({seeds[name]})" if seeds[name] else "") for name in table.index], table.index)


def comparisons(networks: pd.DataFrame) -> pd.DataFrame:
    """Return the best neural model against the best yardstick, per data set, knowledge and quantity.

    Each is the best of its kind on that quantity (`network_summaries.seed_means`); those that use the prior are
    compared among each other, as are those that do not. Columns: panel, dataset, noise, prior_corruption, knowledge,
    quantity, neural and yardstick (methods), neural_name and yardstick_name (with their seeds where not all have a
    value), first and second (their means over the seeds that both have), difference, low, high (95 % interval of the
    paired difference), pairs, outcome: better, worse or undecided, of the neural model.
    """
    rows = []
    methods = networks[~networks["method"].isin(CONTROLS)]
    for key, group in methods.groupby([*GROUP, "uses_prior"], sort=False):
        for quantity, (_, sign) in QUANTITIES.items():
            names = _named(best_first(group, quantity, sign))
            ours = names.index.isin(YARDSTICKS)
            if ours.all() or not ours.any():
                continue
            best = names.index[~ours][0], names.index[ours][0]
            values = group.pivot_table(index="seed", columns="method", values=quantity)[list(best)].dropna()
            difference, low, high = mean_interval(values[best[0]] - values[best[1]])
            named = dict(zip([*GROUP, "knowledge"], key, strict=True)) | {"quantity": quantity}
            named["outcome"] = judge((difference, low, high), sign)
            named |= {"neural": best[0], "yardstick": best[1], "pairs": len(values)}
            named |= {"neural_name": names[best[0]], "yardstick_name": names[best[1]]}
            named |= {"first": values[best[0]].mean(), "second": values[best[1]].mean()}
            rows.append(named | {"difference": difference, "low": low, "high": high})
    columns = ["neural", "yardstick", "neural_name", "yardstick_name", "first", "second", "difference", "low", "high"]
    table = pd.DataFrame(rows, columns=[*GROUP, "knowledge", "quantity", *columns, "pairs", "outcome"])
    table.insert(0, "panel", panel_names(table))
    return table


def added_by_neural_models(networks: pd.DataFrame):
    """Yield over all data sets, then for each, where neural models are better than ordinary inference and where not.

    Also where no neural model is left to compare, as all failed.
    """
    table = comparisons(networks)
    for knowledge, words in KNOWLEDGE.items():
        for quantity, (name, _) in QUANTITIES.items():
            own = table[(table["knowledge"] == knowledge) & (table["quantity"] == quantity)]
            if len(own) > 1:  # of a single one the rows below say it with numbers
                statement = f"{words}, in {name} the best neural model against the best yardstick is {_where(own)}."
                counts = own["outcome"].value_counts()
                value = counts.get("better", 0)
                yield TOPIC, "all data sets", statement, value, len(own), _judged(own)
    for (panel, knowledge), own in table.groupby(["panel", "knowledge"], sort=False):
        parts = [f"{outcome} in {_described(part)}" for outcome, part in _by_outcome(own)]
        statement = f"{KNOWLEDGE[knowledge]}, the best neural model against the best yardstick is {'; '.join(parts)}."
        row = own.iloc[0]
        yield TOPIC, panel, statement, row["first"], row["second"], _judged(own)
    neural = networks[~networks["method"].isin([*CONTROLS, *YARDSTICKS])]
    for (*_, knowledge), own in neural.groupby([*GROUP, "uses_prior"], sort=False):
        if (own["status"] == "failed").all():
            panel, failed = panel_names(own).iloc[0], ", ".join(map(label, in_order(own["method"])))
            statement = f"{KNOWLEDGE[knowledge]}, EVERY neural model failed ({failed}): there is nothing to compare."
            yield TOPIC, panel, statement, len(own), 0, "no"


def _by_outcome(table: pd.DataFrame):
    """Yield better, worse and undecided with the rows that are so, as far as there are any."""
    for outcome in ("better", "worse", "undecided"):
        part = table[table["outcome"] == outcome]
        if len(part):
            yield outcome, part


def _where(table: pd.DataFrame) -> str:
    """Return on which data sets a neural model is better, worse or neither, as text."""
    parts = []
    for outcome, part in _by_outcome(table):
        named = "; ".join(part["panel"].head(NAMED)) + (f"; and {len(part) - NAMED} more" if len(part) > NAMED else "")
        parts.append(f"{outcome} on {len(part)} of {len(table)} ({named})")
    return ", ".join(parts)


def _described(table: pd.DataFrame) -> str:
    """Return the quantities with both methods, their difference and its number of seeds, as text."""
    return ", ".join(
        f"{QUANTITIES[row['quantity']][0]} ({row['neural_name']} {number_text(row['first'])}, {row['yardstick_name']} "
        f"{number_text(row['second'])}, difference {interval_text(row['difference'], row['low'], row['high'])}, "
        f"{counted(row['pairs'], 'seed')})"
        for _, row in table.iterrows()
    )


def _judged(table: pd.DataFrame) -> str:
    """Return `yes` if most are better and none worse, `no` the other way round, `-` if there are both, or `undecided`.

    The same rule as in `answers`: of 25 comparisons without any difference one looks decided by chance.
    """
    counts = table["outcome"].value_counts()
    found = set(counts.index) & {"better", "worse"}
    if len(found) == 2:
        return "-"
    return verdict("better" in found) if found and counts.get(UNDECIDED, 0) < len(table) / 2 else UNDECIDED


def left_out(networks: pd.DataFrame):
    """Yield which yardsticks are left out on which data, and why."""
    for _, row in networks[networks["status"] == "left out"].iterrows():
        panel = panel_names(row.to_frame().T).iloc[0]
        yield "Left out", panel, f"{label(row['method'])}: {row['reason']}.", np.nan, np.nan, "-"


def rankings(networks: pd.DataFrame):
    """Yield per data set which methods rank pairs better than the prior alone, whose ties count in random order.

    That is by their means; fewer seeds than `statistics.FEWEST_SEEDS` decide nothing.
    """
    for _, group in networks.groupby(GROUP, sort=False):
        methods = group[~group["method"].isin(CONTROLS)]
        table = best_first(methods, "auprc", 1)
        means, seeds = table["mean"], of_seeds(table)
        precision = methods.groupby("method")["precision_at_edges"].mean()
        control = group.loc[group["method"] == PRIOR_ALONE, "auprc"]
        if not len(means) or control.isna().all():
            continue
        reference = control.mean()
        said = {
            name: f"{label(name)} {means[name]:.3g} ({100 * precision[name]:.0f} %{seeds[name] and f'; {seeds[name]}'})"
            for name in means.index
        }
        lead = (
            f"The prior alone has an AUPRC of {reference:.3g}; in brackets the precision at the number of true edges."
        )
        words, found = ("Above it", "NOT above it", FEW_SEEDS), of_means(table, means > reference + ROUNDING)
        yield from by_verdict("Rankings", panel_names(group).iloc[0], lead, words, said, found, means, reference)
