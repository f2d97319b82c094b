"""Findings on neural models against ordinary network inference follow from the tables alone."""

import numpy as np
import pandas as pd
import pytest

from kinetrain.evaluation.findings import findings
from kinetrain.evaluation.yardstick_findings import TOPIC, comparisons
from kinetrain.tables import completed


def made_networks(scores: dict, dataset="d", persistence=1.0, seeds=range(4)) -> pd.DataFrame:
    """Rows of every method, whose AUPRC and test error wobble by the seed; scores: {method: (prior, auprc, error)}."""
    rows = [
        {"method": method, "uses_prior": prior, "seed": seed}
        | {"auprc": auprc * (1 + seed / 1000), "test_mse": error * (1 + seed / 1e5)}
        for method, (prior, auprc, error) in scores.items()
        for seed in seeds
    ]
    rows += [{"method": "persistence", "uses_prior": "no", "seed": seed, "test_mse": persistence} for seed in seeds]
    level = {"dataset": dataset, "noise": 0.0, "prior_corruption": 0.0, "status": "finished"}
    return completed("networks", pd.DataFrame(rows).assign(**level, balanced_accuracy=np.nan))


def test_the_best_of_each_kind_are_compared_among_those_with_the_same_knowledge():
    scores = {"unpruned": ("no", 0.5, 0.3), "sparseflow": ("no", 0.4, 0.1), "dash": ("yes", 0.6, 0.3)}
    scores |= {"lasso": ("no", 0.7, 0.2), "ridge": ("no", 0.2, 0.6), "lasso_prior": ("yes", 0.55, 0.3)}
    table = comparisons(made_networks(scores)).set_index(["knowledge", "quantity"])
    assert table.loc[("no", "auprc"), ["neural", "yardstick", "outcome"]].tolist() == ["unpruned", "lasso", "worse"]
    assert table.loc[("yes", "auprc"), ["neural", "yardstick", "outcome"]].tolist() == ["dash", "lasso_prior", "better"]
    # a lower error is better
    assert table.loc[("no", "test_mse"), ["neural", "yardstick"]].tolist() == ["sparseflow", "lasso"]
    assert table.loc[("no", "test_mse"), "outcome"] == "better"
    assert table.loc[("yes", "test_mse"), "outcome"] == "undecided"


def test_what_neural_models_add_is_said_over_all_data_sets_and_for_each():
    lead = {"unpruned": ("no", 0.8, 0.1), "lasso": ("no", 0.7, 0.2)}
    behind = {"unpruned": ("no", 0.5, 0.3), "lasso": ("no", 0.7, 0.2)}
    said = findings(networks=pd.concat([made_networks(lead, "a"), made_networks(behind, "b")]))
    said = said[said["topic"] == TOPIC].set_index("subject")
    everywhere = said.loc["all data sets", "statement"].tolist()
    assert everywhere[0] == (
        "Without a prior, in AUPRC the best neural model against the best yardstick is better on 1 of 2 (a), worse on "
        "1 of 2 (b)."
    )
    assert said.loc["all data sets", "verdict"].tolist() == ["-", "-"]  # decided on both, in opposite ways
    assert said.loc[["a", "b"], "verdict"].tolist() == ["yes", "no"]
    alone = findings(networks=made_networks(lead, "a"))
    assert alone.loc[alone["topic"] == TOPIC, "subject"].tolist() == ["a"]


def test_one_data_set_of_many_does_not_decide():
    lead = made_networks({"unpruned": ("no", 0.8, 0.1), "lasso": ("no", 0.7, 0.2)}, "lead")
    level = [made_networks({"unpruned": ("no", 0.5, 0.2), "lasso": ("no", 0.5, 0.2)}, name) for name in "abcd"]
    for number, verdict in ((4, "undecided"), (0, "yes")):
        said = findings(networks=pd.concat([lead, lead.assign(dataset="again"), *level[:number]]))
        said = said[(said["topic"] == TOPIC) & (said["subject"] == "all data sets")]
        assert set(said["verdict"]) == {verdict} and said["statement"].str.contains("better on 2 of").all()


def test_a_single_seed_decides_nothing():
    table = comparisons(made_networks({"dash": ("no", 0.9, 0.1), "lasso": ("no", 0.1, 0.9)}, seeds=[0]))
    assert set(table["outcome"]) == {"undecided"}


def test_means_are_those_of_the_seeds_whose_difference_is_told():
    networks = made_networks({"dash": ("no", 0.5, 0.1), "lasso": ("no", 0.4, 0.2)})
    networks.loc[(networks["method"] == "dash") & (networks["seed"] == 3), ["status", "auprc"]] = ["failed", np.nan]
    networks.loc[(networks["method"] == "lasso") & (networks["seed"] == 3), "auprc"] = 1.0
    row = comparisons(networks).set_index("quantity").loc["auprc"]
    assert row["outcome"] == "better" and row["pairs"] == 3
    assert row["second"] == pytest.approx(0.4004)
    assert row["first"] - row["second"] == pytest.approx(row["difference"])


def with_one_seed(networks: pd.DataFrame, method: str, **values) -> pd.DataFrame:
    """The networks with all seeds of a method failed but the first, which has `values`."""
    first, lost = (networks["method"] == method) & (networks["seed"] == 0), (networks["method"] == method)
    networks.loc[first, list(values)] = list(values.values())
    networks.loc[lost & ~first, ["status", "auprc", "precision_at_edges", "test_mse"]] = ["failed", *[np.nan] * 3]
    return networks


def test_one_seed_that_finished_makes_no_best_method():
    scores = {"sparseflow": ("no", 0.4, 0.3), "unpruned": ("no", 0.5, 0.2), "lasso": ("no", 0.45, 0.25)}
    networks = with_one_seed(made_networks(scores), "sparseflow", auprc=0.9, test_mse=0.1)
    table = comparisons(networks).set_index("quantity")
    assert table["neural"].tolist() == ["unpruned", "unpruned"] and table["pairs"].tolist() == [4, 4]
    alone = findings(networks=networks[networks["method"] != "unpruned"])
    assert alone.loc[alone["topic"] == TOPIC, "statement"].item() == (
        "Without a prior, the best neural model against the best yardstick is undecided in AUPRC (SparseFlow (1 of 4 "
        "seeds) 0.9, Lasso 0.45, difference 0.45, 1 seed), test error (SparseFlow (1 "
        "of 4 seeds) 0.1, Lasso 0.25, difference -0.15, 1 seed)."
    )


def test_one_seed_better_than_no_change_does_not_hide_that_nothing_else_is():
    scores = {"sparseflow": ("no", 0.4, 3.0), "unpruned": ("no", 0.5, 2.0), "lasso": ("no", 0.45, 4.0)}
    said = findings(networks=with_one_seed(made_networks(scores), "sparseflow", test_mse=0.5)).set_index("topic")
    assert said.loc["Not better than next = now", "statement"] == (
        "NO method but SparseFlow (1 of 4 seeds) predicts better than that nothing changes (next = now): the best of "
        "the others, Unpruned, has 2 times its test error."
    )


def test_means_over_some_of_the_seeds_say_of_how_many():
    scores = {"sparseflow": ("no", 0.4, 0.3), "unpruned": ("no", 0.5, 0.2)}
    networks = made_networks(scores).assign(precision_at_edges=0.25)
    prior = networks.head(4).assign(method="prior alone", auprc=0.1, test_mse=np.nan)
    networks = pd.concat([networks, prior]).assign(balanced_accuracy=lambda table: table["auprc"])
    networks.loc[(networks["method"] == "sparseflow") & (networks["seed"] > 0), "balanced_accuracy"] = np.nan
    said = findings(networks=with_one_seed(networks.reset_index(drop=True), "sparseflow")).set_index("topic")[
        "statement"
    ]
    found = {
        "Prediction": ("Better: Unpruned 0.2 ± 3e-06 (ratio 0.2)", "SparseFlow 0.3 (ratio 0.3; 1 of 4 seeds)"),
        "Rankings": ("Above it: Unpruned 0.501 (25 %)", "SparseFlow 0.4 (25 %; 1 of 4 seeds)"),
        "Network against prior alone": ("Above it: Unpruned (0.501)", "SparseFlow (0.400; 1 of 4 seeds)"),
    }
    for topic, (good, few) in found.items():
        assert said[topic].iloc[0].endswith(f" {good}.")
        assert said[topic].iloc[1].endswith(f" Undecided, of fewer than 3 seeds: {few}.")


def test_data_on_which_everything_is_worse_than_that_nothing_changes_come_first():
    worse = made_networks({"dash": ("yes", 0.5, 2.0), "lasso": ("no", 0.5, 3.0)}, "measured", persistence=1.0)
    half = made_networks({"dash": ("yes", 0.5, 2.0), "lasso": ("no", 0.5, 0.5)}, "simulated", persistence=1.0)
    fine = made_networks({"dash": ("yes", 0.5, 0.2), "lasso": ("no", 0.5, 0.5)}, "easy", persistence=1.0)
    said = findings(networks=pd.concat([fine, half, worse]))
    assert (said["topic"] == "Not better than next = now").tolist() == [True, True] + [False] * (len(said) - 2)
    first = said.iloc[:2].set_index("subject")
    assert first.loc["measured", "statement"] == (
        "NO method predicts better than that nothing changes (next = now): the best, DASH, has 2 times its test error."
    )
    assert "NO neural model" in first.loc["simulated", "statement"] and (first["verdict"] == "no").all()
    few = findings(networks=worse[worse["seed"] < 2]).iloc[0]
    assert few["verdict"] == "undecided" and few["statement"].endswith("error. Fewer than 3 seeds decide nothing.")


def test_where_every_neural_model_failed_the_first_findings_say_so():
    networks = made_networks({"dash": ("yes", 0.5, 0.2), "sparseflow": ("no", 0.5, 0.2), "lasso": ("no", 0.5, 0.5)})
    failed = (networks["method"] == "dash").to_numpy()
    networks.loc[failed, ["status", "auprc", "test_mse"]] = ["failed", np.nan, np.nan]
    said = findings(networks=networks)
    said = said[said["topic"] == TOPIC].set_index("subject").loc["d"]
    assert said["statement"].tolist()[-1] == (
        "With the prior, EVERY neural model failed (DASH): there is nothing to compare."
    )
    assert said["verdict"].tolist()[-1] == "no" and "SparseFlow" in said["statement"].iloc[0]


def test_what_is_left_out_is_reported_and_no_failed_model():
    networks = made_networks({"dash": ("yes", 0.5, 0.2), "lasso": ("no", 0.5, 0.5)})
    gone = networks.head(1).assign(method="extra_trees", status="left out", reason="too many genes", auprc=np.nan)
    said = findings(networks=pd.concat([networks, gone])).set_index("topic")["statement"]
    assert said["Left out"] == "Extra trees: too many genes."
    assert said["Failed runs"] == "None of 4 models failed."
