"""IMP, iterative magnitude pruning: as SparseFlow, then the surviving weights start anew (Frankle and Carbin 2019).

Hossain et al. 2024 (NeurIPS) give λ = 0 both names; rewinding once pruning no longer helps is what keeps the two
apart here, as in the two phases of the authors' SynFlow script.
"""

from dataclasses import dataclass
from typing import ClassVar

from kinetrain.pruning.methods import sparseflow

LABEL, COLOUR, MARKER, PLACE = "IMP", "#009E73", "P", 7


@dataclass(frozen=True)
class Method(sparseflow.Method):
    """The smallest weights go; the mask of the best epoch is trained once more from the start of the model."""

    rewinds: ClassVar[bool] = True
