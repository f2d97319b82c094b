"""Random pruning: the weights to remove are drawn at random. A control of ours, not in Hossain et al. 2024."""

from dataclasses import dataclass
from typing import ClassVar

from kinetrain.pruning import method

LABEL, COLOUR, MARKER, PLACE = "Random pruning", "#B8B8B8", "d", 11


@dataclass(frozen=True)
class Method(method.Method):
    """Removes as many weights as every other method, at random."""

    prunes: ClassVar[bool] = True

    def scores(self, event):
        """Return uniform random scores, {matrix: array}, and no memory."""
        return {name: event.rng.random(mask.shape) for name, mask in event.masks.items()}, {}
