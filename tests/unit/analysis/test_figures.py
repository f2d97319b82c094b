"""Every figure is drawn, also from very little, and the same table gives the same bytes."""

from importlib import import_module

import numpy as np
import pandas as pd
import pytest
from made_figures import FIGURES, FIT_FIGURES, LEVEL, made_benchmark, made_folds, made_study, made_table

from kinetrain.appearance import APART, known_looks, look
from kinetrain.evaluation.benchmark import Benchmark, benchmark
from kinetrain.figures.settings import shared, with_setting
from kinetrain.figures.style import new_figure, panels, save, use_style

OVER_ALL = {"profiles", "critical_difference"}  # problems have no panels of their own
OF_SCORES = {"reaction_pruning"}  # a panel per score, over all problems


def draw(name: str, table: pd.DataFrame):
    with use_style():
        return import_module(f"kinetrain.figures.{name}").draw(table)


@pytest.mark.parametrize(("largest", "scale"), [(5.0, "linear"), (5e3, "symlog")])
def test_held_out_changes_are_drawn_on_a_scale_that_has_room_for_its_labels(largest, scale):
    table = made_table("reaction_pruning", 1)
    changes = table["quantity"] == "held_out_change"
    assert changes.any()
    figure = draw("reaction_pruning", table.assign(high=table["high"].mask(changes, largest)))
    assert figure.axes[-1].get_yscale() == scale


@pytest.mark.parametrize("name", [name for name in FIGURES if name not in OVER_ALL | OF_SCORES])
@pytest.mark.parametrize("panels", [1, 4])
def test_a_figure_has_a_panel_per_data_set_or_problem(tmp_path, name, panels):
    figure = draw(name, made_table(name, panels))
    with use_style():
        save(figure, [tmp_path / "figure.png"])
    titles = [
        text for axis in figure.axes if axis.get_visible() for text in (axis.get_title(loc="left"), axis.get_ylabel())
    ]
    data_sets = 2 if name == "large_scale" else 1  # fitted and held-out data, a row each
    assert sum("problem" in title for title in titles) == panels * data_sets


@pytest.mark.parametrize("name", sorted(FIT_FIGURES - OVER_ALL))
def test_a_figure_of_a_problem_on_which_every_fit_failed_is_drawn(tmp_path, name):
    data = made_benchmark(["problem 0", "problem 1"])
    lost = data.fits["problem"] == "problem 1"
    fits = data.fits.assign(
        objective=data.fits["objective"].mask(lost, np.inf), excess=data.fits["excess"].mask(lost, np.inf)
    )
    for own in (fits, fits[lost]):
        traces = data.traces[data.traces["problem"].isin(own["problem"]) & (data.traces["cost"] == 0)]
        table = FIGURES[name].tabulate(Benchmark(own, traces, data.fit_settings, {}))
        with use_style():
            save(draw(name, table), [tmp_path / "figure.svg"])
        assert (tmp_path / "figure.svg").stat().st_size > 1000


@pytest.mark.parametrize("name", OVER_ALL)
def test_a_figure_over_all_problems_shows_every_setting(tmp_path, name):
    table = made_table(name, 5)
    figure = draw(name, table)
    with use_style():
        save(figure, [tmp_path / "figure.png"])
    words = figure.legends[0].get_texts() if figure.legends else figure.axes[0].get_yticklabels()
    assert len(words) == len(table.drop_duplicates(["optimizer", "schedule", "size", "safeguard"])) == 7


def test_groups_of_settings_that_do_not_differ_are_as_large_as_they_can_be():
    cliques = import_module("kinetrain.figures.critical_difference")._cliques
    assert cliques(np.array([1.0, 1.5, 2.4, 4.0]), 1.0) == [(0, 1), (1, 2)]
    assert cliques(np.array([1.0, 3.0]), 1.0) == []


def test_mean_ranks_of_fewer_than_five_problems_are_not_drawn():
    few = FIGURES["critical_difference"].tabulate(made_benchmark([f"problem {index}" for index in range(4)]))
    words = draw("critical_difference", few).texts[0].get_text()
    assert words.startswith("Nothing to show: no test") and "five" in words
    many = FIGURES["critical_difference"].tabulate(made_benchmark([f"problem {index}" for index in range(5)]))
    assert len(many) == 7 and draw("critical_difference", many).axes


def test_profiles_say_how_often_a_setting_is_cheapest_and_how_often_it_arrives():
    runs = pd.DataFrame(
        [("P", 0, s, o) for s in range(4) for o in ("a", "b")], columns=["problem", "replicate", "start", "optimizer"]
    )
    ends = [0.0, 0.0, 0.0, 0.0, 0.0, 500.0, 0.0, 500.0]  # b fails from two of four starts, and else is twice as fast
    runs = runs.assign(objective=ends, cost=np.where(runs["optimizer"] == "a", 40.0, 20.0), cpu_seconds=1.0)
    runs = runs.assign(schedule="S", batch_size=1, safeguard="r", conditions=4, gradient_weight=5.0)
    table = FIGURES["profiles"].tabulate(benchmark(runs, runs[:0], None, {}, {})).query("target == 'fine'")
    found = table.groupby(["part", "optimizer"]).agg(at=("at", list), share=("share", "max"))
    assert found.loc[("ratio", "a"), "at"] == [1, 1, 2, 2] and found.loc[("ratio", "b"), "at"] == [1, 1]
    assert found.loc[("cost", "a"), "at"] == [2] * 4 and found["share"].tolist() == [1, 0.5, 1, 0.5]


def test_a_target_that_a_run_begins_within_costs_every_setting_as_much_as_the_cheapest():
    runs = pd.DataFrame([("P", 0, 0, o) for o in "ab"], columns=["problem", "replicate", "start", "optimizer"])
    runs = runs.assign(objective=0.0, cost=40.0, cpu_seconds=1.0, schedule="S", batch_size=1, safeguard="r")
    runs = runs.assign(conditions=4, gradient_weight=5.0)
    begin = runs.assign(objective=50.0, cost=0.0)
    table = FIGURES["profiles"].tabulate(benchmark(runs, begin, None, {}, {})).query("part == 'ratio'")
    assert len(table) == 6 and (table["at"] == 1).all()


def test_a_box_is_drawn_from_eight_starts_or_more():
    table = made_table("best_starts", 1)  # one start of each setting
    assert not draw("best_starts", table).axes[0].patches
    assert draw("best_starts", pd.concat([table] * 8)).axes[0].patches


def test_the_course_begins_where_settings_part():
    from kinetrain.figures.objective_against_cost import _parting

    assert _parting(pd.DataFrame({"cost": [1.0, 10, 30, 90], "excess": [100.0, 99, 80, 5]})) == 20
    assert _parting(pd.DataFrame({"cost": [1.0, 10], "excess": [100.0, 99]})) is None


def test_a_hybrid_does_not_look_like_any_optimizer():
    def parts(colour):
        return np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)])

    others = [one.colour for one in known_looks().values() if one.kind in (4, 5)]
    for name in ("adam_balanced_then_fides", "sgd_then_ipopt", "tenth_then_fides"):
        distances = [np.abs(parts(look(name).colour) - parts(other)).sum() for other in others if other != "#000000"]
        assert min(distances) > 60
    assert look("adam_then_fides").colour != look("tenth_then_fides").colour


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_of_an_empty_table_says_that_there_is_nothing_to_show(name):
    figure = draw(name, made_table(name, 0))
    assert figure.texts[0].get_text().startswith("Nothing to show: no ")


@pytest.mark.parametrize(
    ("name", "suffix"), [*((name, "svg") for name in FIGURES), ("effect_matrices", "pdf"), ("effect_matrices", "png")]
)
def test_the_same_table_gives_the_same_bytes(tmp_path, name, suffix):
    paths = [tmp_path / f"{index}.{suffix}" for index in range(2)]
    for path in paths:
        with use_style():
            save(draw(name, made_table(name, 1)), [path])
    assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.parametrize("errors", [[0.9, 1.04], [0.59, 1.05], [0.04, 0.2], [1, 1], [0.999, 1.001], [1e-4, 30]])
def test_the_axis_of_prediction_errors_has_three_labels_within_its_limits(errors):
    networks = pd.DataFrame({"method": ["dash", "dash", "persistence"], "test_mse": [*errors, 1.0]})
    networks = networks.assign(dataset="d", **LEVEL, seed=[0, 1, 0])
    axis = draw("prediction_error", FIGURES["prediction_error"].tabulate(networks)).axes[0]
    low, high = axis.get_xlim()
    assert sum(low <= tick <= high for tick in axis.get_xticks()) >= 3
    assert len({label.get_text() for label in axis.get_xticklabels()}) == len(axis.get_xticks())


def test_error_bars_of_balanced_accuracy_lie_within_the_axis_of_all_panels():
    table = made_table("sparsity_against_accuracy", 2)
    table = table.assign(
        balanced_accuracy=np.linspace(0.4, 0.97, len(table)), balanced_accuracy_low=0.2, balanced_accuracy_high=0.99
    )
    low, high = draw("sparsity_against_accuracy", table).axes[0].get_ylim()
    assert low < 20 and 99 < high < 103


def test_the_columns_of_effects_say_whether_they_are_all_genes():
    table = made_table("effect_matrices", 1)
    assert draw("effect_matrices", table).axes[0].get_xlabel() == "1 regulators of\nthe gold standard"
    more = pd.concat([table, table.tail(1).assign(regulator="c", regulator_place=1)])
    assert draw("effect_matrices", more).axes[0].get_xlabel() == "2 genes as regulators"


def test_an_effect_matrix_of_few_genes_names_them():
    table = made_table("effect_matrices", 1)
    axis = draw("effect_matrices", table).axes[0]
    assert [text.get_text() for text in axis.get_xticklabels()] == ["a"]
    assert [text.get_text() for text in axis.get_yticklabels()] == list(table["target"].drop_duplicates())
    one = table.tail(1)
    many = [one.assign(regulator=f"g{place}", regulator_place=place) for place in range(2, 40)]
    large = draw("effect_matrices", pd.concat([table, *many])).axes
    assert not large[0].get_xticklabels()
    small = draw("effect_matrices", table).axes
    assert "full colour from 0.5)" in small[-1].get_ylabel() and "full colour from 0.05)" in large[-1].get_ylabel()


def test_colours_of_pathways_mean_the_same_in_all_panels():
    table = made_table("pathways", 2)
    table.loc[table["dataset"] == "problem 1", "z"] *= 3
    limits = {axis.collections[0].get_clim() for axis in draw("pathways", table).axes[:2]}
    assert limits == {(0, table["z"].max())}


def test_no_label_is_cut_at_the_edge_of_a_picture(tmp_path):
    from matplotlib.image import imread

    with use_style():
        figure, (axis,) = panels(["one"], width=3.3, height=1.5)
        axis.set_yticks([0.5], ["Adam (balanced), then Fides, rate 0.03, all"], fontsize=7.5)
        save(figure, [tmp_path / "long.png"])
    assert (imread(tmp_path / "long.png")[:, :5, :3] == 1).all()


@pytest.mark.parametrize("name", ["effect_matrices", "coregulation"])
def test_a_method_that_one_data_set_lacks_is_said_to_have_no_map_there(name):
    table = pd.concat([made_table(name, 1), made_table(name, 2, "sparseflow").query("dataset == 'problem 1'")])
    axes = [axis for axis in draw(name, table).axes if axis.get_title(loc="left")]
    empty = [axis.get_title(loc="left") for axis in axes if any(text.get_text() == "none" for text in axis.texts)]
    assert len(axes) == 6 and empty == ["SparseFlow", "DASH"]


def test_a_setting_whose_budget_ends_at_its_start_has_no_curve_and_no_entry_in_the_legend():
    table = made_table("objective_against_cost", 1)
    first = table["optimizer"] == table["optimizer"].iloc[0]
    whole = len(draw("objective_against_cost", table).legends[0].get_texts())
    shortened = draw("objective_against_cost", table.assign(cost=table["cost"].where(~first, 0.0)))
    assert 0 < len(shortened.legends[0].get_texts()) < whole


def test_a_problem_without_a_cost_ratio_has_no_panel_and_is_named():
    table = made_table("cost_ratios", 2)
    first, second = table["problem"].unique()
    lost = table.assign(factor=table["factor"].mask(table["problem"] == second, np.inf))
    figure = draw("cost_ratios", lost)
    assert {axis.get_title("left") + axis.get_title() for axis in figure.axes} == {first, ""} and len(figure.axes) == 2
    assert figure.legends[0].get_title().get_text().endswith(f"by both sides: {second}.")
    assert "Nothing to show" in draw("cost_ratios", table.assign(factor=0.0)).texts[0].get_text()


def test_a_level_of_a_factor_differs_from_the_baseline_in_that_factor_alone():
    table = FIGURES["factor_study"].tabulate(*made_study(2))
    assert sorted(table["factor"].unique()) == ["problem 0", "problem 1"]
    assert table.groupby("factor")["value"].unique().map(list).tolist() == [[0.5, 1.0, 2.0]] * 2
    assert set(table["method"]) == {"dash", "lasso"} and (table["models"] == 2).all()


def test_a_level_of_a_factor_with_an_infinite_error_has_no_point():
    networks, simulations = made_study(2)
    lost = (networks["dataset"] == "problem 0_2.0") & (networks["method"] == "dash") & (networks["seed"] == 0)
    table = FIGURES["factor_study"].tabulate(
        networks.assign(test_mse=networks["test_mse"].mask(lost, np.inf)), simulations
    )
    rows = table[(table["quantity"] == "ratio") & (table["method"] == "dash") & (table["factor"] == "problem 0")]
    assert np.isinf(rows["mean"]).tolist() == [False, False, True]
    errors = draw("factor_study", table).axes[4].lines[0].get_ydata()
    assert np.isnan(np.asarray(errors, float)).tolist() == [False, False, True]


def test_every_method_yardstick_and_optimizer_has_its_own_colour_and_name_across_both_arms():
    looks = {name: one for name, one in known_looks().items() if one.colour != "#000000"}
    assert {"dash", "random", "lasso", "adam_balanced", "fides", "fides_hierarchical"} <= set(looks)
    assert len({one.colour for one in looks.values()}) == len({one.label for one in looks.values()}) == len(looks)


def test_colours_that_are_drawn_together_are_told_apart():
    def parts(colour):
        return np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)])

    for kinds in ((1, 2), (4, 5)):
        shown = [one for one in known_looks().values() if one.kind in kinds]
        for index, one in enumerate(shown):
            for other in shown[:index]:
                assert np.abs(parts(one.colour) - parts(other.colour)).sum() >= APART, (one.label, other.label)


def test_every_method_and_yardstick_has_its_own_marker():
    markers = [one.marker for one in known_looks().values() if one.kind in (1, 2)]
    assert len(set(markers)) == len(markers)


def test_what_is_not_known_has_a_look_of_its_own_always_the_same():
    new = look("a method of tomorrow")
    assert new == look("a method of tomorrow")
    assert new.colour not in {one.colour for one in known_looks().values()}
    assert look("adam_balanced_then_fides").label == "Adam (balanced), then Fides"
    assert look("adam_then_fides").label == "Adam, then Fides"


def made_settings(*settings) -> pd.DataFrame:
    return pd.DataFrame(settings, columns=["optimizer", "schedule", "size", "safeguard"])


def test_a_setting_is_named_by_what_varies_and_the_rest_is_said_once():
    fides = ("fides", "-", "full", "-")
    table = made_settings(("sgd", "S2", 5, "line_search"), ("rmsprop", "S2", "full", "line_search"), fides)
    assert with_setting(table)["setting"].tolist() == ["SGD, batch 5", "RMSProp, all conditions", "Fides, full batch"]
    assert shared(table) == "All mini-batch runs: S2, safeguard line search."
    one = made_settings(("sgd", "S2", 5, "rescue"), fides)
    assert with_setting(one)["setting"].tolist() == ["SGD, S2, batch 5", "Fides, full batch"]
    assert shared(one) == "All mini-batch runs: safeguard rescue."
    two = made_settings(("sgd", "S2", 5, "rescue"), ("sgd", "S1", 1, "off"))
    assert with_setting(two)["setting"].tolist() == ["SGD, S2, batch 5, rescue", "SGD, S1, batch 1, off"]
    assert shared(two) == shared(made_settings(fides)) == ""


def test_the_failure_rate_is_shown_with_the_best_starts_of_each_setting():
    texts = [text.get_text() for text in draw("best_starts", made_table("best_starts", 2)).axes[1].texts]
    assert texts.count("0 of 4") == 6 and texts.count("1 of 4") == 1


def test_ranks_over_all_problems_stand_before_those_of_each():
    titles = [axis.get_title(loc="left") for axis in draw("rank_by_schedule", made_table("rank_by_schedule", 2)).axes]
    assert titles[:3] == ["Mean over models", "problem 0", "problem 1"]


def test_safeguards_are_named_by_rescue_and_line_search_or_by_name():
    axis = draw("safeguards", made_table("safeguards", 1)).axes[-1]
    assert [text.get_text() for text in axis.get_xticklabels()] == ["rescue:\nshrink, restart\nline search 3", "off"]
    table = made_table("safeguards", 1).assign(rescue=2, line_search=3)  # the two differ in their variant alone
    axis = draw("safeguards", table).axes[-1]
    assert [text.get_text().split("\n")[-1] for text in axis.get_xticklabels()] == ["(off)", "(rescue)"]


def test_a_setting_of_one_number_is_a_curve_and_one_of_two_a_map():
    table = FIGURES["tuning"].tabulate(made_folds(["d"], [{"fraction": fraction} for fraction in (0.5, 0.9, 0.7)]))
    assert table[["key", "value", "validation_mse"]].to_numpy().tolist() == [
        ["fraction", 0.5, 1.5],
        ["fraction", 0.9, 2.5],
        ["fraction", 0.7, 3.5],
    ]
    axis = draw("tuning", table).axes[0]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["0.5", "0.7", "0.9"]
    assert draw("tuning", made_table("tuning", 1)).axes[0].get_xlabel().startswith("λ₁")


def test_a_setting_that_failed_in_a_fold_has_no_error():
    folds = made_folds(["d"], [{"lambdas": [0, 1]}, {"lambdas": [1, 1]}])
    folds.loc[0, "validation_mse"] = np.nan
    table = FIGURES["tuning"].tabulate(folds)
    assert table["validation_mse"].isna().tolist() == [True, False]
    draw("tuning", table)


def test_learning_curves_are_medians_of_the_seeds_that_still_train():
    table = made_table("learning_curves", 1).set_index("method")
    assert table.loc["dash", "models"].tolist() == [2, 2, 1]
    assert table.loc["dash", "validation_mse"].tolist() == pytest.approx([1.5, 1.0, 1 / 3])
    assert table.loc["persistence", "validation_mse"] == 0.02
    axis = draw("learning_curves", made_table("learning_curves", 1)).axes[0]
    assert axis.get_yscale() == "log" and axis.lines[-1].get_ydata()[0] == 0.02


def test_time_courses_say_how_many_of_how_many_are_shown():
    axis = draw("time_courses", made_table("time_courses", 1)).axes[0]
    assert axis.get_title(loc="left") == "y\nproblem 0\n2 of 5 curves"
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["low", "high"]


def test_error_bars_of_time_courses_stay_on_the_scale_of_the_noise():
    table = made_table("time_courses", 1).assign(noise_scale="log10", y_scale="log", noise=1.0, title="cost in $")
    axis = draw("time_courses", table).axes[0]
    ends = [bar.get_segments()[0][:, 1].tolist() for bar in axis.collections]
    assert ends == [pytest.approx([0.1, 10.0])] * 2


@pytest.mark.parametrize("sparsity", [0.0, 1.0])
def test_models_without_any_zero_or_any_weight_stand_within_the_axis_of_the_path(sparsity):
    table = made_table("pruning_path", 1)
    table.loc[table["kind"] == "method", "sparsity"] = sparsity
    axis = draw("pruning_path", table).axes[0]
    dense, sparse = axis.get_xlim()
    drawn = np.concatenate([line.get_xdata() for line in axis.lines if line.get_marker() != "None"])
    assert (drawn < dense).all() and (drawn > sparse).all()


def test_texts_of_a_figure_are_measured_by_one_renderer():
    figure = new_figure(3, 3)
    first, second = (figure.text(0.5, 0.5, "a text") for _ in range(2))
    assert first.get_window_extent().width > 0 and second.get_window_extent().width > 0
    assert figure.canvas.get_renderer() is figure.canvas.get_renderer()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ["cost_per_success", "profiles"])
def test_costs_of_starts_that_meet_all_targets_are_drawn(tmp_path, name):
    table = made_table(name, 1)
    table.loc[table["part"].isin(["cost", "ratio"]), list({"value", "low", "high", "at"} & set(table))] = 0.0
    figure = draw(name, table)
    with use_style():
        save(figure, [tmp_path / "figure.png"])
    assert figure.axes


def test_as_many_schedules_as_papers_have_are_told_apart_by_their_markers():
    schedules = [f"rate {number}" for number in range(12)]
    marker = import_module("kinetrain.figures.rank_by_schedule")._marker
    assert len({marker(name, schedules)["marker"] for name in schedules}) == 12
