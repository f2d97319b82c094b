"""IMP, iterative magnitude pruning: as SparseFlow, then the surviving weights are rewound (Frankle and Carbin 2019).

Hossain et al. 2024 (NeurIPS) give λ = 0 both names; here the two differ in rewinding once pruning no longer helps, as
in the two phases of the authors' SynFlow script.
"""

from dataclasses import dataclass
from typing import ClassVar

from kinetrain.pruning.methods import sparseflow

LABEL, COLOUR, MARKER, PLACE = "IMP", "#009E73", "P", 7


@dataclass(frozen=True)
class Method(sparseflow.Method):
    """Removes the smallest weights; the mask of the best epoch is trained once more from the initial weights."""

    rewinds: ClassVar[bool] = True
