"""SparseFlow: prune by the magnitude of the weights alone (Liebenwein et al. 2021; DASH with λ = 0)."""

from dataclasses import dataclass
from typing import ClassVar

from kinetrain.pruning import method
from kinetrain.pruning.magnitude import normalised_magnitudes

LABEL, COLOUR, MARKER, PLACE = "SparseFlow", "#56B4E9", "s", 9


@dataclass(frozen=True)
class Method(method.Method):
    """Removes the smallest weights; the others train on."""

    prunes: ClassVar[bool] = True

    def scores(self, event):
        """Return the normalised magnitude of every prunable weight, {matrix: array}, and no memory."""
        return normalised_magnitudes(event), {}
