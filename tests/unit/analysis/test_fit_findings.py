"""Findings on fits, and published claims with our values."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from made_results import ADAM, FIDES, FIT_SETTINGS, INF, made, made_nominal, of_problems

from kinetrain.evaluation import benchmark as fits
from kinetrain.evaluation import statements
from kinetrain.evaluation.claims import with_our_values
from kinetrain.evaluation.findings import findings
from kinetrain.evaluation.pairs import pairs


def said(topic: str, table: pd.DataFrame, **more) -> pd.Series:
    nominal = made_nominal().assign(reference=np.nan)
    contrasts = pairs(table, table[:0], nominal, {}, FIT_SETTINGS)
    every = findings(fits=table, traces=table[:0], nominal=nominal, pairs=contrasts, fit_settings=FIT_SETTINGS, **more)
    return every[every["topic"] == topic].iloc[0]


def test_a_claim_is_reported_with_effect_interval_failures_and_verdict():
    table = made({("adam_balanced", "S2", 5, "rescue"): 99.0, ("adam_standard", "S2", 5, "rescue"): 9.0})
    row = said("Claim: balanced Adam is better than standard Adam", table)
    assert row["verdict"] == "no"
    assert "is multiplied by 10 [10, 10] over 8 starts (below 1 is better), lower in 0% of them" in row["statement"]
    assert row["statement"].endswith("Failed: 0% against 0%.")


@pytest.mark.parametrize(
    ("value", "verdict", "statement"),
    [
        (0.0, "yes", "the reference is 0: difference 0.0e+00, within 0.001."),
        (0.5, "no", "the reference is 0: difference 5.0e-01, NOT within 0.001."),
    ],
)
def test_a_reference_of_zero_is_compared_by_the_difference(value, verdict, statement):
    row = findings(nominal=made_nominal(truth=value).assign(reference=0.0)).squeeze()
    assert row["verdict"] == verdict and row["statement"].endswith(statement)


def test_a_best_fit_that_is_not_at_a_minimum_is_told():
    rows = [("one", 0, 0.02, 7), ("two", 0, 3.21, 1), ("three", 0, np.nan, 1)]
    table = pd.DataFrame(rows, columns=["problem", "replicate", "decrease_left", "good_fits"])
    found = findings(estimates=pd.concat([table, table])).set_index("subject")  # a row per parameter
    assert found["verdict"].to_dict() == {"one": "yes", "two": "no"}
    statement = found.loc["two", "statement"]
    assert statement.startswith("The best fit is NOT at a minimum, its parameters are not to be used: one step more")
    assert "lowers the objective by 3.2." in statement and statement.endswith("within what the noise allows: 1.")


def test_averaged_and_best_iterates_are_compared_with_the_last():
    table = made({ADAM: 99.0}).assign(averaged_objective=9.0, best_objective=99.0, relaxed_solves=3)
    whole = made({("adam_balanced", "S2", 20, "rescue"): 9.0}).assign(averaged_objective=99.0, best_objective=9.0)
    row = said("Last, averaged and best iterate", pd.concat([table, whole]))
    assert row["verdict"] == "yes" and "averaged iterate of 8 mini-batch runs is at 0.1 [0.1, 0.1]" in row["statement"]
    assert said("Relaxed solves", table)["statement"].startswith("24 of 160 condition solves were repeated")


def test_of_several_settings_that_with_most_runs_near_the_truth_is_named():
    table = made({ADAM: lambda start: 5.0 if start < 3 else 50.0, ("adam_balanced", "S1", 5, "rescue"): 50.0})
    start = "3 of 16 runs of Adam (balanced) end below the objective of the true parameters, plus 10 (18.8%"
    statement = said("Distance to the truth", table)["statement"]
    assert statement.startswith(start) and statement.endswith(
        "; most with Adam (balanced), rate 0.3, batch 5, rescue: 3 of 8)."
    )


def test_a_plateau_on_which_many_runs_end_is_reported():
    table = made({ADAM: lambda start: 5.0 if start < 2 else 500.0 + 0.1 * start, ("sgd", "S2", 5, "rescue"): 500.0})
    statement = said("Plateaus and local minima", table)["statement"]
    assert statement.startswith("14 of 16 runs, of all settings, end within 1 of 500")
    apart = made({ADAM: lambda start: 2.0**start})
    assert "Plateaus and local minima" not in set(findings(fits=apart)["topic"])


def test_an_averaged_iterate_that_cannot_be_simulated_counts():
    table = made({ADAM: 9.0})
    table["averaged_objective"] = np.where(table["start"] < 4, INF, 99.0)
    assert (
        "averaged iterate of 8 mini-batch runs is at 10 " in said("Last, averaged and best iterate", table)["statement"]
    )


@pytest.mark.parametrize("left", [1.0, INF])
def test_an_averaged_iterate_that_cannot_be_simulated_is_no_better_than_the_last(left):
    table = made({ADAM: lambda start: 10.0 if start < 4 else 1.0})
    table["averaged_objective"] = np.where(table["start"] < 4, INF, left)
    row = said("Last, averaged and best iterate", table)
    assert row["value"] >= 1 and row["verdict"] != "yes"


def test_published_claims_have_our_values_only_where_there_is_a_counterpart(root):
    claims = pd.read_csv(root / "resources/published/mechanistic_claims.tsv", sep="\t")
    name = "Fujita_SciSignal2010"
    table = made({FIDES: lambda start: start - 66.581}, problems=(name,)).assign(epochs=30)
    for data, ours in (("measured", "-66.5810;-65.5810"), ("artificial", "not run")):
        nominal = made_nominal((name,), truth=-53.08, data=data)
        contrasts = pairs(table, table[:0], nominal, {}, {})
        found = with_our_values(claims, fits.benchmark(table, table[:0], nominal, {}, {}), nominal, contrasts)
        rows = found.set_index(["subject", "quantity"])["ours"]
        assert rows[(name, "final objectives of Fides")].startswith(ours)
        assert rows[(name, "final objectives of Ipopt")] == "not run"
        assert rows[("Stapor et al. 2022", "start points per model")] == "8"
        assert rows[("Stapor et al. 2022", "small and medium models")] == name
        assert rows[("Stapor et al. 2022", "noise of the artificial data")] == "not found"
        assert rows[("Stapor et al. 2022", "training cell lines of the large model")] == "not run"
        assert rows[("Stapor et al. 2022", "balanced against standard Adam")] == "not run"
    assert len(found) == len(claims)


def test_full_batch_values_of_the_claims_are_those_of_the_table_of_runs(root):
    claims = pd.read_csv(root / "resources/published/mechanistic_claims.tsv", sep="\t")
    runs = pd.read_csv(root / "resources/published/full_batch.tsv", sep="\t")
    runs["optimizer"] = runs["optimizer"].replace("scipy_lbfgsb", "l_bfgs_b")
    ends = claims[claims["measure"].fillna("").str.startswith("ends ") & claims["value"].str.contains(";")]
    assert len(ends) == 9
    for subject, value, measure in ends[["subject", "value", "measure"]].to_numpy():
        own = runs[(runs["problem"] == subject) & (runs["optimizer"] == measure.removeprefix("ends "))]
        assert [float(one) for one in value.split(";")] == pytest.approx(
            own["objective"].sort_values().tolist(), abs=1e-4
        )


def test_an_end_near_the_truth_is_no_plateau():
    table = made({ADAM: lambda start: 5.0 if start < 2 else 500.0})
    assert "Plateaus and local minima" in set(
        findings(fits=table, nominal=made_nominal().assign(reference=np.nan))["topic"]
    )
    near = made_nominal().assign(objective_nominal=495.0, reference=np.nan)
    assert "Plateaus and local minima" not in set(findings(fits=table, nominal=near)["topic"])


def test_a_plateau_is_named_with_the_optimizers_that_leave_it():
    ends = {ADAM: lambda start: 500.0 + start / 10, FIDES: lambda start: 500.0 if start < 2 else start - 2.0}
    said = findings(fits=made(ends)).query("topic == 'Plateaus and local minima'")["statement"].item()
    assert said.startswith("10 of 16 runs") and said.endswith("Elsewhere end: Fides 6 of 8, Adam (balanced) 0 of 8.")


def test_friedmans_test_is_that_of_the_schedules_also_with_problems_without():
    grid = {(name, schedule, 5, "r"): value for value, (name, schedule) in enumerate(product("ab", ("S1", "S2")))}
    table = of_problems(P=grid, Q=grid, R={FIDES: 1.0})
    row = said("Ranks of the settings", table)
    assert row["statement"].startswith("Friedman's test between 4 settings (by schedule) over 2 data sets: p = ")


def test_settings_that_tie_everywhere_do_not_differ():
    table = made({(name, "S2", 5, "rescue"): 1.0 for name in ("adam_balanced", "adam_standard", "sgd")}, problems="PQ")
    row = said("Ranks of the settings", table)
    assert "over 2 data sets: p = 1; ranks differ that are" in row["statement"] and row["verdict"] == "undecided"


def test_a_few_of_many_runs_are_not_0_percent_and_one_start_is_no_plural():
    assert statements.share_text(24 / 10500) == "0.229%"
    assert statements.share_text(299 / 300) == "99.7%"
    assert [statements.counted(number, "start") for number in (0, 1, 2)] == ["0 starts", "1 start", "2 starts"]
