"""A vector field as a fit problem: sums and gradients are those of training, optimizers take it as any other."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
import torch

from kinetrain import tables
from kinetrain.data.expression import prepare
from kinetrain.data.options import Split
from kinetrain.errors import InputError
from kinetrain.neural import fit_problem, training_loop
from kinetrain.neural.fit_problem import NeuralProblem, conditions_of
from kinetrain.neural.options import NeuralOptions
from kinetrain.neural.run import FLOOR, Run
from kinetrain.neural.state import State
from kinetrain.options import read_options
from kinetrain.problem import SumsAtPoints
from kinetrain.pruning.methods import find_method
from kinetrain.training import full_batch, minibatch_fits, starts
from kinetrain.training.options import FullBatchOptions, MinibatchOptions

NOISE = 0.025
TIMES = ["cpu_seconds", "wall_seconds", "peak_memory_mb"]


def made(expression, noise=NOISE, **options) -> NeuralProblem:
    options = NeuralOptions(**{"hidden": 3, "steps": 3, "epochs": 20} | options)
    noisy = expression.noisy(noise, 4)[None]
    return NeuralProblem(Run(find_method("unpruned")(), expression, [None], [4], noisy, options), noise)


@pytest.fixture(scope="module")
def problem(expression):
    return made(expression)


@pytest.fixture(scope="module")
def theta(problem):
    return problem.draw_start(np.random.default_rng(1))


def test_value_and_gradient_are_those_of_training_times_the_data_points_over_twice_the_variance(problem, theta):
    run, everything = problem._run, np.arange(problem.n_conditions)
    state = State.at_start(theta[None].astype(np.float32), 0.1, run.options.steps, {})
    expected = training_loop._loss_gradient(run, state, 0)
    start, end, duration = run.transitions("train", [0])
    loss, _ = run.integrator.value_and_gradient(
        run.field, run.trained(state.weights), start, end, duration, torch.ones_like(duration), [run.options.steps]
    )
    scale = problem.n_measurements / (2 * NOISE**2)
    value, gradient = problem.value_and_gradient(theta, everything)
    np.testing.assert_allclose(value, scale * float(loss), rtol=1e-6)
    np.testing.assert_allclose(problem.value(theta, everything), value, rtol=1e-5)
    np.testing.assert_allclose(
        gradient, scale * np.concatenate([part.ravel() for part in expected.values()]), rtol=1e-5, atol=1e-3
    )


@pytest.mark.parametrize("model", ["phoenix", "mlp"])
def test_the_gradient_is_that_of_finite_differences(expression, monkeypatch, model):
    monkeypatch.setattr(fit_problem, "NUMBERS", torch.float64)
    problem = made(expression, model=model, integrator="rk4")
    theta = problem.draw_start(np.random.default_rng(2)) + 0.01
    conditions = [0, 2]
    _, gradient = problem.value_and_gradient(theta, conditions)
    steps = 1e-6 * np.eye(len(theta))
    differences = [(problem.value(theta + h, conditions) - problem.value(theta - h, conditions)) / 2e-6 for h in steps]
    np.testing.assert_allclose(gradient, differences, rtol=1e-5, atol=1e-6 * np.abs(gradient).max())


def test_the_sum_over_conditions_is_the_sum_of_its_parts(problem, theta):
    parts = [problem.value_and_gradient(theta, [k]) for k in range(problem.n_conditions)]
    value, gradient = problem.value_and_gradient(theta, np.arange(problem.n_conditions))
    np.testing.assert_allclose(value, sum(part for part, _ in parts), rtol=1e-5)
    summed = sum(part for _, part in parts)
    np.testing.assert_allclose(gradient, summed, rtol=1e-4, atol=1e-5 * np.abs(summed).max())


def test_points_are_evaluated_side_by_side_with_conditions_of_their_own(problem, theta):
    assert isinstance(problem, SumsAtPoints)
    points, batches = [theta, theta + 0.1, theta - 0.1], [[0], [3, 1, 2], [4, 0]]
    values, gradients = problem.values_and_gradients(points, batches)
    for number, (point, batch) in enumerate(zip(points, batches, strict=True)):
        value, gradient = problem.value_and_gradient(point, batch)
        np.testing.assert_allclose((values[number], problem.values(points, batches)[number]), value, rtol=1e-5)
        np.testing.assert_allclose(gradients[number], gradient, rtol=1e-4, atol=1e-5 * np.abs(gradient).max())


def test_without_noise_persistence_costs_half_a_data_point_each(expression):
    problem = made(expression, noise=0.0, multipliers="published")
    theta = problem.draw_start(np.random.default_rng(1))
    theta[[name.startswith("v_") for name in problem.names]] = 0.0  # nothing changes
    value = problem.value(theta, np.arange(problem.n_conditions))
    assert value == pytest.approx(problem.n_measurements / 2, rel=1e-5)


def test_data_that_never_change_are_refused(expression):
    still = dataclasses.replace(expression, values=np.full_like(expression.values, 0.3))
    with pytest.raises(InputError, match="no gene changes"):
        made(still, noise=0.0)


def test_a_failed_evaluation_is_infinite(problem, theta):
    value, gradient = problem.value_and_gradient(theta + 1e4, [0])
    assert value == np.inf and np.isnan(gradient).all()
    assert problem.value(np.full_like(theta, np.nan), [0]) == np.inf


@pytest.mark.parametrize(("multipliers", "bound"), [("living", FLOOR), ("published", -np.inf)])
def test_living_multipliers_have_a_lower_bound_and_nothing_else_has(expression, multipliers, bound):
    problem = made(expression, multipliers=multipliers)
    multiplier = np.array([name.startswith("v_") for name in problem.names])
    assert set(problem.lower[multiplier]) == {bound} and set(problem.lower[~multiplier]) == {-np.inf}
    assert set(problem.upper) == {np.inf} and multiplier.sum() == len(expression.genes)


def test_conditions_are_trajectories_and_transitions_where_these_are_few():
    many = np.repeat(np.arange(5), 3)
    assert [rows.tolist() for rows in conditions_of(many)][:2] == [[0, 1, 2], [3, 4, 5]]
    assert [rows.tolist() for rows in conditions_of(np.zeros(3))] == [[0], [1], [2]]


def test_starts_differ_by_number_and_seed(problem):
    points = [starts.starting_point(problem, seed, start) for seed, start in ((0, 0), (0, 1), (1, 0))]
    assert len({point.tobytes() for point in points}) == 3
    np.testing.assert_array_equal(points[0], starts.starting_point(problem, 0, 0))


@pytest.mark.parametrize("fractions", [(0.1, 0.1), (0.13, 0.0), (0.4, 0.35)])
@pytest.mark.parametrize("count", [6, 12, 60])
def test_the_plan_counts_the_trajectories_that_are_trained_on(count, fractions):
    split = Split(validation_fraction=fractions[0], test_fraction=fractions[1])
    values, times = np.zeros((count, 3, 2)), np.tile([0.0, 1.0, 2.0], (count, 1))
    trained = prepare(["a", "b"], (values, times), None, split).of("train")
    assert split.trained(count) == len(conditions_of(trained[:, 0])) or split.trained(count) < 5
    assert split.trained(count) == len(np.unique(trained[:, 0]))


def test_the_command_writes_the_tables_of_a_fit_and_leaves_no_checkpoint(expression, call, tmp_path):
    expression.save(tmp_path / "expression.npz")
    paths = {name: tmp_path / name for name in ("fits.tsv", "trace.tsv", "parameters.npz", "state")}
    schedule = {"name": "S", "start": 0.03}
    settings = {"epochs": 4, "optimizer": {"rule": "sgd"}, "schedule": schedule, "batch_size": 2}
    call(
        "fit_neural_ode",
        *("--expression", tmp_path / "expression.npz", "--noise", NOISE, "--name", "phoenix", "--optimizer", "sgd"),
        *("--training", json.dumps({"hidden": 3, "steps": 2}), "--settings", json.dumps(settings), "--starts", 2),
        *("--checkpoint", paths["state"], "--output", paths["fits.tsv"], "--trace", paths["trace.tsv"]),
        *("--parameters", paths["parameters.npz"]),
    )
    fits = tables.load("fits", paths["fits.tsv"])
    assert fits["status"].tolist() == ["finished"] * 2 and fits["engine"].unique().tolist() == ["phoenix, fused"]
    assert len(tables.load("traces", paths["trace.tsv"])) > 4 and not paths["state"].exists()


SETTINGS = {
    "adam_balanced": {"optimizer": {"rule": "adam_balanced"}, "batch_size": 2},
    "momentum": {"optimizer": {"rule": "momentum"}, "batch_size": "full"},
    "hybrid": {"optimizer": {"rule": "adam_balanced", "then": "l_bfgs_b"}, "batch_size": 1},
}


def fitted(problem, optimizer, folder):
    named = (problem, "phoenix", 0, optimizer, 3)
    if optimizer not in SETTINGS:
        options = read_options(FullBatchOptions, {"epochs": 30})
        return full_batch.fit_starts(*named, options, folder)
    schedule = {"name": "S", "start": 0.03, "end": 0.003}
    options = read_options(MinibatchOptions, {"epochs": 30, "schedule": schedule, **SETTINGS[optimizer]})
    return minibatch_fits.fit_starts(*named, options, folder)


@pytest.mark.parametrize("optimizer", ["l_bfgs_b", *SETTINGS])
def test_a_killed_fit_goes_on_and_gives_the_same_tables(problem, optimizer, tmp_path, monkeypatch):
    whole = fitted(problem, optimizer, tmp_path / "whole")
    fits = whole[0]
    begins = whole[1].groupby("start")["objective"].first()
    assert (fits.set_index("start")["objective"] < 0.9 * begins).all()
    assert (fits["measurements"] == problem.n_measurements).all() and (fits["parameters"] == len(problem.names)).all()
    monkeypatch.setattr(starts, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    evaluate, calls = NeuralProblem.values_and_gradients, []

    def dying(self, *arguments):
        calls.append(1)
        if len(calls) == 25:
            raise KeyboardInterrupt
        return evaluate(self, *arguments)

    monkeypatch.setattr(NeuralProblem, "values_and_gradients", dying)
    with pytest.raises(KeyboardInterrupt):
        fitted(problem, optimizer, tmp_path / "killed")
    again = fitted(problem, optimizer, tmp_path / "killed")
    for expected, found in zip(whole[:2], again[:2], strict=True):
        pd.testing.assert_frame_equal(
            expected.drop(columns=TIMES, errors="ignore"), found.drop(columns=TIMES, errors="ignore")
        )
    for name, expected in whole[2].items():
        np.testing.assert_array_equal(expected, again[2][name])
