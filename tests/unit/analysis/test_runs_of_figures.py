"""Which runs of a benchmark belong to which figure."""

import pandas as pd
from made_results import ADAM, FIDES, FIT_SETTINGS, INF, grid, made, made_nominal, of_problems

from kinetrain.evaluation import benchmark as fits
from kinetrain.evaluation import scores
from kinetrain.evaluation.pairs import ALL
from kinetrain.evaluation.statistics import (
    wilson_interval,
)
from kinetrain.figures import (
    adam_comparison,
    best_starts,
    final_objective,
    objective_against_cost,
    rank_by_batch_size,
    safeguards,
    waterfall,
)


def chosen(table: pd.DataFrame) -> list[tuple]:
    return list(table[scores.SETTING].drop_duplicates().itertuples(index=False, name=None))


def test_ranks_by_schedule_are_those_of_the_batch_size_with_most_pairs():
    pairs_of_5 = [(optimizer, schedule, 5, "r") for optimizer in ("a", "b") for schedule in ("S1", "S2")]
    others = [("a", "S1", 1, "r"), ("a", "S2", 1, "r"), ("a", "S1", 5, "off")]
    found = chosen(fits.schedule_grid(grid(*others, *pairs_of_5, FIDES)))
    assert found == [(o, s, "5", "r") for o, s, _, _ in pairs_of_5] + [("fides", "-", "full", "-")]
    smallest = chosen(fits.schedule_grid(grid(*[("a", s, size, "r") for size in (10, 5) for s in ("S1", "S2")])))
    assert {size for _, _, size, _ in smallest} == {"5"}
    assert fits.schedule_grid(grid(("a", "S1", 5, "r"), ("b", "S2", 5, "r"), FIDES)).empty


def test_ranks_by_batch_size_are_those_of_runs_that_differ_in_nothing_else():
    sizes = [("a", "S2", size, "r") for size in (1, 5, 20)]
    others = [("a", "S1", 1, "r"), ("a", "S1", 5, "r"), ("b", "S2", 5, "r")]
    found = chosen(fits.batch_size_grid(grid(*others, *sizes, FIDES)))
    assert found == [("a", "S2", size, "r") for size in ("1", "5", "full")] + [("fides", "-", "full", "-")]
    three = [(optimizer, "S2", size, "r") for optimizer in ("best", "second", "third") for size in (1, 5)]
    assert {optimizer for optimizer, *_ in chosen(fits.batch_size_grid(grid(*three)))} == {"best", "second"}
    assert fits.batch_size_grid(grid(ADAM, FIDES)).empty


def test_safeguards_are_compared_in_runs_that_differ_in_nothing_else():
    others = [("a", "S1", 5, "r"), ("b", "S2", 5, "off")]
    found = chosen(fits.safeguard_grid(grid(*others, ("a", "S2", 5, "r"), ("a", "S2", 5, "off"), FIDES)))
    assert found == [("a", "S2", "5", "r"), ("a", "S2", "5", "off")]
    assert fits.safeguard_grid(grid(*others, FIDES)).empty


def test_both_adams_stand_at_the_setting_where_both_together_rank_best():
    settings = [("adam_standard", "S1", 5, "r"), ("adam_balanced", "S2", 5, "r"), ("adam_standard", "S2", 5, "r")]
    worse = [("adam_balanced", "S3", 5, "r"), ("adam_standard", "S3", 5, "r")]
    assert {schedule for _, schedule, _, _ in chosen(fits.adams(grid(*settings, *worse)))} == {"S2"}
    assert fits.adams(grid(*settings[:2])).empty


def test_the_adams_of_all_problems_stand_at_one_setting_also_with_a_problem_without():
    first = {(name, s, 5, "r"): 1.0 + (s == "S2") for name in fits.ADAMS for s in ("S1", "S2")}
    second = {key: 9.0 * (key[1] == "S1") for key in first}
    table = scores.with_size(of_problems(P=first, Q=second, R={FIDES: 1.0}))
    found = fits.for_all_problems(table, fits.adams)
    assert found["schedule"].nunique() == 1 and set(found["problem"]) == {"P", "Q"}


def test_settings_that_not_all_problems_have_are_left_to_each_problem():
    table = pd.concat([grid(("a", "S2", 1, "r"), ("a", "S2", 5, "r")), grid(("a", "S2", 2, "r"), ("a", "S2", 10, "r"))])
    table["problem"] = ["P"] * 4 + ["Q"] * 4
    found = fits.for_all_problems(table, fits.batch_size_grid)
    assert found.groupby("problem")["size"].unique().map(list).to_dict() == {"P": ["1", "5"], "Q": ["2", "10"]}
    data = fits.benchmark(table.drop(columns="size"), table[:0], made_nominal(("P", "Q")), {}, {})
    assert rank_by_batch_size.tabulate(data)["problem"].unique().tolist() == ["P", "Q"]


def test_of_many_settings_the_best_of_each_optimizer_is_shown():
    many = [(optimizer, f"S{number}", 5, "r") for optimizer in ("a", "b") for number in range(5)]
    assert chosen(fits.readable(grid(*many))) == [("a", "S0", "5", "r"), ("b", "S0", "5", "r")]
    assert len(chosen(fits.readable(grid(*many[:8])))) == 8


def test_a_problem_that_lacks_the_best_setting_shows_the_best_it_has():
    many = {("a", f"S{number}", 5, "r"): number for number in range(8)}
    table = scores.with_size(of_problems(P={**many, FIDES: 9.0}, Q={("a", "S3", 2, "r"): 1.0, FIDES: 9.0}))
    found = fits.readable(table).groupby("problem")[["schedule", "size"]].agg(lambda own: list(own.unique()))
    assert found["schedule"].to_dict() == {"P": ["S0", "-"], "Q": ["S3", "-"]}
    assert found["size"].to_dict() == {"P": ["5", "full"], "Q": ["2", "full"]}


def test_the_order_of_settings_takes_ranks_relative_to_how_many_are_compared():
    good, other = ("good", "S2", 5, "r"), ("other", "S2", 5, "r")
    more = {("a", f"S{number}", 5, "r"): 3.0 + number for number in range(8)}
    table = of_problems(P={good: 2.0, other: 1.0, **more}, Q={good: 1.0, **more}, R={other: 9.0, FIDES: 1.0})
    order = scores.in_order_of_rank(scores.with_size(table))  # the mean ranks are 1.5 for both
    assert order.index((*good[:2], "5", "r")) < order.index((*other[:2], "5", "r"))


def test_ranks_over_all_problems_are_those_of_problems_with_the_same_settings():
    sizes = {("a", "S2", size, "r"): size for size in (1, 5)}
    table = of_problems(P=sizes, Q=sizes, R={("a", "S2", size, "r"): -size for size in (1, 2)})
    found = rank_by_batch_size.tabulate(fits.benchmark(table, table[:0], made_nominal("PQR"), {}, {}))
    assert found["problem"].unique().tolist() == [ALL, "P", "Q", "R"]
    assert found.loc[found["problem"] == ALL, ["size", "rank", "blocks"]].to_numpy().tolist() == [
        ["1", 1, 16],
        ["5", 2, 16],
    ]


def test_the_best_quarter_is_taken_per_data_replicate_and_rounded_up():
    table = made({FIDES: lambda start: 9.0 - start}, replicates=(0, 1), starts=6)
    rows = best_starts.tabulate(fits.benchmark(table, table[:0], None, {}, {}))
    assert rows[["replicate", "start"]].to_numpy().tolist() == [[0, 4], [0, 5], [1, 4], [1, 5]]


def test_failed_starts_count_in_the_median_and_are_never_dropped():
    table = made({FIDES: lambda start: [0.0, 10.0, INF][start]}, starts=3)
    rows = final_objective.tabulate(fits.benchmark(table, table[:0], None, {}, {}))
    assert len(rows) == 3 and rows["excess_median"].unique().tolist() == [10.0]
    assert rows["failed"].unique().tolist() == [1]
    assert rows["excess_drawn"].tolist() == [fits.SMALLEST, 10.0, INF]


def test_sorted_ends_hold_all_starts_or_the_best_quarter():
    table = made(
        {("adam_balanced", "S2", 5, "r"): lambda s: s + 1.0, ("adam_standard", "S2", 5, "r"): lambda s: 10.0 + s}
    )
    data = fits.benchmark(table, table[:0], made_nominal(), {}, {})
    whole = waterfall.tabulate(data)
    assert whole.loc[whole["optimizer"] == "adam_balanced", "excess"].tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert adam_comparison.tabulate(data)[["place", "excess"]].to_numpy().tolist() == [
        [0.0625, 1],
        [0.1875, 2],
        [0.0625, 10],
        [0.1875, 11],
    ]


def course(rows: list[tuple], ends: list[float]) -> dict:
    """The median course of starts of Fides, by cost; rows: (start, cost, objective)."""
    table = made({FIDES: lambda start: ends[start]}, starts=len(ends))
    points = pd.DataFrame(rows, columns=["start", "cost", "objective"]).merge(
        table.drop(columns=["cost", "objective"]), on="start"
    )
    found = objective_against_cost.tabulate(fits.benchmark(table, points, made_nominal(), {}, {}))
    return found.set_index("cost")["excess"].to_dict()


def test_the_median_course_keeps_the_last_value_of_a_start_that_ended():
    rows = [(0, 0, 100.0), (0, 10, 10.0), (1, 0, 200.0), (1, 5, 4.0), (1, 20, 2.0)]
    assert course(rows, [10.0, 2.0]) == {0: 150, 5: 52, 10: 7, 20: 6}


def test_a_start_that_failed_before_its_first_point_is_in_the_median_course():
    rows = [(start, cost, 8.0 - start) for start in (0, 1) for cost in (0, 100)]
    assert course(rows, [8.0, 7.0, INF]) == {100: 8}
    assert course(rows, [INF, INF]) == {0: 7.5, 100: INF}


def test_safeguards_have_their_failure_rate_with_interval_and_what_they_stand_for():
    table = made({("a", "S2", 5, "rescue"): 1.0, ("a", "S2", 5, "search"): lambda start: INF if start else 1.0})
    rows = safeguards.tabulate(fits.benchmark(table, table[:0], None, {}, FIT_SETTINGS)).set_index("safeguard")
    assert rows.loc["search", ["failed", "runs", "rescue", "line_search"]].tolist() == [7, 8, 0, 3]
    assert rows.loc["search", ["failure_low", "failure_high"]].tolist() == list(wilson_interval(7, 8))
    assert rows.loc["rescue", ["failed", "rescue", "excess"]].tolist() == [0, 2, fits.SMALLEST]


def test_bounds_of_equal_ranks_that_differ_from_the_mean_by_rounding_are_drawn():
    ends = {("adam_balanced", "S2", size, "rescue"): float(size) for size in (1, 5)}
    table = made(ends)
    found = rank_by_batch_size.tabulate(fits.benchmark(table, table[:0], made_nominal(), {}, {}))
    found["rank_low"] = found["rank"] * (1 + 1e-15)
    rank_by_batch_size.draw(found)
