"""SNIP: prune once, by how much the loss would change without a weight (Lee et al. 2019). A control of ours.

The source prunes before training. Most weights of PHOENIX start at zero and have equal scores then, so this
happens at the first event of the schedule (choice of ours), and removes at once what the other methods remove in all.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kinetrain.pruning import method

LABEL, COLOUR, MARKER, PLACE = "SNIP", "#661100", "X", 10


@dataclass(frozen=True)
class Method(method.Method):
    """Removes the weights with the smallest |θ ∂L/∂θ|, all at once; L is the loss over all training transitions."""

    prunes: ClassVar[bool] = True

    def due(self, schedule, epoch, epochs):
        """Return the fraction that all events of the schedule remove together, at the first event."""
        return schedule.total(epochs) if epoch == schedule.first_epoch else 0.0

    def scores(self, event):
        """Return |θ ∂L/∂θ| of every prunable weight, {matrix: array}, and no memory."""
        gradient = event.loss_gradient()
        return {name: np.abs(event.weights[name] * gradient[name]) for name in event.masks}, {}
