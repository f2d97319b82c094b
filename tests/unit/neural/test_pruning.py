"""Pruning removes what it says, by the scores it says, and never gives back."""

from types import SimpleNamespace

import numpy as np
import pytest

from kinetrain.errors import InputError
from kinetrain.pruning import bioprune, dash, methods, sparseflow
from kinetrain.pruning.events import Schedule, prune

GENES, HIDDEN = 20, 6


@pytest.fixture
def weights():
    rng = np.random.default_rng(0)
    first, second = (HIDDEN, GENES), (GENES, HIDDEN)
    shapes = {"w_s": first, "w_p": first, "u_s": second, "u_p": second, "v": (GENES,)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


@pytest.fixture
def prior():
    network = (np.random.default_rng(1).random((GENES, GENES)) < 0.2).astype(float)
    return network, network.T @ network


def options(lambda1, lambda2, variant="normalised"):
    return SimpleNamespace(lambdas=(lambda1, lambda2), variant=variant)


def memory():
    return dash.start(np.random.default_rng(2), GENES, HIDDEN)


def test_pruning_at_70_percent_leaves_30_percent():
    mask = prune(np.ones((40, 350), bool), np.random.default_rng(0).random((40, 350)), 0.7, np.random.default_rng(1))
    assert mask.sum() == 0.3 * 40 * 350


def test_the_lowest_scores_go_and_masks_never_grow():
    rng = np.random.default_rng(0)
    mask = np.ones((10, 10), bool)
    for _ in range(5):
        score = rng.random((10, 10))
        smaller = prune(mask, score, 0.3, rng)
        assert not (smaller & ~mask).any()
        assert score[mask & ~smaller].max() < score[smaller].min()
        mask = smaller


@pytest.mark.parametrize(("survivors", "removed"), [(5, 2), (15, 8), (25, 12)])
def test_the_number_removed_is_rounded_half_to_even(survivors, removed):
    rng = np.random.default_rng(0)
    mask = prune(np.ones(survivors, bool), rng.random(survivors), 0.5, rng)
    assert mask.sum() == survivors - removed


def test_equal_scores_go_at_random_not_in_order():
    mask = prune(np.ones(1000, bool), np.zeros(1000), 0.5, np.random.default_rng(0))
    assert mask.sum() == 500 and 200 < mask[:500].sum() < 300


@pytest.mark.parametrize(
    ("epoch", "percent"),
    list(
        zip(
            [2, 3, 10, 20, 30, 40, 50, 60, 80, 100, 120, 150, 160, 170, 190, 200],
            [0, 70.0, 73.0, 75.7, 78.1, 80.3, 82.3, 84.1, 87.1, 89.5, 91.5, 93.8, 94.4, 95.0, 95.9, 96.4],
            strict=True,
        )
    ),
)
def test_the_published_schedule_gives_the_published_sparsity(epoch, percent):
    mask, rng = np.ones(14000, bool), np.random.default_rng(0)
    for at in range(1, epoch + 1):
        mask = prune(mask, rng.random(14000), Schedule().due(at, epochs=500), rng)
    assert 100 * (1 - mask.mean()) == pytest.approx(percent, abs=0.06)  # the table has one digit


def test_there_is_no_event_in_the_last_epoch():
    assert Schedule().due(200, epochs=201) == 0.1
    assert Schedule().due(200, epochs=200) == 0


@pytest.mark.parametrize("variant", ["normalised", "published"])
def test_dash_without_prior_weight_is_sparseflow(weights, prior, variant):
    by_dash, _ = dash.scores(weights, prior, memory(), options(0, 0, variant))
    by_magnitude, _ = sparseflow.scores(weights, (), {}, options(0, 0))
    for name, score in by_magnitude.items():
        assert np.allclose(by_dash[name], score)


@pytest.mark.parametrize("variant", ["normalised", "published"])
def test_bioprune_ignores_the_weights(weights, prior, variant):
    other = {name: 2 * part + 1 for name, part in weights.items()}
    one, kept = bioprune.scores(weights, prior, memory(), options(0.3, 0.3, variant))
    two, _ = bioprune.scores(other, prior, memory(), options(0.7, 0.7, variant))
    assert all(np.array_equal(one[name], two[name]) for name in one)
    again, _ = bioprune.scores(weights, prior, kept, options(0.3, 0.3, variant))
    assert not np.allclose(one["w_s"], again["w_s"])  # the first layer's scores are a recurrence


def test_the_magnitude_of_products_is_exponential_and_outputs_count_by_their_rate(weights):
    score, _ = sparseflow.scores(weights, (), {}, None)
    assert np.allclose(score["w_p"], np.exp(weights["w_p"]) / np.exp(weights["w_p"]).sum())
    assert (score["u_s"][weights["v"] <= 0] == 0).all()
    assert all(np.isclose(part.sum(), 1) for part in score.values())


def test_the_scores_of_dash_are_the_published_formula(weights, prior):
    lambda1, lambda2 = 0.4, 0.3
    score, kept = dash.scores(weights, prior, memory(), options(lambda1, lambda2, "published"))
    omega = memory()["omega_s"]
    known = np.abs(np.linalg.inv(omega @ omega.T) @ omega @ (prior[1] / prior[1].sum()))
    omega = lambda1 * known + (1 - lambda1) * np.abs(weights["w_s"]) / np.abs(weights["w_s"]).sum()
    assert np.allclose(score["w_s"], omega) and np.array_equal(kept["omega_s"], score["w_s"])
    data = np.abs(weights["u_s"]) * np.maximum(weights["v"], 0)[:, None]
    known = np.abs(prior[0] @ omega.T @ np.linalg.inv(omega @ omega.T))
    assert np.allclose(score["u_s"], lambda2 * known + (1 - lambda2) * data / data.sum())


def test_normalised_prior_terms_weigh_as_much_as_the_data(weights, prior):
    score, _ = dash.scores(weights, prior, memory(), options(0.4, 0.3))
    assert all(np.isclose(part.sum(), 1) for part in score.values())


def test_prior_knowledge_alone_leaves_paths_from_its_regulators_to_its_targets_only(weights):
    network = np.zeros((GENES, GENES))
    regulators, targets = [1, 4, 9], [0, 2, 3, 11]
    network[np.ix_(targets, regulators)] = np.random.default_rng(3).choice([-1.0, 1.0], (4, 3))
    present = np.abs(network)
    score, _ = bioprune.scores(weights, (network, present.T @ present), memory(), options(1, 1))
    left = {
        name: prune(np.ones(part.shape, bool), part, 0.85, np.random.default_rng(0)) for name, part in score.items()
    }
    for branch in ("s", "p"):
        paths = left[f"u_{branch}"].astype(int) @ left[f"w_{branch}"]  # [target, regulator]
        assert set(np.argwhere(paths)[:, 0]) <= set(targets) and set(np.argwhere(paths)[:, 1]) <= set(regulators)
        assert paths.any()


def test_the_published_variant_refuses_a_prior_of_too_few_regulators(weights):
    network = np.zeros((GENES, GENES))
    network[:, : HIDDEN - 1] = 1
    network[np.diag_indices(HIDDEN - 1)] = 0
    few = network, network.T @ network
    with pytest.raises(InputError, match=r"variant 'published' needs .* hidden units \(6\)"):
        bioprune.scores(weights, few, memory(), options(1, 1, "published"))
    score, _ = bioprune.scores(weights, few, memory(), options(1, 1))
    assert all(np.isfinite(part).all() for part in score.values())


def test_methods_are_found_by_the_name_of_their_file():
    assert methods.find_method("dash") is dash
    with pytest.raises(InputError, match=r"unknown method 'dahs' .*bioprune, dash, sparseflow, unpruned"):
        methods.find_method("dahs")
    with pytest.raises(InputError, match="unknown method 'events'"):
        methods.find_method("events")
