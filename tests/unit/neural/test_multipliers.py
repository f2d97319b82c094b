"""Multipliers of the genes: kept alive or as published, and what of the test error the dead ones make."""

import dataclasses

import numpy as np
import pytest
import torch
from scipy import sparse

from kinetrain.errors import InputError
from kinetrain.neural import evaluation, training_loop
from kinetrain.neural.ensemble import unpack
from kinetrain.neural.options import NeuralOptions
from kinetrain.neural.run import FLOOR, Run
from kinetrain.options import read_options
from kinetrain.pruning.events import PruningSchedule
from kinetrain.pruning.methods import find_method, l0

GENES = 12
OPTIONS = NeuralOptions(
    integrator="rk4", hidden=5, epochs=12, learning_rate=0.02, steps=3, pruning=PruningSchedule(2, 0.5, 3, 0.2)
)


def a_run(expression, prior, method="dash", **changed):
    record = find_method(method)
    known = tuple(map(sparse.csr_array, prior)) if record.uses_prior else None
    values = np.stack([expression.noisy(0.025, seed) for seed in (0, 1)])
    return Run(record(), expression, [known] * 2, [0, 1], values, dataclasses.replace(OPTIONS, **changed))


def trained(tmp_path, run):
    state, *_ = training_loop.train(run, tmp_path / "training.npz")
    return state, unpack(state.weights, run.raw_shapes)["v"]


@pytest.mark.parametrize("method", ["unpruned", "sparseflow", "dash", "imp", "l0"])
def test_living_multipliers_stay_at_the_floor_or_above(tmp_path, expression, prior, method):
    _, living = trained(tmp_path / "a", a_run(expression, prior, method))
    assert living.min() == np.float32(FLOOR)
    if method in ("sparseflow", "dash"):
        _, published = trained(tmp_path / "b", a_run(expression, prior, method, multipliers="published"))
        assert (published <= 0).sum() > 2


def test_a_multiplier_at_the_floor_counts_as_zero_in_the_evaluated_model_alone(tmp_path, expression, prior):
    run = a_run(expression, prior)
    state, _ = trained(tmp_path, run)
    kept = unpack(state.kept_weights, run.raw_shapes)["v"]
    evaluated = evaluation.best_models(run, state)["v"]
    assert (kept == np.float32(FLOOR)).any()
    assert (evaluated == np.where(kept > np.float32(FLOOR), kept, 0)).all()
    assert (run.trained(state.kept_weights)["v"].numpy() == kept).all()
    # what validation and test measure is the evaluated model: nothing changes where it is zero
    start, _, duration = run.transitions("test", [0])
    weights = {name: torch.from_numpy(part[:1]) for name, part in evaluation.best_models(run, state).items()}
    predicted = run.integrator.predict(run.field, weights, start, duration, [6])
    assert torch.equal(predicted[0][:, evaluated[0] == 0], start[0][:, evaluated[0] == 0])


def test_a_multiplier_at_the_floor_rises_where_the_data_ask_for_it_and_a_dead_one_never_does(expression, prior):
    found = {}
    for multipliers, low in (("living", FLOOR), ("published", -FLOOR)):
        run = a_run(expression, prior, "unpruned", multipliers=multipliers)
        state = training_loop._start(run)
        unpack(state.weights, run.raw_shapes)["v"][:] = low
        training_loop._train_epoch(run, state, np.arange(2), 1, state.steps)
        found[multipliers] = unpack(state.weights, run.raw_shapes)["v"]
    assert (found["living"] > 5 * FLOOR).any(axis=1).all()
    assert (found["published"] == np.float32(-FLOOR)).all()


def test_integrators_agree_on_living_multipliers(tmp_path, expression, prior):
    found = {}
    for integrator in ("rk4", "fused", "adaptive_adjoint"):
        run = a_run(expression, prior, epochs=3, integrator=integrator, steps=8)
        found[integrator] = trained(tmp_path / integrator, run)[1]
    assert (found["rk4"] == np.float32(FLOOR)).any()
    for integrator in ("fused", "adaptive_adjoint"):
        assert np.abs(found[integrator] - found["rk4"]).max() < 2e-3


def test_nothing_but_the_rates_differs_between_published_slipped_and_slow(expression, prior):
    factors = {
        multipliers: [
            a_run(expression, prior, "sparseflow", multipliers=multipliers).rate_factors(pruned) for pruned in (0, 1)
        ]
        for multipliers in ("living", "published", "slipped", "slow")
    }
    assert factors["published"] == factors["living"] == [{"v": 5.0}, {"v": 5.0}]
    assert factors["slipped"] == [{"v": 5.0}, {"u_p": 5.0}]
    assert factors["slow"] == [{}, {}]
    gated = dataclasses.replace(a_run(expression, prior, multipliers="slipped"), method=l0.Method(variant="published"))
    assert [gated.rate_factors(pruned) for pruned in (0, 1)] == [{}, {}]  # nothing to slip: v is no faster there
    start = training_loop._start(a_run(expression, prior, multipliers="slow")).weights
    assert (start == training_loop._start(a_run(expression, prior, multipliers="published")).weights).all()


def test_dead_targets_leave_out_constant_inputs_and_make_their_share_of_the_error(expression, prior):
    run = a_run(expression, prior, multipliers="published")
    state = training_loop._start(run)
    inputs = np.flatnonzero(~expression.changing)
    targets = np.flatnonzero(expression.changing)
    assert len(inputs) == 3
    v = unpack(state.kept_weights, run.raw_shapes)["v"]
    v[0, [inputs[0], *targets[:2]]] = -1
    v[1, inputs] = 0
    clean = np.broadcast_to(expression.values, run.values.shape)
    counts, shares = evaluation.dead_targets(run, state, clean)
    trajectory, first = expression.of("test").T
    still = (expression.values[trajectory, first + 1] - expression.values[trajectory, first])[:, targets[:2]]
    whole = evaluation.test_error(run, state, clean)[0] * len(trajectory) * GENES
    assert counts.tolist() == [2, 0]
    assert shares == pytest.approx([(still**2).sum() / whole, 0], rel=1e-5)
    state.failed[1] = True
    assert np.isnan(evaluation.dead_targets(run, state, clean)).tolist() == [[False, True]] * 2


def test_fields_without_multipliers_have_no_dead_targets(tmp_path, expression, prior):
    run = a_run(expression, prior, "unpruned", model="mlp", epochs=2, pruning=PruningSchedule(1))
    state, *_ = training_loop.train(run, tmp_path / "training.npz")
    assert np.isnan(evaluation.dead_targets(run, state, run.values)).all()


def test_unknown_multipliers_are_refused_with_those_there_are():
    with pytest.raises(InputError, match="multipliers = 'dead': expected 'living', 'published', 'slipped' or 'slow'"):
        read_options(NeuralOptions, {"multipliers": "dead"})
