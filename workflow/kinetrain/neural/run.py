"""A training run: data, method and options, which do not change, and what is derived from them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from kinetrain.data.expression import SPLITS, Expression, endpoints
from kinetrain.data.prior_networks import load_prior
from kinetrain.errors import InputError
from kinetrain.neural.ensemble import unpack
from kinetrain.neural.fields import find_field
from kinetrain.neural.integrators import find_integrator
from kinetrain.neural.options import NeuralOptions
from kinetrain.pruning.method import Method
from kinetrain.pruning.methods.dash import published_factors
from kinetrain.seeds import START_OF_METHOD, generator

# relu(v) has no gradient at v <= 0, so that a gene whose multiplier v has crossed zero never changes again. Living
# multipliers are kept at FLOOR or above in training; at FLOOR they count as zero in the evaluated model.
FLOOR = 1e-3  # per unit of time


@dataclass(frozen=True)
class Run:
    """The data, method and options with which M models are trained.

    method: the pruning method; priors: per model (P, C) as sparse matrices, or None; values (M, R, T, k): expression
    with the noise of each seed.
    """

    method: Method
    expression: Expression
    priors: list
    seeds: list[int]
    values: np.ndarray
    options: NeuralOptions

    def __post_init__(self):
        if self.options.device != "cpu" and not torch.cuda.is_available():
            raise InputError(f"settings.device = {self.options.device!r}: expected cpu (torch finds no GPU here)")

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
        """Names and shapes of the raw parameters that Adam updates: the method may add gates or thresholds."""
        return self.method.raw_shapes(self.shapes)

    @cached_property
    def matrices(self) -> list[str]:
        """Names of the matrices that can be pruned."""
        return [name for chain in self.field.chains(self.shapes) for name in chain]

    @cached_property
    def _transitions(self) -> dict:
        return {
            (split, member): [part.astype(np.float32) for part in endpoints(self.expression, values, rows)]
            for split in SPLITS
            for rows in [self.expression.of(split)]
            for member, values in enumerate(self.values)
        }

    @cached_property
    def longest(self) -> dict[str, float]:
        """The longest duration of every split, in the time of the models; 0 of one without transitions."""
        return {split: float(self._transitions[split, 0][2].max(initial=0.0)) for split in SPLITS}

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
        """Return the parameters of the evaluated models: as `trained`, with multipliers at FLOOR set to zero."""
        parameters = self.trained(rows)
        if self.keeps_alive:
            parameters = {**parameters, "v": torch.where(parameters["v"] > FLOOR, parameters["v"], 0.0)}
        return parameters

    def keep_alive(self, raw: dict) -> None:
        """Raise multipliers below FLOOR to it, in place, given the raw parameters {name: (M, *shape)}."""
        if self.keeps_alive:
            raw["v"].clamp_(min=FLOOR)

    def start_row(self, seed: int) -> np.ndarray:
        """Return the raw parameters (P,) that the model of a seed starts from."""
        weights = self.field.initialise(seed, len(self.expression.genes), self.options.hidden)
        raw = self.method.raw_start(generator(seed, START_OF_METHOD), self.field, weights)
        row = np.concatenate([np.ravel(raw[name]) for name in self.raw_shapes]).astype(np.float32)
        self.keep_alive(unpack(torch.from_numpy(row[None]), self.raw_shapes))
        return row

    @cached_property
    def keeps_alive(self) -> bool:
        """Whether multipliers are kept at FLOOR or above."""
        return self.options.multipliers == "living" and "v" in self.shapes

    def rate_factors(self, pruned: bool) -> dict[str, float]:
        """Return the learning-rate factors of single parameters, before or after the first event."""
        factors = {} if self.options.multipliers == "slow" else self.field.LEARNING_RATE_FACTOR
        factors = self.method.rate_factors(factors, pruned)
        return published_factors(factors, pruned, "published") if self.options.multipliers == "slipped" else factors

    def groups(self, members) -> list[np.ndarray]:
        """Return the groups of models that are trained as one batch: all models, or each by itself.

        Autograd takes the gates of all at once, as most of its operations cost a call more than a number; penalties of
        many states, without gates, it takes no faster.
        """
        together = (self.integrator.TOGETHER or self.method.gates) and len(members)
        return [members] if together else list(members[:, None])

    def whole_epoch(self, epoch: int) -> bool:
        """Whether the integrator trains one model by a whole epoch: the method does nothing between its updates."""
        plain = type(self.method).after_update is Method.after_update
        plain = plain and not self.method.differentiates(epoch >= self.first_event)
        return plain and self.options.device == "cpu" and self.field in getattr(self.integrator, "WHOLE_EPOCHS", ())

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

        With `keep: final`, where all models are to be equally sparse, that of the last event; epoch 1 where dense
        models may be kept or nothing is pruned.
        """
        dense_too = self.options.keep == "all" and not self.method.retrains
        if dense_too or not self.events:
            return 1
        final = (
            self.options.keep == "final" and not self.method.rewinds
        )  # rewound models end with the mask of their best epoch
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
        If the method needs priors and there is none, their number is wrong, or their genes are not `genes`.
    """
    if not method.uses_prior:
        return [None] * len(seeds)
    if len(paths) not in (1, len(seeds)):
        raise InputError(f"--prior: expected 1 file or {len(seeds)} (one per seed), got {len(paths)}")
    found = []
    for path in paths:
        matrices = load_prior(path, genes)
        for name, matrix in matrices.items():
            if not matrix.nnz:
                raise InputError(f"{path}: the matrix '{name}' is zero everywhere; this method needs prior knowledge")
        if not np.intersect1d(*(matrix.indices for matrix in matrices.values())).size:
            raise InputError(f"{path}: no regulator of the matrix 'prior' has an entry in 'coregulation'")
        found.append(tuple(matrices.values()))
    return found * (len(seeds) if len(found) == 1 else 1)
