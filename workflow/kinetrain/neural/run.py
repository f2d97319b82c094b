"""What is trained, and how: the settings of a training run, and what stays the same while it runs."""

import dataclasses
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from scipy import sparse

from kinetrain.data.expression import Expression, pairs
from kinetrain.errors import InputError
from kinetrain.files import load_arrays
from kinetrain.neural.choices import find_field, find_integrator
from kinetrain.neural.ensemble import unpack
from kinetrain.pruning.dash import published_factors
from kinetrain.pruning.events import Schedule
from kinetrain.pruning.method import Method

# What may be done about the multipliers v of the genes. relu(v) has no gradient at v <= 0, so that a gene whose v has
# crossed zero stays as it is for ever.
MULTIPLIERS = (
    "living",  # v is kept at FLOOR or above while it is trained; at FLOOR it counts as zero in the evaluated model
    "published",  # nothing is done
    "slipped",  # and after the first event U_P, not v, learns five times as fast, as in the authors' code
    "slow",  # nothing is done, but v learns no faster than all else
)
FLOOR = 1e-3  # per unit of time


@dataclass(frozen=True)
class Options:
    """Settings of a training run; the defaults are those of the published 350-gene problem.

    model, integrator: modules of `neural`; hidden: hidden units (of each branch, or of each hidden layer); batch:
    `trajectory` (one trajectory per update) or a number of transitions; patience_epochs: epochs without a new best
    after which a model stops, or null; rewind_by: fraction of the epochs after which a method that rewinds does so at
    the latest; keep: the `sparsest` model within one standard error of the best one, the best after the first event
    (`pruned`) or after the last one (`final`), or the best of `all` epochs, as published; steps: Runge-Kutta steps per
    transition at the start; multipliers: how those of PHOENIX are treated, one of MULTIPLIERS; tolerances: the number
    of steps grows when doubling it changes the validation loss by more than the larger (relative), and shrinks below
    the smaller; checkpoint_seconds: time between two checkpoints; device: where torch computes (`cpu`, `cuda`).
    """

    model: str = "phoenix"
    integrator: str = "fused"
    multipliers: str = "living"
    hidden: int | tuple[int, ...] = 40
    epochs: int = 200
    learning_rate: float = 1e-3
    minimum_learning_rate: float = 4e-5
    batch: int | str = "trajectory"
    plateau_patience: int = 3
    plateau_threshold: float = 1e-6
    patience_epochs: int | None = 40
    rewind_by: float = 0.7
    keep: str = "sparsest"
    steps: int = 8
    tolerances: tuple[float, ...] = (1e-3, 1e-5)
    checkpoint_seconds: float = 30.0
    device: str = "cpu"
    pruning: Schedule = dataclasses.field(default_factory=Schedule)

    def __post_init__(self):
        if self.batch != "trajectory" and (isinstance(self.batch, str) or self.batch < 1):
            raise ValueError(f"batch: expected 'trajectory' or a number of transitions, got {self.batch!r}")
        if min(np.ravel(self.hidden), default=0) < 1:
            raise ValueError(f"hidden: expected at least 1 unit, got {self.hidden}")
        for key in ("epochs", "steps"):
            if getattr(self, key) < 1:
                raise ValueError(f"{key}: expected at least 1, got {getattr(self, key)}")
        if self.patience_epochs is not None and self.patience_epochs < 1:
            raise ValueError(f"patience_epochs: expected null or at least 1, got {self.patience_epochs}")
        if not 0 < self.rewind_by <= 1:
            raise ValueError(f"rewind_by: expected a fraction above 0 and at most 1, got {self.rewind_by}")
        if self.keep not in ("sparsest", "pruned", "final", "all"):
            raise ValueError(f"keep: expected 'sparsest', 'pruned', 'final' or 'all', got {self.keep!r}")
        if self.multipliers not in MULTIPLIERS:
            raise ValueError(f"multipliers: expected {', '.join(MULTIPLIERS)}, got {self.multipliers!r}")
        if not 0 < self.minimum_learning_rate <= self.learning_rate:
            raise ValueError("0 < minimum_learning_rate <= learning_rate must hold")
        if self.pruning.first_epoch > self.epochs:
            raise ValueError(
                f"pruning: first_epoch {self.pruning.first_epoch} comes after the last of {self.epochs} epochs"
            )
        if self.device != "cpu" and self.integrator == "fused":
            raise ValueError(f"device: {self.device!r} needs another integrator than 'fused', such as 'rk4'")
        if self.device != "cpu" and not (self.device.split(":")[0] == "cuda" and torch.cuda.is_available()):
            known = "cpu or cuda" if torch.cuda.is_available() else "cpu (torch finds no GPU here)"
            raise ValueError(f"device: expected {known}, got {self.device!r}")
        if len(self.tolerances) != 2 or not self.tolerances[0] > self.tolerances[1] > 0:
            raise ValueError(f"tolerances: expected a larger and a smaller number, got {list(self.tolerances)}")


@dataclass(frozen=True)
class Run:
    """What stays the same while M models are trained.

    method: what prunes; priors: per model (P, C) as sparse matrices, or None; values (M, R, T, k): expression with the
    noise of each seed.
    """

    method: Method
    expression: Expression
    priors: list
    seeds: list[int]
    values: np.ndarray
    options: Options

    @cached_property
    def field(self):
        """Module of the vector field."""
        return find_field(self.options.model)

    @cached_property
    def integrator(self):
        """Module that solves the vector field."""
        return find_integrator(self.options.integrator)

    @cached_property
    def shapes(self) -> dict:
        """Names and shapes of the parameters of one vector field."""
        return self.field.shapes(len(self.expression.genes), self.options.hidden)

    @cached_property
    def raw_shapes(self) -> dict:
        """Names and shapes of what the optimizer moves: the method may add gates or thresholds."""
        return self.method.raw_shapes(self.shapes)

    @cached_property
    def matrices(self) -> list[str]:
        """Names of the matrices that can be pruned."""
        return [name for chain in self.field.chains(self.shapes) for name in chain]

    @cached_property
    def _transitions(self) -> dict:
        return {
            (split, member): [part.astype(np.float32) for part in pairs(self.expression, values, rows)]
            for split in ("train", "validation", "test")
            for rows in [self.expression.of(split)]
            for member, values in enumerate(self.values)
        }

    def transitions(self, split: str, members):
        """Return start, end (M, N, k) and duration (M, N) of a split as float32 tensors, for the models `members`."""
        listed = [self._transitions[split, member] for member in members]
        return tuple(torch.from_numpy(np.stack(part)).to(self.options.device) for part in zip(*listed, strict=True))

    def trained(self, rows) -> dict[str, torch.Tensor]:
        """Return the field's parameters {name: (M, *shape)} of raw parameters (M, P), without noise."""
        raw = unpack(torch.from_numpy(np.ascontiguousarray(rows)).to(self.options.device), self.raw_shapes)
        with torch.no_grad():
            return self.method.parameters(raw, None)

    def evaluated(self, rows) -> dict[str, torch.Tensor]:
        """Return what `trained` returns as it is evaluated: multipliers that are only kept alive are zero."""
        parameters = self.trained(rows)
        if self._keeps_alive:
            parameters = {**parameters, "v": torch.where(parameters["v"] > FLOOR, parameters["v"], 0.0)}
        return parameters

    def keep_alive(self, raw: dict) -> None:
        """Lift multipliers below FLOOR to it, in place, given the raw parameters {name: (M, *shape)}."""
        if self._keeps_alive:
            raw["v"].clamp_(min=FLOOR)

    @cached_property
    def _keeps_alive(self) -> bool:
        return self.options.multipliers == "living" and "v" in self.shapes

    def rate_factors(self, pruned: bool) -> dict[str, float]:
        """Return by how much single parameters learn faster, before or after the first event."""
        factors = {} if self.options.multipliers == "slow" else self.field.LEARNING_RATE_FACTOR
        if self.options.multipliers == "slipped":
            return published_factors(factors, pruned, "published")
        return self.method.rate_factors(factors, pruned)

    def groups(self, members) -> list[np.ndarray]:
        """Return the models to train together, those with the most solver steps first: all, or each for itself."""
        return [members] if self.integrator.TOGETHER else list(members[:, None])

    @cached_property
    def events(self) -> list[int]:
        """Epochs at whose start the method prunes."""
        epochs = self.options.epochs
        return [epoch for epoch in range(1, epochs + 1) if self.method.due(self.options.pruning, epoch, epochs)]

    @cached_property
    def first_event(self) -> int:
        """First epoch at whose start the method prunes, after the last epoch if it never does."""
        return min(self.events, default=self.options.epochs + 1)

    @cached_property
    def first_counted(self) -> int:
        """First epoch whose model may be kept: that of the first pruning event, so that no dense model is.

        That of the last event where all models are to be equally sparse; the first of all where dense ones may be kept,
        or nothing is pruned.
        """
        dense_too = self.options.keep == "all" and not self.method.retrains
        if dense_too or not self.events:
            return 1
        final = self.options.keep == "final" and not self.method.rewinds  # those end with the mask of their best epoch
        return self.events[-1] if final else self.first_event

    @cached_property
    def snapshot_epochs(self) -> list[int]:
        """Epochs whose networks are recorded: those before the events of the schedule, whether or not the method
        prunes there, and the last."""
        epochs = self.options.epochs
        return [epoch for epoch in range(1, epochs) if self.options.pruning.due(epoch + 1, epochs)] + [epochs]


def read_priors(paths, seeds, genes, method) -> list:
    """Return (P, C) of every seed from prior files, one for all seeds or one per seed; None where not used.

    Raises
    ------
    InputError
        If the method needs priors and there is none, their number fits not, or their genes are not `genes`.
    """
    if not method.uses_prior:
        return [None] * len(seeds)
    if len(paths) not in (1, len(seeds)):
        raise InputError(f"--prior: expected 1 file or {len(seeds)} (one per seed), got {len(paths)}")
    found = []
    for path in paths:
        arrays = load_arrays(path, ["prior", "coregulation", "genes"])
        if list(arrays["genes"]) != list(genes):
            raise InputError(f"{path}: its genes, or their order, are not those of the expression data")
        for name in ("prior", "coregulation"):
            if not arrays[name].any():
                raise InputError(f"{path}: the matrix '{name}' is zero everywhere; this method needs prior knowledge")
        if not (arrays["prior"].any(axis=0) & arrays["coregulation"].any(axis=0)).any():
            raise InputError(f"{path}: no regulator of the matrix 'prior' has an entry in 'coregulation'")
        found.append(tuple(sparse.csr_array(arrays[name], dtype=float) for name in ("prior", "coregulation")))
    return found * (len(seeds) if len(found) == 1 else 1)
