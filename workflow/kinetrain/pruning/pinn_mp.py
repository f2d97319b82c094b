"""PINN+MP: train with the prior in the loss, prune once by magnitude, go on without the prior (Hossain et al. 2024).

The source (NeurIPS, B.9.3) trains to the end, prunes a fraction p of each matrix and trains again; here both parts
share the number of epochs of all other methods (choice of ours). p is tuned among 0.5, 0.75, 0.83, 0.87, 0.9, 0.92,
0.95, 0.97 and 0.99: the sparsest whose validation error is within one standard error of the best.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kinetrain.pruning import pinn
from kinetrain.pruning.magnitude import normalised_magnitudes


@dataclass(frozen=True)
class Method(pinn.Method):
    """As `pinn` until the event, then the smallest weights go, and the survivors are trained on the data alone.

    The models before the event are of the first training and no result, even where the best of `all` epochs is kept.

    fraction: fraction p of each matrix that is pruned; the default is the sparsity of the authors' own plot.
    prune_at: fraction of the epochs after which this happens; choice of ours.
    variant: `published` draws 10000 states once, as `pinn` does, and prunes both first layers by the absolute values
        of the weights, as the code does and the text does not.
    """

    prunes: ClassVar[bool] = True
    retrains: ClassVar[bool] = True

    fraction: float = 0.87
    prune_at: float = 0.6

    def __post_init__(self):
        super().__post_init__()
        for key in ("fraction", "prune_at"):
            if not 0 < getattr(self, key) < 1:
                raise ValueError(f"{key}: expected a number between 0 and 1, got {getattr(self, key)}")

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

    def data_weight(self, pruned):
        """Return τ, 1 once the model is pruned."""
        return 1.0 if pruned else self.tau

    def penalty(self, raw, parameters, moment):
        """Return (1 − τ) L_prior (M,), 0 once the models are pruned."""
        if moment.pruned:
            return next(iter(parameters.values())).new_zeros(len(moment.rngs))
        return super().penalty(raw, parameters, moment)
