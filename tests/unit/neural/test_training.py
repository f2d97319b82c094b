"""Training: each model as if alone, pruned weights at zero for good, and the same result after a kill."""

import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from kinetrain.data.expression import Expression, load_expression
from kinetrain.data.prior_networks import save_prior
from kinetrain.enrichment.influence import influence, initial_range
from kinetrain.errors import InputError
from kinetrain.files import load_arrays, save_arrays
from kinetrain.neural import evaluation, selection, training_loop
from kinetrain.neural.ensemble import adam_step, pack, unpack
from kinetrain.neural.fields import phoenix
from kinetrain.neural.options import NeuralOptions
from kinetrain.neural.plateau import Plateau
from kinetrain.neural.run import Run, read_priors
from kinetrain.neural.state import State
from kinetrain.options import read_options
from kinetrain.pruning.events import PruningSchedule
from kinetrain.pruning.methods import find_method

GENES = 12
SCHEDULE = PruningSchedule(first_epoch=2, first_fraction=0.5, every=3, fraction=0.2)
OPTIONS = NeuralOptions(
    integrator="rk4", hidden=5, epochs=8, learning_rate=0.01, steps=3, pruning=SCHEDULE, patience_epochs=None
)


def run(expression, prior, method, seeds, options=OPTIONS):
    chosen = find_method(method)()
    values = np.stack([expression.noisy(0.025, seed) for seed in seeds])
    priors = [tuple(map(sparse.csr_array, prior)) if chosen.uses_prior else None for _ in seeds]
    return Run(chosen, expression, priors, seeds, values, options)


def train(tmp_path, *arguments, **settings):
    training = run(*arguments, **settings)
    state, history, _ = training_loop.train(training, tmp_path / "training.npz")
    return training, state, pd.DataFrame(history, columns=training_loop.HISTORY)


@pytest.mark.parametrize("batch", ["trajectory", 4])
@pytest.mark.parametrize("method", ["unpruned", "sparseflow", "dash"])
def test_a_model_is_trained_among_others_as_if_alone(tmp_path, expression, prior, method, batch):
    options = read_options(NeuralOptions, {**vars(OPTIONS), "batch": batch, "pruning": vars(SCHEDULE)})
    _, together, _ = train(tmp_path / "a", expression, prior, method, [0, 1, 2], options)
    _, alone, _ = train(tmp_path / "b", expression, prior, method, [1], options)
    assert np.abs(together.kept_weights[1] - alone.kept_weights[0]).max() < 1e-5
    assert together.best_epoch[1] == alone.best_epoch[0]
    assert (together.mask[1] == alone.mask[0]).all()


@pytest.mark.parametrize("multipliers", ["living", "published", "slipped"])
@pytest.mark.parametrize("batch", ["trajectory", 5])
@pytest.mark.parametrize("method", ["unpruned", "dash", "imp"])
def test_an_epoch_in_one_call_is_that_of_its_batches(
    tmp_path, expression, prior, monkeypatch, method, batch, multipliers
):
    options = dataclasses.replace(OPTIONS, integrator="fused", batch=batch, multipliers=multipliers)
    runs = []
    for whole in (True, False):
        monkeypatch.setattr(Run, "whole_epoch", lambda run, epoch, whole=whole: whole)
        runs.append(train(tmp_path / str(whole), expression, prior, method, [0, 1], options))
    (_, state, history), (_, expected, listed) = runs
    found = state.as_arrays()
    for name, array in expected.as_arrays().items():
        assert name == "cpu_seconds" or np.array_equal(found[name], array, equal_nan=True), name
    assert history.equals(listed)


def test_an_epoch_in_one_call_is_for_methods_that_do_nothing_between_updates(expression, prior):
    options = dataclasses.replace(OPTIONS, integrator="fused")
    assert run(expression, prior, "dash", [0], options).whole_epoch(1)
    for method in ("l0", "c_node", "pathreg", "dst", "pinn"):
        assert not run(expression, prior, method, [0], options).whole_epoch(8)
    retrained = run(expression, prior, "pinn_mp", [0], options)  # on the data alone once it is pruned
    assert [retrained.whole_epoch(epoch) for epoch in (5, 6)] == [False, True]
    assert not run(expression, prior, "dash", [0]).whole_epoch(1)  # rk4
    assert not run(expression, prior, "dash", [0], dataclasses.replace(options, model="mlp")).whole_epoch(1)

    class Method(find_method("dash")):
        def after_update(self, raw):
            raw["v"].mul_(0.5)

    assert not dataclasses.replace(run(expression, prior, "dash", [0], options), method=Method()).whole_epoch(1)


@pytest.mark.parametrize("method", ["sparseflow", "bioprune", "dash"])
def test_pruned_weights_stay_zero_and_every_matrix_has_the_sparsity_of_the_schedule(
    tmp_path, expression, prior, method
):
    training, state, history = train(tmp_path, expression, prior, method, [0, 1])
    masks, weights = unpack(state.mask, training.shapes), unpack(state.weights, training.shapes)
    left = 60
    for fraction in (0.5, 0.2, 0.2):  # epochs 2, 3 and 6
        left -= round(fraction * left)
    for name in training.matrices:
        assert (masks[name].sum(axis=(1, 2)) == left).all()
        assert (weights[name][~masks[name]] == 0).all() and (weights[name][masks[name]] != 0).all()
    assert (history.groupby("model").mask_sparsity.diff().dropna() >= 0).all()
    assert history.mask_sparsity.iloc[-1] == pytest.approx(1 - left / 60)


def test_no_model_from_before_the_first_pruning_is_kept(tmp_path, expression, prior):
    options = read_options(
        NeuralOptions, {"integrator": "rk4", "hidden": 5, "epochs": 6, "pruning": {"first_epoch": 5}}
    )
    _, state, _ = train(tmp_path, expression, prior, "sparseflow", [0, 1], options)
    assert (state.kept_epoch >= 5).all()
    assert ((state.kept_weights == 0) >= ~state.mask).all()


def test_the_final_models_of_all_methods_are_equally_sparse(tmp_path, expression, prior):
    options = dataclasses.replace(OPTIONS, keep="final")
    kept = [train(tmp_path / name, expression, prior, name, [0, 1], options)[1] for name in ("sparseflow", "dash")]
    assert all((state.kept_epoch >= 6).all() for state in kept)  # the last event of 8 epochs
    assert kept[0].kept_sparsity.tolist() == kept[1].kept_sparsity.tolist()


def test_the_sparsest_model_within_one_standard_error_is_kept():
    state = State.at_start(np.zeros((1, 2)), rate=0.1, steps=1, memory={})

    def epoch(number, value, sparsity):
        if value < state.best_validation[0]:
            state.best_validation[0], state.best_error[0] = value, 0.1
        selection.keep(state, np.array([0]), number, np.array([True]), np.array([value]), np.array([sparsity]))
        return state.kept_epoch[0]

    # sparser and near enough; equally sparse and better; too far; a new best that what was kept is near enough to
    assert [epoch(1, 1.0, 0.7), epoch(2, 1.09, 0.8), epoch(3, 1.05, 0.8), epoch(4, 1.2, 0.9)] == [1, 2, 3, 3]
    assert [epoch(5, 0.98, 0.7), epoch(6, 0.9, 0.5)] == [3, 6]  # and a new best that it is not


def test_training_learns(tmp_path, expression, prior):
    training, state, history = train(tmp_path, expression, prior, "unpruned", [0])
    assert history.train_loss.iloc[-1] < 0.5 * history.train_loss.iloc[0]
    clean = expression.values[None]
    assert evaluation.test_error(training, state, clean)[0] < evaluation.test_error(training, state, training.values)[0]


def test_the_learning_rate_starts_anew_after_pruning(tmp_path, expression, prior):
    options = read_options(
        NeuralOptions,
        {**vars(OPTIONS), "pruning": vars(SCHEDULE), "plateau_patience": 0, "plateau_threshold": 1.0, "epochs": 7},
    )
    _, _, history = train(tmp_path, expression, prior, "sparseflow", [0], options)
    rate = history.set_index("epoch").learning_rate
    assert rate[5] < rate[4] < OPTIONS.learning_rate
    assert rate[6] == OPTIONS.learning_rate  # the plateau's first epoch sets its best


def test_a_model_that_stops_is_frozen_and_others_go_on(tmp_path, expression, prior):
    options = read_options(
        NeuralOptions, {**vars(OPTIONS), "pruning": vars(SCHEDULE), "epochs": 60, "patience_epochs": 2}
    )
    _, state, history = train(tmp_path, expression, prior, "unpruned", [0, 1, 2], options)
    last = history.groupby("model").epoch.max()
    assert (last == state.stopped_epoch).all() and last.nunique() > 1
    stopped = last < options.epochs
    assert (last - state.best_epoch)[stopped].eq(2).all()


def test_a_model_with_an_infinite_loss_fails_alone(tmp_path, expression, prior):
    training = run(expression, prior, "unpruned", [0, 1])
    training.values[0, :, 1] = np.nan
    state, _, _ = training_loop.train(training, tmp_path / "training.npz")
    assert state.failed.tolist() == [True, False]
    assert np.isnan(evaluation.best_models(training, state)["w_s"][0]).all()
    error = evaluation.test_error(training, state, training.values)
    assert np.isnan(error[0]) and np.isfinite(error[1])
    _, alone, _ = train(tmp_path / "alone", expression, prior, "unpruned", [1])
    assert np.abs(state.kept_weights[1] - alone.kept_weights[0]).max() < 1e-5


def test_intervals_of_fifty_units_train_with_more_solver_steps(tmp_path, expression, prior):
    long = dataclasses.replace(expression, times=50 * expression.times)
    _, state, history = train(tmp_path, long, prior, "unpruned", [0, 1], dataclasses.replace(OPTIONS, steps=8))
    assert not state.diverged.any() and history.solver_steps.min() > 8


def test_intervals_of_hundreds_of_units_train_as_pseudotime_has_them(tmp_path, expression, prior):
    long = dataclasses.replace(expression, times=np.where(expression.times > 3, 150, expression.times))
    options = dataclasses.replace(OPTIONS, steps=2, integrator="fused")
    training, state, history = train(tmp_path, long, prior, "unpruned", [0, 1], options)
    assert not state.failed.any() and history.solver_steps.min() > 32
    assert np.isfinite(evaluation.test_error(training, state, training.values)).all()


def test_without_a_test_there_is_no_test_error(tmp_path, expression, prior):
    untested = dataclasses.replace(expression, split=np.where(expression.split == "test", "train", expression.split))
    training, state, _ = train(tmp_path, untested, prior, "unpruned", [0])
    assert np.isnan(evaluation.test_error(training, state, training.values)).all()


def test_transitions_longer_than_those_of_training_take_more_steps(expression, prior):
    tested = np.isin(np.arange(8), expression.transitions[expression.split == "test", 0])
    training = run(
        dataclasses.replace(
            expression,
            split=np.where(np.isin(expression.transitions[:, 0], np.flatnonzero(tested)), "test", expression.split),
            times=np.where(tested[:, None], 40, 1) * expression.times,
        ),
        prior,
        "unpruned",
        [0],
    )
    parameters = training.evaluated(training_loop._start(training).weights)
    coarse, fine = (evaluation.mean_errors(training, parameters, "test", [0], np.array([n])) for n in (8, 32))
    assert coarse == pytest.approx(fine, rel=1e-3)


@pytest.mark.parametrize("values", [1e30, np.nan])
def test_a_model_that_cannot_be_integrated_says_why(tmp_path, expression, prior, values):
    training = run(expression, prior, "unpruned", [0, 1])
    training.values[0, :, 1] = values
    state, history, _ = training_loop.train(training, tmp_path / "training.npz")
    failed, fine = evaluation.reasons(training, state, history)
    assert re.match(
        r"epoch 1: the training loss is not finite with 384 solver steps \(longest transition 4, unit 1\)", failed
    )
    assert fine == ""


def test_the_solver_takes_more_steps_where_they_are_needed_and_fewer_where_not(tmp_path, expression, prior):
    settings = {"integrator": "rk4", "hidden": 5, "epochs": 6, "patience_epochs": None}
    strict = read_options(NeuralOptions, {**settings, "steps": 1, "tolerances": [1e-7, 1e-12]})
    lax = read_options(NeuralOptions, {**settings, "steps": 8, "tolerances": [0.9, 0.5]})
    assert train(tmp_path / "a", expression, prior, "unpruned", [0], strict)[1].steps[0] == 13
    assert train(tmp_path / "b", expression, prior, "unpruned", [0], lax)[1].steps[0] == 2


def test_the_rows_of_the_ensemble_move_as_torch_moves_one_model():
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn((2, 7), generator=generator, dtype=torch.float64)
    rates = torch.tensor([[1e-2], [3e-3]], dtype=torch.float64)
    singles = [torch.nn.Parameter(row.clone()) for row in weights]
    peers = [torch.optim.Adam([one], lr=float(rate)) for one, rate in zip(singles, rates, strict=True)]
    first, second = torch.zeros_like(weights), torch.zeros_like(weights)
    for update in range(1, 6):
        gradient = torch.randn(weights.shape, generator=generator, dtype=torch.float64)
        adam_step(weights, gradient, first, second, rates, torch.full((2,), update))
        for one, peer, row in zip(singles, peers, gradient, strict=True):
            one.grad = row.clone()
            peer.step()
    assert torch.allclose(weights, torch.stack([one.detach() for one in singles]), rtol=1e-10)


def test_the_learning_rate_falls_as_torch_lets_it_fall():
    peer = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=1e-2)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        peer, factor=0.9, patience=2, threshold=0.05, threshold_mode="abs", min_lr=8e-3, eps=1e-9
    )
    plateau = Plateau(patience=2, threshold=0.05, minimum=8e-3)
    best, waited, rate = np.full(1, np.inf), np.zeros(1, int), np.full(1, 1e-2)
    for value in [1, 0.98, 0.97, 0.96, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.5, 0.5, 0.5, 0.5]:
        scheduler.step(value)
        best, waited, rate = plateau.step(np.array([value]), best, waited, rate)
        assert rate[0] == pytest.approx(peer.param_groups[0]["lr"])


def test_packing_is_the_inverse_of_unpacking():
    rows = torch.arange(2 * sum(np.prod(shape) for shape in phoenix.shapes(4, 3).values())).reshape(2, -1)
    assert (pack(unpack(rows, phoenix.shapes(4, 3))) == rows).all()


def test_influence_is_the_mean_change_of_the_other_genes():
    drawn = phoenix.initialise(0, 5, 20)
    parameters = {name: torch.tensor(part[None]) for name, part in drawn.items()}
    bounds, everyone = torch.tensor([[0.0], [1.0]]).expand(2, 5), torch.ones(1, 5, dtype=torch.bool)
    whole = influence(phoenix, parameters, everyone, bounds, vectors=4, steps=2, seed=0)
    chunked = influence(phoenix, parameters, everyone, bounds, vectors=4, steps=2, seed=0, rows=4)
    assert whole.shape == (1, 5) and (whole > 0).all()
    assert torch.allclose(whole, chunked)
    assert torch.allclose(
        whole, influence(phoenix, parameters, everyone, bounds, vectors=4, steps=1, seed=0), rtol=1e-3
    )
    silent = {**parameters, "u_s": 0 * parameters["u_s"], "u_p": 0 * parameters["u_p"]}
    assert (influence(phoenix, silent, everyone, bounds, vectors=4, steps=2, seed=0) == 0).all()


def test_the_influence_of_regulators_alone_is_that_of_all_genes():
    drawn = phoenix.initialise(0, 6, 20)
    for name in ("w_s", "w_p"):
        drawn[name][:, [1, 4]] = 0
    parameters = {name: torch.tensor(np.stack([part, part])) for name, part in drawn.items()}
    bounds, acting = torch.tensor([[0.0], [1.0]]).expand(2, 6), torch.ones(2, 6, dtype=torch.bool)
    whole = influence(phoenix, parameters, acting, bounds, vectors=4, steps=1, seed=0)
    acting[1, [1, 4]] = False
    assert (influence(phoenix, parameters, acting, bounds, vectors=4, steps=1, seed=0) == whole).all()
    assert (whole[:, [1, 4]] == 0).all() and (whole[:, [0, 2, 3, 5]] > 0).all()


def test_influence_starts_where_the_genes_were_seen_or_where_it_is_published():
    seen = torch.tensor([[0.2, 3.0], [0.4, 1.0]])
    assert initial_range(seen, "observed").tolist() == [[pytest.approx(0.2), 1.0], [pytest.approx(0.4), 3.0]]
    assert initial_range(seen, "published").tolist() == [[-0.5, -0.5], [0.5, 0.5]]


@pytest.fixture
def command(tmp_path, root, expression, prior):
    """The training script on small data, as a subprocess; the number of epochs and the name of the outputs vary."""
    expression.save(tmp_path / "expression.npz")
    save_prior(tmp_path / "prior.npz", prior[0], prior[1], expression.genes)

    def start(name, settings):
        outputs = {
            "checkpoint": "parts",
            "model": "npz",
            "runs": "runs.tsv",
            "history": "history.tsv",
            "path": "path.npz",
        }
        paths = [f"--{key}={tmp_path / name}.{suffix}" for key, suffix in outputs.items()]
        inputs = ["--expression", tmp_path / "expression.npz", "--prior", tmp_path / "prior.npz"]
        identity = ["--dataset=small", "--method=dash", "--noise=0.025", "--seeds", "0", "1"]
        arguments = [*inputs, *identity, *paths, "--settings", json.dumps(settings)]
        environment = {**os.environ, "PYTHONPATH": str(root / "workflow"), "OMP_NUM_THREADS": "1"}
        script = root / "workflow/scripts/train_neural_ode.py"
        return subprocess.Popen(
            [sys.executable, script, *map(str, arguments)], env=environment, stderr=subprocess.PIPE, text=True
        )

    return start


def test_a_killed_training_continues_to_the_identical_result(tmp_path, command):
    settings = {"integrator": "rk4", "hidden": 5, "epochs": 40, "checkpoint_seconds": 0, "pruning": vars(SCHEDULE)}
    assert command("whole", settings).wait() == 0
    broken = command("broken", settings)
    checkpoint = tmp_path / "broken.parts/training.checkpoint"
    while not checkpoint.exists():
        assert broken.poll() is None
        time.sleep(0.001)
    broken.send_signal(signal.SIGKILL)
    assert broken.wait() == -signal.SIGKILL
    assert not (tmp_path / "broken.npz").exists()
    again = command("broken", settings)
    assert "continuing after epoch" in again.communicate()[1] and again.returncode == 0
    for output in ("npz", "history.tsv", "path.npz"):
        assert (tmp_path / f"broken.{output}").read_bytes() == (tmp_path / f"whole.{output}").read_bytes()
    assert not checkpoint.parent.exists()
    runs = pd.read_csv(tmp_path / "broken.runs.tsv", sep="\t")
    assert list(runs.seed) == [0, 1] and (runs.status == "finished").all() and runs.test_mse.gt(0).all()


def test_a_checkpoint_of_other_settings_is_not_continued(tmp_path, expression, prior):
    settings = {"integrator": "rk4", "hidden": 5, "checkpoint_seconds": 0}
    train(tmp_path, expression, prior, "dash", [0], read_options(NeuralOptions, {**settings, "epochs": 10}))
    options = read_options(NeuralOptions, {**settings, "epochs": 11})
    reported = []
    training_loop.train(run(expression, prior, "dash", [0], options), tmp_path / "training.npz", reported.append)
    assert not any("continuing" in text for text in reported)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epoch": 5}, "unknown key 'epoch'"),
        ({"epochs": "many"}, "settings.epochs = 'many': 'many' is not of type 'integer'"),
        ({"epochs": True}, "settings.epochs = True: True is not of type 'integer'"),
        ({"patience_epochs": "never"}, "patience_epochs = 'never': 'never' is not of type 'integer' or 'null'"),
        ({"pruning": {"evry": 5}}, "pruning: unknown key 'evry'"),
        ({"pruning": {"fraction": 1.5}}, "pruning.fraction = 1.5: 1.5 is not below 1"),
        ({"patience_epochs": 0}, "patience_epochs = 0: 0 is less than the minimum of 1"),
        ({"batch": "single"}, "batch = 'single': expected a whole number or 'trajectory'"),
        ({"hidden": [5, 0]}, "hidden = .*: 0 is less than the minimum of 1"),
        ({"keep": "best"}, "keep = 'best': expected 'sparsest', 'pruned', 'final' or 'all'"),
        ({"rewind_by": 0}, "rewind_by = 0: 0.0 is not above 0"),
        ({"device": "gpu", "integrator": "rk4"}, "device = 'gpu': expected cpu"),
        ({"device": "cuda", "integrator": "fused"}, "device: 'cuda' needs another integrator"),
        ({"epochs": 2, "pruning": {"first_epoch": 3}}, "nothing is pruned: pruning.first_epoch 3 > training.epochs 2"),
    ],
)
def test_wrong_settings_name_the_key(settings, message):
    with pytest.raises(InputError, match=message):
        read_options(NeuralOptions, settings)


def test_wrong_input_ends_the_script_with_one_line(command):
    process = command("wrong", {"epoch": 5})
    error = process.communicate()[1]
    assert process.returncode == 2 and error.startswith("error: settings: unknown key 'epoch'")


def test_a_prior_of_other_genes_is_refused(tmp_path, expression, prior):
    save_prior(tmp_path / "p.npz", prior[0], prior[1], expression.genes[::-1])
    with pytest.raises(InputError, match=r"p\.npz: its genes, or their order"):
        read_priors([tmp_path / "p.npz"], [0], expression.genes, find_method("dash")())
    save_prior(tmp_path / "z.npz", 0 * prior[0], prior[1], expression.genes)
    with pytest.raises(InputError, match=r"z\.npz: the matrix 'prior' is zero"):
        read_priors([tmp_path / "z.npz"], [0], expression.genes, find_method("dash")())
    network, shared = np.zeros((2, GENES, GENES))
    network[0, 1], shared[2, 2] = 1, 1
    save_prior(tmp_path / "apart.npz", network, shared, expression.genes)
    with pytest.raises(InputError, match=r"apart\.npz: no regulator of the matrix 'prior'"):
        read_priors([tmp_path / "apart.npz"], [0], expression.genes, find_method("bioprune")())
    with pytest.raises(InputError, match="expected 1 file or 2"):
        read_priors([], [0, 1], expression.genes, find_method("dash")())


def test_expression_without_validation_is_refused(tmp_path, expression):
    split = np.where(expression.split == "validation", "test", expression.split)
    Expression(**{**vars(expression), "split": split}).save(tmp_path / "e.npz")
    with pytest.raises(InputError, match="no transitions for validation"):
        load_expression(tmp_path / "e.npz")


def test_without_a_test_or_a_model_there_is_no_test_error(tmp_path, expression, prior):
    nothing_apart = np.where(expression.split == "test", "train", expression.split)
    for data, failed in ((dataclasses.replace(expression, split=nothing_apart), False), (expression, True)):
        training, state, _ = train(tmp_path / str(failed), data, prior, "unpruned", [0])
        state.failed[:] = failed
        assert np.isnan(evaluation.test_error(training, state, data.values[None])).all()


@pytest.mark.parametrize("method", ["unpruned", "imp", "dash", "dst"])
def test_the_state_of_a_training_is_the_same_when_it_is_read_back(tmp_path, expression, prior, method):
    _, state, _ = train(tmp_path, expression, prior, method, [0, 1])
    save_arrays(tmp_path / "state.npz", **state.as_arrays())
    again = State.of_arrays(load_arrays(tmp_path / "state.npz")).as_arrays()
    assert list(again) == list(state.as_arrays())
    assert all(np.array_equal(again[name], array) for name, array in state.as_arrays().items())
