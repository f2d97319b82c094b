"""Pruning events: the schedule (when, how many) and the masks that all methods share."""

import math
from dataclasses import dataclass

import numpy as np

from kinetrain.options import Options, option


@dataclass(frozen=True)
class PruningSchedule(Options):
    """A first event at the start of `first_epoch`, then one at every epoch divisible by `every`; epochs count from 1.

    Each removes the given fraction of the weights that are left in each matrix.
    """

    first_epoch: int = option(3, "Epoch at whose start the first weights are pruned.", least=1)
    first_fraction: float = option(0.7, "Fraction of each matrix that is pruned first.", least=0, below=1)
    every: int = option(10, "Later events: every epoch that this number divides.", least=1)
    fraction: float = option(
        0.1, "Fraction of the surviving weights of each matrix that a later event prunes.", least=0, below=1
    )

    def due(self, epoch: int, epochs: int) -> float:
        """Return the fraction to remove at the start of `epoch`, 0 if none; the last of `epochs` has no event."""
        if epoch == self.first_epoch:
            return self.first_fraction
        return self.fraction if self.first_epoch < epoch < epochs and epoch % self.every == 0 else 0.0

    def total(self, epochs: int) -> float:
        """Return the fraction of all weights that is gone by the end of a training of so many `epochs`."""
        return 1 - math.prod(1 - self.due(epoch, epochs) for epoch in range(1, epochs + 1))


def prune(mask: np.ndarray, score: np.ndarray, fraction: float, rng) -> np.ndarray:
    """Return the mask without `fraction` of its remaining weights, those of the lowest scores.

    Among equal scores the choice is random. The number is rounded to the nearest integer, half to even. What
    was masked stays masked.
    """
    alive = np.flatnonzero(mask)
    count = round(fraction * len(alive))
    order = np.lexsort((rng.random(len(alive)), score.ravel()[alive]))
    pruned = mask.copy().ravel()
    pruned[alive[order[:count]]] = False
    return pruned.reshape(mask.shape)
