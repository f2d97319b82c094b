"""Training of neural vector fields on transitions, with pruning on the way (Hossain et al. 2024, NeurIPS).

All seeds of a method are trained in step. Each model has its own noise, order of mini-batches, learning rate, number
of solver steps and masks, drawn from its own seed, and comes out as if it had been trained alone.
"""

import dataclasses
import hashlib
import time
from pathlib import Path

import numpy as np
import torch

from kinetrain.files import load_checkpoint, save_checkpoint
from kinetrain.networks import effects
from kinetrain.neural import ensemble, snapshots
from kinetrain.neural.ensemble import Plateau, pack, unpack
from kinetrain.neural.run import Run
from kinetrain.neural.state import State
from kinetrain.pruning.events import prune
from kinetrain.pruning.method import Event, Update

TRAINED = ("weights", "first", "second", "mask", "updates")  # what an epoch changes in the state of a model
MOST_STEPS = 16  # times as many solver steps as at the start, until a loss that is not finite counts as diverged
HISTORY = ("model", "epoch", "train_loss", "validation_mse", "mask_sparsity", "learning_rate", "solver_steps")


def train(run: Run, checkpoint: Path, tell=lambda text: None):
    """Train all models to their end; return their state, history and path.

    history: rows of HISTORY, one per model and epoch; path: a dict with `rows` of PATH, one per model and snapshot,
    and `edges`, their networks as packed bits. Continues from the file `checkpoint` where it was left by the same
    run, with the same result as without a break.
    """
    options, identity, saved = run.options, fingerprint(run), time.monotonic()
    state, history, path, done = _resume(checkpoint, identity) or (_start(run), [], {"rows": [], "edges": []}, 0)
    if done:
        tell(f"continuing after epoch {done}")
    for epoch in range(done + 1, options.epochs + 1):
        live = np.flatnonzero(state.stopped_epoch == 0)
        if not len(live):
            break
        _prune_where_due(run, state, live, epoch)
        members = live[np.argsort(-state.steps[live], kind="stable")]  # the integrator wants the most steps first
        for group in run.groups(members):
            began = time.process_time()
            train_loss = _train_with_steps_enough(run, state, group, epoch)
            order = np.argsort(-state.steps[group], kind="stable")
            group, train_loss, steps = group[order], train_loss[order], state.steps[group][order]
            parameters = run.evaluated(state.weights[group])
            coarse, fine = (_errors(run, parameters, "validation", group, n) for n in (steps, 2 * steps))
            sparsity = snapshots.sparsity(run, parameters)
            _judge(run, state, group, epoch, train_loss, coarse.mean(axis=1), fine, sparsity)
            history += _rows(state, group, epoch, train_loss, fine.mean(axis=1), sparsity)
            if epoch in run.snapshot_epochs:
                snapshots.add_snapshot(run, path, group, epoch, fine.mean(axis=1), parameters, sparsity)
            state.cpu_seconds[group] += (time.process_time() - began) / len(group)
        tell(f"epoch {epoch} of {options.epochs}: validation MSE {_span(history, len(members))}, {len(live)} models")
        if time.monotonic() - saved >= options.checkpoint_seconds:
            _save(checkpoint, identity, epoch, state, history, path)
            saved = time.monotonic()
    state.stopped_epoch[state.stopped_epoch == 0] = options.epochs
    return state, np.array(sorted(history)), snapshots.complete(run, path)


def best_models(run: Run, state: State) -> dict[str, np.ndarray]:
    """Return the weights {name: (M, *shape)} of the epochs that are kept; those of failed models are NaN."""
    rows = np.where(state.failed[:, None], np.float32(np.nan), state.kept_weights)
    return {name: part.cpu().numpy() for name, part in run.evaluated(rows).items()}


def test_error(run: Run, state: State, values: np.ndarray) -> np.ndarray:
    """Return the mean squared one-step error (M,) on the test transitions, with `values` (M, R, T, k) as expression.

    NaN for failed models and where no transitions are set apart for the test.
    """
    return _test_squares(run, state, values).mean(dim=2).double().numpy().mean(axis=1)


def dead_targets(run: Run, state: State, values: np.ndarray):
    """Return the numbers (M,) of dead genes that are no constant inputs, and their share (M,) of the test error.

    A dead gene never changes, which is right for an input that is constant in the data, and wrong for all others. NaN
    for failed models and for fields without multipliers, the share also without a test. `values` as in `test_error`.
    """
    models, failed = best_models(run, state), state.failed
    if "v" not in models:
        return np.full((2, len(failed)), np.nan)
    targets = effects.dead(models) & run.expression.changing
    squares = _test_squares(run, state, values).double().numpy().sum(axis=1)
    shares = (squares * targets).sum(axis=1) / squares.sum(axis=1)
    return np.where(failed, np.nan, targets.sum(axis=1)), shares


def _test_squares(run: Run, state: State, values) -> torch.Tensor:
    """Return the squared one-step errors (M, N, k) on the test transitions, one of NaN where there are none."""
    count, genes = len(run.expression.of("test")), len(run.expression.genes)
    squares = torch.full((len(run.seeds), max(1, count), genes), torch.nan)
    shown = dataclasses.replace(run, values=values)
    members = np.flatnonzero(~state.failed) if count else np.array([], int)
    for group in run.groups(members[np.argsort(-state.kept_steps[members], kind="stable")]):
        parameters = run.evaluated(state.kept_weights[group])
        squares[group] = _squares(shown, parameters, "test", group, 2 * state.kept_steps[group]).cpu()
    return squares


def reasons(run: Run, state: State, history) -> list[str]:
    """Return for every model that diverged why its training ended, in one line; "" for the others."""
    longest = run.transitions("train", [0])[2].max() * run.expression.time_scale
    unit = run.expression.time_unit
    said = [""] * len(run.seeds)
    for model in np.flatnonzero(state.diverged):
        _, epoch, train_loss, _, _, _, steps = history[history[:, 0] == model][-1]
        which = "validation" if np.isfinite(train_loss) else "training"
        said[model] = (
            f"epoch {epoch:.0f}: the {which} loss is not finite with {steps:.0f} solver steps (longest pair "
            f"{longest:g}, unit {unit}); no outliers, a lower learning_rate or a longest_interval would help"
        )
    return said


def fingerprint(run: Run) -> str:
    """Return a digest of all that decides the result, so that nothing is continued that another run began."""
    names = run.field.__name__, run.integrator.__name__, type(run.method).__module__
    digest = hashlib.sha256(repr((run.options, run.method, names, run.seeds)).encode())
    matrices = [matrix for prior in run.priors if prior for matrix in prior]
    parts = [part for matrix in matrices for part in (matrix.data, matrix.indices, matrix.indptr)]
    for array in (run.values, run.expression.times, run.expression.transitions, *parts):
        digest.update(np.ascontiguousarray(array).tobytes())
    digest.update("".join(run.expression.split).encode())
    return digest.hexdigest()


def _start(run: Run) -> State:
    """Return the state of all models before the first epoch."""
    weights = np.stack([_start_row(run, seed) for seed in run.seeds])
    rngs = [np.random.default_rng([seed, 6]) for seed in run.seeds]
    memories = [run.method.start_memory(rng, run.field, run.shapes) for rng in rngs]
    memory = {name: np.stack([one[name] for one in memories]) for name in memories[0]}
    return State.at_start(weights, run.options.learning_rate, run.options.steps, memory)


def _start_row(run: Run, seed: int) -> np.ndarray:
    """Return the raw parameters (P,) that the model of a seed starts from."""
    weights = run.field.initialise(seed, len(run.expression.genes), run.options.hidden)
    raw = run.method.raw_start(np.random.default_rng([seed, 10]), weights)
    row = np.concatenate([np.ravel(raw[name]) for name in run.raw_shapes]).astype(np.float32)
    run.keep_alive(unpack(torch.from_numpy(row[None]), run.raw_shapes))
    return row


def _prune_where_due(run: Run, state: State, live, epoch: int) -> None:
    """Prune the live models in place if the schedule says so; their learning rates start anew, their moments stay."""
    fraction = run.method.due(run.options.pruning, epoch, run.options.epochs)
    pruned = live[state.rewound_epoch[live] == 0]
    if not fraction or not len(pruned):
        return
    for model in pruned:
        began = time.process_time()
        _prune_model(run, state, model, epoch, fraction)
        state.cpu_seconds[model] += time.process_time() - began
    state.rate[pruned] = run.options.learning_rate
    state.plateau_best[pruned], state.plateau_waited[pruned] = np.inf, 0


def _prune_model(run: Run, state: State, model: int, epoch: int, fraction: float) -> None:
    masks = {name: part[0] for name, part in unpack(state.mask[[model]], run.raw_shapes).items()}
    weights = {name: part[0] for name, part in unpack(state.weights[[model]], run.raw_shapes).items()}
    event = Event(
        field=run.field,
        weights={name: part.astype(float) for name, part in weights.items()},
        prior=run.priors[model],
        memory={name: kept[model] for name, kept in state.memory.items()},
        masks={name: masks[name] for name in run.matrices},
        rng=np.random.default_rng([run.seeds[model], 11, epoch]),
        loss_gradient=lambda: _loss_gradient(run, state, model),
    )
    scores, memory = run.method.scores(event)
    rng = np.random.default_rng([run.seeds[model], 7, epoch])
    for name in run.matrices:
        masks[name] = prune(masks[name], scores[name], fraction, rng)
    for name, kept in memory.items():
        state.memory[name][model] = kept
    state.mask[model] = np.concatenate([masks[name].ravel() for name in run.raw_shapes])
    # with the moments gone and the gradient masked, Adam leaves a pruned weight at zero for good
    for array in (state.weights, state.first, state.second):
        array[model] *= state.mask[model]


def _loss_gradient(run: Run, state: State, model: int) -> dict[str, np.ndarray]:
    """Return the gradient of the mean loss over all training transitions of one model, by the names of its weights."""
    start, end, duration = run.transitions("train", [model])
    _, gradients = run.integrator.value_and_gradient(
        run.field,
        run.trained(state.weights[[model]]),
        start,
        end,
        duration,
        torch.ones_like(duration),
        [int(state.steps[model])],
    )
    return {name: gradient[0].cpu().numpy().astype(float) for name, gradient in gradients.items()}


def _train_with_steps_enough(run: Run, state: State, members, epoch: int) -> np.ndarray:
    """Do what `_train_epoch` does; where the loss is not finite, again with more solver steps, up to MOST_STEPS."""
    before = {name: getattr(state, name)[members].copy() for name in TRAINED}
    loss = _train_epoch(run, state, members, epoch, state.steps[members])
    for place in np.flatnonzero(~np.isfinite(loss)):
        member = members[[place]]
        while not np.isfinite(loss[place]) and state.steps[member] < MOST_STEPS * run.options.steps:
            for name, kept in before.items():
                getattr(state, name)[member] = kept[[place]]
            state.steps[member] *= 2
            loss[place] = _train_epoch(run, state, member, epoch, state.steps[member])[0]
    return loss


def _train_epoch(run: Run, state: State, members, epoch: int, steps) -> np.ndarray:
    """Pass once over the training transitions, in place; return the mean data loss (M,) over them."""
    start, end, duration = run.transitions("train", members)
    held = {name: torch.from_numpy(getattr(state, name)[members]).to(run.options.device) for name in TRAINED}
    weights, first, second, mask, updates = held.values()
    rates = torch.from_numpy(_rates(run, state.rate[members], epoch)).to(run.options.device)
    raw, masks = unpack(weights, run.raw_shapes), unpack(mask, run.raw_shapes)
    adam_step = getattr(run.integrator, "adam_step", ensemble.adam_step)
    total = torch.zeros(len(members), dtype=torch.float64, device=run.options.device)
    draws = run.method.gates or run.method.penalises
    for number, (batch, present) in enumerate(_batches(run, members, epoch)):
        begun, ended, lasted = (_rows_of(part, batch) for part in (start, end, duration))
        chosen = begun, ended, lasted * present, present
        rngs = [np.random.default_rng([run.seeds[member], 9, epoch, number]) for member in members] if draws else []
        value, gradients = _objective(run, members, raw, masks, rngs, epoch, chosen, steps.tolist())
        updates += 1
        rows = gradients if hasattr(gradients, "rows") else pack(gradients)
        adam_step(weights, rows, first, second, rates, updates, mask)
        run.method.after_update(raw)
        run.keep_alive(raw)
        total += value * present.sum(dim=1)
    for name, tensor in held.items():
        getattr(state, name)[members] = tensor.cpu().numpy()
    state.pair_solves[members] += start.shape[1]
    return total.cpu().numpy() / start.shape[1]


def _objective(run: Run, members, raw, masks, rngs, epoch: int, batch, steps: list[int]):
    """Return the data loss (M,) of a mini-batch, and the gradient of the method's whole objective in `raw`."""
    method = run.method
    if not (method.gates or method.penalises):
        return run.integrator.value_and_gradient(run.field, raw, *batch, steps, mask=masks)
    leaves = {name: tensor.detach().requires_grad_() for name, tensor in raw.items()}
    drawn = [method.noise(rng, run.shapes) for rng in rngs]
    noise = {name: torch.from_numpy(np.stack([one[name] for one in drawn])).to(batch[0]) for name in drawn[0]}
    parameters = method.parameters(leaves, noise)
    fixed = {name: tensor.detach() for name, tensor in parameters.items()}
    value, gradients = run.integrator.value_and_gradient(
        run.field, fixed, *batch, steps, mask=None if method.gates else masks
    )
    pruned, objective = epoch >= run.first_event, torch.zeros(())
    if method.gates:
        # the chain rule: what this sum has for a gradient in the raw parameters is that of the data loss
        objective = sum((parameters[name] * gradient).sum() for name, gradient in gradients.items())
        objective = method.data_weight(pruned) * objective
    if method.penalises:
        update = Update(run.field, [run.priors[member] for member in members], rngs, pruned, noise)
        objective = objective + method.penalty(leaves, parameters, update).sum()
    found = _derivatives(objective, leaves)
    if not method.gates:
        found = {name: found[name] + method.data_weight(pruned) * gradients[name] for name in leaves}
    return value, found


def _derivatives(objective, leaves: dict) -> dict:
    """Return the derivatives of a sum in the leaves {name: tensor}, zero where it does not depend on them."""
    found = [None] * len(leaves)
    if objective.requires_grad:
        found = torch.autograd.grad(objective, list(leaves.values()), allow_unused=True)
    parts = zip(leaves.items(), found, strict=True)
    return {name: torch.zeros_like(leaf) if part is None else part for (name, leaf), part in parts}


def _rates(run: Run, rate, epoch: int) -> np.ndarray:
    """Return the learning rate (M, P) of every raw parameter of models with the rates (M,)."""
    factors = run.rate_factors(epoch >= run.first_event)
    parts = [np.full(int(np.prod(shape)), factors.get(name, 1.0)) for name, shape in run.raw_shapes.items()]
    return (rate[:, None] * np.concatenate(parts)).astype(np.float32)


def _batches(run: Run, members, epoch: int):
    """Yield the mini-batches of an epoch: indices (M, B) of training transitions, and which of them are there (M, B).

    The batch of a model that has fewer than another is filled up.
    """
    device = run.options.device
    orders = [_order(run, run.seeds[member], epoch) for member in members]
    for batches in zip(*orders, strict=True):
        indices = np.zeros((len(batches), max(map(len, batches))), int)
        present = np.zeros(indices.shape, np.float32)
        for model, batch in enumerate(batches):
            indices[model, : len(batch)], present[model, : len(batch)] = batch, 1
        yield torch.from_numpy(indices).to(device), torch.from_numpy(present).to(device)


def _rows_of(part, indices):
    """Return the transitions `indices` (M, B) of every model, out of (M, N, ...)."""
    if len(part) == 1:
        return part[0].index_select(0, indices[0])[None]
    return part[torch.arange(len(part), device=part.device)[:, None], indices]


def _order(run: Run, seed: int, epoch: int) -> list[np.ndarray]:
    """Return the batches of one model in random order, which depends on its seed and the epoch alone."""
    rng = np.random.default_rng([seed, 8, epoch])
    trajectory = run.expression.of("train")[:, 0]
    if run.options.batch == "trajectory":
        ordered = np.split(np.arange(len(trajectory)), np.flatnonzero(np.diff(trajectory)) + 1)
        return [ordered[one] for one in rng.permutation(len(ordered))]
    shuffled = rng.permutation(len(trajectory))
    return [shuffled[at : at + run.options.batch] for at in range(0, len(shuffled), run.options.batch)]


def _squares(run: Run, parameters, split: str, members, steps) -> torch.Tensor:
    """Return the squared one-step errors (M, N, k) of all transitions of a split, for models of given parameters."""
    start, end, duration = run.transitions(split, members)
    with torch.no_grad():
        predicted = run.integrator.predict(run.field, parameters, start, duration, steps.tolist())
        return (predicted - end).square()


def _errors(run: Run, parameters, split: str, members, steps) -> np.ndarray:
    """Return the mean squared one-step errors (M, N) of what `_squares` returns."""
    return _squares(run, parameters, split, members, steps).mean(dim=2).double().cpu().numpy()


def _standard_error(run: Run, squares) -> np.ndarray:
    """Return the standard error (M,) of the mean of validation errors (M, N): over trajectories where there are some,
    over transitions elsewhere."""
    trajectory = run.expression.of("validation")[:, 0]
    known = np.unique(trajectory)
    parts = (
        np.stack([squares[:, trajectory == one].mean(axis=1) for one in known], axis=1) if len(known) > 1 else squares
    )
    return parts.std(axis=1, ddof=1) / np.sqrt(parts.shape[1]) if parts.shape[1] > 1 else np.zeros(len(squares))


def _judge(run: Run, state: State, members, epoch: int, train_loss, coarse, squares, sparsity) -> None:
    """Take note of an epoch, in place: best model, learning rate, solver steps, and who stops or rewinds here."""
    options, fine = run.options, squares.mean(axis=1)
    diverged = ~(np.isfinite(train_loss) & np.isfinite(fine))
    plateau = Plateau(options.plateau_patience, options.plateau_threshold, options.minimum_learning_rate)
    kept = ("plateau_best", "plateau_waited", "rate")
    for name, value in zip(kept, plateau.step(fine, *(getattr(state, name)[members] for name in kept)), strict=True):
        getattr(state, name)[members] = value
    counted = ~diverged & (epoch >= run.first_counted)
    better = counted & (fine < state.best_validation[members])
    best = members[better]
    state.best_validation[best], state.best_epoch[best] = fine[better], epoch
    state.best_error[best] = _standard_error(run, squares)[better]
    if run.method.rewinds:
        state.best_mask[best] = state.mask[best]
    _keep(state, members, epoch, counted, fine, sparsity * (options.keep == "sparsest"))
    deviation = np.abs(coarse - fine) / fine
    change = np.where(deviation > options.tolerances[0], 2, np.where(deviation < options.tolerances[1], -1, 0))
    state.steps[members] = np.maximum(1, state.steps[members] + change)
    since = np.maximum(np.maximum(state.best_epoch[members], run.first_counted - 1), state.rewound_epoch[members])
    late = epoch - since >= (options.patience_epochs or np.inf)
    if run.method.rewinds:
        ready = (state.rewound_epoch[members] == 0) & (late | (epoch >= round(options.rewind_by * options.epochs)))
        # after the last epoch there would be nothing left to train what was rewound
        ready &= ~diverged & (state.best_epoch[members] > 0) & (epoch < options.epochs)
        _rewind(run, state, members[ready], epoch)
        late &= state.rewound_epoch[members] == 0  # what was rewound is trained to the last epoch
    state.diverged[members] = diverged
    # a model that diverges late keeps what it had reached before
    state.failed[members] = diverged & (state.best_epoch[members] == 0)
    state.stopped_epoch[members[diverged | late]] = epoch


def _keep(state: State, members, epoch: int, counted, fine, sparsity) -> None:
    """Keep models, in place: the sparsest whose validation error is within one standard error of the best.

    Among the equally sparse, the best. What is kept is looked at again whenever there is a new best.
    """
    best, kept = state.best_validation[members], state.kept_validation[members]
    allowed = best + np.where(sparsity > 0, state.best_error[members], 0)
    sparser = sparsity > state.kept_sparsity[members]
    equal = (sparsity == state.kept_sparsity[members]) & (fine < kept)
    chosen = counted & (fine <= allowed) & (sparser | equal | (kept > allowed))
    kept = members[chosen]
    state.kept_validation[kept], state.kept_sparsity[kept] = fine[chosen], sparsity[chosen]
    state.kept_epoch[kept], state.kept_steps[kept] = epoch, state.steps[kept]
    state.kept_weights[kept] = state.weights[kept]


def _rewind(run: Run, state: State, members, epoch: int) -> None:
    """Put models back to their start, in place, with the mask of their best epoch; they are not pruned any more."""
    for model in members:
        state.mask[model] = state.best_mask[model]
        state.weights[model] = _start_row(run, run.seeds[model]) * state.mask[model]
    state.first[members] = state.second[members] = 0
    state.updates[members], state.rewound_epoch[members] = 0, epoch
    state.rate[members] = run.options.learning_rate
    state.plateau_best[members], state.plateau_waited[members] = np.inf, 0
    state.best_validation[members], state.best_epoch[members] = np.inf, 0
    state.kept_validation[members], state.kept_sparsity[members] = np.inf, 0
    state.steps[members] = run.options.steps


def _rows(state: State, members, epoch, train_loss, validation, sparsity) -> list[tuple]:
    """Return the rows of HISTORY of one epoch."""
    columns = zip(members, train_loss, validation, sparsity, state.rate[members], state.steps[members], strict=True)
    return [(float(member), float(epoch), *map(float, row)) for member, *row in columns]


def _span(history, count: int) -> str:
    values = [row[3] for row in history[-count:]]
    return f"{min(values):.3g} to {max(values):.3g}"


def _save(checkpoint: Path, identity, epoch: int, state, history, path) -> None:
    arrays = {"history": np.array(history), "rows": np.array(path["rows"]), "edges": np.array(path["edges"])}
    save_checkpoint(checkpoint, identity, epoch=epoch, **arrays, **state.as_arrays())


def _resume(checkpoint: Path, identity):
    """Return state, history, path and last epoch of a checkpoint of this very run, or None."""
    arrays = load_checkpoint(checkpoint, identity)
    if arrays is None:
        return None
    history = [tuple(row) for row in arrays.pop("history").tolist()]
    rows, edges = arrays.pop("rows").tolist(), arrays.pop("edges")
    path = {"rows": [(int(row[0]), int(row[1]), *row[2:]) for row in rows], "edges": list(edges)}
    epoch = int(arrays.pop("epoch"))
    return State.of_arrays(arrays), history, path, epoch
