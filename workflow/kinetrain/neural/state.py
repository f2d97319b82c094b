"""The state of the training of M models after an epoch: all that a resumed training needs, and the models kept."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

MEMORY = "memory_"  # prefix of the names of a method's memory among the arrays


@dataclass
class State:
    """Arrays over M models of P raw parameters, changed in place.

    Adam: weights, first and second moments (M, P) and updates (M,); mask (M, P): which weights are not pruned.
    Learning rate: rate, and of its plateau the best loss and the epochs waited (M,). steps (M,): of the solver.
    best_*: validation error, its standard error, epoch and mask (M, P) of the best model so far. kept_*: validation
    error, sparsity, epoch, solver steps and weights (M, P) of the model that is kept. stopped_epoch, rewound_epoch
    (M,): 0 where that has not happened. diverged, failed (M,): ended early; without a model. cpu_seconds, pair_solves
    (M,): the cost. memory: that of the pruning method, {name: (M, ...)}.
    """

    weights: np.ndarray
    first: np.ndarray
    second: np.ndarray
    mask: np.ndarray
    updates: np.ndarray
    rate: np.ndarray
    plateau_best: np.ndarray
    plateau_waited: np.ndarray
    steps: np.ndarray
    best_validation: np.ndarray
    best_error: np.ndarray
    best_epoch: np.ndarray
    best_mask: np.ndarray
    kept_validation: np.ndarray
    kept_sparsity: np.ndarray
    kept_epoch: np.ndarray
    kept_steps: np.ndarray
    kept_weights: np.ndarray
    stopped_epoch: np.ndarray
    rewound_epoch: np.ndarray
    diverged: np.ndarray
    failed: np.ndarray
    cpu_seconds: np.ndarray
    pair_solves: np.ndarray
    memory: dict[str, np.ndarray]

    @classmethod
    def at_start(cls, weights: np.ndarray, rate: float, steps: int, memory: dict[str, np.ndarray]) -> State:
        """Return the state before the first epoch, from raw parameters (M, P)."""
        models = len(weights)

        def numbers(value, kind=float) -> np.ndarray:
            return np.full(models, value, kind)

        return cls(
            weights=weights,
            first=np.zeros_like(weights),
            second=np.zeros_like(weights),
            mask=np.ones(weights.shape, bool),
            updates=numbers(0, int),
            rate=numbers(rate),
            plateau_best=numbers(np.inf),
            plateau_waited=numbers(0, int),
            steps=numbers(steps, int),
            best_validation=numbers(np.inf),
            best_error=numbers(0),
            best_epoch=numbers(0, int),
            best_mask=np.ones(weights.shape, bool),
            kept_validation=numbers(np.inf),
            kept_sparsity=numbers(0),
            kept_epoch=numbers(0, int),
            kept_steps=numbers(steps, int),
            kept_weights=weights.copy(),
            stopped_epoch=numbers(0, int),
            rewound_epoch=numbers(0, int),
            diverged=numbers(False, bool),
            failed=numbers(False, bool),
            cpu_seconds=numbers(0),
            pair_solves=numbers(0, int),
            memory=memory,
        )

    def as_arrays(self) -> dict[str, np.ndarray]:
        """Return all arrays by name."""
        own = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "memory"}
        return own | {f"{MEMORY}{name}": kept for name, kept in self.memory.items()}

    @classmethod
    def of_arrays(cls, arrays: dict[str, np.ndarray]) -> State:
        """Return the state that `as_arrays` has written."""
        memory = {name.removeprefix(MEMORY): kept for name, kept in arrays.items() if name.startswith(MEMORY)}
        return cls(**{name: kept for name, kept in arrays.items() if not name.startswith(MEMORY)}, memory=memory)
