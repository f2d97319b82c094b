"""The base class of pruning methods: where a method may act while a vector field is trained, all with defaults.

A method is a file of `methods` with a class `Method`, a frozen dataclass whose fields, made by `options.option`, are
the options that the configuration may give it. A file imports torch inside its functions only: the options are read
where torch is not installed. All else (batches, learning rates, schedule, masks, checkpoints) is the same for all.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from kinetrain.options import Options
from kinetrain.pruning.events import PruningSchedule

Shapes = dict[str, tuple[int, ...]]  # of parameters, by name
Arrays = dict[str, Any]  # tensors of torch, by name


@dataclass(frozen=True)
class Event:
    """One model at a pruning event.

    field: module of the vector field; weights: {name: float64 array} of the model, already masked; prior: (P, C) as
    sparse (k, k) matrices, P [target, regulator], or None where the method uses no prior; memory: what the method
    kept since its last event; masks: {matrix: bool array}; rng: NumPy generator of this model and epoch;
    loss_gradient: function without arguments, the gradient {name: array} of the mean loss over all training
    transitions.
    """

    field: object
    weights: dict[str, np.ndarray]
    prior: tuple[Any, Any] | None
    memory: dict[str, np.ndarray]
    masks: dict[str, np.ndarray]
    rng: np.random.Generator
    loss_gradient: Callable[[], dict[str, np.ndarray]]


@dataclass(frozen=True)
class Update:
    """What a penalty may use in one update of M models.

    field: module of the vector field; priors: per model (P, C) as in `Event`, or None; rngs: one NumPy generator per
    model, seeded by model, epoch and batch; noise: the random numbers that `parameters` had in this update.
    production_error: a function of parameters, states and what is wanted there, both (M, Q, k), that returns the mean
    squared difference (M,) of the field's production from it.
    """

    field: object
    priors: list[tuple[Any, Any] | None]
    rngs: list[np.random.Generator]
    production_error: Callable[[Arrays, Any, Any], Any]
    noise: Arrays | None = None


@dataclass(frozen=True)
class Method(Options):
    """A method that does not prune; methods override what they do differently.

    Names of matrices are those of `field.chains`. Raw parameters are what the optimizer moves; `parameters` turns
    them into those of the vector field.
    """

    uses_prior: ClassVar[bool] = False
    prunes: ClassVar[bool] = False  # at events; the dense models before the first event are not kept
    retrains: ClassVar[bool] = False  # the first event ends one training and begins the one whose models are kept
    rewinds: ClassVar[bool] = False  # once pruning no longer helps, train the masked model again from its start
    gates: ClassVar[bool] = False  # `parameters` does something
    penalises: ClassVar[bool] = False  # `penalty` does something

    @property
    def states_of_penalty(self) -> int:
        """Return the number of states at which `penalty` evaluates the field, which an update's cost depends on."""
        return 0

    def differentiates(self, pruned: bool) -> bool:
        """Return whether updates take derivatives of `parameters` or of `penalty`, by autograd.

        pruned: whether the models have been through their first event. Where false, the data alone are the objective.
        """
        return self.gates or self.penalises

    def due(self, schedule: PruningSchedule, epoch: int, epochs: int) -> float:
        """Return the fraction of the remaining weights to remove at the start of `epoch`, 0 if none."""
        return schedule.due(epoch, epochs) if self.prunes else 0.0

    def rate_factors(self, factors: dict[str, float], pruned: bool) -> dict[str, float]:
        """Return the learning-rate factors of single parameters; `factors` are those of the field, {name: factor}."""
        return factors

    def start_memory(self, rng: np.random.Generator, field: object, shapes: Shapes) -> dict[str, np.ndarray]:
        """Return the memory of one model before its first event, {name: array}."""
        return {}

    def scores(self, event: Event) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Return the score of every prunable weight, {matrix: array}, and the memory for the next event.

        The weights with the lowest scores of each matrix are removed.
        """
        raise NotImplementedError

    def raw_shapes(self, shapes: Shapes) -> Shapes:
        """Return names and shapes of the raw parameters of one model, those of the field being `shapes`."""
        return shapes

    def raw_start(self, rng: np.random.Generator, field: Any, weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the raw parameters that one model starts from; `weights` is the field's own start."""
        return weights

    def noise(self, rng: np.random.Generator, shapes: Shapes) -> dict[str, np.ndarray]:
        """Return the random numbers that `parameters` needs for one update of one model; `shapes` are the field's."""
        return {}

    def parameters(self, raw: Arrays, noise: Arrays | None) -> Arrays:
        """Return the field's parameters {name: (M, *shape)}, differentiable in `raw`; without noise: as evaluated."""
        return raw

    def after_update(self, raw: Arrays) -> None:
        """Change the raw parameters {name: (M, *shape)} in place after an update of the optimizer."""

    def data_weight(self) -> float:
        """Return the weight τ of the data loss in the objective."""
        return 1.0

    def penalty(self, raw: Arrays, parameters: Arrays, update: Update) -> Any:
        """Return the penalty added to the weighted data loss, (M,), differentiable in `raw` and `parameters`."""
        raise NotImplementedError
