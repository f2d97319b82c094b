"""Methods inside the training loop: rewinding, penalties through the chain rule, the recorded path, tuning."""

import dataclasses
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from kinetrain.errors import InputError
from kinetrain.networks import effects, packed
from kinetrain.neural import evaluation, training_loop, tuning
from kinetrain.neural.ensemble import unpack
from kinetrain.neural.integrators import rk4
from kinetrain.neural.options import NeuralOptions, Tuning
from kinetrain.neural.run import Run
from kinetrain.options import read_options
from kinetrain.pruning.events import PruningSchedule
from kinetrain.pruning.method import Method
from kinetrain.pruning.methods import find_method

GENES, EPOCHS = 12, 9
SCHEDULE = PruningSchedule(first_epoch=2, first_fraction=0.5, every=3, fraction=0.2)
OPTIONS = NeuralOptions(
    integrator="rk4", hidden=5, epochs=EPOCHS, learning_rate=0.01, steps=2, pruning=SCHEDULE, patience_epochs=None
)


def a_run(expression, prior, method, seeds=(0, 1), **options):
    values = np.stack([expression.noisy(0.025, seed) for seed in seeds])
    priors = [tuple(map(sparse.csr_array, prior))] * len(seeds)
    return Run(method, expression, priors, list(seeds), values, dataclasses.replace(OPTIONS, **options))


METHODS = ["unpruned", "pinn", "pinn_mp", "l0", "c_node", "pathreg", "dst", "imp", "synflow", "sparseflow"]
METHODS += ["bioprune", "dash", "random", "snip"]


@pytest.mark.parametrize("integrator", ["rk4", "fused"])
@pytest.mark.parametrize("name", METHODS)
def test_every_method_trains_to_finite_models_alike_in_company_and_alone(tmp_path, expression, prior, name, integrator):
    method = find_method(name)()
    together = a_run(expression, prior, method, integrator=integrator)
    state, history, path = training_loop.train(together, tmp_path / "a.npz")
    models = evaluation.best_models(together, state)
    assert all(np.isfinite(part).all() for part in models.values()) and list(models) == list(together.shapes)
    assert np.isfinite(evaluation.test_error(together, state, together.values)).all()
    alone, _, _ = training_loop.train(
        a_run(expression, prior, method, seeds=(1,), integrator=integrator), tmp_path / "b.npz"
    )
    assert np.abs(state.kept_weights[1] - alone.kept_weights[0]).max() < 1e-4
    sparsity = pd.DataFrame(history, columns=training_loop.HISTORY).groupby("model").mask_sparsity.last()
    assert path["mask_sparsity"][:, -1] == pytest.approx(sparsity)
    if method.prunes:
        assert (sparsity > 0.4).all()


@pytest.mark.parametrize("name", ["imp", "synflow"])
def test_a_rewound_model_starts_again_with_the_mask_it_had_when_best(tmp_path, expression, prior, name):
    run = a_run(expression, prior, find_method(name)(), rewind_by=6 / EPOCHS)
    state, history, _ = training_loop.train(run, tmp_path / "a.npz")
    assert (state.rewound_epoch == 6).all() and (state.best_epoch > 6).all()
    assert (state.updates == 3 * len(np.unique(run.expression.of("train")[:, 0]))).all()
    masks = unpack(state.mask, run.raw_shapes)
    assert (state.mask == state.best_mask).all()
    sparsity = pd.DataFrame(history, columns=training_loop.HISTORY).pivot(
        index="epoch", columns="model", values="mask_sparsity"
    )
    kept = 1 - sum(masks[name].sum(axis=(1, 2)) for name in run.matrices) / (4 * 5 * GENES)
    assert sparsity.loc[7:].to_numpy() == pytest.approx(np.tile(kept, (3, 1)))  # no event at epoch 9


def test_patience_rewinds_before_the_latest_epoch_and_then_training_goes_on_to_the_end(tmp_path, expression, prior):
    run = a_run(expression, prior, find_method("imp")(), patience_epochs=1, epochs=60, rewind_by=1.0)
    state, _, _ = training_loop.train(run, tmp_path / "a.npz")
    assert ((state.rewound_epoch > 0) & (state.rewound_epoch < 60)).all()
    assert (state.stopped_epoch == 60).all()


@pytest.mark.parametrize("name", ["imp", "synflow"])
def test_no_model_is_rewound_when_no_epoch_is_left_to_train_it(tmp_path, expression, prior, name):
    for at_the_end in ({"rewind_by": 1.0}, {"rewind_by": 1.0, "patience_epochs": 1, "epochs": 3}):
        run = a_run(expression, prior, find_method(name)(), **at_the_end)
        state, _, _ = training_loop.train(run, tmp_path / f"{len(at_the_end)}.npz")
        assert (state.rewound_epoch < run.options.epochs).all()
        assert np.isfinite(state.kept_validation).all() and (state.best_epoch > 0).all()


def test_a_model_rewinds_after_its_first_event_if_that_comes_late(tmp_path, expression, prior):
    late = PruningSchedule(first_epoch=5, first_fraction=0.5)
    run = a_run(expression, prior, find_method("imp")(), rewind_by=3 / EPOCHS, pruning=late)
    state, _, _ = training_loop.train(run, tmp_path / "a.npz")
    assert (state.rewound_epoch == 5).all() and (state.best_epoch > 5).all()


@pytest.mark.parametrize("keep", ["all", "pruned"])
def test_the_training_before_the_pruning_of_pinn_mp_has_no_result(tmp_path, expression, prior, keep):
    method = find_method("pinn_mp")(variant="published")
    run = a_run(expression, prior, method, keep=keep, epochs=30, patience_epochs=1, learning_rate=0.03)
    state, _, path = training_loop.train(run, tmp_path / "a.npz")
    assert (state.kept_epoch >= 19).all() and (path["mask_sparsity"][:, -1] > 0.8).all()


@dataclasses.dataclass(frozen=True)
class Doubled(Method):
    """Every matrix is twice its raw values, and the squares of the raw values are penalised."""

    gates: ClassVar[bool] = True
    penalises: ClassVar[bool] = True

    def parameters(self, raw, noise):
        return {name: 2 * part if part.ndim == 3 else part for name, part in raw.items()}

    def data_weight(self):
        return 0.25

    def penalty(self, raw, parameters, update):
        return sum(part.square().flatten(1).sum(dim=1) for part in raw.values())


def test_gradients_pass_through_gates_and_penalties(expression, prior):
    run = a_run(expression, prior, Doubled())
    state = training_loop._start(run)
    raw = unpack(torch.from_numpy(state.weights).double(), run.raw_shapes)
    start, end, duration = (part.double() for part in run.transitions("train", [0, 1]))
    batch = start, end, duration, torch.ones_like(duration)
    value, gradient = training_loop._objective(run, [0, 1], raw, None, 1, 0, batch, [2, 2])
    gradients = unpack(gradient, run.raw_shapes)
    leaves = {name: part.clone().requires_grad_() for name, part in raw.items()}
    shown = run.method.parameters(leaves, None)
    data = rk4.loss(rk4.predict(run.field, shown, start, duration, [2, 2]), end, batch[3])
    (0.25 * data + run.method.penalty(leaves, shown, None)).sum().backward()
    assert torch.allclose(value, data)
    for name, leaf in leaves.items():
        assert torch.allclose(gradients[name], leaf.grad, rtol=1e-6, atol=1e-10), name


def networks_of(run, path):
    """Yield the networks (pairs,) of all supports of a path."""
    names = effects.names_behind(run.field.chains(run.shapes), run.shapes)
    for one in packed.of_arrays(path):
        support = packed.unpack(one, {name: run.shapes[name] for name in names})
        yield np.unpackbits(effects.edge_bits(support, run.field.chains(run.shapes)))[: GENES**2]


def test_the_path_holds_the_networks_before_every_event(tmp_path, expression, prior):
    run = a_run(expression, prior, find_method("sparseflow")())
    state, history, path = training_loop.train(run, tmp_path / "a.npz")
    assert path["epochs"].tolist() == [1, 2, 5, 9]  # events at the start of epochs 2, 3 and 6; the last has none
    weights = {name: part.numpy() for name, part in run.evaluated(state.weights).items()}
    networks = np.array(list(networks_of(run, path))).reshape(2, 4, GENES, GENES)
    for model in range(2):
        one = {name: part[model].astype(float) for name, part in weights.items()}
        effect = np.abs(one["u_s"]) @ np.abs(one["w_s"]) + np.abs(one["u_p"]) @ np.abs(one["w_p"])
        assert (networks[model, -1] == (np.maximum(one["v"], 0)[:, None] * effect > 0)).all()
    table = pd.DataFrame(history, columns=training_loop.HISTORY).set_index(["model", "epoch"])
    for column in ("validation_mse", "mask_sparsity"):
        expected = [[table[column][model, epoch] for epoch in (1, 2, 5, 9)] for model in range(2)]
        assert path[column] == pytest.approx(np.array(expected))
    assert (path["sparsity"] >= path["mask_sparsity"]).all()


def test_a_model_that_stopped_repeats_its_last_support(tmp_path, expression, prior):
    run = a_run(expression, prior, find_method("unpruned")(), patience_epochs=1, epochs=40, learning_rate=0.2)
    state, _, path = training_loop.train(run, tmp_path / "a.npz")
    assert (state.stopped_epoch < 40).any()
    for model, stopped in enumerate(state.stopped_epoch):
        after = path["epochs"] > stopped
        assert np.isnan(path["validation_mse"][model]).tolist() == after.tolist()
        supports = packed.of_arrays(path)[model * len(after) : (model + 1) * len(after)]
        assert len({one for one, ended in zip(supports, after, strict=True) if ended}) == 1
        assert supports[-1] == supports[np.flatnonzero(~after)[-1]]


def test_models_that_all_fail_at_once_have_an_empty_path(tmp_path, expression, prior):
    run = a_run(expression, prior, find_method("unpruned")(), pruning=PruningSchedule(first_epoch=3))
    run.values[:] = np.nan
    state, _, path = training_loop.train(run, tmp_path / "a.npz")
    assert state.failed.all() and (state.stopped_epoch == 1).all()
    assert path["epochs"].tolist() == [2, 9] and np.isnan(path["validation_mse"]).all()
    assert path["support_bytes"].shape == (2, 2) and not np.any(list(networks_of(run, path)))


def test_a_model_that_diverges_late_keeps_what_it_had_reached(tmp_path, expression, prior):
    run = a_run(expression, prior, find_method("unpruned")())
    first = run._transitions["train", 0]
    reported = []

    def spoil(text):
        reported.append(text)
        if len(reported) == 4:
            first[0][:] = np.nan

    state, _, _ = training_loop.train(run, tmp_path / "a.npz", spoil)
    assert state.diverged.tolist() == [True, False] and state.stopped_epoch[0] == 5
    assert not state.failed.any() and 1 <= state.best_epoch[0] <= 4
    assert np.isfinite(evaluation.best_models(run, state)["w_s"]).all()


def test_folds_part_the_trajectories_and_leave_the_test_alone(expression):
    folds = [tuning.fold(expression, 3, number, seed=0) for number in range(3)]
    held = [set(fold.of("validation")[:, 0]) for fold in folds]
    assert set.union(*held) == set(expression.of("train")[:, 0]) | set(expression.of("validation")[:, 0])
    assert sum(map(len, held)) == len(set.union(*held))
    for fold, validation in zip(folds, held, strict=True):
        assert not validation & set(fold.of("train")[:, 0])
        assert (fold.of("test") == expression.of("test")).all()
    single = dataclasses.replace(expression, transitions=expression.transitions[:3], split=np.full(3, "train", "<U10"))
    assert sorted(len(tuning.fold(single, 3, number, 0).of("validation")) for number in range(3)) == [1, 1, 1]
    with pytest.raises(InputError, match="too few for 4 folds"):
        tuning.fold(single, 4, 0, 0)


def test_equally_sparse_settings_are_chosen_by_their_error():
    errors = {"first": (1.2, 1.4), "second": (1.1, 1.5), "best": (1.0, 1.4)}
    rows = [(name, fold, value, 0.9) for name, values in errors.items() for fold, value in enumerate(values)]
    table = pd.DataFrame(rows, columns=["setting", "fold", "validation_mse", "sparsity"])
    assert tuning.choose(table, "sparsest") == "best"


def test_a_grid_is_the_product_of_its_values():
    assert tuning.candidates({"a": [1, 2], "b": [3]}) == [{"a": 1, "b": 3}, {"a": 2, "b": 3}]
    assert tuning.candidates({"lambdas": {"each": [0, 1]}}) == [{"lambdas": [i, j]} for i in (0, 1) for j in (0, 1)]


def test_the_choice_is_the_best_or_the_sparsest_within_one_standard_error():
    errors = {"a": (1.0, 1.4), "b": (1.1, 1.5), "c": (2.0, 2.1), "d": (0.1, np.nan)}
    sparsity = {"a": 0.5, "b": 0.9, "c": 0.99, "d": 0.999}
    rows = [
        {"setting": name, "fold": fold, "validation_mse": value, "sparsity": sparsity[name]}
        for name, values in errors.items()
        for fold, value in enumerate(values)
    ]
    assert tuning.choose(pd.DataFrame(rows), "best") == "a"  # d failed in a fold
    assert tuning.choose(pd.DataFrame(rows), "sparsest") == "b"
    with pytest.raises(InputError, match="nothing can be chosen"):
        tuning.choose(pd.DataFrame(rows[-1:]), "best")


def test_wrong_tuning_names_the_key():
    with pytest.raises(InputError, match="folds = 1: 1 is less than the minimum of 2"):
        read_options(Tuning, {"folds": 1})
    with pytest.raises(InputError, match="choice = 'good': expected 'best' or 'sparsest'"):
        read_options(Tuning, {"choice": "good"})


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [("dash", {"v": 5}, {"u_p": 5}), ("bioprune", {"v": 5}, {"u_p": 5}), ("l0", {}, {}), ("pinn", {"v": 5}, {"v": 5})],
)
def test_the_released_forms_give_the_faster_rate_to_other_parameters(expression, prior, name, before, after):
    for variant, expected in (("published", (before, after)), (None, ({"v": 5}, {"v": 5}))):
        run = a_run(expression, prior, find_method(name)(**({"variant": variant} if variant else {})))
        for epoch, factors in zip((1, SCHEDULE.first_epoch), expected, strict=True):
            rates = unpack(training_loop._rates(run, np.array([0.1, 0.2]), epoch), run.raw_shapes)
            for parameter, part in rates.items():
                assert part[1] == pytest.approx(0.2 * factors.get(parameter, 1))
