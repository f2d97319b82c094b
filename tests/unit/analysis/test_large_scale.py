"""Ensembles on many conditions: errors in the data's own units, thresholds from training data, both figures."""

import numpy as np
import pandas as pd
import pytest

from kinetrain.evaluation.large_scale import figure_table, metrics, responses, standardized, threshold
from kinetrain.figures.large_scale import draw, tabulate
from kinetrain.figures.style import use_style
from kinetrain.tables import TABLES

MEMBERS = 3
RUN = {"problem": "p", "optimizer": "adam", "schedule": "S1", "batch_size": 10, "safeguard": "off", "replicate": 0}


def predictions(error=1.0, test=2, observables=("a", "b"), scale="lin", **run) -> pd.DataFrame:
    """Six training groups and some held-out ones, four conditions each; members err by `error` times the group."""
    random = np.random.default_rng(0)
    rows = []
    for group in range(6 + test):
        for condition in range(4):
            for place, observable in enumerate(observables):
                measured = 10**place * random.gamma(4, 5)
                members = measured * np.exp(error * 0.1 * (1 + group % 6) * random.normal(size=MEMBERS))
                part, name = ("train" if group < 6 else "test"), f"g{group}"
                rows.append((part, name, f"{name}c{condition}", observable, 60.0, measured, scale, *members))
    columns = ["set", "group", "condition", "observable", "time", "measurement", "scale"]
    table = pd.DataFrame(rows, columns=[*columns, *(f"member{index}" for index in range(MEMBERS))])
    members = table.filter(like="member")
    table = table.assign(
        mean=members.mean(axis=1), sd=members.std(axis=1), median=members.median(axis=1), **(RUN | run)
    )
    return table


def value(table, part, predictor, metric) -> float:
    rows = table[(table["set"] == part) & (table["predictor"] == predictor) & (table["metric"] == metric)]
    return float(rows["value"].iloc[0])


def test_observables_in_different_units_count_alike():
    table = standardized(predictions())
    training = table[table["set"] == "train"].groupby("observable")["measurement"]
    assert training.mean().abs().max() < 1e-9 and training.std().to_numpy() == pytest.approx([1, 1])
    scaled = predictions()
    scaled.loc[
        scaled["observable"] == "a", ["measurement", "mean", "sd", "median", *list(scaled.filter(like="member"))]
    ] *= 7
    assert metrics(scaled)["value"].to_numpy() == pytest.approx(metrics(predictions())["value"].to_numpy())


def test_perfect_predictions_have_no_error_and_are_distinguished():
    table = metrics(predictions(error=0.0))
    assert list(table.columns) == TABLES["large_scale"].names()
    for part in ("train", "test"):
        for predictor in ("ensemble", "single"):
            found = {name: value(table, part, predictor, name) for name in ("correlation", "rmse", "auc", "accuracy")}
            assert found == pytest.approx({"correlation": 1, "rmse": 0, "auc": 1, "accuracy": 1})


def test_an_ensemble_errs_less_than_its_members_and_intervals_hold_the_value():
    table = metrics(predictions(error=2.0, test=6))
    assert value(table, "train", "ensemble", "rmse") < value(table, "train", "single", "rmse")
    assert (table["low"] <= table["value"] + 1e-9).all() and (table["value"] <= table["high"] + 1e-9).all()
    assert set(table.loc[table["set"] == "test", "groups"]) == {6} and set(table["members"]) == {MEMBERS}


def test_an_interval_that_most_draws_of_groups_do_not_have_has_no_bound():
    table = predictions(test=6)
    high = table["group"].isin(["g1", "g3", "g5", "g7"])  # all responsive, the others not: without g7 there is no AUC
    table.loc[high, ["measurement", "mean", "member0", "member1", "member2"]] *= 1e4
    found = metrics(table).query("set == 'test' and predictor == 'ensemble'").set_index("metric")[["low", "high"]]
    assert found.loc["auc"].isna().all() and found.drop("auc").notna().all(axis=None)


def test_a_few_groups_have_no_interval():
    for groups, bounded in ((5, False), (6, True)):
        found = metrics(predictions(test=groups)).query("set == 'test' and predictor == 'ensemble'")
        assert found[["low", "high"]].notna().all(axis=None) == bounded and found["value"].notna().all()


def test_the_error_is_the_mean_over_groups():
    table = standardized(predictions())
    table = table[table["set"] == "train"]
    by_hand = [np.sqrt(((own["mean"] - own["measurement"]) ** 2).mean()) for _, own in table.groupby("group")]
    assert value(metrics(predictions()), "train", "ensemble", "rmse") == pytest.approx(np.mean(by_hand))


def test_the_threshold_comes_from_the_training_data():
    pairs = pd.DataFrame({"responsive": [False, False, True, True], "mean": [0.0, 1.0, 2.0, 3.0]})
    assert threshold(pairs, "mean") == 2
    assert np.isnan(threshold(pairs[:2], "mean"))
    table = predictions(error=0.0)
    test = table["set"] == "test"
    table.loc[test, ["mean", *list(table.filter(like="member"))]] = 1e6  # all called responsive
    found = responses(standardized(table))
    share = found.loc[found["set"] == "test", "responsive"].mean()
    assert value(metrics(table), "test", "ensemble", "accuracy") == pytest.approx(share)


def test_values_that_have_no_logarithm_or_no_simulation_are_left_out():
    table = predictions(scale="log10")
    table.loc[0, "mean"] = -1.0
    table.loc[1, ["mean", "member0", "member1", "member2"]] = np.nan
    table.loc[2, "measurement"] = 0.0
    assert len(standardized(table)) == len(table) - 3
    assert np.isfinite(metrics(table)["value"]).all()


def test_the_figure_shows_the_run_with_the_lowest_training_error():
    table = pd.concat([predictions(error=3.0, optimizer="fides", test=6), predictions(error=1.0, test=6)])
    shown = figure_table(table, "test")
    assert set(shown["optimizer"]) == {"adam"} and set(shown["panel"]) == {"scatter", "roc", "rmse", "best", "worst"}
    ranking = shown[shown["panel"] == "rmse"]
    assert ranking["y"].is_monotonic_increasing and set(ranking["group"]) == {f"g{one}" for one in range(6, 12)}
    example = shown[shown["panel"] == "worst"]
    assert set(example["group"]) == set(ranking.loc[ranking["label"] == "worst", "group"]) and len(example) == 2 * 8
    assert (shown[shown["panel"] == "roc"]["place"] == 1).sum() == 1


def test_the_figure_has_a_row_per_problem_and_data_and_is_drawn_also_from_nothing():
    with use_style():
        full = draw(tabulate(pd.concat([predictions(test=6), predictions(problem="q", test=0)])))
        empty = draw(tabulate(predictions(test=0)[:0]))
    assert sum(axis.get_visible() for axis in full.axes) == 15
    assert empty.texts[0].get_text().startswith("Nothing to show: no ")


def test_few_groups_have_time_courses_and_neither_a_roc_curve_nor_ranks():
    several = pd.concat([predictions(test=5), predictions(test=5).assign(time=120.0)])
    table = tabulate(several)
    few = table[table["set"] == "test"]
    assert set(few["panel"]) == {"scatter", "course"} and set(table.loc[table["set"] == "train", "panel"]) >= {"roc"}
    assert few.loc[few["panel"] == "course", "group"].nunique() == 4
    curves = few[few["panel"] == "course"].groupby(["group", "label", "predictor"])["x"].agg(list)
    assert len(curves) == 4 * 4 * 2 and set(map(tuple, curves)) == {(60.0, 120.0)}
    with use_style():
        assert sum(axis.get_visible() for axis in draw(table).axes) == 10
    single = figure_table(predictions(test=1), "test")  # measured at one time
    assert set(single["panel"]) == {"scatter", "best"}


def test_responses_that_are_all_alike_have_no_accuracy():
    table = predictions(observables=("a",)).assign(measurement=1.0)
    found = metrics(table)
    assert found.loc[found["metric"].isin(["accuracy", "auc", "correlation"]), "value"].isna().all()
    assert found.loc[found["metric"] == "rmse", "value"].notna().all()


def test_one_group_or_one_member_is_enough():
    table = predictions(test=0, observables=("a",))
    table = table[table["group"] == "g0"].drop(columns=["member1", "member2"]).assign(sd=np.nan)
    assert metrics(table)["value"].notna().all()
    assert len(figure_table(table, "train"))


def test_a_run_has_the_members_that_it_has_whatever_others_have():
    fewer = predictions(optimizer="fides").drop(columns="member2")
    together = pd.concat([predictions(), fewer])
    table = metrics(together)
    assert table.groupby("optimizer")["members"].unique().map(list).to_dict() == {"adam": [3], "fides": [2]}
    alone = metrics(fewer)
    assert table[table["optimizer"] == "fides"].reset_index(drop=True).equals(alone)
