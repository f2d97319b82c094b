"""PINN+MP: train with the prior in the loss, prune once by magnitude, train on without the prior (Hossain et al. 2024).

The source (NeurIPS, B.9.3) trains to the end, prunes a fraction p of each matrix and trains again; here both parts
share the number of epochs of all other methods (choice of ours). p is tuned among 0.5, 0.75, 0.83, 0.87, 0.9, 0.92,
0.95, 0.97 and 0.99: the sparsest whose validation error is within one standard error of the best.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from kinetrain.options import option
from kinetrain.pruning.magnitude import normalised_magnitudes
from kinetrain.pruning.methods import pinn

LABEL, COLOUR, MARKER, PLACE = "PINN + MP", "#D55E00", "H", 12


@dataclass(frozen=True)
class Method(pinn.Method):
    """As `pinn` until the event, which removes the smallest weights; the others are then trained on the data alone.

    The models before the event are of the first training and no result, even where the best of `all` epochs is kept.
    """

    prunes: ClassVar[bool] = True
    retrains: ClassVar[bool] = True

    variant: Literal["corrected", "published"] = option(
        "corrected",
        "`published` draws 10000 states once, as `pinn` does, and prunes both first layers by the absolute values of "
        "the weights, as the code does and the text does not.",
    )
    fraction: float = option(
        0.87,
        "Fraction p of each matrix that is pruned; the default is the sparsity of the authors' own plot.",
        above=0,
        below=1,
    )
    prune_at: float = option(0.6, "Fraction of the epochs after which this happens; choice of ours.", above=0, below=1)

    def due(self, schedule, epoch, epochs):
        """Return the fraction to prune, at the only event; the schedule of the other methods is not used."""
        return self.fraction if epoch == min(1 + round(self.prune_at * epochs), epochs) else 0.0

    def scores(self, event):
        """Return the magnitude of every prunable weight, {matrix: array}, and no memory."""
        scores = normalised_magnitudes(event)
        if self.variant == "published":
            first = [chain[0] for chain in event.field.chains({name: m.shape for name, m in event.masks.items()})]
            scores |= {name: np.abs(event.weights[name]) for name in first}
        return scores, {}

    def differentiates(self, pruned):
        """Return whether the prior is in the loss: until the event."""
        return not pruned
