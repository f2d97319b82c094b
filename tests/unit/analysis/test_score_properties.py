"""Invariants of scores of networks, permutation p-values and corrupted priors, for random networks."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, balanced_accuracy_score, roc_auc_score

from kinetrain.data.gene_sets import membership
from kinetrain.data.prior_networks import coregulation, corrupt
from kinetrain.enrichment import permutation
from kinetrain.networks.metrics.ranking import ranking_scores
from kinetrain.networks.scores import edge_scores

STRENGTHS = st.sampled_from([0.0, 0.0, 0.0, -0.5, 0.25, 0.5, 1.0, -3.0])


@st.composite
def networks(draw):
    """Return the strengths, truth and prior of a network of 2 to 6 genes; the truth has edges and pairs without."""
    size = draw(st.integers(2, 6))
    cells = size * size
    boolean = st.lists(st.booleans(), min_size=cells, max_size=cells)
    truth = draw(boolean.filter(lambda some: any(some) and not all(some)))
    strength = draw(st.lists(STRENGTHS, min_size=cells, max_size=cells))
    return tuple(np.reshape(part, (size, size)) for part in (strength, truth, draw(boolean)))


def close(first: dict, second: dict) -> bool:
    return all(np.isclose(value, second[name], equal_nan=True) for name, value in first.items())


@settings(deadline=None, max_examples=80)
@given(network=networks())
def test_scores_agree_with_scikit_learn(network):
    strength, truth, prior = network
    scores, size = edge_scores(strength, truth, prior), np.abs(strength)
    assert scores["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(truth.ravel(), size.ravel() > 0))
    assert scores["auroc"] == pytest.approx(roc_auc_score(truth.ravel(), size.ravel()))
    assert scores["auprc"] == pytest.approx(average_precision_score(truth.ravel(), size.ravel()))


@settings(deadline=None, max_examples=80)
@given(network=networks(), seed=st.integers(0, 99), factor=st.floats(0.01, 100))
def test_scores_depend_neither_on_names_of_genes_nor_on_signs_and_units(network, seed, factor):
    strength, truth, prior = network
    rng = np.random.default_rng(seed)
    order, signs = rng.permutation(len(truth)), rng.choice([-1, 1], truth.shape)
    expected = edge_scores(strength, truth, prior)
    renamed = (part[np.ix_(order, order)] for part in (strength * signs * factor, truth, prior))
    assert close(expected, edge_scores(*renamed))


@settings(deadline=None, max_examples=80)
@given(network=networks())
def test_rankings_depend_on_the_order_alone_and_turn_round_with_it(network):
    strength, truth, _ = network
    size = np.abs(strength)
    scores = ranking_scores(size, truth)
    assert close(scores, ranking_scores(np.exp(2 * size) - 1, truth))
    assert ranking_scores(size.max() - size, truth)["auroc"] == pytest.approx(1 - scores["auroc"])
    assert all(0 <= value <= 1 for value in scores.values())


@settings(deadline=None, max_examples=80)
@given(network=networks())
def test_the_truth_is_perfect_its_opposite_is_worst_and_constants_know_nothing(network):
    _, truth, prior = network
    perfect, opposite, everything = (edge_scores(part, truth, prior) for part in (truth, ~truth, np.ones(truth.shape)))
    names = ["balanced_accuracy", "auroc", "auprc", "precision", "balanced_accuracy_best"]
    assert [perfect[name] for name in names] == [1] * 5
    assert opposite["balanced_accuracy"] == opposite["auroc"] == 0
    assert everything["balanced_accuracy"] == everything["auroc"] == 0.5
    assert everything["auprc"] == pytest.approx(truth.mean()) == everything["precision"]


@settings(deadline=None, max_examples=40)
@given(
    values=st.lists(st.integers(0, 5), min_size=6, max_size=12),
    members=st.lists(st.sets(st.integers(0, 5), min_size=1), min_size=1, max_size=5),
    seed=st.integers(0, 99),
    factor=st.sampled_from([0.5, 3.0]),
)
def test_p_values_of_permutations_are_counts_that_no_unit_changes(values, members, seed, factor):
    sets = {f"set {place}": [f"g{gene}" for gene in genes] for place, genes in enumerate(members)}
    sets["all"] = [f"g{place}" for place in range(len(values))]
    _, matrix = membership(sets, sets["all"], 1)
    table, scaled = (
        permutation.permutation_test(matrix, scale * np.array(values, float), permutations=50, seed=seed)
        for scale in (1, factor)
    )
    counts = table["p_value"] * 51
    assert np.allclose(counts, counts.round()) and counts.between(1, 51).all()
    assert table["p_value"].iloc[-1] == 1
    assert np.allclose(table[["p_value", "fold"]], scaled[["p_value", "fold"]])
    assert ((table["p_tail"] > 0) & (table["p_tail"] <= 1)).all()


@settings(deadline=None, max_examples=40)
@given(values=st.lists(st.floats(0, 10), min_size=4, max_size=4), seeds=st.integers(1, 3))
def test_the_influence_of_a_gene_is_the_mean_over_seeds_and_its_probes(values, seeds):
    table = pd.DataFrame({"seed": np.repeat(range(seeds), 4), "gene": ["A", "A /// B", "C", "NA"] * seeds})
    table["influence"] = np.tile(values, seeds)
    influence = permutation.single_genes(table, "influence").mean(axis=1)
    assert influence.to_dict() == pytest.approx(
        {"A": (values[0] + values[1]) / 2, "B": values[1], "C": values[2], "NA": values[3]}
    )


@settings(deadline=None, max_examples=60)
@given(network=networks(), fraction=st.floats(0, 0.5), seed=st.integers(0, 99))
def test_a_corrupted_prior_keeps_its_values_and_moves_the_number_asked_for_off_its_edges(network, fraction, seed):
    strength, _, _ = network
    prior = strength * (1 - np.eye(len(strength)))
    edges, free = np.count_nonzero(prior), len(prior) ** 2 - len(prior) - np.count_nonzero(prior)
    moved = int(np.floor(edges * fraction + 1e-9))
    if moved > free:
        return
    corrupted = corrupt(prior, fraction, seed).toarray()
    assert np.array_equal(np.sort(corrupted[corrupted != 0]), np.sort(prior[prior != 0]))
    assert np.count_nonzero((corrupted != 0) & (prior == 0)) == moved and not np.diag(corrupted).any()
    shared = coregulation(corrupted).toarray()
    assert np.array_equal(shared, shared.T) and np.array_equal(np.diag(shared), np.count_nonzero(corrupted, axis=0))
