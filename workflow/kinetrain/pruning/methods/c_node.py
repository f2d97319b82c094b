"""C-NODE: a penalty on the paths from every input to every output (Aliee et al. 2021).

The mean over all pairs of genes of |U||W|, summed over the branches, from the weights before their gates; constants
as in the code of Hossain et al. 2024 (NeurIPS), whose gates are those of L0, without a penalty of their own.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from kinetrain.options import option
from kinetrain.pruning.methods import l0

LABEL, COLOUR, MARKER, PLACE = "C-NODE", "#44AA99", "<", 3


@dataclass(frozen=True)
class Method(l0.Method):
    """Weights that shrink under a penalty on the paths they are part of."""

    published_temperature: ClassVar[float] = 2 / 3

    lambda0: float = option(0.0, "Weight of the penalty on open gates as in `l0`, none as published.", least=0)
    temperature: float = option(0.6666667, "Width β of the gates, as in `l0`; 2/3 as published.", above=0)
    variant: Literal["corrected", "published"] = option(
        "corrected", "`published` evaluates with randomly drawn gates, with β = 2/3."
    )
    lambda1: float = option(
        1e-3, "Weight of the penalty on paths, the mean product of absolute weights along them.", least=0
    )

    def penalty(self, raw, parameters, update):
        """Return λ₁ times the mean strength of paths (M,), and the penalty on open gates if there is one."""
        chains = update.field.chains({name: tuple(raw[name].shape[1:]) for name in l0.matrices(raw)})
        weights = {name: raw[name].abs() for chain in chains for name in chain}
        return super().penalty(raw, parameters, update) + self.lambda1 * mean_paths(chains, weights)


def mean_paths(chains, matrices):
    """Return the mean (M,) over all entries of the product of each chain's non-negative matrices, summed over chains.

    The sum over all entries of a product is a product with vectors of ones, no (k, k) matrix is needed.
    """
    total = 0
    for chain in chains:
        outputs, inputs = matrices[chain[-1]].shape[1], matrices[chain[0]].shape[2]
        flow = matrices[chain[0]].new_ones((*matrices[chain[0]][:, 0].shape, 1))
        for name in chain:
            flow = matrices[name] @ flow
        total = total + flow.sum(dim=(1, 2)) / (outputs * inputs)
    return total
