"""What a run answers in short is what its tables say."""

import numpy as np
import pandas as pd
import pytest
from made_results import FIDES, of_problems

from kinetrain.evaluation.answers import answers
from kinetrain.evaluation.statements import interval_text, number_text

NO_PRIOR = ("sparseflow", "unpruned", "lagged_correlation", "ridge")
LEVEL = {"dataset": "toy", "noise": 0.0, "prior_corruption": 0.0}


def fits_of(objectives: dict[str, list[float]]) -> pd.DataFrame:
    rows = []
    for optimizer, values in objectives.items():
        for start, objective in enumerate(values):
            setting = {"optimizer": optimizer, "schedule": "-", "batch_size": 4, "safeguard": "-"}
            sizes = {"conditions": 4, "measurements": 9, "parameters": 2}
            rows.append({"problem": "one", "replicate": 0, "start": start, "objective": objective, **setting, **sizes})
    return pd.DataFrame(rows)


def pair(verdict: str, blocks: int = 8, **bounds) -> dict:
    row = {"contrast": "c", "problem": "one", "first": "A", "second": "B", "blocks": blocks, "verdict": verdict}
    return row | {"difference": -1.0, "low": -2.0, "high": 1.0} | bounds


def test_optimizers_are_ranked_with_intervals_and_failures():
    found = answers(fits=fits_of({"ipopt": [3, 4, np.inf], "fides": [1.0, 2, 3]}))["arms"][0]
    assert [row[0] for row in found["rows"]] == ["Fides, full batch", "Ipopt, full batch"]
    assert found["rows"][0][1] == "1" and found["rows"][1][-1] == "1 of 3"  # three starts have no interval


def test_ranks_have_one_mean_only_where_they_are_among_the_same_settings():
    adams = [("adam_balanced", f"S{number}", 5, "off") for number in range(1, 5)]
    many, two = (
        {setting: float(number) for number, setting in enumerate(adams)},
        {FIDES: 0.0, ("ipopt", *FIDES[1:]): 9.0},
    )
    arm = answers(fits=of_problems(P=many, Q=many, R=two))["arms"][0]
    # the second of two would be before the fourth of four, and the first of two as good as the first of four
    assert [row[:2] for row in arm["rows"]] == [["Adam (balanced), S1, batch 5, off", "1 [1, 1]"]]
    assert arm["note"].endswith(" No setting was run on all 3 problems: ranks are those on P, Q.")
    arm = answers(fits=of_problems(P=many | two, Q=two))["arms"][0]
    assert [row[1] for row in arm["rows"]] == ["1 [1, 1]", "2 [2, 2]"] and arm["columns"][1] == "mean rank of 2"
    assert arm["note"].endswith(" 4 settings that not all problems have are left out.")


def test_settings_without_a_common_start_are_not_ranked():
    fits = fits_of({"fides": [1.0, 2.0], "ipopt": [1.0, 2.0]})
    arm = answers(fits=fits[(fits["optimizer"] == "fides") == (fits["start"] == 0)])["arms"][0]
    assert arm["rows"] == [] and arm["note"] == "No setting is ranked: no start has a run of every setting."


@pytest.mark.parametrize(
    ("row", "decided", "undecided"),
    [
        (pair("first", high=-0.5), ["A ends lower than B"], []),
        (pair("second", difference=1.0, low=0.5, high=2.0), ["B ends lower than A"], []),
        (pair("undecided"), [], ["A or B"]),
        (pair("undecided", blocks=4), [], ["fewer than 6 decide nothing"]),
    ],
)
def test_contrasts_are_decided_as_their_verdict_says(row, decided, undecided):
    found = answers(fits=fits_of({"fides": [1.0, 2.0]}), pairs=pd.DataFrame([row]))["arms"][0]
    assert len(found["decided"]) == len(decided) and len(found["undecided"]) == len(undecided)
    assert all(
        words in said for words, said in zip(decided + undecided, found["decided"] + found["undecided"], strict=True)
    )


def test_the_factor_of_a_second_that_ends_lower_is_turned_round():
    row = pair("second", difference=1.0, low=0.5, high=2.0)
    found = answers(fits=fits_of({"fides": [1.0, 2.0]}), pairs=pd.DataFrame([row]))["arms"][0]
    assert "× 0.1 [0.01, 0.316]" in found["decided"][0]


def networks_of(values: dict[str, list[float]], **level) -> pd.DataFrame:
    rows = []
    for method, scores in values.items():
        for seed, value in enumerate(scores):
            row = {**LEVEL, **level, "method": method, "seed": seed, "balanced_accuracy": value, "auprc": value}
            row |= {"precision_at_edges": value, "auprc_outside_prior": np.nan, "test_mse": np.nan}
            rows.append(row | {"uses_prior": "no" if method in NO_PRIOR else "yes", "status": "finished"})
    return pd.DataFrame(rows)


def test_methods_are_ordered_beside_the_prior_and_the_caution_says_when_it_is_truer():
    found = answers(
        networks=networks_of({"dash": [0.7, 0.8, 0.75], "sparseflow": [0.6, 0.61, 0.6], "prior alone": [0.9]})
    )
    assert [row[0] for row in found["arms"][0]["rows"]] == ["Prior alone", "DASH", "SparseFlow"]
    assert "truer than the prior" in found["caution"] and "75.0 % against 90.0 %" in found["caution"]
    assert any("DASH against SparseFlow in balanced accuracy: better" in one for one in found["arms"][0]["decided"])


def test_methods_that_all_data_sets_have_are_ranked_among_each_other():
    first = networks_of({"dash": [0.7, 0.8], "sparseflow": [0.6, 0.61], "imp": [0.9, 0.9]}, dataset="a")
    second = networks_of({"dash": [0.7, 0.8], "sparseflow": [0.9, 0.91], "unpruned": [0.5, 0.5]}, dataset="b")
    arm = answers(networks=pd.concat([first, second]))["arms"][0]
    assert [row[0] for row in arm["rows"]] == ["DASH", "SparseFlow"]
    assert all(row[2].startswith("1.5 [") for row in arm["rows"])


def test_methods_of_different_data_sets_are_not_ranked():
    first, second = networks_of({"dash": [0.7, 0.8]}, dataset="a"), networks_of({"imp": [0.1, 0.2]}, dataset="b")
    arm = answers(networks=pd.concat([first, second]))["arms"][0]
    assert arm["rows"] == [] and arm["note"] == (
        "No method is ranked: none was run on all 2 data sets and levels of noise."
    )


def of_errors(values: dict[str, list[float]], **changed) -> pd.DataFrame:
    """Networks without a gold standard, of which only the errors on test data are known."""
    table = networks_of(values).rename(columns={"test_mse": "none", "balanced_accuracy": "test_mse"})
    nothing = dict.fromkeys(["balanced_accuracy", "auprc", "precision_at_edges"], np.nan)
    return table.assign(**nothing, **changed)


def test_without_a_gold_standard_what_predicts_is_ranked_against_no_change():
    nothing = {"lagged_correlation": [np.nan] * 3, "lasso_prior": [np.nan]}
    errors = {
        "unpruned": [0.5, 0.52, 0.51],
        "sparseflow": [0.7, 0.71, 0.7],
        "ridge": [0.1, 0.11, 0.09],
        "persistence": [1.0] * 3,
    }
    table = of_errors(errors | nothing)
    table.loc[table["method"] == "lasso_prior", "status"] = "left out"
    found = answers(networks=table)
    arm = found["arms"][0]
    assert [row[0] for row in arm["rows"]] == ["Ridge", "Unpruned", "SparseFlow"]
    assert arm["columns"][-1] == "test error relative to no change (%)" and arm["rows"][0][-1].startswith("10 [")
    assert "100 % is that of predicting no change" in arm["note"]
    assert found["data"] == ["toy: 3 seeds of 2 methods and 2 yardsticks"]
    # The paper compares neither with the unpruned model; which of the user's methods is better is said all the same.
    assert any(one.startswith("SparseFlow against Unpruned in test error: worse") for one in arm["decided"])
    table.loc[table["method"] == "sparseflow", ["status", "test_mse"]] = "failed", np.nan
    assert ["SparseFlow", "neural", "-"] in answers(networks=table)["arms"][0]["rows"]


def test_an_infinite_error_is_shown_and_decides_nothing():
    errors = {"unpruned": [0.5, 0.5, np.inf], "ridge": [0.6, 0.6, 0.6], "persistence": [1.0] * 3}
    arm = answers(networks=of_errors(errors))["arms"][0]
    assert [(row[0], row[-1]) for row in arm["rows"]] == [("Ridge", "60"), ("Unpruned", "∞")]
    assert arm["undecided"] == [
        "Best neural model against best yardstick, without a prior, in test error: undecided (Unpruned ∞, Ridge 0.6, "
        "difference ∞, 3 seeds)"
    ]


def test_a_method_that_failed_on_some_data_is_last_there_and_named():
    errors = {"unpruned": [0.5] * 2, "sparseflow": [0.6] * 2, "imp": [0.1] * 2, "persistence": [1.0] * 2}
    there, here = of_errors(errors), of_errors(errors, dataset="other")
    here.loc[here["method"] == "imp", ["status", "test_mse"]] = "failed", np.nan
    arm = answers(networks=pd.concat([there, here]))["arms"][0]
    assert [(row[0], row[-1][:3]) for row in arm["rows"]] == [
        ("Unpruned", "1.5"),
        ("IMP", "2 ["),
        ("SparseFlow", "2.5"),
    ]
    assert arm["note"].startswith("Mean rank over 2 data sets") and "2 of 12 models (IMP 2) failed." in arm["note"]


def one_lucky_seed(**level) -> pd.DataFrame:
    """Networks of which DASH finished one seed of three, with the highest of all accuracies."""
    table = networks_of({"dash": [0.95] * 3, "imp": [0.8, 0.81, 0.8], "unpruned": [0.5] * 3}, **level)
    lost = (table["method"] == "dash") & (table["seed"] > 0)
    return table.assign(
        status=table["status"].mask(lost, "failed"),
        **{name: table[name].mask(lost) for name in ("balanced_accuracy", "auprc", "precision_at_edges")},
    )


def test_one_seed_that_finished_makes_no_best_method():
    arm = answers(networks=one_lucky_seed())["arms"][0]
    assert [row[0] for row in arm["rows"]] == ["IMP", "Unpruned", "DASH (1 of 3 seeds)"]
    rule = " A method of which seeds failed comes after those of which fewer did. 2 of "
    assert f"{rule}9 models (DASH 2) failed." in arm["note"]
    other = networks_of({"dash": [0.6] * 3, "imp": [0.7] * 3, "unpruned": [0.5] * 3}, dataset="other")
    arm = answers(networks=pd.concat([one_lucky_seed(), other]))["arms"][0]
    assert [(row[0], row[2].split()[0]) for row in arm["rows"]] == [("IMP", "1"), ("DASH", "2.5"), ("Unpruned", "2.5")]
    assert f"{rule}18 models (DASH 2) failed." in arm["note"]
    assert "comes after" not in answers(networks=other)["arms"][0]["note"]


def test_of_methods_that_tie_in_one_quantity_the_next_decides():
    table = networks_of({"dash": [0.6] * 3, "imp": [0.6] * 3, "unpruned": [0.5] * 3})
    table["auprc"] = table["auprc"].mask(table["method"] == "imp", 0.7)
    assert [row[0] for row in answers(networks=table)["arms"][0]["rows"]] == ["IMP", "DASH", "Unpruned"]


def test_one_seed_that_finished_does_not_silence_the_caution():
    prior = networks_of({"prior alone": [0.9] * 3})
    said = answers(networks=pd.concat([one_lucky_seed(), prior]))["caution"]
    assert said.startswith("Methods with more failed seeds aside, no trained model's network is truer than the prior")
    assert "(balanced accuracy 80.3 % against 90.0 %)" in said


def test_without_anything_to_rank_by_it_is_said_what_is_missing():
    table = of_errors({"unpruned": [np.nan] * 3, "persistence": [np.nan] * 3})
    arm = answers(networks=table)["arms"][0]
    assert arm["rows"] == [] and "no trajectories are held out for a test (expression.test_fraction" in arm["note"]
    table.loc[table["method"] == "persistence", "test_mse"] = 1.0
    table["status"] = table["status"].where(table["method"] == "persistence", "failed")
    assert answers(networks=table)["arms"][0]["note"] == (
        "No model was scored: the tables say why. 3 of 3 models (Unpruned 3) failed."
    )


def test_the_caution_says_which_best_fit_is_not_at_a_minimum():
    left = pd.DataFrame({"problem": ["one", "two"], "replicate": 0, "decrease_left": [3.0, 0.01], "good_fits": 1})
    said = answers(fits=fits_of({"fides": [1.0, 2.0]}), estimates=left)["caution"]
    assert said.startswith("The best fit of one is not at a minimum") and "fits.epochs" in said
    left["decrease_left"] = [np.nan, 0.1]
    assert "minimum" not in answers(fits=fits_of({"fides": [1.0]}), estimates=left)["caution"]


def test_several_data_sets_are_counted_and_a_mixed_outcome_is_not_decided():
    better = networks_of({"dash": [0.8, 0.81, 0.8], "sparseflow": [0.6, 0.61, 0.61]})
    worse = networks_of({"dash": [0.5, 0.51, 0.5], "sparseflow": [0.7, 0.71, 0.71]}, dataset="other")
    found = answers(networks=pd.concat([better, worse]))["arms"][0]
    assert any("better on 1, worse on 1 of 2 data sets" in one for one in found["undecided"])
    assert not any("DASH against SparseFlow in balanced accuracy" in one for one in found["decided"])
    assert found["rows"][0][2].startswith("1.5")


def test_what_is_not_known_is_not_said_to_be_infinite():
    assert [number_text(value) for value in (np.nan, np.inf, -np.inf)] == ["-", "∞", "-∞"]


def test_a_value_without_an_interval_has_none():
    assert interval_text(2.0, np.nan, np.nan) == "2" and interval_text(np.inf, 1, np.inf) == "∞"
    assert interval_text(1234.5, 0.5, np.inf) == "1234 [0.5, ∞]"


def test_a_bound_that_leaves_out_no_difference_is_not_rounded_to_it():
    assert interval_text(0.641, 0.268, 0.9996) == "0.641 [0.268, 0.9996]"
    assert interval_text(1.0, 1.0, 1.00002) == "1 [1, 1.00002]"
