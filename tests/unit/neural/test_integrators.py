"""The fast integrator gives the published answer, and its hand-written derivative is the right one."""

import numpy as np
import pytest
import torch

from kinetrain.neural.fields import phoenix
from kinetrain.neural.integrators import adaptive_adjoint, rk4
from kinetrain.neural.segments import segments


def problem(models=3, rows=5, genes=12, hidden=4, dtype=torch.float64):
    """Models away from their start (some multipliers v below zero), transitions of different length."""
    generator = torch.Generator().manual_seed(1)
    drawn = [phoenix.initialise(seed, genes, hidden) for seed in range(models)]
    parameters = {name: torch.tensor(np.stack([one[name] for one in drawn]), dtype=dtype) for name in drawn[0]}
    parameters = {
        name: part + 0.1 * torch.randn(part.shape, generator=generator, dtype=dtype)
        for name, part in parameters.items()
    }
    parameters["v"] -= 0.2
    start, end = torch.rand((2, models, rows, genes), generator=generator, dtype=dtype)
    duration = torch.tensor([2.0, 1, 4, 2, 0], dtype=dtype)[:rows].repeat(models, 1)
    weight = torch.ones(models, rows, dtype=dtype)
    weight[1, -1] = 0
    return parameters, start, end, duration, weight


def largest_deviation(found, expected):
    return max(float((found[name] - part).abs().max() / part.abs().max()) for name, part in expected.items())


@pytest.mark.parametrize("steps", [[4, 4, 4], [7, 4, 2]])
def test_the_derivative_by_hand_is_that_of_autograd(steps):
    arguments = problem()
    value, gradients = phoenix.value_and_gradient(*arguments, steps)
    expected_value, expected = rk4.autograd_value_and_gradient(phoenix, *arguments, steps)
    assert torch.allclose(value, expected_value, rtol=1e-12)
    assert largest_deviation(gradients, expected) < 1e-6


def test_runge_kutta_agrees_with_the_adaptive_adjoint_of_the_paper():
    arguments = problem(models=2, rows=2, genes=5)
    value, gradients = rk4.value_and_gradient(phoenix, *arguments, [40, 40])
    expected_value, expected = adaptive_adjoint.value_and_gradient(phoenix, *arguments)
    assert torch.allclose(value, expected_value, rtol=1e-6)
    assert largest_deviation(gradients, expected) < 1e-5


def test_the_error_falls_with_the_fourth_power_of_the_step():
    parameters, start, _, duration, _ = problem()
    exact = rk4.predict(phoenix, parameters, start, duration, [128] * 3)
    errors = [float((rk4.predict(phoenix, parameters, start, duration, [n] * 3) - exact).abs().max()) for n in (8, 16)]
    assert errors[0] / errors[1] > 8  # sixteen where the field is smooth, less where a gene crosses ½


def test_models_of_different_steps_in_one_batch_are_solved_as_if_alone():
    parameters, start, _, duration, _ = problem()
    together = rk4.predict(phoenix, parameters, start, duration, [6, 3, 3])
    for model, steps in enumerate([6, 3, 3]):
        one = slice(model, model + 1)
        alone = rk4.predict(phoenix, {n: p[one] for n, p in parameters.items()}, start[one], duration[one], [steps])
        assert torch.allclose(together[one], alone, rtol=1e-12)
    assert segments([6, 3, 3]) == [(3, 3), (1, 3)]
    with pytest.raises(ValueError, match="must not increase"):
        segments([3, 6])


def test_a_row_of_weight_zero_counts_for_nothing():
    parameters, start, end, duration, weight = problem()
    value, gradients = rk4.value_and_gradient(phoenix, parameters, start, end, duration, weight, [4, 4, 4])
    end[1, -1] += 100
    again, same = rk4.value_and_gradient(phoenix, parameters, start, end, duration, weight, [4, 4, 4])
    assert torch.equal(value, again)
    assert all(torch.equal(gradients[name], same[name]) for name in gradients)
    others = {name: part[1:2] for name, part in parameters.items()}, start[1:2, :-1], end[1:2, :-1], duration[1:2, :-1]
    alone, _ = rk4.value_and_gradient(phoenix, *others, weight[1:2, :-1], [4])
    assert torch.allclose(value[1:2], alone, rtol=1e-12)


def test_any_field_with_a_derivative_can_be_plugged_in():
    class Decay:
        """dg/dt = −v g, with the exact solution g e^(−v t)."""

        @staticmethod
        def derivative(parameters, state):
            return -parameters["v"][:, None] * state

    rates = {"v": torch.tensor([[0.5, 1.0]], dtype=torch.float64)}
    start, duration = torch.ones((1, 1, 2), dtype=torch.float64), torch.tensor([[2.0]], dtype=torch.float64)
    end = torch.exp(-2 * rates["v"])[None]
    assert torch.allclose(rk4.predict(Decay, rates, start, duration, [50]), end, rtol=1e-6)
    _, gradient = rk4.value_and_gradient(Decay, rates, start, 0 * end, duration, torch.ones_like(duration), [50])
    assert torch.allclose(gradient["v"], -2 * end[0] ** 2, rtol=1e-5)  # d/dv of the mean over two genes of e^(−4v)


def test_the_start_is_sparse_in_each_column_and_orthogonal():
    start = phoenix.initialise(0, 350, 40)
    for name in ("w_s", "w_p"):
        assert ((start[name] != 0).sum(axis=0) == 2).all()
    for name in ("u_s", "u_p"):
        assert np.allclose(start[name].T @ start[name], np.eye(40))
    assert sum(part.size for part in start.values()) == 56430
    assert (phoenix.initialise(1, 30, 5)["v"] != phoenix.initialise(2, 30, 5)["v"]).all()
