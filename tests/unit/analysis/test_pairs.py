"""Contrasts of settings from the same start, in made fits whose answer is known."""

import numpy as np
import pandas as pd
import pytest
from made_results import ADAM, FIDES, FIT_SETTINGS, INF, made, made_nominal, of_problems

from kinetrain.evaluation.pairs import ALL, p_value, pairs
from kinetrain.evaluation.statistics import BLOCK, holm, mean_over_blocks


def compared(ends: dict, fit_settings=FIT_SETTINGS, **more) -> pd.DataFrame:
    table = made(ends, **more)
    nominal = made_nominal(sorted(set(table["problem"])))
    return pairs(table, table[:0], nominal, {}, fit_settings).set_index(["contrast", "problem", "second"])


def test_balanced_and_standard_adam_are_compared_at_the_same_other_settings():
    noise = [0.0, 3.0, -2.0, 5.0, 1.0, -4.0, 2.0, 0.5]
    ends = {("adam_balanced", s, 5, "rescue"): lambda start: 9.0 + noise[start] for s in ("S1", "S2")}
    ends |= {("adam_standard", s, 5, "rescue"): lambda start: 99.0 + noise[start] for s in ("S1", "S3")}
    row = compared(ends).loc[("balanced Adam", "P", "Adam (standard)")]
    assert (row["combinations"], row["blocks"], row["wins"], row["verdict"]) == (1, 8, 1.0, "first")
    assert row["low"] < row["difference"] < row["high"] < 0
    assert row["factor"] == 10 ** row["difference"] < 0.2


def test_an_effect_without_a_sign_is_undecided_and_one_against_the_claim_is_said_to_be():
    ends = {
        ("adam_balanced", "S2", 5, "rescue"): lambda s: 9.0,
        ("adam_standard", "S2", 5, "rescue"): lambda s: 5.0 + s,
    }
    assert compared(ends).loc[("balanced Adam", "P", "Adam (standard)"), "verdict"] == "undecided"
    ends = {("adam_balanced", "S2", 5, "rescue"): 9.0, ("adam_standard", "S2", 5, "rescue"): 5.0}
    assert compared(ends).loc[("balanced Adam", "P", "Adam (standard)"), "verdict"] == "second"


def test_difference_is_that_of_logarithms_above_the_best_with_a_floor_per_data_point():
    ends = {("adam_balanced", "S2", 5, "rescue"): 0.0, ("adam_standard", "S2", 5, "rescue"): 99.0}
    row = compared(ends).loc[("balanced Adam", "P", "Adam (standard)")]
    assert row["difference"] == pytest.approx(np.log10(1.0) - np.log10(99.0 + 1.0))  # 1e-3 of 1000 data points


def test_a_failed_run_counts_as_the_worst_end_on_the_same_data():
    ends = {("adam_balanced", "S2", 5, "rescue"): 0.0, ("adam_standard", "S2", 5, "rescue"): INF, FIDES: 99.0}
    row = compared(ends).loc[("balanced Adam", "P", "Adam (standard)")]
    assert row["difference"] == pytest.approx(-2) and row["failure_rate_second"] == 1


def test_every_batch_size_is_compared_with_all_conditions_and_the_smaller_half_with_the_larger():
    ends = {("sgd", "S2", size, "rescue"): float(size) for size in (1, 2, 5, 20)}
    table = compared(ends)
    rows = table.loc["batch size"]
    assert rows["first"].tolist() == ["batch 1", "batch 2", "batch 5"] and set(rows["verdict"]) == {"first"}
    half = table.loc[("small batches", "P", "batch 5 or full")]
    assert half["first"] == "batch 1 or 2" and half["verdict"] == "first"


def test_rescue_and_line_search_are_named_by_what_the_safeguards_are():
    ends = {("sgd", "S2", 5, name): value for name, value in (("rescue", 1.0), ("off", 9.0), ("search", 99.0))}
    table = compared(ends)
    assert table.loc[("rescue", "P", "no rescue"), "verdict"] == "first"
    assert table.loc[("line search", "P", "none"), "verdict"] == "second"
    assert compared(ends, fit_settings={}).empty


def test_the_second_highest_learning_rate_is_compared_with_the_others():
    ends = {("sgd", name, 5, "rescue"): value for name, value in (("S1", 9.0), ("S2", 1.0), ("S3", 9.0))}
    row = compared(ends).loc[("medium-high learning rate", "P", "rate 0.1, rate 1")]
    assert (row["first"], row["verdict"], row["combinations"]) == ("rate 0.3", "first", 1)


def test_learning_rates_are_those_of_each_problem():
    rates = {(name, schedule, 5, "r"): 1.0 for name in ("adam_balanced", "sgd") for schedule in ("S1", "S2", "S3")}
    table = of_problems(P=rates, Q={("adam_balanced", "other", 5, "r"): 1.0})
    fit_settings = {"schedules": {**FIT_SETTINGS["schedules"], "other": {"start": 0.03}}}
    row = pairs(table, table[:0], made_nominal("PQ"), {}, fit_settings).query("contrast == 'medium-high learning rate'")
    assert row[["first", "second", "combinations"]].values.tolist() == [["rate 0.3", "rate 0.1, rate 1", 2]]


def test_schedules_that_begin_at_the_same_rate_are_one_learning_rate():
    schedules = {"a": (1.0, 0.1), "b": (1.0, 0.01), "c": (0.3, 0.1), "d": (0.1, 0.01)}
    fit_settings = {"schedules": {name: {"start": start, "end": end} for name, (start, end) in schedules.items()}}
    row = compared({("sgd", name, 5, "r"): 1.0 for name in schedules}, fit_settings=fit_settings).reset_index().iloc[-1]
    assert row["first"] == "rate 0.3, to 0.1" and "rate 1, to 0.01" in row["second"]
    two = compared({("sgd", name, 5, "r"): 1.0 for name in "abc"}, fit_settings=fit_settings).reset_index()
    assert "medium-high learning rate" not in set(two["contrast"])


def test_the_best_mini_batch_is_chosen_on_other_starts_than_it_is_compared_on():
    # each setting is best on one half of the starts: chosen on the one half, it is the bad one on the other
    ends = {("a", "S2", 5, "r"): lambda start: 0.0 if start % 2 else 50.0}
    ends |= {("b", "S2", 5, "r"): lambda start: 50.0 if start % 2 else 0.0, FIDES: 10.0}
    row = compared(ends).loc[("best mini-batch", "P", "Fides")]
    assert row["verdict"] == "second" and row["blocks"] == 8


def test_the_best_mini_batch_is_found_where_no_setting_was_run_with_all_problems():
    table = of_problems(
        P={("a", "S2", 1, "r"): 5.0, ("a", "S2", 2, "r"): 1.0, FIDES: 9.0},
        Q={("a", "S2", 10, "r"): 1.0, FIDES: 9.0},
        R={("b", "S2", 10, "r"): 9.0, FIDES: 1.0},
    )
    found = (
        pairs(table, table[:0], made_nominal("PQR"), {}, {}).set_index(["contrast", "problem"]).loc["best mini-batch"]
    )
    assert found.loc[["P", "Q", "R"], "verdict"].tolist() == ["first", "first", "second"]
    assert found.loc[ALL, ["first", "blocks"]].tolist() == ["the best mini-batch setting", 24]


def test_a_few_pairs_decide_nothing():
    ends = {("adam_balanced", "S2", 5, "rescue"): 0.0, ("adam_standard", "S2", 5, "rescue"): 99.0}
    for starts, verdict in ((5, "undecided"), (6, "first")):
        assert compared(ends, starts=starts).loc[("balanced Adam", "P", "Adam (standard)"), "verdict"] == verdict


def test_small_batches_are_those_of_each_problem():
    sizes = {"P": (1, 2), "Q": (2, 10)}
    table = of_problems(**{name: {("a", "S2", size, "r"): size for size in own} for name, own in sizes.items()})
    found = pairs(table, table[:0], made_nominal("PQ"), {}, {}).set_index(["contrast", "problem"]).loc["small batches"]
    assert found.loc[ALL, ["first", "second", "verdict"]].tolist() == [
        "the smaller batches",
        "the larger batches",
        "first",
    ]


def test_a_hybrid_is_compared_with_each_of_its_parts_and_is_no_mini_batch():
    ends = {("hybrid", "S2", 5, "rescue"): 1.0, ADAM: 9.0, FIDES: 0.5}
    table = compared(ends)
    assert table.loc[("hybrid", "P", "Adam (balanced)"), "verdict"] == "first"
    assert table.loc[("hybrid", "P", "Fides"), "verdict"] == "second"
    assert table.loc[("best mini-batch", "P", "Fides"), "first"] == "Adam (balanced), rate 0.3, batch 5, rescue"


def test_a_contrast_over_all_problems_stands_below_those_of_each():
    rows = compared({ADAM: 9.0, FIDES: 1.0}, problems=("P", "Q")).loc["best mini-batch"]
    assert [problem for problem, _ in rows.index] == ["P", "Q", ALL]
    assert rows["blocks"].tolist() == [8, 8, 16]


def test_holm_multiplies_the_smallest_p_value_by_the_number_of_contrasts():
    assert holm([0.04, 0.01, np.nan, 0.03]).tolist()[:2] == [0.06, 0.03]
    assert np.isnan(holm([0.04, np.nan])[1]) and holm([0.6, 0.9]).tolist() == [1, 1]
    rows = compared({ADAM: lambda start: 9.0 + start, FIDES: 1.0})
    assert (rows["p_value"] == 2 / 2**8).all() and (rows["p_holm"] >= rows["p_value"]).all()


@pytest.mark.parametrize(("starts", "p_value"), [(6, 2 / 2**6), (11, 2 / 2**11), (12, 2 / 2001)])
def test_a_p_value_is_no_lower_than_that_of_as_many_signs(starts, p_value):
    rows = compared({ADAM: 9.0, FIDES: 1.0}, starts=starts)
    assert (rows["p_value"] == max(p_value, 2 / 2001)).all()


@pytest.mark.parametrize("seed", range(40))
def test_an_interval_leaves_out_0_where_the_p_value_is_below_5_percent(seed):
    """A contrast with p = 0.051 was decided: the bound was the value of rank 51 of 2,000, not of rank 50."""
    blocks = pd.DataFrame([("P", 0, start) for start in range(20)], columns=BLOCK)
    centred = np.random.default_rng(seed).normal(0, 1, 20)
    for shift in np.linspace(0.3, 0.6, 30):
        values = centred - centred.mean() + shift
        low, high = mean_over_blocks(blocks, values)[1:]
        assert (low > 0 or high < 0) == (p_value(blocks, values) < 0.05)
