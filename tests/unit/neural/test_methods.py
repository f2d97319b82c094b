"""The methods do what their papers say: penalties, gates, thresholds and scores, from first principles."""

from functools import partial

import numpy as np
import pytest
import torch
from scipy import sparse

from kinetrain.neural.fields import mlp, phoenix
from kinetrain.neural.integrators import rk4
from kinetrain.pruning.events import PruningSchedule
from kinetrain.pruning.method import Event, Update
from kinetrain.pruning.methods import c_node, dst, imp, l0, pathreg, pinn, pinn_mp, random, snip, sparseflow, synflow
from kinetrain.pruning.step import step

GENES, HIDDEN, MODELS = 7, 4, 2
SHAPES = phoenix.shapes(GENES, HIDDEN)
GATES = {"gate_w_s": GENES, "gate_w_p": GENES, "gate_u_s": HIDDEN, "gate_u_p": HIDDEN}


def raw_parameters(method, field=phoenix, hidden=HIDDEN):
    """Raw parameters (M, *shape) of a method at the start, in double precision."""
    drawn = [
        method.raw_start(np.random.default_rng([seed, 10]), field, field.initialise(seed, GENES, hidden))
        for seed in range(MODELS)
    ]
    assert {name: part.shape for name, part in drawn[0].items()} == method.raw_shapes(field.shapes(GENES, hidden))
    return {name: torch.tensor(np.stack([one[name] for one in drawn])) for name in drawn[0]}


def noise(method, seed=0, shapes=SHAPES):
    drawn = [method.noise(np.random.default_rng([seed, model]), shapes) for model in range(MODELS)]
    return {name: torch.tensor(np.stack([one[name] for one in drawn])) for name in drawn[0]}


def an_update(field=phoenix, priors=None, drawn=None):
    rngs = [np.random.default_rng([3, model]) for model in range(MODELS)]
    error = partial(rk4.production_error, field)
    return Update(field, priors or [None] * MODELS, rngs, error, drawn)


def event(weights, field=phoenix, gradient=None):
    masks = {name: part != 0 for name, part in weights.items() if part.ndim == 2}
    return Event(field, weights, None, {}, masks, np.random.default_rng(0), lambda: gradient)


def assert_slope(function, raw, names, step=1e-6):
    """The gradient of a function of raw parameters is that of finite differences along a random direction."""
    leaves = {name: part.clone().requires_grad_() for name, part in raw.items()}
    gradients = torch.autograd.grad(function(leaves).sum(), [leaves[name] for name in names])
    generator = torch.Generator().manual_seed(1)
    for name, gradient in zip(names, gradients, strict=True):
        direction = torch.randn(raw[name].shape, generator=generator, dtype=torch.float64)
        up, down = (function({**raw, name: raw[name] + sign * step * direction}).sum() for sign in (1, -1))
        assert float((gradient * direction).sum()) == pytest.approx(
            float((up - down) / (2 * step)), rel=1e-5, abs=1e-12
        )
        assert gradient.abs().max() > 0


# --- prior in the loss -----------------------------------------------------------------------------------------------


@pytest.fixture
def networks():
    """A signed prior network for each model."""
    rng = np.random.default_rng(1)
    drawn = [rng.choice([-1.0, 0, 1], p=[0.1, 0.8, 0.1], size=(GENES, GENES)) for _ in range(MODELS)]
    return [(sparse.csr_array(one), sparse.csr_array(np.abs(one).T @ np.abs(one))) for one in drawn]


class Linear:
    """A field whose production is A g."""

    @staticmethod
    def production(parameters, state):
        return state @ parameters["a"].mT


@pytest.mark.parametrize("variant", ["corrected", "published"])
@pytest.mark.parametrize("signed", [True, False])
def test_the_prior_loss_is_zero_where_the_production_is_the_prior(networks, signed, variant):
    method = pinn.Method(signed=signed, variant=variant)
    matrices = np.stack([network.toarray() for network, _ in networks])
    exact = {"a": torch.tensor(matrices if signed else np.abs(matrices))}
    assert torch.allclose(method.penalty({}, exact, an_update(Linear, networks)), torch.zeros(2).double(), atol=1e-12)
    other = {"a": torch.tensor(np.abs(matrices) if signed else matrices)}
    assert (method.penalty({}, other, an_update(Linear, networks)) > 1e-4).all()


def test_the_prior_loss_of_a_field_that_makes_nothing_is_the_variance_of_the_prior(networks):
    nothing = {"a": torch.zeros((MODELS, GENES, GENES), dtype=torch.float64)}
    found = pinn.Method(tau=0.8, probes=100_000, probe_range=2.0).penalty({}, nothing, an_update(Linear, networks))
    edges = torch.tensor([float(network.count_nonzero()) for network, _ in networks])
    # the variance of a uniform number within ±2 is 4/3
    assert torch.allclose(found, (0.2 * 4 / 3 * edges / GENES).double(), rtol=0.02)


def test_the_prior_loss_is_differentiable_and_has_its_weight(networks):
    method, raw = pinn.Method(), raw_parameters(pinn.Method())
    names = [name for name in raw if name != "v"]  # the production is before the rate v
    assert_slope(lambda leaves: method.penalty(leaves, leaves, an_update(priors=networks)), raw, names)
    assert method.data_weight() == 0.99 and method.uses_prior and not method.prunes


def test_probes_are_new_in_every_update_and_fixed_as_published():
    first, second = np.random.default_rng(1), np.random.default_rng(2)
    corrected, published = pinn.Method(probe_range=0.25), pinn.Method(variant="published")
    small, large = (sparse.csr_array(np.eye(genes)) for genes in (5, 100))
    assert not np.array_equal(corrected._pair(first, small)[0], corrected._pair(second, small)[0])
    states, wanted = published._pair(first, small)
    assert states.shape == (10_000, 5) and np.array_equal(states, published._pair(second, small)[0])
    assert np.array_equal(wanted, states) and np.array_equal(published._pair(first, 2 * small)[1], 2 * states)
    assert states.min() == pytest.approx(-0.5, abs=1e-3) and states.max() == pytest.approx(0.5, abs=1e-3)
    assert np.abs(corrected._pair(first, large)[0]).max() == pytest.approx(0.25, abs=1e-3)


def test_pinn_mp_prunes_once_and_forgets_the_prior_then(networks):
    method, schedule = pinn_mp.Method(), PruningSchedule()
    due = {epoch: method.due(schedule, epoch, 200) for epoch in range(1, 201)}
    assert {epoch: fraction for epoch, fraction in due.items() if fraction} == {121: 0.87}
    assert [method.differentiates(pruned) for pruned in (False, True)] == [True, False]
    raw = raw_parameters(method)
    assert method.data_weight() == 0.99 and (method.penalty(raw, raw, an_update(priors=networks)) > 0).all()
    assert pinn_mp.Method(prune_at=0.9).due(schedule, 2, 2) == 0.87  # also where there are few epochs
    weights = {name: part[0].numpy() for name, part in raw.items()}
    score, _ = method.scores(event(weights))
    assert np.allclose(score["w_p"], np.exp(weights["w_p"]) / np.exp(weights["w_p"]).sum())
    plain, _ = pinn_mp.Method(variant="published").scores(event(weights))
    assert np.array_equal(plain["w_p"], np.abs(weights["w_p"])) and np.array_equal(plain["u_p"], score["u_p"])


# --- gates -----------------------------------------------------------------------------------------------------------


def test_gates_multiply_the_columns_of_the_matrices_and_nothing_else():
    method = l0.Method()
    raw, drawn = raw_parameters(method), noise(method)
    gates, parameters = method.opened(raw, drawn), method.parameters(raw, drawn)
    assert {f"gate_{name}": gate.shape[1] for name, gate in gates.items()} == GATES
    assert list(parameters) == list(SHAPES)
    for name, gate in gates.items():
        for model in range(MODELS):
            expected = raw[name][model] @ torch.diag(gate[model])
            assert torch.allclose(parameters[name][model], expected)
    assert all(torch.equal(parameters[name], raw[name]) for name in ("b_s", "b_p", "v"))


def test_gates_start_as_published():
    method = l0.Method()
    rng, shapes = np.random.default_rng(0), phoenix.shapes(2000, 400)
    weights = {name: np.ones(shape) for name, shape in shapes.items()}
    start = method.raw_start(rng, phoenix, weights)
    assert start["gate_w_p"].mean() == pytest.approx(np.log(4), abs=0.002)
    assert start["gate_u_s"].mean() == pytest.approx(0, abs=0.002) and start["gate_u_s"].std() == pytest.approx(
        0.01, rel=0.1
    )
    assert start["w_s"].std() == pytest.approx(np.sqrt(2 / 2000), rel=0.01)
    assert start["u_p"].std() == pytest.approx(np.sqrt(2 / 400), rel=0.01)
    assert (start["b_s"] == 0).all() and (start["v"] == 1).all() and (weights["b_s"] == 1).all()


@pytest.mark.parametrize(("field", "first", "later"), [(phoenix, "w_p", "u_p"), (mlp, "w1", "w2")])
def test_gates_of_later_layers_start_half_closed_also_with_as_many_hidden_units_as_genes(field, first, later):
    start = l0.Method().raw_start(np.random.default_rng(0), field, field.initialise(0, GENES, GENES))
    found = [start[f"gate_{name}"].mean() for name in (first, later)]
    assert found == pytest.approx([np.log(4), 0], abs=0.02)


@pytest.mark.parametrize("temperature", [0.02, 2 / 3])
def test_gates_are_open_as_often_as_their_price_says(temperature):
    method = l0.Method(lambda0=3.0, temperature=temperature)
    raw = raw_parameters(method)
    raw["gate_w_s"] = torch.tensor([[-1.0, 0.5, 2.0, 0, 1, 1, 1]] * MODELS, dtype=torch.float64)
    opened = [method.opened(raw, noise(method, seed))["w_s"] != 0 for seed in range(4000)]
    frequency = torch.stack(opened).double().mean(dim=(0, 1))
    expected = torch.sigmoid(raw["gate_w_s"][0] - temperature * np.log(0.1 / 1.1))
    assert torch.allclose(frequency, expected, atol=0.025)
    # with every gate surely open the whole network is paid for, with every gate surely closed nothing is
    for location, paid in ((50.0, 3.0), (-50.0, 0.0)):
        certain = {name: location + 0 * part if name in GATES else part for name, part in raw.items()}
        assert torch.allclose(method.penalty(certain, {}, an_update()), torch.full((MODELS,), paid).double(), atol=1e-9)


def test_the_price_of_a_gate_is_that_of_the_weights_behind_it():
    method, raw = l0.Method(lambda0=2.0), raw_parameters(l0.Method())
    shut = {name: -50 + 0 * part if name in GATES else part for name, part in raw.items()}
    for name, behind in (("w_s", HIDDEN), ("u_p", GENES)):
        one = {**shut, f"gate_{name}": shut[f"gate_{name}"].clone()}
        one[f"gate_{name}"][:, 1] = 50
        assert torch.allclose(
            method.penalty(one, {}, an_update()), torch.tensor(2.0 * behind / (4 * GENES * HIDDEN)).double()
        )


def test_gates_are_certain_in_evaluation_and_may_be_exactly_zero():
    method, raw = l0.Method(), raw_parameters(l0.Method())
    raw["gate_u_s"][0] = torch.tensor([-3.0, 0, 1, 3])
    gates = method.opened(raw, None)["u_s"]
    assert torch.equal(gates, method.opened(raw, None)["u_s"])
    expected = torch.sigmoid(torch.tensor([0.0, 1])) * 1.2 - 0.1
    assert gates[0, 0] == 0 and gates[0, 3] == 1 and torch.allclose(gates[0, 1:3], expected.double())
    assert (method.parameters(raw, None)["u_s"][0, :, 0] == 0).all()


def test_as_published_gates_are_drawn_in_evaluation_and_cost_nothing():
    method = l0.Method(variant="published")
    rng, shapes = np.random.default_rng(0), phoenix.shapes(4000, 3000)
    start = method.raw_start(rng, phoenix, {name: np.zeros(shape, np.float32) for name, shape in shapes.items()})
    raw = {name: torch.tensor(part, dtype=torch.float32)[None] for name, part in start.items()}
    gates = method.opened(raw, None)
    closed = {name: float((gate == 0).double().mean()) for name, gate in gates.items()}
    assert closed == pytest.approx({"w_s": 0.2, "w_p": 0.2, "u_s": 0.5, "u_p": 0.5}, abs=0.04)
    again, other = method.opened(raw, None), method.opened({**raw, "gate_w_s": raw["gate_w_s"] + 0.01}, None)
    assert torch.equal(gates["w_s"], again["w_s"]) and not torch.equal(gates["w_s"] == 0, other["w_s"] == 0)
    assert method.penalty(raw, {}, an_update()).tolist() == [0.0]


@pytest.mark.parametrize("method", [l0.Method(temperature=0.6), c_node.Method(), pathreg.Method()])
def test_gradients_go_through_the_gates_and_penalties(method):
    raw, drawn = raw_parameters(method), noise(method)

    def objective(leaves):
        parameters = method.parameters(leaves, drawn)
        penalty = method.penalty(leaves, parameters, an_update(drawn=drawn))
        return 100 * penalty + parameters["u_s"].pow(2).sum(dim=(1, 2)) + parameters["w_p"].pow(2).sum(dim=(1, 2))

    assert_slope(objective, raw, ["gate_u_s", "gate_w_p", "u_s", "w_p"])


def test_the_price_of_paths_is_the_mean_product_of_absolute_weights():
    method = c_node.Method(lambda1=0.5)
    raw = raw_parameters(method)
    w_s, u_s, w_p, u_p = (raw[name][1].abs() for name in ("w_s", "u_s", "w_p", "u_p"))
    expected = 0.5 * (u_s @ w_s + u_p @ w_p).mean()
    assert float(method.penalty(raw, {}, an_update())[1]) == pytest.approx(float(expected))


def test_the_price_of_open_paths_is_the_mean_product_of_matrices_of_gates():
    method = pathreg.Method(lambda0=0.0, lambda1=0.0, lambda_path=0.5)
    raw, drawn = raw_parameters(method), noise(method)
    one = {name: gate[1].expand(*SHAPES[name]) for name, gate in method.opened(raw, drawn).items()}
    expected = 0.5 * (one["u_s"] @ one["w_s"] + one["u_p"] @ one["w_p"]).mean()
    assert float(method.penalty(raw, {}, an_update(drawn=drawn))[1]) == pytest.approx(float(expected))


def test_penalties_and_gates_hold_for_chains_of_any_length():
    method = pathreg.Method(lambda0=0.0, lambda1=1.0, lambda_path=0.0)
    raw = raw_parameters(method, mlp, [5, 3])
    drawn = noise(method, shapes=mlp.shapes(GENES, [5, 3]))
    w1, w2, w3 = (raw[f"w{layer}"][0].abs() for layer in (1, 2, 3))
    penalty = method.penalty(raw, {}, an_update(mlp, drawn=drawn))
    assert float(penalty[0]) == pytest.approx(float((w3 @ w2 @ w1).mean()))
    assert method.parameters(raw, drawn)["w2"].shape == (MODELS, 3, 5)


@pytest.mark.parametrize(
    ("method", "lambda0", "lambda1", "temperature"), [(c_node, 0, 1e-3, 2 / 3), (pathreg, None, 1e-3, 2 / 3)]
)
def test_the_constants_are_the_published_ones(method, lambda0, lambda1, temperature):
    default = method.Method()
    assert default.lambda1 == lambda1 and default.width == pytest.approx(temperature, abs=1e-6)
    assert method.Method(variant="published", temperature=1.0).width == pytest.approx(temperature)
    assert lambda0 is None or default.lambda0 == lambda0
    assert l0.Method(variant="published").width == 0.02 and pathreg.Method().lambda_path == 1e-4


# --- thresholds ------------------------------------------------------------------------------------------------------


def test_the_surrogate_of_the_step_is_the_long_tailed_one():
    x = torch.tensor([-1.5, -1, -0.7, -0.4, -0.1, 0, 0.2, 0.4, 0.41, 1, 1.01], requires_grad=True)
    found = step(x)
    assert found.tolist() == [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1]
    found.sum().backward()
    assert torch.allclose(x.grad, torch.tensor([0, 0.4, 0.4, 0.4, 1.6, 2, 1.2, 0.4, 0.4, 0.4, 0]))


def test_a_weight_counts_where_it_reaches_the_threshold_of_its_row():
    method = dst.Method()
    raw = raw_parameters(method)
    assert all(torch.equal(part, raw[name]) for name, part in method.parameters(raw, None).items())  # all at the start
    raw["threshold_u_s"][:, 2] = 0.2
    u_s = method.parameters(raw, None)["u_s"]
    large = raw["u_s"].abs() >= 0.2
    assert torch.equal(u_s[:, 2] != 0, large[:, 2]) and not large[:, 2].all()
    rows = [row for row in range(GENES) if row != 2]
    assert torch.equal(u_s[:, rows], raw["u_s"][:, rows])


def test_thresholds_are_paid_for_and_feel_the_weights_of_their_row():
    method = dst.Method(alpha=0.01)
    raw = raw_parameters(method)
    rows = 2 * (GENES + HIDDEN)
    assert torch.allclose(method.penalty(raw, {}, an_update()), torch.full((MODELS,), 0.01 * rows).double())
    leaves = {name: part.clone().requires_grad_() for name, part in raw.items()}
    loss = (3 * method.parameters(leaves, {})["u_p"]).sum() + method.penalty(leaves, {}, an_update()).sum()
    slope, pull = torch.autograd.grad(loss, [leaves["threshold_u_p"], leaves["u_p"]])
    size = raw["u_p"].abs()
    surrogate = torch.where(size <= 0.4, 2 - 4 * size, torch.where(size <= 1, 0.4, 0.0))
    assert torch.allclose(slope, -(3 * raw["u_p"] * surrogate).sum(dim=2) - 0.01)
    assert torch.allclose(pull, 3 + 3 * raw["u_p"] * surrogate * raw["u_p"].sign())


def test_thresholds_start_again_where_nearly_nothing_is_left():
    method, raw = dst.Method(fewest=0.05), raw_parameters(dst.Method())
    raw["threshold_u_s"][0] = raw["u_s"].abs().max() + 1
    raw["threshold_u_s"][1] = raw["threshold_w_s"][:] = 0.01
    before = {name: part.clone() for name, part in raw.items()}
    method.after_update(raw)
    assert (raw["threshold_u_s"][0] == 0).all()
    assert torch.equal(raw["threshold_u_s"][1], before["threshold_u_s"][1])
    assert torch.equal(raw["u_s"], before["u_s"])


# --- scores ----------------------------------------------------------------------------------------------------------


def test_the_flow_into_the_hidden_units_is_the_flow_out_of_them():
    rng = np.random.default_rng(0)
    weights = {name: rng.normal(size=shape) for name, shape in SHAPES.items()}
    score, _ = synflow.Method().scores(event({**weights, "b_s": np.zeros(HIDDEN)}))
    assert np.allclose(score["w_s"].sum(axis=1), score["u_s"].sum(axis=0))  # unit by unit
    mlp_weights = {name: part * (not name.startswith("b")) for name, part in mlp.initialise(0, GENES, [5, 3]).items()}
    score, _ = synflow.Method().scores(event(mlp_weights, mlp))
    assert np.allclose(score["w1"].sum(axis=1), score["w2"].sum(axis=0))
    assert np.allclose(score["w2"].sum(axis=1), score["w3"].sum(axis=0))
    total = np.ones(GENES) @ np.abs(mlp_weights["w3"]) @ np.abs(mlp_weights["w2"]) @ np.abs(mlp_weights["w1"])
    assert np.allclose(score["w1"].sum(axis=0), total)


def test_synflow_knows_nothing_of_signs_and_scores_pruned_weights_zero():
    rng = np.random.default_rng(0)
    weights = {name: rng.normal(size=shape) for name, shape in SHAPES.items()}
    weights["w_p"][0, :3] = 0
    score, memory = synflow.Method().scores(event(weights))
    positive, _ = synflow.Method().scores(event({name: np.abs(part) for name, part in weights.items()}))
    assert all(np.allclose(part, positive[name]) for name, part in score.items()) and not memory
    assert (score["w_p"][0, :3] == 0).all()
    rate, phi = np.abs(weights["v"])[:, None], 0.5 / 1.5  # of a state of ones
    sums = np.abs(weights["w_s"]) @ np.full(GENES, phi) + np.abs(weights["b_s"])
    assert np.allclose(score["u_s"], rate * np.abs(weights["u_s"]) * sums)


def test_snip_prunes_once_what_the_schedule_would_in_all():
    schedule = PruningSchedule()
    due = {epoch: snip.Method().due(schedule, epoch, 200) for epoch in range(1, 201)}
    assert {epoch: fraction for epoch, fraction in due.items() if fraction} == {3: pytest.approx(1 - 0.3 * 0.9**19)}


def test_snip_scores_by_the_change_of_the_loss_without_a_weight():
    rng = np.random.default_rng(0)
    weights = {name: part for name, part in phoenix.initialise(0, GENES, HIDDEN).items()}
    tensors = {name: torch.tensor(part)[None] for name, part in weights.items()}
    start, end = torch.tensor(rng.random((2, 1, 3, GENES)))
    duration = torch.ones((1, 3), dtype=torch.float64)
    arguments = start, end, duration, duration, [4]
    value, gradient = rk4.value_and_gradient(phoenix, tensors, *arguments)
    score, _ = snip.Method().scores(event(weights, gradient={name: part[0].numpy() for name, part in gradient.items()}))
    shrunk = {**tensors, "u_s": tensors["u_s"].clone()}
    shrunk["u_s"][0, 1, 2] *= 1 - 1e-5
    change = (rk4.value_and_gradient(phoenix, shrunk, *arguments)[0] - value) / 1e-5
    assert score["u_s"][1, 2] == pytest.approx(abs(float(change)), rel=1e-3)


def test_random_scores_are_uniform_and_those_of_their_generator():
    weights = {name: np.ones(shape) for name, shape in phoenix.shapes(100, 50).items()}
    score, memory = random.Method().scores(event(weights))
    again, _ = random.Method().scores(event(weights))
    for name, part in score.items():
        assert part.shape == weights[name].shape and np.array_equal(part, again[name])
        assert part.mean() == pytest.approx(0.5, abs=0.02) and part.std() == pytest.approx(1 / np.sqrt(12), abs=0.01)
    assert not memory and not np.allclose(score["w_s"], score["w_p"])


def test_imp_is_sparseflow_that_rewinds():
    weights = phoenix.initialise(0, GENES, HIDDEN)
    score, _ = imp.Method().scores(event(weights))
    same, _ = sparseflow.Method().scores(event(weights))
    assert all(np.array_equal(score[name], part) for name, part in same.items())
    assert imp.Method.rewinds and synflow.Method.rewinds and not sparseflow.Method.rewinds


@pytest.mark.parametrize(
    ("method", "settings", "key"),
    [
        (pinn, {"tau": 1.1}, "tau"),
        (pinn, {"probes": 0}, "probes"),
        (pinn, {"probe_range": 0.0}, "probe_range"),
        (pinn_mp, {"fraction": 1.0}, "fraction"),
        (pinn_mp, {"prune_at": 0.0}, "prune_at"),
        (l0, {"lambda0": -1.0}, "lambda0"),
        (l0, {"temperature": 0.0}, "temperature"),
        (c_node, {"lambda1": -1.0}, "lambda1"),
        (pathreg, {"lambda_path": -1.0}, "lambda_path"),
        (dst, {"alpha": -1.0}, "alpha"),
        (dst, {"fewest": 1.0}, "fewest"),
    ],
)
def test_settings_out_of_range_are_refused_by_name(method, settings, key):
    with pytest.raises(ValueError, match=f"^{key} = {next(iter(settings.values()))}: .*(minimum|maximum|above|below)"):
        method.Method(**settings)
