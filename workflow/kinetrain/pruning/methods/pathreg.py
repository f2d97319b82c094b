"""PathReg: gates as in L0, with a penalty on paths of open gates in addition to that of C-NODE (Aliee et al. 2022).

The mean over all pairs of genes of the product of the gates along a path, summed over paths and branches; constants
as in the code of Hossain et al. 2024 (NeurIPS).
"""

import math
from dataclasses import dataclass
from typing import Literal

from kinetrain.options import option
from kinetrain.pruning.methods import c_node, l0

LABEL, COLOUR, MARKER, PLACE = "PathReg", "#882255", "^", 4


@dataclass(frozen=True)
class Method(c_node.Method):
    """Weights that shrink, and gates that close, under penalties on the paths they are part of."""

    lambda0: float = option(
        1e-3, "Weight of the penalty on open gates, as in `l0`, lower as paths have their own; choice of ours.", least=0
    )
    variant: Literal["corrected", "published"] = option(
        "corrected", "`published` has no penalty on single gates and evaluates with randomly drawn gates."
    )
    lambda_path: float = option(
        1e-4, "Weight of the penalty on open paths, the mean product of gates along them.", least=0
    )

    def penalty(self, raw, parameters, update):
        """Return the penalties on paths, open paths and open gates (M,)."""
        gates = self.opened(raw, update.noise)
        chains = update.field.chains({name: tuple(raw[name].shape[1:]) for name in l0.matrices(raw)})
        open_paths = sum(_mean_open([gates[name] for name in chain]) for chain in chains)
        return super().penalty(raw, parameters, update) + self.lambda_path * open_paths


def _mean_open(gates):
    """Return the mean (M,) over all entries of the product of matrices whose rows all are the gates (M, inputs).

    The sums of the gates need no matrix: the product of the sums, shared by as many entries as the first has inputs.
    """
    return math.prod(gate.sum(dim=1) for gate in gates) / gates[0].shape[1]
