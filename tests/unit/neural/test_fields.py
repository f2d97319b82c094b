"""The vector fields: what they are, how they start, and what all of them offer to solvers and pruning methods."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from kinetrain.errors import InputError
from kinetrain.neural import mlp_rk4
from kinetrain.neural.fields import mlp, phoenix
from kinetrain.neural.integrators import rk4

GENES = 6
FIELDS = [(phoenix, 4), (mlp, 4), (mlp, [5, 3]), (mlp, (4, 4, 4))]


def parameters(field, hidden, models=2):
    drawn = [field.initialise(seed, GENES, hidden) for seed in range(models)]
    return {name: torch.tensor(np.stack([one[name] for one in drawn])) for name in drawn[0]}


def test_the_mlp_is_two_linear_layers_with_elu_between_and_a_decay():
    weights, state = parameters(mlp, 4, models=1), torch.randn((1, 3, GENES), dtype=torch.float64)
    w1, b1, w2, b2 = (weights[name][0].numpy() for name in ("w1", "b1", "w2", "b2"))
    inner = state[0].numpy() @ w1.T + b1
    inner = np.where(inner > 0, inner, np.expm1(inner))
    assert (inner < 0).any() and (inner > 0).any()
    expected = inner @ w2.T + b2
    assert np.allclose(mlp.production(weights, state)[0], expected)
    assert np.allclose(mlp.derivative(weights, state)[0], expected - state[0].numpy())


def test_the_mlp_starts_as_a_linear_layer_of_torch_does():
    start = mlp.initialise(0, 350, [80, 40])
    for layer, inputs in enumerate([350, 80, 40], start=1):
        bound = 1 / math.sqrt(inputs)
        spread = start[f"w{layer}"]
        assert np.abs(spread).max() <= bound and spread.std() == pytest.approx(bound / math.sqrt(3), rel=0.02)
        assert np.abs(start[f"b{layer}"]).max() <= bound
    again, other = mlp.initialise(0, 350, [80, 40]), mlp.initialise(1, 350, [80, 40])
    assert all(np.array_equal(part, again[name]) and not np.allclose(part, other[name]) for name, part in start.items())


@pytest.mark.parametrize(("field", "hidden"), FIELDS)
def test_shapes_start_and_chains_agree(field, hidden):
    shapes, start = field.shapes(GENES, hidden), field.initialise(0, GENES, hidden)
    assert {name: part.shape for name, part in start.items()} == shapes
    for chain in field.chains(shapes):
        assert shapes[chain[0]][1] == GENES == shapes[chain[-1]][0]
        assert all(shapes[upper][1] == shapes[lower][0] for lower, upper in pairwise(chain))
    in_chains = {name for chain in field.chains(shapes) for name in chain}
    magnitudes = field.magnitudes(start)
    assert magnitudes.keys() == in_chains == {name for name, shape in shapes.items() if len(shape) == 2}
    assert all(part.shape == shapes[name] and (part >= 0).all() for name, part in magnitudes.items())


@pytest.mark.parametrize(("field", "hidden"), FIELDS)
def test_every_field_is_integrated_and_differentiated(field, hidden):
    weights, generator = parameters(field, hidden), torch.Generator().manual_seed(0)
    start, end = torch.rand((2, 2, 3, GENES), generator=generator, dtype=torch.float64)
    duration = torch.tensor([[0.5, 1.0, 2.0]] * 2, dtype=torch.float64)
    arguments = start, end, duration, torch.ones_like(duration)
    _, gradients = rk4.value_and_gradient(field, weights, *arguments, [5, 4])
    assert gradients.keys() == weights.keys()
    for name, part in weights.items():
        step, index = torch.zeros_like(part), (1, *(0,) * (part.ndim - 1))
        step[index] = 1e-6
        up, down = (
            rk4.value_and_gradient(field, {**weights, name: part + sign * step}, *arguments, [5, 4])[0].sum()
            for sign in (1, -1)
        )
        assert float((up - down) / 2e-6) == pytest.approx(float(gradients[name][index]), rel=1e-4, abs=1e-9)


@pytest.mark.parametrize("steps", [[4, 4, 4], [7, 4, 2], [1, 1, 1]])
def test_the_derivative_of_the_mlp_by_hand_is_that_of_autograd(steps):
    generator = torch.Generator().manual_seed(1)
    weights = {
        name: 3 * part + 0.1 * torch.randn(part.shape, generator=generator, dtype=part.dtype)
        for name, part in parameters(mlp, 4, models=3).items()
    }
    start, end = 2 * torch.rand((2, 3, 5, GENES), generator=generator, dtype=torch.float64) - 0.5
    duration = torch.tensor([2.0, 1, 3, 0.5, 0], dtype=torch.float64).repeat(3, 1)
    weight = torch.ones_like(duration)
    weight[1, -1] = 0
    arguments = weights, start, end, duration, weight, steps
    value, gradients = mlp.value_and_gradient(*arguments)
    expected_value, expected = rk4.autograd_value_and_gradient(mlp, *arguments)
    assert torch.allclose(value, expected_value, rtol=1e-12)
    assert gradients.keys() == expected.keys()
    names = ("w1", "b1", "w2", "b2")
    assert (
        max(float((gradients[name] - expected[name]).abs().max() / expected[name].abs().max()) for name in names)
        < 1e-10
    )
    one = [tensor[:1] for tensor in (*(weights[name] for name in names), start, end, duration, weight)]
    by_torch = mlp_rk4._same_steps(torch, *one, steps[0])  # what a GPU does
    by_numpy = value[:1], *(gradients[name][:1] for name in names)
    assert all(torch.allclose(*pair, rtol=1e-10, atol=1e-14) for pair in zip(by_torch, by_numpy, strict=True))


def test_the_change_of_phoenix_is_its_production_less_its_decay_at_the_rate_v():
    weights, state = parameters(phoenix, 4), torch.rand((2, 3, GENES), dtype=torch.float64)
    rate = torch.relu(weights["v"] - 0.5)[:, None]
    change = phoenix.derivative({**weights, "v": weights["v"] - 0.5}, state)
    assert torch.allclose(change, rate * (phoenix.production(weights, state) - state))


@pytest.mark.parametrize(("field", "hidden"), [(phoenix, [4]), (phoenix, 0), (mlp, []), (mlp, [4, 0]), (mlp, "4")])
def test_a_number_of_hidden_units_that_cannot_be_is_refused(field, hidden):
    with pytest.raises(InputError, match="hidden: "):
        field.shapes(GENES, hidden)
