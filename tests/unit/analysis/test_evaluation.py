"""Rows of trained models, their paths and controls, and summaries of them for figures."""

import numpy as np
import pandas as pd
import pytest
from made_results import made_networks

from kinetrain.data.expression import Expression
from kinetrain.errors import InputError
from kinetrain.evaluation import network_summaries
from kinetrain.evaluation.networks import (
    control_rows,
    coregulation_rows,
    effect_rows,
    path_rows,
    score_rows,
)
from kinetrain.figures import coregulation, effect_matrices, pathways, prior_recovery, pruning_path
from kinetrain.networks import packed
from kinetrain.tables import TABLES, check, completed


def made_model(seeds=(0, 1), genes=("A", "B", "C")) -> dict:
    k, count = len(genes), len(seeds)
    model = {name: np.zeros((count, 2, k)) for name in ("w_s", "w_p")}
    model |= {name: np.zeros((count, k, 2)) for name in ("u_s", "u_p")}
    model |= {"v": np.ones((count, k)), "seeds": np.array(seeds), "genes": np.array(genes)}
    model["chains"] = np.array([["w_s", "u_s"], ["w_p", "u_p"]])
    model["w_s"][:, 0, 0], model["u_s"][:, 1, 0] = 1, -4  # A represses B
    return model


def made_runs(seeds=(0, 1)) -> pd.DataFrame:
    same = {"dataset": "d", "method": "dash", "noise": 0.0, "prior_corruption": 0.0, "test_mse": 0.1, "epochs": 5}
    return pd.DataFrame({"seed": seeds}).assign(**same, cpu_seconds=1.0, status="finished", wall_seconds=2.0)


TRUTH = np.zeros((3, 3))
TRUTH[1, 0] = 1


def test_scores_are_one_row_per_seed_with_the_columns_of_the_run():
    scores = score_rows(made_model(), made_runs(), TRUTH, [TRUTH, np.eye(3)])
    check("networks", completed("networks", scores), "scores")
    assert scores["seed"].tolist() == [0, 1]
    assert scores["balanced_accuracy"].tolist() == [1.0, 1.0]
    assert scores["recall_outside_prior"].fillna(-1).tolist() == [-1, 1]
    assert scores["dead_genes"].tolist() == [0, 0]
    assert scores["wall_seconds"].tolist() == [2.0, 2.0]
    effects = effect_rows(made_model(), made_runs(), TRUTH, TRUTH)
    assert effects[["method", "regulator", "target", "effect"]].to_numpy().tolist() == [
        ["truth", "A", "B", 1.0],
        ["dash", "A", "B", -1.0],
    ]


def test_without_a_gold_standard_there_is_sparsity_but_no_accuracy():
    scores = score_rows(made_model(), made_runs(), None, [np.eye(3)] * 2)
    assert scores["balanced_accuracy"].isna().all() and (scores["out_degree"] == 1 / 3).all()
    assert effect_rows(made_model(), made_runs(), None, TRUTH)["method"].tolist() == ["dash"]
    rows = control_rows(made_expression(), 0.1, [0], [np.eye(3)], None)
    assert rows["method"].tolist() == ["prior alone", "persistence"]


def test_effects_are_the_median_over_the_seeds_each_scaled_before():
    model = made_model(seeds=(0, 1, 2))
    model["w_s"][:, 1, 1], model["u_s"][:, 2, 1] = [10.0, 0.0, 1.0], 2.0  # B activates C, in two of three seeds
    rows = effect_rows(model, made_runs(seeds=(0, 1, 2)), None, TRUTH).set_index("target")
    assert rows["effect"].to_dict() == {"B": -1.0, "C": 0.5} and set(rows["models"]) == {3}
    check("effects", rows.reset_index(), "effects")


def test_of_many_genes_only_known_regulators_are_drawn():
    genes = [f"g{index}" for index in range(101)]
    model, truth = made_model(genes=genes), np.zeros((101, 101))
    model["w_s"][:, 0, 7] = 1
    truth[5, 7] = 1
    for prior, known in ((np.eye(101), truth), (truth, None)):
        effects = effect_rows(model, made_runs(), known, prior)
        assert set(effects.loc[effects["method"] == "dash", "regulator"]) == {"g7"}


def test_a_model_with_broken_weights_gets_no_scores():
    for broken in (1, 0):
        model = made_model()
        model["v"][broken, 0] = np.nan
        scores = score_rows(model, made_runs(), np.eye(3), [np.eye(3)] * 2)
        assert scores["balanced_accuracy"].isna().tolist() == [broken == 0, broken == 1]
        assert set(effect_rows(model, made_runs(), np.eye(3), TRUTH)["models"].dropna()) == {1}
    model["v"][:] = np.nan
    assert effect_rows(model, made_runs(), TRUTH, TRUTH)["method"].tolist() == ["truth"]


def test_a_seed_without_a_run_is_an_error():
    with pytest.raises(InputError, match="0 rows for seed 1"):
        score_rows(made_model(), made_runs(seeds=[0]), np.eye(3), [np.eye(3)] * 2)


def made_expression() -> Expression:
    """Two trajectories: in the first, for validation, a gene grows by 1 per step; in the second, the test, by 2."""
    values = np.zeros((2, 4, 3))
    values[:, :, 0] = [[0, 1, 2, 3], [0, 2, 4, 6]]
    transitions = np.array([(trajectory, step) for trajectory in range(2) for step in range(3)])
    split = np.array(["validation", "test"])[transitions[:, 0]]
    return Expression(np.array(["A", "B", "C"]), values, np.array([np.arange(4.0)] * 2), transitions, split, "h")


def test_controls_have_a_row_per_prior_and_one_for_each_predictor_that_knows_the_truth():
    rows = control_rows(made_expression(), 0.0, [4, 5], [TRUTH, np.zeros((3, 3))], TRUTH).set_index(["method", "seed"])
    assert rows.loc[("prior alone", 4), "balanced_accuracy"] == 1
    assert rows.loc[("prior alone", 5), "balanced_accuracy"] == 0.5
    assert rows.loc[("regulators x all genes", 4), "balanced_accuracy"] == (1 + 6 / 8) / 2
    assert rows.loc[("all genes x targets", 4), "balanced_accuracy"] == (1 + 6 / 8) / 2
    assert rows.loc[("regulators x targets", 4), "balanced_accuracy"] == 1
    assert rows.loc[("persistence", 4), ["test_mse", "validation_mse"]].tolist() == pytest.approx([4 / 3, 1 / 3])
    assert rows["sparsity"].isna().all()
    noisy = control_rows(made_expression(), 0.1, [4, 5], [TRUTH] * 2, TRUTH).set_index(["method", "seed"])
    assert (noisy.loc["persistence", "test_mse"] == rows.loc["persistence", "test_mse"]).all()
    assert noisy.loc["persistence", "test_mse_noisy"].nunique() == 2


def test_the_path_has_a_row_per_snapshot_until_a_model_ends():
    weights = np.zeros((2, 3, 3, 3), dtype=bool)
    weights[:, :, 1, 0] = True
    weights[:, 0] = True  # dense at first
    model = {"chains": np.array([["w"]]), "w": np.zeros((2, 3, 3))}
    path = {
        "seeds": np.array([0, 1]),
        "epochs": np.array([2, 9, 12]),
        **packed.as_arrays(packed.pack({"w": one}) for one in weights.reshape(6, 9)),
        "sparsity": np.array([[0.0, 0.7, 0.8]] * 2),
        "mask_sparsity": np.array([[0.0, 0.7, 0.8]] * 2),
        "validation_mse": np.array([[0.3, 0.2, 0.1], [0.3, 0.2, np.nan]]),
    }
    prior = np.zeros((3, 3))
    prior[2, 2] = 1
    rows = path_rows(path, model, made_runs(), TRUTH, [TRUTH, prior])
    assert list(rows.columns) == TABLES["path"].names()
    assert rows[["seed", "epoch", "edges"]].to_numpy().tolist() == [
        [0, 2, 9],
        [0, 9, 1],
        [0, 12, 1],
        [1, 2, 9],
        [1, 9, 1],
    ]
    assert rows["balanced_accuracy"].tolist() == [0.5, 1, 1, 0.5, 1]
    assert rows["precision"].tolist() == [1 / 9, 1, 1, 1 / 9, 1]
    assert rows.loc[rows["seed"] == 1, "wrong_prior_kept"].tolist() == [1, 0]
    assert rows.loc[rows["seed"] == 1, "recall_outside_prior"].tolist() == [1, 1]
    assert path_rows(path, model, made_runs(), None, [])["balanced_accuracy"].isna().all()


def test_regulators_with_common_targets_are_neighbours():
    genes = [f"g{index}" for index in range(8)]
    prior = np.zeros((8, 8))
    prior[[4, 5, 6], 0] = prior[[4, 5, 6], 2] = 1  # genes 0 and 2 share three targets, 1 and 3 two
    prior[[6, 7], 1] = prior[[6, 7], 3] = 1
    model = made_model(genes=genes)
    model["w_s"][:, 1, [1, 3]] = 0.5
    rows = coregulation_rows(model, made_runs(), prior)
    order = rows.drop_duplicates("regulator").set_index("regulator")["place"]
    assert abs(order["g0"] - order["g2"]) == 1 and abs(order["g1"] - order["g3"]) == 1
    value = rows.set_index(["method", "regulator", "other"])["value"]
    assert value["prior", "g0", "g2"] == 1 and value["prior", "g1", "g3"] == pytest.approx(2 / 3, abs=1e-4)
    assert value["dash", "g1", "g3"] == 0.25 and value["dash", "g0", "g0"] == 1
    assert ("dash", "g0", "g2") not in value.index


def test_published_points_are_shown_only_for_the_same_data_and_noise(root):
    published = pd.read_csv(root / "resources/published/networks.tsv", sep="\t")
    table = network_summaries.sparsity_against_accuracy(made_networks(), published)
    points = table[table["kind"] == "published"].set_index("method")
    assert len(points) == 8
    assert points.loc["dash", ["sparsity", "balanced_accuracy"]].tolist() == [0.946, 0.907]
    for different in ({"noise": 0.05}, {"prior_corruption": 0.2}):
        other = network_summaries.sparsity_against_accuracy(made_networks().assign(**different), published)
        assert "published" not in set(other["kind"])


def test_scores_are_summed_up_over_seeds_per_method():
    table = network_summaries.sparsity_against_accuracy(made_networks(), pd.DataFrame(columns=PUBLISHED)).set_index(
        "method"
    )
    assert table.loc["dash", "models"] == 2
    assert table.loc["dash", "sparsity"] == pytest.approx(0.95)
    assert table.loc["dash", "balanced_accuracy_low"] < table.loc["dash", "balanced_accuracy"]
    assert table.loc["dash", "balanced_accuracy_high"] < 1
    assert table.loc["prior alone", "kind"] == "control"


PUBLISHED = ["dataset", "noise", "method", "quantity", "value", "error", "source", "evidence"]


def made_path() -> pd.DataFrame:
    rows = [(seed, epoch, epoch / 20, 0.6 + seed / 10 + epoch / 100) for seed in (0, 1) for epoch in (2, 9)]
    table = pd.DataFrame(rows, columns=["seed", "epoch", "sparsity", "balanced_accuracy"])
    return table.assign(dataset="SIM350", noise=0.025, prior_corruption=0.05, method="dash")


def test_the_path_is_summed_up_over_seeds_with_the_controls_of_the_same_data():
    other, lasso = made_networks().assign(dataset="other"), made_networks()[:2].assign(method="lasso")
    table = pruning_path.tabulate(made_path(), pd.concat([made_networks(), other, lasso]))
    course = table[table["kind"] == "method"].set_index("epoch")
    assert course["models"].tolist() == [2, 2]
    assert course.loc[9, "balanced_accuracy"] == pytest.approx(0.74)
    assert course.loc[9, "balanced_accuracy_low"] < 0.69 < 0.79 < course.loc[9, "balanced_accuracy_high"]
    assert table.loc[table["kind"] == "control", ["dataset", "method"]].to_numpy().tolist() == [
        ["SIM350", "prior alone"]
    ]
    yardstick = table[table["kind"] == "yardstick"].iloc[0]
    assert yardstick["method"] == "lasso" and yardstick["models"] == 2 and np.isnan(yardstick["sparsity"])
    assert yardstick["balanced_accuracy"] == pytest.approx(lasso["balanced_accuracy"].mean())


def test_recovery_is_summarised_per_corruption_and_only_where_there_is_something_to_recover():
    networks = pd.concat([made_networks().assign(prior_corruption=c, recall_outside_prior=c) for c in (0.1, 0.2)])
    networks = pd.concat([networks, made_networks().assign(prior_corruption=0.0)])
    table = prior_recovery.tabulate(networks)
    assert set(table["quantity"]) == {"recall_outside_prior"} and set(table["method"]) == {"dash", "unpruned"}
    assert table["panel"].unique().tolist() == ["SIM350, noise 0.025"]
    assert table.loc[table["method"] == "dash", ["prior_corruption", "mean"]].to_numpy().tolist() == [
        [0.1] * 2,
        [0.2] * 2,
    ]


def test_of_many_methods_a_few_are_shown_and_of_many_corruptions_one():
    methods = ["truth", "ridge", "b", "a", "c", "dash", "bioprune"]  # two of the papers, three own ones, a yardstick
    rows = [(method, c) for method in methods for c in (0.0, 0.1, 0.2)]
    table = pd.DataFrame(rows, columns=["method", "prior_corruption"]).assign(dataset="d", noise=0.0)
    few = network_summaries.few_of_many(table, "truth")
    assert few["method"].unique().tolist() == ["truth", "b", "a", "dash", "bioprune"]
    assert len(network_summaries.few_of_many(few, "truth")) == len(few)
    assert network_summaries.one_corruption(table)["prior_corruption"].unique().tolist() == [0.1]
    clean = table[table["prior_corruption"] == 0]
    assert len(network_summaries.one_corruption(clean)) == len(clean)


def test_agreement_of_shared_units_is_a_correlation_over_pairs_of_different_regulators():
    same = {"dataset": "d", "noise": 0.0, "prior_corruption": 0.0, "seed": 0}
    values = {"prior": (1.0, 0.5, 0.0), "dash": (0.9, 0.45, 0.0), "sparseflow": (0.0, 0.45, 0.9)}
    pairs = [(0, 1), (0, 2), (1, 2)]
    rows = [(m, *pair, value) for m, own in values.items() for pair, value in zip(pairs, own, strict=True) if value]
    table = pd.DataFrame(rows, columns=["method", "place", "other_place", "value"]).assign(**same)
    table = table.assign(regulator=table["place"].astype(str), other=table["other_place"].astype(str))
    agreement = coregulation.tabulate(table).groupby("method")["agreement"].first()
    assert agreement["dash"] == pytest.approx(1) and agreement["sparseflow"] == pytest.approx(-1)
    assert np.isnan(agreement["prior"])


def test_shared_units_of_a_later_seed_are_compared_with_the_prior_of_that_seed():
    chosen = {0: "abc", 1: "cda"}  # regulators of the priors of both seeds, in their order
    values = {("prior", 0): (1.0, 0.5, 0.2), ("prior", 1): (0.3, 0.1, 1.0)}
    values |= {("dash", 0): values["prior", 0], ("sparseflow", 1): values["prior", 1]}  # the first one failed
    pairs = [(0, 1), (0, 2), (1, 2)]
    rows = [(*key, *pair, value) for key, own in values.items() for pair, value in zip(pairs, own, strict=True)]
    table = pd.DataFrame(rows, columns=["method", "seed", "place", "other_place", "value"])
    for name, place in (("regulator", "place"), ("other", "other_place")):
        table[name] = [chosen[seed][at] for seed, at in zip(table["seed"], table[place], strict=True)]
    found = coregulation.tabulate(table.assign(dataset="d", noise=0.0, prior_corruption=0.1))
    assert found.groupby("method")["agreement"].first().drop("prior").to_list() == pytest.approx([1, 1])
    shown = found[found["method"] == "prior"]
    assert shown["value"].tolist() == [1.0, 0.5, 0.2] and set(shown["regulator"]) == {"a", "b"}


def test_prediction_errors_are_in_units_of_persistence():
    table = network_summaries.prediction_error(made_networks()).set_index(["method", "seed"])
    assert table.loc[("dash", 1), "ratio"] == pytest.approx(0.4)
    assert table.loc[("dash", 1), "ratio_mean"] == pytest.approx(0.3)
    assert len(table) == 3


def test_top_pathways_of_each_method_are_shown_for_all_methods():
    rows = [("dash", "p1", 5.0), ("dash", "p2", 1.0), ("dash", "p3", -1.0)]
    rows += [("sparseflow", "p1", -2.0), ("sparseflow", "p2", 0.5), ("sparseflow", "p3", 3.0)]
    table = pd.DataFrame(rows, columns=["method", "pathway", "z"])
    table = table.assign(dataset="d", noise=0.0, prior_corruption=0.0, control_z=[4, 0, 0, -1, 0, 0])
    table = table.assign(p_tail=[0.001, 1, 1, 1, 1, 1], gsea_p_value=0.5, ora_p_value=[0.01, 1, 1, 1, 1, 1])
    table = table.assign(**{f"control_{name}": 0.5 for name in ("p_tail", "gsea_p_value", "ora_p_value")})
    shown = pathways.tabulate(table, top=1).set_index(["method", "pathway"])
    assert set(shown.index.get_level_values("pathway")) == {"p1", "p3"}
    assert shown.loc[("dash", "p3"), "z"] == 0 and shown.loc[("control", "p1"), "z"] == 4
    assert shown["passed"].to_dict() == dict.fromkeys(shown.index, "") | {("dash", "p1"): "PO"}
    assert shown["row"].groupby("pathway").unique().map(list).to_dict() == {"p1": [0], "p3": [1]}
    passing = table.assign(control_p_tail=[0.01, 1, 1, 1, 1, 1], control_ora_p_value=[1, 1, 1, 0.01, 1, 1])
    shown = pathways.tabulate(passing, top=1).set_index(["method", "pathway"])
    assert shown.loc[("control", "p1"), "passed"] == "PO"  # one letter from each method


def test_the_truth_is_a_staircase_and_enters_once():
    same = {"dataset": "d", "noise": 0.0, "prior_corruption": 0.0, "seed": 0}
    truth = pd.DataFrame({"regulator": ["b", "a", "a"], "target": ["x", "y", "z"], "effect": 1.0, "method": "truth"})
    model = pd.DataFrame({"regulator": ["c"], "target": ["x"], "effect": 0.5, "method": "dash"})
    table = effect_matrices.tabulate(pd.concat([truth, model, truth]).assign(**same))
    assert len(table) == 4
    places = table.drop_duplicates("regulator").set_index("regulator")["regulator_place"]
    assert places.to_dict() == {"a": 0, "b": 1, "c": 2}
    assert table.drop_duplicates("target").set_index("target")["target_place"].to_dict() == {"y": 0, "z": 1, "x": 2}


def test_the_error_of_a_matrix_is_0_of_the_gold_standard_and_root_2_of_what_has_nothing_of_it():
    same = {"dataset": "d", "noise": 0.0, "prior_corruption": 0.0, "seed": 0}
    truth = pd.DataFrame({"regulator": ["a", "b"], "target": ["x", "x"], "effect": [1.0, -1.0], "method": "truth"})
    others = [truth.assign(method="dash", effect=truth["effect"] / 2), truth.iloc[:1].assign(method="bioprune")]
    others += [truth.assign(method="sparseflow", target="y"), truth.assign(method="imp", effect=1.0)]

    def errors(truth):
        table = effect_matrices.tabulate(pd.concat([truth, *others]).assign(**same))
        return table.drop_duplicates("method").set_index("method")["matrix_error"]

    found = errors(truth)
    assert found[["dash", "bioprune", "sparseflow", "imp"]].tolist() == pytest.approx(
        [0, np.sqrt((1 - 0.5**0.5) ** 2 + 0.5), 2**0.5, 2**0.5]
    )
    assert np.isnan(found["truth"])
    unsigned = errors(truth.assign(effect=1.0))  # sizes are compared
    assert unsigned[["dash", "imp"]].tolist() == pytest.approx([0, 0])
