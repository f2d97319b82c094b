"""The options of enrichment: how the influence of a gene is measured, and how pathways are tested."""

from dataclasses import dataclass
from typing import Literal

from kinetrain.options import LARGEST_SEED, Options, option


@dataclass(frozen=True)
class InfluenceOptions(Options):
    """How the influence of a gene is measured."""

    vectors: int = option(20, "Random initial states (the paper used 200).", least=1, most=10**6)
    steps: int = option(1, "Runge-Kutta steps per 0.1 of the model's time.", least=1, most=10**6)
    seed: int = option(0, "Seed of the initial states.", least=0, most=LARGEST_SEED)
    initial: Literal["observed", "published"] = option(
        "observed",
        "Range of the initial states: what each gene was seen to do, or -0.5 to 0.5 as published (models may diverge "
        "from there).",
    )


@dataclass(frozen=True)
class TestOptions(Options):
    """The tests of pathways."""

    permutations: int = option(
        10000,
        "Permutations of the genes; where fewer than 10 reach a score, its p-value is that of all of them.",
        least=1,
        most=10**8,
    )
    minimum_genes: int = option(5, "Gene sets with fewer measured genes are not tested.", least=1)
    seed: int = option(0, "Seed of the permutations and of the negative control.", least=0, most=LARGEST_SEED)
