"""From result tables to figure tables and statements."""

import numpy as np
import pandas as pd
import pytest

from kinetrain.data.expression import Expression
from kinetrain.errors import InputError
from kinetrain.evaluation import network_summaries
from kinetrain.evaluation.findings import findings
from kinetrain.evaluation.networks import (
    control_rows,
    coregulation_rows,
    effect_rows,
    path_rows,
    score_rows,
)
from kinetrain.evaluation.statistics import POSITIVE, SHARE, mean_interval
from kinetrain.figures import coregulation, effect_matrices, pathways, prior_recovery, pruning_path
from kinetrain.report.html import cell, page
from kinetrain.tables import TABLES, check, completed

INF = float("inf")


def made_fits(objectives, problem="P", optimizer="fides", replicate=0) -> pd.DataFrame:
    rows = {"start": range(len(objectives)), "objective": objectives}
    status = ["failed" if value == INF else "finished" for value in objectives]
    same = {"problem": problem, "optimizer": optimizer, "schedule": "-", "batch_size": 6, "replicate": replicate}
    same |= {
        "safeguard": "-",
        "conditions": 6,
        "gradient_solves": 12,
        "value_solves": 0,
        "cost": 60,
        "cpu_seconds": 1.0,
    }
    return pd.DataFrame(rows).assign(**same, status=status)


def made_networks() -> pd.DataFrame:
    same = {"dataset": "SIM350", "noise": 0.025, "prior_corruption": 0.05, "status": "finished"}
    rows = [
        {"method": "dash", "seed": 0, "sparsity": 0.94, "balanced_accuracy": 0.90, "test_mse": 0.002},
        {"method": "dash", "seed": 1, "sparsity": 0.96, "balanced_accuracy": 0.92, "test_mse": 0.004},
        {"method": "unpruned", "seed": 0, "sparsity": 0.1, "balanced_accuracy": 0.58, "test_mse": 0.05},
        {"method": "prior alone", "seed": 0, "balanced_accuracy": 0.97},
        {"method": "persistence", "seed": 0, "test_mse": 0.01},
    ]
    return completed("networks", pd.DataFrame(rows).assign(**same))


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


def test_of_many_genes_only_known_regulators_are_drawn():
    genes = [f"g{index}" for index in range(101)]
    model, truth = made_model(genes=genes), np.zeros((101, 101))
    model["w_s"][:, 0, 7] = 1
    truth[5, 7] = 1
    for prior, known in ((np.eye(101), truth), (truth, None)):
        effects = effect_rows(model, made_runs(), known, prior)
        assert set(effects.loc[effects["method"] == "dash", "regulator"]) == {"g7"}


def test_a_model_with_broken_weights_gets_no_scores():
    for broken, kept in ((1, 0), (0, 1)):
        model = made_model()
        model["v"][broken, 0] = np.nan
        scores = score_rows(model, made_runs(), np.eye(3), [np.eye(3)] * 2)
        assert scores["balanced_accuracy"].isna().tolist() == [broken == 0, broken == 1]
        assert set(effect_rows(model, made_runs(), np.eye(3), TRUTH)["seed"]) == {kept}
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
    networks = np.zeros((2, 3, 3, 3), dtype=bool)
    networks[:, :, 1, 0] = True
    networks[:, 0] = True  # dense at first
    path = {
        "seeds": np.array([0, 1]),
        "epochs": np.array([2, 9, 12]),
        "edges": np.packbits(networks.reshape(2, 3, 9), axis=-1),
        "sparsity": np.array([[0.0, 0.7, 0.8]] * 2),
        "mask_sparsity": np.array([[0.0, 0.7, 0.8]] * 2),
        "validation_mse": np.array([[0.3, 0.2, 0.1], [0.3, 0.2, np.nan]]),
    }
    prior = np.zeros((3, 3))
    prior[2, 2] = 1
    rows = path_rows(path, made_runs(), TRUTH, [TRUTH, prior])
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
    assert path_rows(path, made_runs(), None, [])["balanced_accuracy"].isna().all()


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


def test_the_interval_of_a_mean_is_that_of_student():
    mean, low, high = mean_interval([1.0, 2.0, 3.0, np.nan])
    assert mean == 2 and high - mean == pytest.approx(4.302653 / np.sqrt(3)) and low == 4 - high
    assert mean_interval([5.0])[0] == 5 and np.isnan(mean_interval([5.0])[1:]).all()
    assert np.isnan(mean_interval([])).all()


@pytest.mark.parametrize("values", [[0.99, 1.0], [0.0, 0.001, 0.3], [0.5, 0.6, 0.7], [0.0, 1.0]])
def test_the_interval_of_a_share_stays_between_nothing_and_all(values):
    mean, low, high = mean_interval(values, scale=SHARE)
    assert 0 <= low < mean < high <= 1
    plain, mirrored = mean_interval(values), mean_interval([1 - value for value in values], scale=SHARE)
    assert mean == plain[0] and (1 - mirrored[2], 1 - mirrored[1]) == pytest.approx((low, high))


def test_an_interval_on_another_scale_is_that_of_student_where_the_ends_are_far():
    shares, errors = np.array([0.5, 0.501, 0.502]), np.array([3.0, 3.001, 3.002])
    assert mean_interval(shares, scale=SHARE) == pytest.approx(mean_interval(shares), abs=1e-5)
    assert mean_interval(errors, scale=POSITIVE) == pytest.approx(mean_interval(errors), abs=1e-5)
    mean, low, high = mean_interval([0.1, 2.0], scale=POSITIVE)
    assert 0 < low < mean < high and low * high == pytest.approx(mean**2)
    assert mean_interval([1.0, 1.0, 1.0], scale=SHARE) == (1, 1, 1)
    assert np.isnan(mean_interval([0.5], scale=SHARE)[1:]).all()


def test_a_share_above_one_is_an_error_of_ours():
    with pytest.raises(ValueError, match="beyond the scale 0 to 1"):
        mean_interval([50.0, 60.0], scale=SHARE)


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
    rows = [(method, c) for method in ["truth", "a", "b", "c", "d", "dash", "bioprune"] for c in (0.0, 0.1, 0.2)]
    table = pd.DataFrame(rows, columns=["method", "prior_corruption"]).assign(dataset="d", noise=0.0)
    few = network_summaries.few_of_many(table, "truth")
    assert few["method"].unique().tolist() == ["truth", "dash", "bioprune"]
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


def test_prediction_errors_are_in_units_of_persistence():
    table = network_summaries.prediction_error(made_networks()).set_index(["method", "seed"])
    assert table.loc[("dash", 1), "ratio"] == pytest.approx(0.4)
    assert table.loc[("dash", 1), "ratio_mean"] == pytest.approx(0.3)
    assert len(table) == 3


def test_runs_that_end_near_the_truth_of_artificial_data_are_counted():
    nominal = pd.DataFrame(
        {
            "problem": ["P", "P", "Q"],
            "replicate": [0, 1, 0],
            "objective_nominal": [-50.0, 0.0, -50.0],
            "reference": np.nan,
            "data": ["artificial", "artificial", "measured"],
        }
    )
    fits = pd.DataFrame(
        {
            "problem": ["P", "P", "P", "Q"],
            "replicate": [0, 0, 1, 0],
            "optimizer": "fides",
            "schedule": "-",
            "batch_size": 6,
            "safeguard": "-",
            "conditions": 6,
            "start": [0, 1, 0, 0],
            "objective": [-40.0, -39.0, -1.0, -60.0],
            "status": "finished",
        }
    )
    table = findings(nominal, fits).set_index("topic")
    assert table.loc["Distance to the truth", "statement"].startswith("2 of 3 runs of Fides end below")


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


def made_pathways(method: str, p_tail: float, control: float) -> pd.DataFrame:
    """The planted set and nine others of one method."""
    table = pd.DataFrame({"pathway": ["planted_hubs", *(f"set {number}" for number in range(9))]})
    table = table.assign(dataset="d", noise=0.0, prior_corruption=0.0, method=method, fold=1.0, status="finished")
    tests = dict.fromkeys(("gsea_p_value", "ora_p_value", "control_gsea_p_value", "control_ora_p_value"), 1.0)
    first = table["pathway"] == "planted_hubs"
    return table.assign(
        **tests,
        p_tail=np.where(first, p_tail, 0.5),
        control_p_tail=np.where(first, control, 0.5),
        top_share=1.0 * first,
    )


def test_a_planted_pathway_is_found_where_it_passes_and_its_control_does_not():
    made = [("dash", 1e-6, 0.5), ("unpruned", 0.01, 0.5), ("bioprune", 1e-6, 1e-6)]
    table = findings(pathways=pd.concat([made_pathways(*one) for one in made]))
    planted = table[table["topic"] == "Planted pathway"]
    assert planted["verdict"].tolist() == ["yes", "no", "no"]
    assert "NOT found" in planted["statement"].iloc[1]
    control = table[table["topic"] == "Pathways"]
    assert control["verdict"].tolist() == ["-", "-", "no"]


def test_the_truth_is_a_staircase_and_enters_once():
    same = {"dataset": "d", "noise": 0.0, "prior_corruption": 0.0, "seed": 0}
    truth = pd.DataFrame({"regulator": ["b", "a", "a"], "target": ["x", "y", "z"], "effect": 1.0, "method": "truth"})
    model = pd.DataFrame({"regulator": ["c"], "target": ["x"], "effect": 0.5, "method": "dash"})
    table = effect_matrices.tabulate(pd.concat([truth, model, truth]).assign(**same))
    assert len(table) == 4
    places = table.drop_duplicates("regulator").set_index("regulator")["regulator_place"]
    assert places.to_dict() == {"a": 0, "b": 1, "c": 2}
    assert table.drop_duplicates("target").set_index("target")["target_place"].to_dict() == {"y": 0, "z": 1, "x": 2}


def test_findings_say_plainly_what_is_not_as_hoped():
    nominal = pd.DataFrame({"problem": ["P", "Q"], "objective_nominal": [-53.0, 5.0], "reference": [-53.08378, np.nan]})
    table = findings(nominal, made_fits([-66.0, INF]), made_networks(), None, {"P": -66.58102})
    said = {(row.topic, row.verdict): row.statement for row in table.itertuples()}
    assert "NOT within 0.001" in said[("Import of the model", "no")]
    assert "0.581 above the best value known, -66.58102 (NOT within 0.1)" in said[("Distance to the best known", "no")]
    assert said[("Prediction", "no")].endswith("has a test error of 0.01. NOT better: Unpruned 0.05 ± 0 (ratio 5).")
    assert said[("Prediction", "yes")].endswith("over seeds: DASH 0.003 ± 0.001 (ratio 0.3).")
    prior = "a balanced accuracy of 0.970. NOT above it: Unpruned (0.580), DASH (0.910)."
    assert said[("Network against prior alone", "no")].endswith(prior)
    assert "1 of 2 fits failed" in said[("Failed runs", "no")]
    assert "Q" not in set(table["subject"])


def test_findings_compare_the_medians_of_the_optimizers():
    adam = {"optimizer": "adam_balanced", "schedule": "S3", "batch_size": 4, "safeguard": "rescue"}
    pooled = [made_fits([-517.0, -520.0]), made_fits([-510.0], replicate=1)]
    table = findings(fits=pd.concat([*pooled, made_fits([800.0, 700.0, INF]).assign(**adam)]))
    said = table[table["topic"] == "Medians of the optimizers"].squeeze()
    one = (
        "The median of 3 runs of Fides, full batch ends at -517, that of 3 of Adam (balanced), S3, batch 4, rescue at "
    )
    assert said["statement"] == one + "800: 1317 lower."
    assert (said["value"], said["reference"], said["verdict"]) == (-517, 800, "-")
    failed = findings(fits=pd.concat([*pooled, made_fits([INF, INF, 1.0]).assign(**adam)]))
    assert "that of 3 of Adam (balanced), S3, batch 4, rescue is a failed run." in " ".join(failed["statement"])
    assert "Medians of the optimizers" not in set(findings(fits=pooled[0])["topic"])


@pytest.mark.parametrize("control", ["regulators x all genes", "regulators x targets"])
def test_findings_name_the_methods_that_are_above_a_predictor_and_those_that_are_not(control):
    networks = made_networks()
    row = networks.iloc[[3]].assign(method=control, balanced_accuracy=0.8)
    table = findings(networks=pd.concat([networks, row]))
    found = table[table["topic"] == f"Network against {control.replace(' x ', ' × ')}"].set_index("verdict")[
        "statement"
    ]
    assert found["yes"].endswith("a balanced accuracy of 0.800. Above it: DASH (0.910).")
    assert found["no"].endswith("NOT above it: Unpruned (0.580).")


def test_findings_count_models_that_failed_or_diverged_late_and_name_their_methods():
    networks = made_networks()
    assert "None of 3 models failed." in findings(networks=networks)["statement"].tolist()
    networks.loc[:2, "status"] = ["failed", "failed", "diverged"]
    said = findings(networks=networks).set_index("topic").loc["Failed runs", ["statement", "verdict"]]
    assert said.to_numpy().tolist() == [
        ["2 of 3 models (DASH 2) failed.", "no"],
        ["1 of 3 models (Unpruned 1) diverged late: their best models from before count.", "no"],
    ]


def test_findings_compare_methods_by_pairs_of_the_same_seed():
    other = (
        made_networks().head(2).assign(method="sparseflow", balanced_accuracy=[0.70, 0.71], test_mse=[0.005, 0.0031])
    )
    table = findings(networks=pd.concat([made_networks(), other]))
    found = table[table["topic"] == "DASH against SparseFlow"].set_index("verdict")["statement"]
    assert "DASH has a balanced accuracy of 0.91 [0.682, 0.979], SparseFlow 0.705" in found["yes"]
    assert "difference 0.205 [0.141, 0.269] over 2 pairs of the same seed." in found["yes"]
    assert "DASH has a test error of 0.003" in found["no"]
    single = findings(networks=pd.concat([made_networks(), other]).query("seed == 0"))
    assert set(single.loc[single["topic"] == "DASH against SparseFlow", "verdict"]) == {"-"}


def test_findings_compare_treatments_of_the_multipliers_on_the_same_data():
    rows = [
        (f"own_{treatment}", treatment, method, seed, error + 1e-5 * seed)
        for treatment, method, error in (
            ("published", "dash", 1.3e-3),
            ("published", "sparseflow", 1.2e-3),
            ("living", "dash", 0.6e-3),
            ("living", "sparseflow", 0.8e-3),
        )
        for seed in range(3)
    ]
    networks = pd.DataFrame(rows, columns=["dataset", "multipliers", "method", "seed", "test_mse"])
    same = {"noise": 0.0, "prior_corruption": 0.0, "status": "finished", "balanced_accuracy": 0.9}
    networks = networks.assign(**same, dead_targets=2.0, dead_error_share=0.5)
    living = networks[networks["multipliers"] == "living"]
    alone = living.assign(dataset="another_living")  # nothing to compare with
    table = findings(networks=completed("networks", pd.concat([networks, alone])))
    found = table[table["topic"] == "Multipliers of the genes"]
    assert found["subject"].tolist() == ["own"] * 4 and found["verdict"].tolist() == ["yes", "yes", "no", "yes"]
    said = found["statement"].tolist()
    assert said[1].startswith("DASH: test error with living multipliers against v 5x: 0.00061 against 0.00131")
    dead = "2.0 dead targets with 50 % of the error"
    assert said[1].endswith(f"over 3 pairs of the same seed; {dead} against {dead}.")
    assert "With v 5x, test error of DASH against SparseFlow: 0.00131 against 0.00121, difference 0.0001" in said[2]


def test_findings_say_who_is_better_than_chance_outside_the_prior():
    networks = made_networks().assign(
        balanced_accuracy_outside_prior=[0.61, 0.62, np.nan, 0.5, np.nan],
        recall_outside_prior=[0.3, 0.4, np.nan, 0, np.nan],
        wrong_prior_kept=[0.8, 0.9, np.nan, 1, np.nan],
    )
    table = findings(networks=networks)
    found = table[table["topic"] == "Outside the prior"].squeeze()
    assert found["verdict"] == "yes"
    assert "DASH 0.615 [0.55, 0.676] (35 % of the true edges there, 85 % of the prior's wrong" in found["statement"]
    worse = networks.assign(balanced_accuracy_outside_prior=[0.45, 0.62, np.nan, 0.5, np.nan])
    table = findings(networks=worse).set_index("topic")
    assert table.loc["Outside the prior", "verdict"] == "no"


def test_findings_have_the_published_values_of_the_same_data(root):
    published = pd.read_csv(root / "resources/published/networks.tsv", sep="\t")
    table = findings(networks=made_networks(), published=published)
    said = table.loc[table["topic"] == "Against the published values", "statement"].tolist()
    assert len(said) == 2
    assert "DASH: balanced accuracy 0.910 at sparsity 0.950; published 0.907 at 0.946" in said[0]


def test_findings_say_where_nothing_is_set_apart_for_a_test():
    table = findings(networks=made_networks().assign(test_mse=np.nan))
    said = table[table["topic"] == "Prediction"]
    assert said["statement"].tolist() == ["No transitions are held out for a test, so no prediction is judged."]


def test_findings_of_nothing_are_an_empty_table():
    assert findings().empty
    assert findings(fits=made_fits([]), networks=made_networks().head(0)).empty


@pytest.mark.parametrize(
    ("value", "text"),
    [(-66.581023, "-66.58"), (INF, "∞"), (np.nan, ""), (4000000, "4000000"), (1.5e-7, "1.500e-07"), (True, "yes")],
)
def test_numbers_in_pages_have_four_digits(value, text):
    assert cell(value) == text


def test_a_page_marks_failed_rows_and_escapes_text():
    text = page(pd.DataFrame({"name": ["<b>", "x"], "status": ["failed", "finished"]}), "T & U", "One.\n\nTwo.", [1, 0])
    assert text.count('<tr class="bad">') == 1
    assert "&lt;b&gt;" in text and "T &amp; U" in text and "<p>Two.</p>" in text
