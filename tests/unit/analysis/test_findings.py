"""Findings on fits, networks and pathways: what they say of results whose answer is known."""

import numpy as np
import pandas as pd
import pytest
from made_results import ADAM, FIDES, INF, made, made_networks, made_nominal

from kinetrain.evaluation.findings import findings
from kinetrain.evaluation.network_findings import STRICT
from kinetrain.tables import completed


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
    return completed("fits", pd.DataFrame(rows).assign(**same, status=status))


def made_pathways(method: str, p_tail: float, control: float) -> pd.DataFrame:
    """The planted set and nine others of one method."""
    table = pd.DataFrame({"pathway": ["planted_hubs", *(f"set {number}" for number in range(9))]})
    table = table.assign(dataset="d", noise=0.0, prior_corruption=0.0, method=method, fold=1.0, status="finished")
    tests = dict.fromkeys(("gsea_p_value", "ora_p_value", "control_gsea_p_value", "control_ora_p_value"), 1.0)
    first = table["pathway"] == "planted_hubs"
    return table.assign(
        **tests,
        models=3,
        p_tail=np.where(first, p_tail, 0.5),
        control_p_tail=np.where(first, control, 0.5),
        top_share=1.0 * first,
    )


def of_three_seeds() -> pd.DataFrame:
    """Made networks with a third seed of DASH, between the others, and two more of the unpruned model."""
    networks = made_networks()
    more = [networks.iloc[[0]].assign(seed=2, balanced_accuracy=0.91, test_mse=0.003)]
    more += [networks.iloc[[2]].assign(seed=seed) for seed in (1, 2)]
    return pd.concat([networks, *more], ignore_index=True)


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
    table = findings(nominal=completed("nominal", nominal), fits=completed("fits", fits)).set_index("topic")
    assert table.loc["Distance to the truth", "statement"].startswith("2 of 3 runs of Fides end below")


def test_a_planted_pathway_is_found_where_it_passes_and_its_control_does_not():
    made = [("dash", 1e-6, 0.5), ("unpruned", 0.01, 0.5), ("bioprune", 1e-6, 1e-6)]
    table = findings(pathways=pd.concat([made_pathways(*one) for one in made]))
    planted = table[table["topic"] == "Planted pathway"]
    assert planted["verdict"].tolist() == ["yes", "no", "no"]
    assert "NOT found" in planted["statement"].iloc[1]
    control = table[table["topic"] == "Pathways"]
    assert control["verdict"].tolist() == ["-", "-", "no"]


def test_only_several_models_say_how_stable_pathways_are():
    made = made_pathways("dash", 1e-6, 0.5)
    said = findings(pathways=made).set_index("topic").loc["Stability of pathways", "statement"]
    assert said == "DASH: 1 gene sets are among the top ones in some of 3 models, 1 in at least 80 % of them."
    single = findings(pathways=made.assign(models=1)).set_index("topic")
    assert "Stability of pathways" not in single.index
    assert single.loc[["Pathways", "Planted pathway"], "statement"].str.startswith("DASH (1 model): ").all()


def test_findings_say_plainly_what_is_not_as_hoped():
    nominal = pd.DataFrame({"problem": ["P", "Q"], "objective_nominal": [-53.0, 5.0], "reference": [-53.08378, np.nan]})
    nominal = completed("nominal", nominal)
    table = findings(
        nominal=nominal, fits=made_fits([-66.0, INF]), networks=of_three_seeds(), best_known={"P": -66.58102}
    )
    said = {(row.topic, row.verdict): row.statement for row in table.itertuples()}
    assert "NOT within 0.001" in said[("Import of the model", "no")]
    assert "0.581 above the best value known, -66.58102 (NOT within 0.1)" in said[("Distance to the best known", "no")]
    assert said[("Prediction", "no")].startswith(
        "Persistence (next = now) has a test error of 0.01. A method is better"
    )
    assert said[("Prediction", "no")].endswith("over seeds. NOT better: Unpruned 0.05 ± 0 (ratio 5).")
    assert said[("Prediction", "yes")].endswith("over seeds. Better: DASH 0.003 ± 0.001 (ratio 0.3).")
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
    networks = of_three_seeds()
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
    assert "DASH has a test error of 0.003" in found["undecided"]
    worse = findings(networks=pd.concat([made_networks(), other.assign(balanced_accuracy=[0.95, 0.9701])]))
    assert worse.loc[worse["topic"] == "DASH against SparseFlow", "verdict"].tolist() == ["no", "undecided"]
    single = findings(networks=pd.concat([made_networks(), other]).query("seed == 0"))
    assert set(single.loc[single["topic"] == "DASH against SparseFlow", "verdict"]) == {"undecided"}


def test_an_infinite_error_decides_nothing_and_is_not_left_out():
    other = made_networks().head(2).assign(method="sparseflow", test_mse=[0.005, np.inf])
    table = findings(networks=pd.concat([made_networks(), other]))
    found = table[table["topic"] == "DASH against SparseFlow"]
    assert found["statement"].iloc[1] == (
        "DASH has a test error of 0.003 [4.34e-05, 0.207], SparseFlow ∞: difference -∞ over 2 pairs of the same seed."
    )
    assert found["verdict"].tolist() == ["undecided", "undecided"]
    third = other.tail(1).assign(seed=2, test_mse=0.001)
    table = findings(networks=pd.concat([of_three_seeds(), other, third]))
    said = table.loc[(table["topic"] == "Prediction") & (table["verdict"] == "no"), "statement"].item()
    assert said.endswith("NOT better: Unpruned 0.05 ± 0 (ratio 5), SparseFlow ∞ (ratio ∞).")


@pytest.mark.parametrize("seeds", [1, 2])
def test_one_seed_or_two_decide_nothing(seeds):
    networks = of_three_seeds().assign(auprc=lambda table: table["balanced_accuracy"])
    strict = {name: 0.8 + networks["seed"] / 100 for name in STRICT}
    networks = networks.assign(precision_at_edges=0.5, **strict)
    few = findings(networks=networks[networks["seed"] < seeds]).set_index("topic")
    for topic in ("Prediction", "Network against prior alone", "Rankings"):
        assert few.loc[topic, "verdict"] == "undecided"
        assert "Undecided, of fewer than 3 seeds: Unpruned" in few.loc[topic, "statement"]
    assert set(findings(networks=networks).set_index("topic").loc["Prediction", "verdict"]) == {"yes", "no"}
    for topic in STRICT.values():
        assert few.loc[topic, "verdict"] == ("undecided" if seeds == 1 else "yes")
    alike = findings(networks=networks.assign(**dict.fromkeys(STRICT, 0.8))).set_index("topic")
    for topic in STRICT.values():
        assert alike.loc[topic, "verdict"] == "undecided"
        assert alike.loc[topic, "statement"].endswith(" Undecided, without an interval: Unpruned 0.8, DASH 0.8.")


def test_a_method_that_ties_with_a_predictor_is_not_above_it():
    networks = of_three_seeds()
    prior = networks[networks["method"] == "prior alone"]
    same = [0.08, 0.83, 0.79]  # added up in two ways, their means differ by rounding
    rows = [row.assign(seed=seed, balanced_accuracy=same[seed]) for seed in range(3) for row in (prior, networks[:1])]
    table = pd.concat([networks[networks["method"] == "persistence"], *rows])
    table = table.assign(auprc=table["balanced_accuracy"], precision_at_edges=0.5)
    said = findings(networks=table).set_index("topic")
    assert said.loc[["Network against prior alone", "Rankings"], "verdict"].tolist() == ["no", "no"]


def test_dead_targets_are_those_of_the_seeds_that_are_compared():
    rows = [(treatment, seed) for treatment in ("published", "living") for seed in range(4)]
    networks = pd.DataFrame(rows, columns=["multipliers", "seed"])
    living = networks["multipliers"] == "living"
    networks = networks.assign(
        dataset="own_" + networks["multipliers"], method="dash", noise=0.0, prior_corruption=0.0, status="finished"
    ).assign(test_mse=1e-3 + 1e-4 * living + 1e-5 * networks["seed"] * living, dead_targets=0.0, dead_error_share=0.0)
    lost, other = living & (networks["seed"] == 3), ~living & (networks["seed"] == 3)
    networks.loc[lost, ["status", "test_mse", "dead_targets", "dead_error_share"]] = ["failed", *[np.nan] * 3]
    networks.loc[other, ["dead_targets", "dead_error_share"]] = 40.0, 1.0  # the seed whose other model failed
    said = findings(networks=completed("networks", networks)).set_index("topic").loc["Multipliers of the genes"]
    dead = "0.0 dead targets with 0 % of the error"
    assert said["statement"].endswith(f"over 3 pairs of the same seed; {dead} against {dead}.")


def test_findings_compare_treatments_of_the_multipliers_on_the_same_data():
    rows = [
        (f"own_{treatment}", treatment, method, seed, error * (1 + seed / 100))
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
    assert said[1].startswith("DASH: test error with living multipliers against v 5x: 0.000606 against 0.00131")
    dead = "2.0 dead targets with 50 % of the error"
    assert said[1].endswith(f"over 3 pairs of the same seed; {dead} against {dead}.")
    assert "With v 5x, test error of DASH against SparseFlow: 0.00131 against 0.00121, difference 0.0001" in said[2]
    networks["test_mse"] = networks["test_mse"].mask(
        networks["multipliers"].eq("living") & (networks["method"] == "dash")
    )
    table = findings(networks=completed("networks", networks)).set_index("topic").loc["Multipliers of the genes"]
    assert table["verdict"].tolist() == ["yes", "-", "no", "-"]  # every living model of DASH failed
    assert table["statement"].iloc[1].endswith("against v 5x: there is no seed with both.")
    assert table["statement"].iloc[3].endswith("against SparseFlow: there is no seed with both.")


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
    failed = networks.head(1).assign(seed=2, status="failed", balanced_accuracy_outside_prior=np.nan)
    table = findings(networks=pd.concat([networks, failed])).set_index("topic")
    assert "DASH 0.615 [0.55, 0.676] from 2 of 3 seeds (35 %" in table.loc["Outside the prior", "statement"]
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


@pytest.mark.parametrize(("reference", "place"), [(7.0, 0), (5.0, -3)])
def test_a_check_stands_first_where_it_found_something_wrong_and_else_last(reference, place):
    nominal = made_nominal(truth=5.0).assign(reference=reference)
    found = findings(nominal=nominal, fits=made({ADAM: 1.0, FIDES: 2.0}))
    assert found["topic"].iloc[place] == "Import of the model"
    assert found["topic"].tolist()[-2:] == ["Failed runs", "Relaxed solves"]


def test_findings_of_nothing_are_an_empty_table():
    assert findings().empty
    assert findings(fits=made_fits([]), networks=made_networks().head(0)).empty
