"""What full-batch training costs over mini-batches, in made fits whose answer is known."""

import numpy as np
import pandas as pd
import pytest
from made_results import ADAM, FIDES, FIT_SETTINGS, INF, made, made_nominal, traced

from kinetrain.evaluation import benchmark as fits
from kinetrain.evaluation.cost_ratios import BEST, ratios, reductions
from kinetrain.evaluation.findings import findings
from kinetrain.evaluation.scores import least_cost
from kinetrain.evaluation.statistics import (
    wilson_interval,
)


@pytest.mark.parametrize(("cost", "verdict", "factor"), [(5.0, "yes", 20), (50.0, "no", 2)])
def test_the_quality_of_full_batch_is_reached_at_a_fraction_of_its_cost(cost, verdict, factor):
    table = made({ADAM: 1.0, FIDES: 1.0})
    adam, fides = (table[table["optimizer"] == name] for name in ("adam_balanced", "fides"))
    course = pd.concat([traced(adam, {0.0: 90.0, cost: 1.0}), traced(fides, {0.0: 90.0, 100.0: 1.0})])
    data = fits.benchmark(table, course, made_nominal(), {}, FIT_SETTINGS)
    rows = reductions(data)
    assert rows["quality"].tolist() == ["median", "best"]
    assert rows["factor"].tolist() == [factor] * 2 and rows["verdict"].tolist() == [verdict] * 2
    said = findings(
        fits=table, traces=course, nominal=made_nominal().assign(reference=np.nan), fit_settings=FIT_SETTINGS
    )
    said = said[said["topic"].str.startswith("Claim: 10 times")].iloc[0]
    assert said["verdict"] == verdict and f": {factor} [{factor}, {factor}] times fewer" in said["statement"]


def test_cost_ratios_are_of_each_target_and_of_settings_chosen_on_other_starts():
    other = ("adam_balanced", "S1", 5, "rescue")
    table = made({ADAM: 1.0, other: 1.0, ("hybrid", "S2", 5, "rescue"): 0.0, FIDES: 0.5})
    courses = {"S2": {0.0: 900.0, 5.0: 50.0, 40.0: 1.0}, "S1": {0.0: 900.0, 20.0: 1.0}, "-": {0.0: 900.0, 100.0: 0.5}}
    course = pd.concat([traced(table[table["schedule"] == name], points) for name, points in courses.items()])
    found = ratios(
        fits.benchmark(table, course.assign(cpu_seconds=course["cost"] ** 2), made_nominal(), {}, FIT_SETTINGS)
    )
    found = found.set_index(["unit", "kind", "other", "target"])
    mini = found.loc[("cost", "mini-batch", BEST)]
    assert mini["factor"].to_dict() == {"coarse": 20, "medium": 5, "fine": 5}
    assert mini["low"].equals(mini["factor"]) and mini["high"].equals(mini["factor"])
    chosen = ["Adam (balanced), rate 0.3, batch 5, rescue", *["Adam (balanced), rate 1, batch 5, rescue"] * 2]
    assert mini["chosen"].tolist() == chosen and (mini["runs"] == 8).all()
    assert found.loc[("cost", "mini-batch", "fides"), "factor"].equals(mini["factor"])
    assert found.loc[("cost", "hybrid", "fides", "coarse"), "factor"] == 20
    assert found.loc[("cpu_seconds", "mini-batch", BEST, "medium"), "factor"] == 25


def test_a_target_that_full_batch_never_reaches_has_a_lower_bound_only():
    table = made({ADAM: 1.0, FIDES: 300.0})
    found = ratios(fits.benchmark(table, table[:0], made_nominal(), {}, FIT_SETTINGS)).query("unit == 'cost'")
    assert (found["factor"] == INF).all() and (found["high"] == INF).all()
    assert found["low"].tolist() == pytest.approx([100 / wilson_interval(0, 8)[1] / 100] * 6)
    neither = made({ADAM: 300.0, FIDES: 300.0})
    found = ratios(fits.benchmark(neither, neither[:0], made_nominal(), {}, FIT_SETTINGS))
    assert found["factor"].isna().all() and (found["low"] == 0).all() and (found["high"] == INF).all()


def test_a_start_that_meets_a_target_favours_nobody():
    table = made({ADAM: 1.0, FIDES: 1.0})
    adam, fides = (table[table["optimizer"] == name] for name in ("adam_balanced", "fides"))
    courses = (traced(adam, {0.0: 50.0, 10.0: 5.0, 20.0: 1.0}), traced(fides, {30.0: 50.0, 40.0: 5.0, 80.0: 1.0}))
    data = fits.benchmark(table, pd.concat(courses), made_nominal(), {}, FIT_SETTINGS)
    found = ratios(data).query("unit == 'cost' and other == @BEST").set_index("target")
    assert found.loc["coarse", ["cost", "cost_other"]].tolist() == [0, 0]
    assert found.loc["coarse", ["factor", "low", "high"]].isna().all()
    assert found["verdict"].tolist() == ["undecided", "no", "no"] and found["factor"].tolist()[1:] == [4, 4]
    written = findings(
        fits=table, traces=data.traces, nominal=made_nominal().assign(reference=np.nan), fit_settings=FIT_SETTINGS
    )
    assert not written["statement"].str.contains("nan").any()


def test_data_replicates_count_equally_in_a_ratio_and_its_interval():
    table = made({ADAM: 1.0, FIDES: 1.0}, replicates=(0, 1), starts=12)
    table = table[(table["replicate"] == 0) | (table["start"] < 4)]  # 12 starts of one replicate, 4 of the other
    cost = np.where(table["optimizer"] == "fides", 100.0, np.where(table["replicate"] == 0, 10.0, 50.0))
    table = table.assign(cost=cost)
    found = ratios(fits.benchmark(table, table[:0], made_nominal(), {}, FIT_SETTINGS)).query("unit == 'cost'").iloc[0]
    assert found["cost"] == pytest.approx(30) and found["factor"] == pytest.approx(100 / 30)
    assert found["runs"] == found["reached"] == 16
    rows = reductions(fits.benchmark(table, table[:0], made_nominal(), {}, FIT_SETTINGS))
    assert rows["cost_mini_batch"].tolist() == pytest.approx([30, 30])


def test_data_replicates_count_equally_in_the_choice_of_a_setting():
    other = ("adam_balanced", "S1", 5, "rescue")
    table = made({ADAM: 1.0, other: 1.0, FIDES: 1.0}, replicates=(0, 1), starts=12)
    table = table[(table["replicate"] == 0) | (table["start"] < 4)]
    uneven = np.where(table["replicate"] == 0, 10.0, 100.0)  # 55 in the mean over replicates, 32 in that over runs
    table = table.assign(cost=np.select([table["schedule"] == "S2", table["schedule"] == "S1"], [uneven, 40.0], 100.0))
    found = ratios(fits.benchmark(table, table[:0], made_nominal(), {}, FIT_SETTINGS)).query("unit == 'cost'").iloc[0]
    assert found["chosen"] == "Adam (balanced), rate 1, batch 5, rescue"
    assert found["cost"] == pytest.approx(40) and found["factor"] == pytest.approx(2.5)


def test_runs_that_never_arrive_tell_less_where_one_replicate_has_few_of_them():
    table = made({ADAM: 300.0, FIDES: 1.0}, replicates=(0, 1), starts=25)
    table = table[(table["replicate"] == 0) | (table["start"] < 2)]
    data = fits.benchmark(table, table[:0], made_nominal(), {}, FIT_SETTINGS)
    weights = np.repeat([1 / 50, 1 / 4], [25, 2])
    runs = pd.DataFrame({"cost": np.repeat([10.0, 100.0], [25, 2]), "hit": False})
    assert least_cost(weights, runs) == pytest.approx(55 / wilson_interval(0, 7)[1], rel=0.1)  # not of 27 runs
    assert least_cost(np.full(8, 1 / 8), runs[:8]) == pytest.approx(10 / wilson_interval(0, 8)[1])
    found = ratios(data).query("unit == 'cost' and target == 'fine'").iloc[0]
    assert found["high"] == pytest.approx(100 / least_cost(weights, runs.assign(cost=100.0)))


def test_one_start_that_arrives_does_not_tell_a_ratio():
    for arrive, known in ((1, False), (7, True)):
        table = made(
            {ADAM: lambda s, n=arrive: 1.0 if s < n else 300.0, FIDES: lambda s, n=arrive: 1.0 if s < n else 300.0}
        )
        table = table.assign(cost=np.where(table["optimizer"] == "fides", 50.0, 100.0))
        rows = reductions(fits.benchmark(table, table[:0], made_nominal(), {}, FIT_SETTINGS)).set_index("quality")
        assert rows.loc["best", "reached_mini_batch"] == rows.loc["best", "reached_full_batch"] == arrive
        assert rows.loc["best", "factor"] == pytest.approx(0.5)
        assert (rows.loc["best", "low"] > 0.4 and rows.loc["best", "high"] < 0.6) == known
        assert rows.loc["best", "verdict"] == ("no" if known else "undecided")


def test_a_few_pairs_do_not_decide_which_is_cheaper():
    for starts, verdict in ((5, "undecided"), (6, "yes")):
        table = made({ADAM: 1.0, FIDES: 1.0}, starts=starts).assign(
            cost=lambda fits: np.where(fits["optimizer"] == "fides", 100.0, 5.0)
        )
        said = findings(
            fits=table, traces=table[:0], nominal=made_nominal().assign(reference=np.nan), fit_settings=FIT_SETTINGS
        )
        assert said.set_index("topic").loc["Cost ratio by target", "verdict"] == verdict


def test_a_quality_that_mini_batches_never_reach_is_no_reduction():
    table = made({ADAM: 50.0, FIDES: 1.0})
    rows = reductions(fits.benchmark(table, traced(table, {0.0: 90.0}), made_nominal(), {}, FIT_SETTINGS))
    assert rows["factor"].tolist() == [0, 0] and rows["reached_mini_batch"].tolist() == [0, 0]
    assert rows["high"].tolist() == pytest.approx([100 / (100 / wilson_interval(0, 8)[1])] * 2)
    assert set(rows["verdict"]) == {"no"}
    few = table[table["start"] < 2].assign(cost=lambda fit: fit["cost"].where(fit["optimizer"] == "fides", 5.0))
    rows = reductions(fits.benchmark(few, traced(few, {0.0: 90.0}), made_nominal(), {}, FIT_SETTINGS))
    assert set(rows["verdict"]) == {"undecided"}  # two short runs say little


def test_a_hybrid_and_a_batch_of_all_conditions_do_not_count_as_mini_batch():
    table = made({("hybrid", "S2", 5, "rescue"): 1.0, ("sgd", "S2", 20, "rescue"): 1.0, FIDES: 1.0})
    assert reductions(fits.benchmark(table, table[:0], made_nominal(), {}, FIT_SETTINGS)).empty
