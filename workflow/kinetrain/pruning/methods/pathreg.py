"""PathReg: gates as in L0, with a price on the paths of open gates besides that of C-NODE (Aliee et al. 2022).

The mean over all pairs of genes of the product of the gates along a path, summed over paths and branches; constants
as in the code of Hossain et al. 2024 (NeurIPS).
"""

from dataclasses import dataclass
from typing import Literal

from kinetrain.pruning.methods import c_node, l0
from kinetrain.settings import option

LABEL, COLOUR, MARKER, PLACE = "PathReg", "#882255", "^", 4


@dataclass(frozen=True)
class Method(c_node.Method):
    """Paths become weaker and gates close while the data loss allows it."""

    lambda0: float = option(
        1e-3, "Price of open gates, as in `l0`, less as paths have their own; choice of ours.", least=0
    )
    variant: Literal["repaired", "published"] = option(
        "repaired", "`published` has no price on single gates and evaluates with randomly drawn gates."
    )
    lambda_path: float = option(
        1e-4, "Price of open paths, the factor of the mean product of gates along them.", least=0
    )

    def penalty(self, raw, parameters, moment):
        """Return the prices of paths, open paths and open gates (M,)."""
        gates = self.opened(raw, moment.noise)
        spread = {name: gate[:, None].expand_as(raw[name]) for name, gate in gates.items()}
        chains = moment.field.chains({name: tuple(raw[name].shape[1:]) for name in l0.matrices(raw)})
        return super().penalty(raw, parameters, moment) + self.lambda_path * c_node.mean_paths(chains, spread)
