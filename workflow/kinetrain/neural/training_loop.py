"""Training of neural vector fields on transitions, with pruning (Hossain et al. 2024, NeurIPS).

All seeds of a method are trained epoch by epoch together. Each model has its own noise, order of mini-batches, learning
rate, number of solver steps and masks, drawn from its own seed, and ends as if it had been trained alone.
"""

import hashlib
import math
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch

from kinetrain.files import load_checkpoint, save_checkpoint
from kinetrain.networks import packed
from kinetrain.neural import ensemble, snapshots
from kinetrain.neural.ensemble import pack, padded, unpack
from kinetrain.neural.evaluation import mean_errors
from kinetrain.neural.integrators import rk4
from kinetrain.neural.run import FLOOR, Run
from kinetrain.neural.selection import assess_epoch
from kinetrain.neural.state import State
from kinetrain.pruning.events import prune
from kinetrain.pruning.method import Event, Update
from kinetrain.seeds import BATCHES, FIRST_SCORES, NOISE_OF_METHOD, SCORES_OF_METHOD, TIES, generator

TRAINED = ("weights", "first", "second", "mask", "updates")  # parts of the state that an epoch changes
MOST_STEPS = 128  # times the solver steps at the start, beyond which a loss that is not finite counts as diverged
HISTORY = ("model", "epoch", "train_loss", "validation_mse", "mask_sparsity", "learning_rate", "solver_steps")


def train(run: Run, checkpoint: Path, report=lambda text: None):
    """Train all models to their end; return their state, history and path.

    history: rows of HISTORY, one per model and epoch; path: a dict with `rows` of PATH, one per model and snapshot,
    and `supports`, theirs (`packed.pack`). Continues from the file `checkpoint` if the same run left it,
    with the same result as without a break. report: a function that is called with the progress of each epoch.
    """
    options, identity, saved = run.options, fingerprint(run), time.monotonic()
    state, history, path, done = _resume(checkpoint, identity) or (_start(run), [], {"rows": [], "supports": []}, 0)
    if done:
        report(f"continuing after epoch {done}")
    for epoch in range(done + 1, options.epochs + 1):
        live = np.flatnonzero(state.stopped_epoch == 0)
        if not len(live):
            break
        _prune_if_due(run, state, live, epoch)
        members = live[np.argsort(-state.steps[live], kind="stable")]  # the integrator wants the most steps first
        for group in run.groups(members):
            began = time.process_time()
            train_loss = _train_with_enough_steps(run, state, group, epoch)
            order = np.argsort(-state.steps[group], kind="stable")
            group, train_loss, steps = group[order], train_loss[order], state.steps[group][order]
            parameters = run.evaluated(state.weights[group])
            coarse, fine = (mean_errors(run, parameters, "validation", group, n) for n in (steps, 2 * steps))
            sparsity = snapshots.sparsity(run, parameters)
            assess_epoch(run, state, group, epoch, train_loss, coarse.mean(axis=1), fine, sparsity)
            history += _rows(state, group, epoch, train_loss, fine.mean(axis=1), sparsity)
            if epoch in run.snapshot_epochs:
                snapshots.add_snapshot(run, path, group, epoch, fine.mean(axis=1), parameters, sparsity)
            state.cpu_seconds[group] += (time.process_time() - began) / len(group)
        report(
            f"epoch {epoch} of {options.epochs}: validation MSE {_range_of(history, len(members))}, {len(live)} models"
        )
        if time.monotonic() - saved >= options.checkpoint_seconds:
            _save(checkpoint, identity, epoch, state, history, path)
            saved = time.monotonic()
    state.stopped_epoch[state.stopped_epoch == 0] = options.epochs
    return state, np.array(sorted(history)), snapshots.complete(run, path)


def fingerprint(run: Run) -> str:
    """Return a digest of all that decides the result, so that no run continues the checkpoint of another."""
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
    weights = np.stack([run.start_row(seed) for seed in run.seeds])
    rngs = [generator(seed, FIRST_SCORES) for seed in run.seeds]
    memories = [run.method.start_memory(rng, run.field, run.shapes) for rng in rngs]
    memory = {name: np.stack([one[name] for one in memories]) for name in memories[0]}
    return State.at_start(weights, run.options.learning_rate, run.options.steps, memory)


def _prune_if_due(run: Run, state: State, live, epoch: int) -> None:
    """Prune the models in training, in place, if an event is due; learning rates are reset, moments stay."""
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
        rng=generator(run.seeds[model], SCORES_OF_METHOD, epoch),
        loss_gradient=lambda: _loss_gradient(run, state, model),
    )
    scores, memory = run.method.scores(event)
    rng = generator(run.seeds[model], TIES, epoch)
    for name in run.matrices:
        masks[name] = prune(masks[name], scores[name], fraction, rng)
    for name, kept in memory.items():
        state.memory[name][model] = kept
    state.mask[model] = np.concatenate([masks[name].ravel() for name in run.raw_shapes])
    # with zero moments and a masked gradient Adam leaves a pruned weight at zero
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


def _train_with_enough_steps(run: Run, state: State, members, epoch: int) -> np.ndarray:
    """Call `_train_epoch`; repeat it with more solver steps, up to MOST_STEPS, for models whose loss is not finite."""
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
    """Train one epoch, in place; return the mean data loss (M,) over the training transitions."""
    transitions = run.transitions("train", members)
    held = {name: torch.from_numpy(getattr(state, name)[members]).to(run.options.device) for name in TRAINED}
    rates = torch.from_numpy(_rates(run, state.rate[members], epoch)).to(run.options.device)
    if len(members) == 1 and run.whole_epoch(epoch):
        total = _train_whole_epoch(run, members[0], epoch, transitions, held, rates, int(steps[0]))
    else:
        total = _train_batches(run, members, epoch, transitions, held, rates, steps.tolist())
    for name, tensor in held.items():
        getattr(state, name)[members] = tensor.cpu().numpy()
    count = transitions[0].shape[1]
    state.pair_solves[members] += count
    return total / count


def _train_whole_epoch(run: Run, member: int, epoch: int, transitions, held, rates, steps: int) -> np.ndarray:
    """Train one model by an epoch in one call of the integrator, in place; return the sum of losses, (1,)."""
    weights, first, second, mask, updates = (tensor[0] for tensor in held.values())
    batches = _order(run, run.seeds[member], epoch)
    total = run.integrator.train_epoch(
        run.shapes,
        weights,
        (first, second),
        mask,
        rates[0],
        int(updates),
        [part[0] for part in transitions],
        batches,
        steps,
        FLOOR if run.keeps_alive else -math.inf,
    )
    updates += len(batches)
    return np.array([total])


def _train_batches(run: Run, members, epoch: int, transitions, held, rates, steps: list[int]) -> np.ndarray:
    """Train M models by an epoch of mini-batches, in place; return the sums of losses over the transitions, (M,)."""
    start, end, duration = transitions
    weights, first, second, mask, updates = held.values()
    raw, masks = unpack(weights, run.raw_shapes), unpack(mask, run.raw_shapes)
    adam_step = getattr(run.integrator, "adam_step", ensemble.adam_step)
    total = torch.zeros(len(members), dtype=torch.float64, device=run.options.device)
    for number, (batch, present) in enumerate(_batches(run, members, epoch)):
        begun, ended, lasted = (_rows_of(part, batch) for part in (start, end, duration))
        chosen = begun, ended, lasted * present, present
        value, gradient = _objective(run, members, raw, masks, epoch, number, chosen, steps)
        updates += 1
        adam_step(weights, gradient, first, second, rates, updates, mask)
        run.method.after_update(raw)
        run.keep_alive(raw)
        total += value * present.sum(dim=1)
    return total.cpu().numpy()


def _objective(run: Run, members, raw, masks, epoch: int, number: int, batch, steps: list[int]):
    """Return the data loss (M,) of the mini-batch `number`, and the gradient (M, P) of the whole objective in `raw`."""
    method = run.method
    if not method.differentiates(epoch >= run.first_event):
        value, gradients = run.integrator.value_and_gradient(run.field, raw, *batch, steps, mask=masks)
        return value, pack(gradients)
    leaves = {name: tensor.detach().requires_grad_() for name, tensor in raw.items()}
    rngs = [generator(run.seeds[member], NOISE_OF_METHOD, epoch, number) for member in members]
    drawn = [method.noise(rng, run.shapes) for rng in rngs]
    noise = {name: torch.from_numpy(np.stack([one[name] for one in drawn])).to(batch[0]) for name in drawn[0]}
    parameters = method.parameters(leaves, noise)
    fixed = {name: tensor.detach() for name, tensor in parameters.items()}
    value, gradients = run.integrator.value_and_gradient(
        run.field, fixed, *batch, steps, mask=None if method.gates else masks
    )
    terms = []  # of the objective, each with the derivative of the objective in it
    if method.gates:
        terms += [(parameters[name], method.data_weight() * part) for name, part in gradients.items()]
    if method.penalises:
        error = partial(getattr(run.integrator, "production_error", rk4.production_error), run.field)
        update = Update(run.field, [run.priors[member] for member in members], rngs, error, noise)
        penalty = method.penalty(leaves, parameters, update)
        terms.append((penalty, torch.ones_like(penalty)))
    found = pack(_derivatives(terms, leaves))
    if not method.gates:  # parameters are the leaves themselves
        found.add_(pack(gradients), alpha=method.data_weight())
    return value, found


def _derivatives(terms, leaves: dict) -> dict:
    """Return the derivatives of the objective in the leaves {name: tensor}, zero where it does not depend on them.

    terms: pairs of a tensor and of the derivative of the objective in it.
    """
    found = [None] * len(leaves)
    if terms := [(tensor, slope) for tensor, slope in terms if tensor.requires_grad]:
        outputs, slopes = zip(*terms, strict=True)
        found = torch.autograd.grad(outputs, list(leaves.values()), slopes, allow_unused=True)
    parts = zip(leaves.items(), found, strict=True)
    return {name: torch.zeros_like(leaf) if part is None else part for (name, leaf), part in parts}


def _rates(run: Run, rate, epoch: int) -> np.ndarray:
    """Return the learning rate (M, P) of every raw parameter of models with the rates (M,)."""
    factors = run.rate_factors(epoch >= run.first_event)
    parts = [np.full(int(np.prod(shape)), factors.get(name, 1.0)) for name, shape in run.raw_shapes.items()]
    return (rate[:, None] * np.concatenate(parts)).astype(np.float32)


def _batches(run: Run, members, epoch: int):
    """Yield the mini-batches of an epoch: indices (M, B) of training transitions, and 1 or 0 (M, B), as `padded`."""
    orders = [_order(run, run.seeds[member], epoch) for member in members]
    for batches in zip(*orders, strict=True):
        yield tuple(torch.from_numpy(part).to(run.options.device) for part in padded(batches))


def _rows_of(part, indices):
    """Return the transitions `indices` (M, B) of every model, out of (M, N, ...)."""
    if len(part) == 1:
        return part[0].index_select(0, indices[0])[None]
    return part[torch.arange(len(part), device=part.device)[:, None], indices]


def _order(run: Run, seed: int, epoch: int) -> list[np.ndarray]:
    """Return the batches of one model in random order, which depends on its seed and the epoch alone."""
    rng = generator(seed, BATCHES, epoch)
    trajectory = run.expression.of("train")[:, 0]
    if run.options.batch == "trajectory":
        ordered = np.split(np.arange(len(trajectory)), np.flatnonzero(np.diff(trajectory)) + 1)
        return [ordered[one] for one in rng.permutation(len(ordered))]
    shuffled = rng.permutation(len(trajectory))
    return [shuffled[at : at + run.options.batch] for at in range(0, len(shuffled), run.options.batch)]


def _rows(state: State, members, epoch, train_loss, validation, sparsity) -> list[tuple]:
    """Return the rows of HISTORY of one epoch."""
    columns = zip(members, train_loss, validation, sparsity, state.rate[members], state.steps[members], strict=True)
    return [(float(member), float(epoch), *map(float, row)) for member, *row in columns]


def _range_of(history, count: int) -> str:
    values = [row[3] for row in history[-count:]]
    return f"{min(values):.3g} to {max(values):.3g}"


def _save(checkpoint: Path, identity, epoch: int, state, history, path) -> None:
    arrays = {"history": np.array(history), "rows": np.array(path["rows"]), **packed.as_arrays(path["supports"])}
    save_checkpoint(checkpoint, identity, epoch=epoch, **arrays, **state.as_arrays())


def _resume(checkpoint: Path, identity):
    """Return state, history, path and last epoch of a checkpoint of the same run, or None."""
    arrays = load_checkpoint(checkpoint, identity)
    if arrays is None:
        return None
    history = [tuple(row) for row in arrays.pop("history").tolist()]
    supports = packed.of_arrays({name: arrays.pop(name) for name in ("support", "support_bytes")})
    rows = [(int(row[0]), int(row[1]), *row[2:]) for row in arrays.pop("rows").tolist()]
    path = {"rows": rows, "supports": supports}
    epoch = int(arrays.pop("epoch"))
    return State.of_arrays(arrays), history, path, epoch
