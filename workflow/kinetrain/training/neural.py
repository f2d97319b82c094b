"""Training of neural vector fields on transitions, with pruning on the way (Hossain et al. 2024, NeurIPS).

All seeds of a method are trained as one batch of models. Each has its own noise, order of mini-batches, learning
rate, number of solver steps and masks, drawn from its own seed, and comes out as if it had been trained alone.
"""

import dataclasses
import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from kinetrain.dynamics import rk4
from kinetrain.dynamics.trajectories import Expression, pairs
from kinetrain.errors import InputError
from kinetrain.files import load_arrays, save_arrays
from kinetrain.pruning.events import Schedule, prune
from kinetrain.training.ensemble import Plateau, adam_step, pack, size, unpack

HISTORY = ("model", "epoch", "train_loss", "validation_mse", "mask_sparsity", "learning_rate", "solver_steps")


@dataclass(frozen=True)
class Options:
    """Settings of a training run; the defaults are those of the published 350-gene problem.

    batch: `trajectory` (one trajectory per update) or a number of transitions; patience_epochs: epochs without a new
    best after which a model stops, or null; steps: Runge-Kutta steps per transition at the start; tolerances: the
    number of steps grows when doubling it changes the validation loss by more than the larger (relative), and
    shrinks below the smaller.
    """

    hidden: int = 40
    epochs: int = 200
    learning_rate: float = 1e-3
    minimum_learning_rate: float = 4e-5
    batch: int | str = "trajectory"
    plateau_patience: int = 3
    plateau_threshold: float = 1e-6
    patience_epochs: int | None = 40
    steps: int = 8
    tolerances: tuple[float, ...] = (1e-3, 1e-5)
    checkpoint_every: int = 10
    pruning: Schedule = dataclasses.field(default_factory=Schedule)
    lambdas: tuple[float, ...] = (0.5, 0.05)
    variant: str = "normalised"

    def __post_init__(self):
        if self.batch != "trajectory" and (isinstance(self.batch, str) or self.batch < 1):
            raise ValueError(f"batch: expected 'trajectory' or a number of transitions, got {self.batch!r}")
        for key in ("hidden", "epochs", "steps", "checkpoint_every"):
            if getattr(self, key) < 1:
                raise ValueError(f"{key}: expected at least 1, got {getattr(self, key)}")
        if self.patience_epochs is not None and self.patience_epochs < 1:
            raise ValueError(f"patience_epochs: expected null or at least 1, got {self.patience_epochs}")
        if not 0 < self.minimum_learning_rate <= self.learning_rate:
            raise ValueError("0 < minimum_learning_rate <= learning_rate must hold")
        if self.pruning.first_epoch > self.epochs:
            raise ValueError(
                f"pruning: first_epoch {self.pruning.first_epoch} comes after the last of {self.epochs} epochs"
            )
        if len(self.lambdas) != 2 or not all(0 <= value <= 1 for value in self.lambdas):
            raise ValueError(f"lambdas: expected two numbers between 0 and 1, got {list(self.lambdas)}")
        if len(self.tolerances) != 2 or not self.tolerances[0] > self.tolerances[1] > 0:
            raise ValueError(f"tolerances: expected a larger and a smaller number, got {list(self.tolerances)}")
        if self.variant not in ("normalised", "published"):
            raise ValueError(f"variant: expected 'normalised' or 'published', got {self.variant!r}")


@dataclass(frozen=True)
class Run:
    """What stays the same while M models are trained.

    field: module of the vector field; method: module of `pruning`; priors: per model (P, C), or none; values
    (M, R, T, k): expression with the noise of each seed.
    """

    field: object
    method: object
    expression: Expression
    priors: list
    seeds: list[int]
    values: np.ndarray
    options: Options

    @property
    def shapes(self):
        """Names and shapes of the parameters of one model."""
        return self.field.shapes(len(self.expression.genes), self.options.hidden)

    def transitions(self, split: str, members):
        """Return start, end (M, N, k) and duration (M, N) of a split as float32 tensors, for the models `members`."""
        listed = [pairs(self.expression, self.values[member], self.expression.of(split)) for member in members]
        return tuple(torch.from_numpy(np.stack(part).astype(np.float32)) for part in zip(*listed, strict=True))

    @property
    def first_counted(self) -> int:
        """First epoch whose model may be kept: that of the first pruning event, so that no dense model is."""
        return self.options.pruning.first_epoch if self.method.PRUNES else 1


def read_priors(paths, seeds, genes, method) -> list:
    """Return (P, C) of every seed from prior files, one for all seeds or one per seed; empty ones if not used.

    Raises
    ------
    InputError
        If the method needs priors and there is none, their number fits not, or their genes are not `genes`.
    """
    if not method.USES_PRIOR:
        return [() for _ in seeds]
    if len(paths) not in (1, len(seeds)):
        raise InputError(f"--prior: expected 1 file or {len(seeds)} (one per seed), got {len(paths)}")
    found = []
    for path in paths:
        arrays = load_arrays(path, ["prior", "coregulation", "genes"])
        if list(arrays["genes"]) != list(genes):
            raise InputError(f"{path}: its genes, or their order, are not those of the expression data")
        for name in ("prior", "coregulation"):
            if not np.abs(arrays[name]).sum() > 0:
                raise InputError(f"{path}: the matrix '{name}' is zero everywhere; this method needs prior knowledge")
        if not (arrays["prior"].any(axis=0) & arrays["coregulation"].any(axis=0)).any():
            raise InputError(f"{path}: no regulator of the matrix 'prior' has an entry in 'coregulation'")
        found.append((arrays["prior"].astype(float), arrays["coregulation"].astype(float)))
    return found * (len(seeds) if len(found) == 1 else 1)


def train(run: Run, checkpoint: Path, tell=lambda text: None):
    """Train all models to their end; return their state (dict of arrays over M) and the history (rows of HISTORY).

    Continues from the file `checkpoint` where it was left by the same run, with the same result as without a break.
    """
    options, fingerprint = run.options, _fingerprint(run)
    state, history, done = _resume(checkpoint, fingerprint) or (_start(run), [], 0)
    if done:
        tell(f"continuing after epoch {done}")
    for epoch in range(done + 1, options.epochs + 1):
        live = np.flatnonzero(state["stopped_epoch"] == 0)
        if not len(live):
            break
        _prune_where_due(run, state, live, epoch)
        began = time.process_time()
        members = live[np.argsort(-state["steps"][live], kind="stable")]  # the integrator wants the most steps first
        steps = state["steps"][members]
        train_loss = _train_epoch(run, state, members, epoch, steps)
        coarse, fine = (_mse(run, state["weights"], "validation", members, n) for n in (steps, 2 * steps))
        _judge(run, state, members, epoch, train_loss, coarse, fine)
        state["cpu_seconds"][members] += (time.process_time() - began) / len(members)
        history += _rows(run, state, members, epoch, train_loss, fine)
        tell(f"epoch {epoch} of {options.epochs}: validation MSE {_span(history, epoch)}, {len(live)} models")
        if epoch % options.checkpoint_every == 0:
            save_arrays(checkpoint, fingerprint=fingerprint, epoch=epoch, history=np.array(history), **state)
    state["stopped_epoch"][state["stopped_epoch"] == 0] = options.epochs
    return state, np.array(sorted(history))


def best_models(run: Run, state) -> dict[str, np.ndarray]:
    """Return the weights {name: (M, *shape)} of the best validation epoch; those of failed models are NaN."""
    rows = np.where(state["failed"][:, None], np.float32(np.nan), state["best_weights"])
    return unpack(rows, run.shapes)


def test_error(run: Run, state, values: np.ndarray) -> np.ndarray:
    """Return the mean squared one-step error (M,) on the test transitions, with `values` (M, R, T, k) as expression.

    NaN for failed models and where no transitions are set apart for the test.
    """
    errors = np.full(len(run.seeds), np.nan)
    if len(run.expression.of("test")):
        shown = dataclasses.replace(run, values=values)
        members = np.flatnonzero(~state["failed"])
        members = members[np.argsort(-state["best_steps"][members], kind="stable")]
        errors[members] = _mse(shown, state["best_weights"], "test", members, 2 * state["best_steps"][members])
    return errors


def _start(run: Run) -> dict[str, np.ndarray]:
    """Return the state of all models before the first epoch."""
    models, parameters, genes = len(run.seeds), size(run.shapes), len(run.expression.genes)
    drawn = [run.field.initialise(seed, genes, run.options.hidden) for seed in run.seeds]
    weights = np.stack([np.concatenate([model[name].ravel() for name in run.shapes]) for model in drawn])
    state = {
        "weights": weights.astype(np.float32),
        "first": np.zeros((models, parameters), np.float32),
        "second": np.zeros((models, parameters), np.float32),
        "mask": np.ones((models, parameters), bool),
        "updates": np.zeros(models, int),
        "rate": np.full(models, run.options.learning_rate),
        "plateau_best": np.full(models, np.inf),
        "plateau_waited": np.zeros(models, int),
        "steps": np.full(models, run.options.steps),
        "best_validation": np.full(models, np.inf),
        "best_epoch": np.zeros(models, int),
        "best_steps": np.full(models, run.options.steps),
        "best_weights": weights.astype(np.float32),
        "stopped_epoch": np.zeros(models, int),
        "failed": np.zeros(models, bool),
        "cpu_seconds": np.zeros(models),
        "pair_solves": np.zeros(models, int),
    }
    if hasattr(run.method, "start"):
        kept = [run.method.start(np.random.default_rng([seed, 6]), genes, run.options.hidden) for seed in run.seeds]
        state |= {f"memory_{name}": np.stack([one[name] for one in kept]) for name in kept[0]}
    return state


def _prune_where_due(run: Run, state, live, epoch: int) -> None:
    """Prune the live models in place if the schedule says so; their learning rates start anew, their moments stay."""
    fraction = run.options.pruning.due(epoch, run.options.epochs) if run.method.PRUNES else 0
    if not fraction:
        return
    for model in live:
        began = time.process_time()
        _prune_model(run, state, model, epoch, fraction)
        state["cpu_seconds"][model] += time.process_time() - began
    state["rate"][live] = run.options.learning_rate
    state["plateau_best"][live], state["plateau_waited"][live] = np.inf, 0


def _prune_model(run: Run, state, model: int, epoch: int, fraction: float) -> None:
    weights = {name: part[0].astype(float) for name, part in unpack(state["weights"][[model]], run.shapes).items()}
    memory = {name[7:]: kept[model] for name, kept in state.items() if name.startswith("memory_")}
    scores, memory = run.method.scores(weights, run.priors[model], memory, run.options)
    masks = unpack(state["mask"], run.shapes)
    rng = np.random.default_rng([run.seeds[model], 7, epoch])
    for name in run.field.PRUNABLE:
        masks[name][model] = prune(masks[name][model], scores[name], fraction, rng)
    for name, kept in memory.items():
        state[f"memory_{name}"][model] = kept
    # with the moments gone and the gradient masked, Adam leaves a pruned weight at zero for good
    for name in ("weights", "first", "second"):
        state[name][model] *= state["mask"][model]


def _train_epoch(run: Run, state, members, epoch: int, steps) -> np.ndarray:
    """Pass once over the training transitions, in place; return the mean loss (M,) over them."""
    start, end, duration = run.transitions("train", members)
    held = {name: torch.from_numpy(state[name][members]) for name in ("weights", "first", "second", "mask", "updates")}
    weights, first, second, mask, updates = held.values()
    rates = _rates(run, state["rate"][members])
    views, total = unpack(weights, run.shapes), torch.zeros(len(members), dtype=torch.float64)
    rows = torch.arange(len(members))[:, None]
    for batch in _batches(run, members, epoch):
        present = batch >= 0
        chosen = (rows, batch.clamp(min=0))
        weight = present.to(start.dtype)
        value, gradients = rk4.value_and_gradient(
            run.field, views, start[chosen], end[chosen], duration[chosen] * weight, weight, steps.tolist()
        )
        updates += 1
        adam_step(weights, pack(gradients).mul_(mask), first, second, rates, updates)
        total += value * present.sum(dim=1)
    for name, tensor in held.items():
        state[name][members] = tensor.numpy()
    state["pair_solves"][members] += start.shape[1]
    return total.numpy() / start.shape[1]


def _rates(run: Run, rate) -> torch.Tensor:
    """Return the learning rate (M, P) of every weight of models with the rates (M,)."""
    factors = [
        np.full(int(np.prod(shape)), run.field.LEARNING_RATE_FACTOR.get(name, 1.0))
        for name, shape in run.shapes.items()
    ]
    return torch.from_numpy((rate[:, None] * np.concatenate(factors)).astype(np.float32))


def _batches(run: Run, members, epoch: int):
    """Yield the mini-batches of an epoch as indices (M, B) of training transitions, −1 where a model's is shorter."""
    orders = [_order(run, run.seeds[member], epoch) for member in members]
    for batches in zip(*orders, strict=True):
        longest = max(map(len, batches))
        padded = [np.pad(batch, (0, longest - len(batch)), constant_values=-1) for batch in batches]
        yield torch.from_numpy(np.stack(padded))


def _order(run: Run, seed: int, epoch: int) -> list[np.ndarray]:
    """Return the batches of one model in random order, which depends on its seed and the epoch alone."""
    rng = np.random.default_rng([seed, 8, epoch])
    trajectory = run.expression.of("train")[:, 0]
    if run.options.batch == "trajectory":
        return [np.flatnonzero(trajectory == one) for one in rng.permutation(np.unique(trajectory))]
    shuffled = rng.permutation(len(trajectory))
    return [shuffled[at : at + run.options.batch] for at in range(0, len(shuffled), run.options.batch)]


def _mse(run: Run, rows, split: str, members, steps) -> np.ndarray:
    """Return the mean squared one-step error (M,) of the models `members`, whose weights are among `rows`."""
    start, end, duration = run.transitions(split, members)
    with torch.no_grad():
        views = unpack(torch.from_numpy(rows[members]), run.shapes)
        predicted = rk4.predict(run.field, views, start, duration, steps.tolist())
        return rk4.loss(predicted, end, torch.ones_like(duration)).double().numpy()


def _judge(run: Run, state, members, epoch: int, train_loss, coarse, fine) -> None:
    """Take note of an epoch, in place: best model, learning rate, solver steps, and who stops here."""
    options = run.options
    failed = ~(np.isfinite(train_loss) & np.isfinite(fine))
    plateau = Plateau(options.plateau_patience, options.plateau_threshold, options.minimum_learning_rate)
    kept = ("plateau_best", "plateau_waited", "rate")
    for name, value in zip(kept, plateau.step(fine, *(state[name][members] for name in kept)), strict=True):
        state[name][members] = value
    better = ~failed & (fine < state["best_validation"][members]) & (epoch >= run.first_counted)
    best = members[better]
    state["best_validation"][best], state["best_epoch"][best] = fine[better], epoch
    state["best_weights"][best], state["best_steps"][best] = state["weights"][best], state["steps"][best]
    deviation = np.abs(coarse - fine) / fine
    change = np.where(deviation > options.tolerances[0], 2, np.where(deviation < options.tolerances[1], -1, 0))
    state["steps"][members] = np.maximum(1, state["steps"][members] + change)
    waited = epoch - np.maximum(state["best_epoch"][members], run.first_counted - 1)
    stops = failed if options.patience_epochs is None else failed | (waited >= options.patience_epochs)
    state["failed"][members] = failed
    state["stopped_epoch"][members[stops]] = epoch


def _rows(run: Run, state, members, epoch, train_loss, validation) -> list[tuple]:
    """Return the rows of HISTORY of one epoch; sparsity is the fraction of masked weights among the prunable."""
    masks = unpack(state["mask"][members], run.shapes)
    alive = sum(masks[name].sum(axis=(1, 2)) for name in run.field.PRUNABLE)
    sparsity = 1 - alive / sum(masks[name][0].size for name in run.field.PRUNABLE)
    columns = (train_loss, validation, sparsity, state["rate"][members], state["steps"][members])
    return [(float(member), float(epoch), *map(float, row)) for member, *row in zip(members, *columns, strict=True)]


def _span(history, epoch: int) -> str:
    values = [row[3] for row in history if row[1] == epoch]
    return f"{min(values):.3g} to {max(values):.3g}"


def _fingerprint(run: Run) -> np.ndarray:
    """Return a digest of all that decides the result, so that a checkpoint of another run is not continued."""
    digest = hashlib.sha256(repr((run.options, run.method.__name__, run.field.__name__, run.seeds)).encode())
    for array in (run.values, run.expression.times, run.expression.transitions, *sum(map(tuple, run.priors), ())):
        digest.update(np.ascontiguousarray(array).tobytes())
    digest.update("".join(run.expression.split).encode())
    return np.array(digest.hexdigest())


def _resume(checkpoint: Path, fingerprint):
    """Return state, history and last epoch of a checkpoint of this very run, or None."""
    if not Path(checkpoint).is_file():
        return None
    state = load_arrays(checkpoint)
    if state.pop("fingerprint") != fingerprint:
        return None
    history = [tuple(row) for row in state.pop("history").tolist()]
    return state, history, int(state.pop("epoch"))
