"""The learning rate of neural models, lowered where the validation loss no longer falls: a plateau."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Plateau:
    """Lower the learning rate by `factor` after more than `patience` epochs without gaining `threshold` (absolute)."""

    patience: int
    threshold: float
    minimum: float
    factor: float = 0.9
    smallest_change: float = 1e-9

    def step(self, value, best, waited, rate):
        """Return best, waited and rate (M,) after an epoch with the validation losses `value` (M,)."""
        better = value < best - self.threshold
        waited = np.where(better, 0, waited + 1)
        late = waited > self.patience
        lowered = np.maximum(rate * self.factor, self.minimum)
        rate = np.where(late & (rate - lowered > self.smallest_change), lowered, rate)
        return np.where(better, value, best), np.where(late, 0, waited), rate
