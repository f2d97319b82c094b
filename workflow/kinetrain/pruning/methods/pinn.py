"""PINN: the prior as a term of the loss, nothing is pruned (Hossain et al. 2024, Genome Biology and NeurIPS).

L = τ L_data + (1 − τ) L_prior, where L_prior is the mean squared difference, over genes and random states γ, between
the production c(γ) of the vector field and the linear Aγ of the prior A [target, regulator].
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Literal

import numpy as np

from kinetrain.options import option
from kinetrain.pruning import method

LABEL, COLOUR, MARKER, PLACE = "PINN", "#CC79A7", "h", 5

PUBLISHED_PROBES = 10_000


@dataclass(frozen=True)
class Method(method.Method):
    """A penalty on the difference between the production of the field and the prior network."""

    uses_prior: ClassVar[bool] = True
    penalises: ClassVar[bool] = True

    tau: float = option(
        0.99, "Weight τ of the data loss; 0.99 on the published simulated data, 0.8 on yeast.", least=0, most=1
    )
    probes: int = option(
        64,
        "Random states γ of each update. 64 new ones in each of the 140 updates of an epoch of the published simulated "
        "data are about the published number; choice of ours.",
        least=1,
        most=10**6,
    )
    probe_range: float = option(
        0.5, "The states are uniform between minus and plus this; 0.5 as published, 2 for yeast.", above=0
    )
    signed: bool = option(
        True,
        "Use the prior with its signs, as published for simulated data; false takes absolute values, which is right "
        "where signs are meaningless, as in the published breast cancer and yeast priors.",
    )
    variant: Literal["corrected", "published"] = option(
        "corrected",
        "`published` draws 10000 states once and uses all of them in every update, regardless of `probes`.",
    )

    @property
    def states_of_penalty(self):
        """Return the number of random states of each update."""
        return PUBLISHED_PROBES if self.variant == "published" else self.probes

    def data_weight(self):
        """Return τ."""
        return self.tau

    def penalty(self, raw, parameters, update):
        """Return (1 − τ) L_prior (M,)."""
        import torch

        like = next(iter(parameters.values()))
        pairs = [self._pair(rng, network) for rng, (network, _) in zip(update.rngs, update.priors, strict=True)]
        states, wanted = (torch.from_numpy(np.stack(part)).to(like) for part in zip(*pairs, strict=True))
        return (1 - self.tau) * update.production_error(parameters, states, wanted)

    def _pair(self, rng, network) -> tuple[np.ndarray, np.ndarray]:
        """Return random states (Q, k) of one model for one update, and what its prior makes of them (Q, k)."""
        if self.variant == "published":
            return _drawn_once(_ByIdentity(network), self.probe_range, self.signed)
        return _draw(rng, self.probes, network, self.probe_range, self.signed)


class _ByIdentity:
    """A prior as the key of a cache, which sparse matrices cannot be themselves."""

    def __init__(self, network):
        self.network = network

    def __hash__(self):
        return id(self.network)

    def __eq__(self, other):
        return self.network is other.network


@lru_cache(maxsize=1)  # drawing and multiplying takes a third of the time of an update
def _drawn_once(key: _ByIdentity, probe_range: float, signed: bool):
    return _draw(np.random.default_rng(0), PUBLISHED_PROBES, key.network, probe_range, signed)


def _draw(rng, count: int, network, probe_range: float, signed: bool) -> tuple[np.ndarray, np.ndarray]:
    states = (2 * rng.random((count, network.shape[1]), dtype=np.float32) - 1) * np.float32(probe_range)
    return states, ((network if signed else abs(network)) @ states.T).T
