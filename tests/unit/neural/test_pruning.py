"""Pruning removes what it says, by the scores it says, and never gives back."""

import dataclasses
import tracemalloc

import numpy as np
import pytest
from scipy import sparse

from kinetrain.errors import InputError
from kinetrain.neural.fields import mlp, phoenix
from kinetrain.options import read_options
from kinetrain.pruning import methods
from kinetrain.pruning.events import PruningSchedule, prune
from kinetrain.pruning.method import Event
from kinetrain.pruning.methods import bioprune, dash, sparseflow

GENES, HIDDEN = 20, 6


@pytest.fixture
def weights():
    rng = np.random.default_rng(0)
    return {name: rng.normal(size=shape) for name, shape in phoenix.shapes(GENES, HIDDEN).items()}


@pytest.fixture
def prior():
    network = (np.random.default_rng(1).random((GENES, GENES)) < 0.2).astype(float)
    return network, network.T @ network


def event(weights, prior=None, memory=None, field=phoenix):
    """One model at an event, with nothing masked so far."""
    known = None if prior is None else tuple(sparse.csr_array(part) for part in prior)
    masks = {name: np.ones(part.shape, bool) for name, part in weights.items() if part.ndim == 2}
    return Event(field, weights, known, memory or {}, masks, np.random.default_rng(3), lambda: {})


def scored(method, weights, prior=None, memory=None, field=phoenix):
    """Return scores and memory of a method, from the memory given or the method's own."""
    shapes = {name: part.shape for name, part in weights.items()}
    memory = memory or method.start_memory(np.random.default_rng(2), field, shapes)
    return method.scores(event(weights, prior, memory, field))


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


PUBLISHED_SPARSITY = {2: 0, 3: 70.0, 10: 73.0, 20: 75.7, 30: 78.1, 40: 80.3, 50: 82.3, 60: 84.1, 80: 87.1, 100: 89.5}
PUBLISHED_SPARSITY |= {120: 91.5, 150: 93.8, 160: 94.4, 170: 95.0, 190: 95.9, 200: 96.4}  # epoch: percent


@pytest.mark.parametrize(("epoch", "percent"), list(PUBLISHED_SPARSITY.items()))
def test_the_published_schedule_gives_the_published_sparsity(epoch, percent):
    mask, rng = np.ones(14000, bool), np.random.default_rng(0)
    for at in range(1, epoch + 1):
        mask = prune(mask, rng.random(14000), PruningSchedule().due(at, epochs=500), rng)
    assert 100 * (1 - mask.mean()) == pytest.approx(percent, abs=0.06)  # the table has one digit


def test_there_is_no_event_in_the_last_epoch():
    assert PruningSchedule().due(200, epochs=201) == 0.1
    assert PruningSchedule().due(200, epochs=200) == 0


def test_the_total_of_a_schedule_is_what_its_events_leave():
    assert PruningSchedule().total(201) == pytest.approx(1 - 0.3 * 0.9**20)
    assert PruningSchedule().total(200) == pytest.approx(1 - 0.3 * 0.9**19)
    assert PruningSchedule().total(2) == 0


@pytest.mark.parametrize("variant", ["corrected", "published"])
def test_dash_without_prior_weight_is_sparseflow(weights, prior, variant):
    by_dash, _ = scored(dash.Method((0.0, 0.0), variant), weights, prior)
    by_magnitude, _ = scored(sparseflow.Method(), weights)
    assert by_dash.keys() == by_magnitude.keys()
    for name, score in by_magnitude.items():
        assert np.allclose(by_dash[name], score)


@pytest.mark.parametrize("variant", ["corrected", "published"])
def test_dash_with_all_weight_on_the_prior_is_bioprune(weights, prior, variant):
    by_dash, kept = scored(dash.Method((1.0, 1.0), variant), weights, prior)
    by_prior, same = scored(bioprune.Method(variant), weights, prior)
    assert all(np.array_equal(by_dash[name], score) for name, score in by_prior.items())
    assert all(np.array_equal(kept[name], score) for name, score in same.items())


@pytest.mark.parametrize("variant", ["corrected", "published"])
def test_bioprune_ignores_the_weights(weights, prior, variant):
    other = {name: 2 * part + 1 for name, part in weights.items()}
    one, kept = scored(bioprune.Method(variant), weights, prior)
    two, _ = scored(bioprune.Method(variant), other, prior)
    assert all(np.array_equal(one[name], two[name]) for name in one)
    again, _ = scored(bioprune.Method(variant), weights, prior, kept)
    assert not np.allclose(one["w_s"], again["w_s"])  # the first layer's scores are a recurrence


def test_the_magnitude_of_products_is_exponential_and_outputs_count_by_their_rate(weights):
    score, _ = scored(sparseflow.Method(), weights)
    assert np.allclose(score["w_p"], np.exp(weights["w_p"]) / np.exp(weights["w_p"]).sum())
    assert (score["u_s"][weights["v"] <= 0] == 0).all()
    assert all(np.isclose(part.sum(), 1) for part in score.values())


def test_the_magnitudes_of_weights_that_are_all_zero_are_zero(weights):
    score, _ = scored(sparseflow.Method(), {**weights, "v": -np.abs(weights["v"])})
    assert (score["u_s"] == 0).all()


def test_the_published_scores_of_dash_are_the_published_formulas_event_after_event(weights, prior):
    lambda1, lambda2 = 0.4, 0.3
    method, c = dash.Method((lambda1, lambda2), "published"), prior[1] / prior[1].sum()
    memory = method.start_memory(np.random.default_rng(2), phoenix, phoenix.shapes(GENES, HIDDEN))
    omegas = {branch: memory[f"omega_w_{branch}"] for branch in "sp"}
    assert memory.keys() == {"omega_w_s", "omega_w_p"}
    assert all(one.min() > 0 and one.max() < 1 for one in omegas.values())
    for _ in range(3):
        score, memory = scored(method, weights, prior, memory)
        for branch, size in {"s": np.abs(weights["w_s"]), "p": np.exp(weights["w_p"])}.items():
            omega = omegas[branch]
            known = np.abs(np.linalg.inv(omega @ omega.T) @ omega @ c)
            omega = lambda1 * known + (1 - lambda1) * size / size.sum()
            assert np.allclose(score[f"w_{branch}"], omega) and np.allclose(memory[f"omega_w_{branch}"], omega)
            data = np.abs(weights[f"u_{branch}"]) * np.maximum(weights["v"], 0)[:, None]
            known = np.abs(prior[0] @ omega.T @ np.linalg.inv(omega @ omega.T))
            assert np.allclose(score[f"u_{branch}"], lambda2 * known + (1 - lambda2) * data / data.sum())
            omegas[branch] = omega


def test_normalised_prior_terms_weigh_as_much_as_the_data(weights, prior):
    score, _ = scored(dash.Method((0.4, 0.3)), weights, prior)
    assert all(np.isclose(part.sum(), 1) for part in score.values())


@pytest.mark.parametrize("hidden", [7, [7, 5], [7, 5, 4]])
def test_dash_scores_chains_of_any_length(prior, hidden):
    weights = mlp.initialise(0, GENES, hidden)
    (chain,) = mlp.chains(weights)
    score, memory = scored(dash.Method((0.5,) * len(chain)), weights, prior, field=mlp)
    assert {name: part.shape for name, part in score.items()} == {name: weights[name].shape for name in chain}
    assert all(np.isclose(part.sum(), 1) and (part >= 0).all() for part in score.values())
    again, kept = scored(dash.Method((0.5,) * len(chain)), weights, prior, memory, mlp)
    assert kept.keys() == memory.keys() and not np.allclose(again[chain[0]], score[chain[0]])
    with pytest.raises(InputError, match=rf"lambdas: expected {len(chain)} numbers, one per layer, got \[0\.5\]"):
        dash.Method((0.5,)).start_memory(np.random.default_rng(0), mlp, mlp.shapes(GENES, hidden))


def test_with_three_layers_each_score_is_what_the_others_leave_of_the_prior(prior):
    weights = mlp.initialise(0, GENES, [6, 6])
    method = dash.Method((1.0, 1.0, 1.0), "published")
    memory = method.start_memory(np.random.default_rng(2), mlp, mlp.shapes(GENES, [6, 6]))
    omega2, omega3 = memory["omega_w2"], memory["omega_w3"]
    score, _ = scored(method, weights, prior, memory, mlp)
    omega1 = np.abs(np.linalg.pinv(omega3 @ omega2) @ prior[0])
    omega2 = np.abs(np.linalg.pinv(omega3) @ prior[0] @ np.linalg.pinv(omega1))
    omega3 = np.abs(prior[0] @ np.linalg.pinv(omega2 @ omega1))
    for layer, expected in enumerate((omega1, omega2, omega3), start=1):
        assert np.allclose(score[f"w{layer}"], expected)


def test_a_single_layer_is_compared_with_the_prior_itself(weights, prior):
    class Linear:
        """dg/dt = W g, a chain of one matrix."""

        chains = staticmethod(lambda shapes: (("w",),))
        magnitudes = staticmethod(lambda weights: {"w": np.abs(weights["w"])})

    linear = {"w": np.random.default_rng(0).normal(size=(GENES, GENES))}
    score, memory = scored(dash.Method((0.25,), "published"), linear, prior, field=Linear)
    assert np.allclose(score["w"], 0.25 * prior[0] + 0.75 * np.abs(linear["w"]) / np.abs(linear["w"]).sum())
    assert not memory


def test_only_scores_that_the_next_event_needs_are_remembered(weights, prior):
    for hidden, kept in ((7, {"omega_w1"}), ([7, 5], {"omega_w2", "omega_w3"})):
        start = mlp.initialise(0, GENES, hidden)
        method = dash.Method((0.5,) * len(mlp.chains(start)[0]))
        assert method.start_memory(np.random.default_rng(0), mlp, mlp.shapes(GENES, hidden)).keys() == kept
        assert scored(method, start, prior, field=mlp)[1].keys() == kept


def test_prior_knowledge_alone_leaves_paths_from_its_regulators_to_its_targets_only(weights):
    network = np.zeros((GENES, GENES))
    regulators, targets = [1, 4, 9], [0, 2, 3, 11]
    network[np.ix_(targets, regulators)] = np.random.default_rng(3).choice([-1.0, 1.0], (4, 3))
    present = np.abs(network)
    score, _ = scored(bioprune.Method(), weights, (network, present.T @ present))
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
        scored(bioprune.Method("published"), weights, few)
    score, _ = scored(bioprune.Method(), weights, few)
    assert all(np.isfinite(part).all() for part in score.values())


def test_the_scores_of_the_yeast_problem_take_few_calls_and_little_memory(calls_of):
    genes, hidden, regulators, edges = 3551, 120, 105, 81230
    rng = np.random.default_rng(0)
    weights = {name: part.astype(float) for name, part in phoenix.initialise(0, genes, hidden).items()}
    places = rng.choice(genes * regulators, edges, replace=False)
    network = sparse.csr_array((np.ones(edges), (places // regulators, places % regulators)), (genes, genes))
    method = dash.Method((0.75, 0.75))
    memory = method.start_memory(rng, phoenix, phoenix.shapes(genes, hidden))
    event = Event(phoenix, weights, (network, network.T @ network), memory, {}, rng, None)
    tracemalloc.start()
    calls, (score, _) = calls_of(method.scores, event)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert calls < 2_000 and peak < 300e6
    assert all(np.isfinite(part).all() for part in score.values())


def test_methods_are_found_by_the_name_of_their_file():
    assert methods.find_method("dash") is dash.Method
    with pytest.raises(InputError, match=r"unknown method 'dahs' .*bioprune, .*dash, .*sparseflow, .*unpruned"):
        methods.find_method("dahs")
    for name in ("events", "method"):
        with pytest.raises(InputError, match=f"unknown method '{name}'"):
            methods.find_method(name)


@pytest.mark.parametrize("name", methods.known_methods())
def test_every_method_has_defaults_for_all_its_settings(name):
    method = read_options(methods.find_method(name), {})
    assert dataclasses.is_dataclass(method) and method == methods.find_method(name)()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lamdas": [0.5, 0.5]}, "methods.dash: unknown key 'lamdas'"),
        ({"lambdas": 0.5}, "methods.dash.lambdas = 0.5: expected a list of numbers"),
        ({"lambdas": [0.5, 5]}, "methods.dash.lambdas = \\[0.5, 5\\]: 5.0 is greater than the maximum of 1"),
        ({"variant": "new"}, "methods.dash.variant = 'new': expected 'corrected' or 'published'"),
    ],
)
def test_wrong_settings_of_a_method_name_the_key(settings, message):
    with pytest.raises(InputError, match=message):
        read_options(methods.find_method("dash"), settings, "methods.dash")
