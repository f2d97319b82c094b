"""What the models of a method agree on over seeds: the edges that they share, and the genes that act most on others."""

from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from kinetrain.evaluation.consensus import consensus, graphml
from kinetrain.evaluation.findings import findings
from kinetrain.evaluation.regulators import regulators
from kinetrain.tables import check

CHAINS = np.array([["w", "u"]])


def model_of(networks) -> dict:
    """Return models of three genes whose effects [target, regulator] are the given matrices."""
    networks = np.asarray(networks, dtype=float)
    identity = np.broadcast_to(np.eye(networks.shape[-1]), networks.shape)
    genes = np.array(["A", "B", "C", "D"])[: networks.shape[-1]]
    return {"w": identity, "u": networks, "chains": CHAINS, "genes": genes, "seeds": np.arange(len(networks))}


def runs_of(count: int) -> pd.DataFrame:
    return pd.DataFrame({"seed": range(count)}).assign(dataset="d", method="dash", noise=0.0, prior_corruption=0.0)


def edge(target: int, regulator: int, effect: float) -> np.ndarray:
    network = np.zeros((3, 3))
    network[target, regulator] = effect
    return network


ALL, MOST_OF_THEM, FEW = edge(1, 0, 2.0), edge(2, 1, -1.0), edge(0, 2, 0.5)


def test_edges_have_the_sign_frequency_and_median_effect_of_the_models():
    found = consensus(model_of([ALL + MOST_OF_THEM, ALL + MOST_OF_THEM + FEW, ALL]), runs_of(3))
    check("consensus", found, "test")
    assert found[["regulator", "target", "sign"]].to_numpy().tolist() == [["A", "B", 1], ["B", "C", -1]]
    assert found["frequency"].tolist() == pytest.approx([1, 2 / 3])
    assert found["median_effect"].tolist() == pytest.approx([1, -0.5])


def test_models_that_disagree_on_a_sign_say_so():
    found = consensus(model_of([ALL, ALL, -ALL]), runs_of(3))
    assert found["sign"].tolist() == [1] and found["sign_agreement"].tolist() == pytest.approx([2 / 3])


def test_a_model_that_failed_does_not_count():
    found = consensus(model_of([ALL, np.full((3, 3), np.nan)]), runs_of(2))
    assert found["models"].tolist() == [1] and found["frequency"].tolist() == [1]
    assert consensus(model_of([np.full((3, 3), np.nan)]), runs_of(1)).empty


def test_only_the_strongest_edges_are_kept():
    random = np.random.default_rng(0).normal(size=(2, 4, 4))
    found = consensus(model_of(random), runs_of(2), most=3)
    assert len(found) == 3
    assert found["median_effect"].abs().is_monotonic_decreasing


def test_graphml_holds_genes_and_directed_edges():
    root = ElementTree.fromstring(graphml(consensus(model_of([ALL]), runs_of(1))))
    space = "{http://graphml.graphdrawing.org/xmlns}"
    (found,) = root.iter(f"{space}edge")
    assert (found.get("source"), found.get("target")) == ("A", "B")
    assert {data.get("key"): data.text for data in found}["sign"] == "1"
    assert [node.get("id") for node in root.iter(f"{space}node")] == ["A", "B"]


LEVEL = {"dataset": "d", "method": "dash", "noise": 0.0, "prior_corruption": 0.0}


def influence_of(*models) -> pd.DataFrame:
    """Return the influences of the genes A, B, ... of some models, each gene with two targets if it has any."""
    rows = [
        {"seed": seed, "gene": gene, "influence": value, "targets": 2 * (value > 0)}
        for seed, values in enumerate(models)
        for gene, value in zip("ABCD", values, strict=True)
    ]
    return pd.DataFrame(rows)


def test_regulators_are_ranked_by_their_mean_influence_over_the_models_that_did_not_diverge():
    found = regulators(influence_of([0.1, 0.4, 0.0, 0.2], [0.5, 0.4, 0.0, 0.0], [np.nan] * 4)).assign(**LEVEL)
    check("regulators", found, "test")
    assert found[["place", "gene", "models"]].to_numpy().tolist() == [[1, "B", 2], [2, "A", 2], [3, "D", 2]]
    assert found["influence"].tolist() == pytest.approx([0.4, 0.3, 0.1]) and found["lowest"].tolist() == [0.4, 0.1, 0]
    assert found["top_share"].tolist() == [0.5, 0.5, 0] and found["targets"].tolist() == [2, 2, 1]
    assert regulators(influence_of([np.nan] * 4)).empty and len(regulators(influence_of([4, 3, 2, 1]), most=2)) == 2


def test_findings_say_how_far_seeds_agree_and_who_acts_most():
    edges = consensus(model_of([ALL + MOST_OF_THEM, ALL + MOST_OF_THEM, ALL]), runs_of(3))
    genes = regulators(influence_of([0.1, 0.4, 0.0, 0.2], [0.5, 0.45, 0.0, 0.0])).assign(**LEVEL)
    said = findings(consensus=edges, regulators=genes).set_index("topic")["statement"]
    assert said["Stability of networks"] == (
        "DASH: of the 2 strongest edges that at least half of 3 models have, all models have 1, with one sign."
    )
    assert said["Regulators"].startswith("DASH (fewer than 3 models): the most influence, as the mean of 2 models,")
    assert "have B (0.425; among the highest in 1), A (0.3; among the highest in 1), D" in said["Regulators"]
    single = consensus(model_of([ALL]), runs_of(1))
    assert findings(consensus=single).empty
