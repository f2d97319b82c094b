"""Ranks, failures and costs of made fits whose answer is known."""

import numpy as np
import pandas as pd
import pytest
from made_results import ADAM, FIDES, INF, made, made_nominal, traced
from scipy import stats

from kinetrain.evaluation import scores
from kinetrain.evaluation.statistics import (
    wilson_interval,
)
from kinetrain.tables import TABLES


def test_ties_have_the_average_rank_and_failed_runs_tie_at_the_bottom():
    settings = [("a", "S2", 5, "r"), ("b", "S2", 5, "r"), ("c", "S2", 5, "r"), ("d", "S2", 5, "r"), ("e", "S2", 5, "r")]
    table = scores.with_size(made(dict(zip(settings, [2.0, 1.0, 2.0, INF, INF], strict=True)), starts=1))
    assert scores.ranks(table).iloc[0].tolist() == [2.5, 1, 2.5, 4.5, 4.5]
    assert scores.mean_ranks(table)["compared"].tolist() == [5] * 5


def test_a_block_that_lacks_a_setting_is_not_ranked():
    table = scores.with_size(made({ADAM: 1.0, FIDES: 2.0}))
    kept = table[(table["optimizer"] == "fides") | (table["start"] > 2)]
    assert scores.mean_ranks(kept)["blocks"].tolist() == [5, 5]


def test_a_batch_of_all_conditions_is_full_in_every_problem():
    table = made({("sgd", "S2", 20, "r"): 1.0, ("sgd", "S2", 5, "r"): 1.0, FIDES: 0.0}, starts=1)
    assert scores.with_size(table)["size"].tolist() == ["full", "5", "full"]


def test_the_best_value_is_the_lowest_of_ends_courses_truth_and_literature():
    table = made({ADAM: lambda start: 3.0 + start, FIDES: INF})
    course = traced(table, {10.0: 2.0})
    assert scores.best_objectives(table, None, None, {}) == {("P", 0): 3.0}
    assert scores.best_objectives(table, course, None, {}) == {("P", 0): 2.0}
    assert scores.best_objectives(table, course, made_nominal(truth=1.0), {}) == {("P", 0): 1.0}
    assert scores.best_objectives(table, course, made_nominal(truth=1.0, data="measured"), {}) == {("P", 0): 2.0}
    assert scores.best_objectives(table, course, made_nominal(truth=1.0, data="measured"), {"P": 0.5}) == {
        ("P", 0): 0.5
    }
    # what is known of the measured data says nothing of artificial data of the same model
    assert scores.best_objectives(table, course, made_nominal(truth=1.0), {"P": 0.5}) == {("P", 0): 1.0}


def test_the_cost_of_a_target_is_that_of_all_starts_per_success():
    table = made({ADAM: lambda start: 5.0 if start < 2 else 50.0})
    course = pd.concat([traced(table, {0.0: 90.0}), traced(table[table["start"] < 2], {40.0: 5.0})])
    row = scores.scores(table, course, made_nominal(), {}).squeeze()
    assert row["successes_10"] == 2 and row["cost_to_10"] == (2 * 40 + 6 * 100) / 2
    assert row["cost_to_10_low"] < row["cost_to_10"] < row["cost_to_10_high"]
    assert row["successes_100"] == 8 and row["cost_to_100"] == 0
    assert row["successes_quantile"] == 0 and row["cost_to_quantile"] == INF
    assert row["cost_to_quantile_low"] == pytest.approx(100 / wilson_interval(0, 8)[1])
    assert scores.target_values(table)["P"]["quantile"] == pytest.approx(0.5 * stats.chi2(4).ppf(0.95))


def test_a_success_by_the_threshold_of_grein_is_within_half_the_quantile_of_one_parameter():
    table = made({ADAM: lambda start: 1.9 if start < 3 else 1.94})
    row = scores.scores(table, table[:0], made_nominal(truth=0.0), {}).squeeze()
    assert row["successes_1.92"] == 3 and scores.TARGETS["1.92"] == pytest.approx(
        0.5 * stats.chi2(1).ppf(0.95), abs=1e-3
    )


def test_a_run_that_ends_below_a_target_without_a_point_of_its_course_hits_it_at_its_whole_cost():
    table = made({ADAM: 5.0}, starts=1)
    row = scores.scores(table, traced(table, {0.0: 90.0}), made_nominal(), {}).squeeze()
    assert (row["successes_10"], row["cost_to_10"]) == (1, 100)


def test_scores_count_failures_and_put_them_into_the_median():
    table = made({ADAM: lambda start: INF if start < 5 else 7.0, FIDES: 3.0})
    rows = scores.scores(table, table[:0], made_nominal(), {}).set_index("optimizer")
    assert rows.loc["adam_balanced", ["runs", "failures", "median_objective", "best_objective"]].tolist() == [
        8,
        5,
        INF,
        7,
    ]
    assert rows.loc["adam_balanced", ["failure_rate_low", "failure_rate_high"]].tolist() == list(wilson_interval(5, 8))
    assert rows.loc["fides", ["rank", "excess_median", "cost", "cpu_seconds"]].tolist() == [1, 3, 800, 8]
    assert list(scores.scores(table[:0], table[:0], made_nominal()[:0], {}).columns) == TABLES["scores"].names()


def test_friedmans_test_takes_data_replicates_and_not_starts_as_observations():
    settings = [(name, "S2", 5, "r") for name in "abc"]
    table = made(dict(zip(settings, [1.0, 2.0, 3.0], strict=True)), problems=("P", "Q"), replicates=(0, 1))
    found = scores.friedman(scores.with_size(table))
    assert (found["blocks"], found["settings"], found["statistic"]) == (4, 3, pytest.approx(8))
    assert found["critical_distance"] == pytest.approx(2.343 * np.sqrt(3 * 4 / (6 * 4)), rel=1e-3)
    assert scores.friedman(scores.with_size(table[table["optimizer"] != "c"])) is None


def test_nemenyis_distance_is_one_between_ranks_of_data_sets():
    # a is the lowest from most starts of every data set: the lowest by mean rank on all of them
    ends = {("a", "S2", 5, "r"): lambda start: 0.0 if start % 8 < 5 else 1.5, ("b", "S2", 5, "r"): 1.0}
    table = made(ends | {("c", "S2", 5, "r"): 2.0}, problems="PQRSTUVWXYZ")
    found = scores.friedman(scores.with_size(table))
    assert found["ranks"].tolist() == [1, 2, 3] and found["critical_distance"] < 1
    # the statistic of Friedman without ties, from these ranks
    assert found["statistic"] == pytest.approx(12 * 11 / (3 * 4) * ((found["ranks"] - 2) ** 2).sum())
    from kinetrain.evaluation.benchmark import benchmark
    from kinetrain.figures import critical_difference

    drawn = critical_difference.tabulate(benchmark(table, table[:0], None, {}, {}))
    assert drawn["rank"].tolist() == [1, 2, 3]


def test_the_value_within_a_share_of_the_budget_is_the_lowest_until_then():
    table = made({FIDES: 1.0}, starts=1)
    row = scores.scores(table, traced(table, {0.0: 90.0, 1.0: 40.0, 10.0: 60.0}), made_nominal(), {}).iloc[0]
    assert row[[f"excess_at_{share:g}" for share in scores.SHARES]].tolist() == [90, 40, 40, 40, 1]


def test_data_replicates_count_equally_in_the_order_of_settings():
    order = {"a": (1.0, 3.0), "b": (2.0, 1.0), "c": (3.0, 2.0)}  # the places on either replicate
    table = made({(name, "S", 5, "r"): 0.0 for name in order}, replicates=(0, 1), starts=12)
    ends = [order[name][replicate] for name, replicate in zip(table["optimizer"], table["replicate"], strict=True)]
    table = scores.with_size(table.assign(objective=ends))
    table = table[(table["replicate"] == 0) | (table["start"] < 4)]
    assert [setting[0] for setting in scores.in_order_of_rank(table)] == ["b", "a", "c"]
    ranked = scores.mean_ranks(table).set_index("optimizer")["rank"]
    assert ranked[["b", "a", "c"]].tolist() == pytest.approx([1.5, 2, 2.5])


def test_shares_are_of_the_same_budget_for_every_setting():
    table = made({ADAM: 1.0, FIDES: 1.0}, starts=2)
    table["cost"] = table["cost"].where(table["optimizer"] != "fides", 20.0)  # ends early, by its own criteria
    rows = scores.scores(table, traced(table, {0.0: 90.0, 2.0: 50.0, 10.0: 20.0}), made_nominal(), {})
    assert rows["excess_at_10"].tolist() == [20, 20] and rows["excess_at_1"].tolist() == [90, 90]


def test_medians_at_the_end_of_the_budget_are_those_of_the_ends():
    table = made({ADAM: lambda start: 1.0 + start, FIDES: lambda start: 1.0 if start < 4 else INF})
    rows = scores.scores(table, table[:0], made_nominal(), {}).set_index("optimizer")
    assert rows["excess_at_100"].tolist() == rows["excess_median"].tolist() == [4.5, INF]


def test_costs_to_many_targets_are_those_to_each():
    table = scores.with_best(scores.with_size(made({ADAM: 0.0, FIDES: 1.0})), {("P", 0): 0.0})
    course = scores.with_best(traced(table, {0.0: 90.0, 3.0: 4.0, 5.0: 7.0}), {("P", 0): 0.0})
    targets = [100.0, 50.0, 5.0, 1.0, 1e-6]
    cost, hit = scores.costs_to_targets(table, course, targets)
    for place, target in enumerate(targets):
        found = scores.hits(table, course, pd.Series(target, index=table.index))
        assert found["hit"].tolist() == hit[:, place].tolist() and found["cost"].tolist() == cost[:, place].tolist()
        own = table.reset_index(drop=True)
        value, low, high = scores.expected_costs(own[scores.BLOCK], cost, hit)
        one = scores.expected_cost(own, found.reset_index(drop=True))
        if one[3]:
            assert [value[place], low[place], high[place]] == pytest.approx(one[:3], nan_ok=True)
