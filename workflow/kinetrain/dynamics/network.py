"""A random gene network with Hill kinetics, and the trajectories it makes (Hossain et al. 2024, simulated data).

Input genes are constant; every other gene follows dx/dt = L(x) − x with rates of one per unit of time, where L joins
the saturating effects of its regulators by AND or OR.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.integrate import solve_ivp

ACTIVATING = 0.68  # fraction of activating edges, as in the published 350-gene network (374 of 550)
WITHIN = 0.85  # probability that a regulator is of the gene's own module; choice of ours
IN_DEGREES = (1, 2, 3)
IN_DEGREE_PROBABILITIES = (0.3, 0.45, 0.25)  # mean 1.95, as in the published network (550 edges, 277 targets)


@dataclass(frozen=True)
class Simulation:
    """What is simulated: sizes, times (inverse degradation rates), fractions of the trajectories set apart."""

    genes: int = 80
    regulators: int = 24
    inputs: int = 16
    modules: int = 8
    trajectories: int = 60
    times: tuple[float, ...] = (0.0, 2.0, 3.0, 7.0, 9.0)
    validation_fraction: float = 0.1
    test_fraction: float = 0.1
    seed: int = 1

    def __post_init__(self):
        if not 1 <= self.inputs <= self.regulators <= self.genes:
            raise ValueError("1 <= inputs <= regulators <= genes must hold")
        if not 1 <= self.modules <= self.genes:
            raise ValueError("modules must be between 1 and the number of genes")
        if len(self.times) < 2 or any(b <= a for a, b in pairwise(self.times)):
            raise ValueError(f"times must be two or more, and increase: {self.times}")
        if self.trajectories < 1:
            raise ValueError(f"trajectories must be at least 1, not {self.trajectories}")
        if not 0 < self.validation_fraction < 1 or not 0 <= self.test_fraction < 1:
            raise ValueError("validation_fraction must be above 0 and below 1, test_fraction at least 0 and below 1")


@dataclass(frozen=True)
class Network:
    """k genes with up to D regulators each.

    genes (k,); module (k,) number from 0; inputs (k,) true for constant genes; regulator (k, D) gene index, −1 where
    there is none; sign (k, D) +1 or −1; half (k, D) EC50; exponent (k, D) Hill exponent; conjunction (k,) true where
    the regulators are joined by AND.
    """

    genes: np.ndarray
    module: np.ndarray
    inputs: np.ndarray
    regulator: np.ndarray
    sign: np.ndarray
    half: np.ndarray
    exponent: np.ndarray
    conjunction: np.ndarray


def hill(x, half, exponent):
    """Return the activation B xⁿ / (K + xⁿ) with B = (cⁿ − 1) / (2cⁿ − 1), K = B − 1 and c the EC50.

    It is 0 at x = 0, ½ at the EC50 and 1 at x = 1. Written without B and K, which are infinite at cⁿ = ½.
    """
    power, centre = x**exponent, half**exponent
    return (1 - centre) * power / (centre + (1 - 2 * centre) * power)


def derivative(network: Network, state: np.ndarray) -> np.ndarray:
    """Return dx/dt (k,) at the state (k,), in units of expression per unit of time."""
    present = network.regulator >= 0
    effect = hill(np.clip(state, 0, 1)[network.regulator], network.half, network.exponent)
    effect = np.where(network.sign > 0, effect, 1 - effect)
    both = np.where(present, effect, 1).prod(axis=1)
    either = 1 - np.where(present, 1 - effect, 1).prod(axis=1)
    target = np.where(network.conjunction, both, either)
    return np.where(network.inputs, 0, target - state)


def draw_network(genes: int, regulators: int, inputs: int, modules: int, seed: int) -> Network:
    """Return a random modular network: `inputs` of the `regulators` are constant, all other genes are regulated.

    Regulators are dealt unevenly to the modules, so that some modules matter more than others.
    """
    rng = np.random.default_rng([seed, 4])
    module = rng.permutation(np.arange(genes) % modules)
    chances = rng.dirichlet(np.ones(modules))[module]
    chosen = rng.choice(genes, regulators, replace=False, p=chances / chances.sum())
    constant = np.zeros(genes, bool)
    constant[chosen[:inputs]] = True
    regulator = np.full((genes, max(IN_DEGREES)), -1)
    for gene in np.flatnonzero(~constant):
        picked = _draw_regulators(rng, gene, chosen, module)
        regulator[gene, : len(picked)] = picked
    shape = regulator.shape
    width = len(str(genes))
    return Network(
        genes=np.array([f"G{number + 1:0{width}d}" for number in range(genes)]),
        module=module,
        inputs=constant,
        regulator=regulator,
        sign=np.where(rng.random(shape) < ACTIVATING, 1, -1),
        half=rng.uniform(0.4, 0.6, shape),
        exponent=rng.uniform(1.01, 1.7, shape),
        conjunction=rng.random(genes) < 0.5,
    )


def _draw_regulators(rng, gene, regulators, module):
    """Return one to three distinct regulators of a gene other than itself, mostly of its own module."""
    others = regulators[regulators != gene]
    own = module[others] == module[gene]
    weight = np.where(own, WITHIN / max(own.sum(), 1), (1 - WITHIN) / max((~own).sum(), 1))
    count = min(rng.choice(IN_DEGREES, p=IN_DEGREE_PROBABILITIES), len(others))
    return rng.choice(others, count, replace=False, p=weight / weight.sum())


def draw_initial_states(network: Network, trajectories: int, seed: int) -> np.ndarray:
    """Return initial states (R, k) in [0, 1].

    Inputs: normal around a mean from Beta(10, 10) with a standard deviation of a third of its distance from the
    bounds times Beta(15, 15), at least 0.01, redrawn outside [0, 1]. Others: Beta(2, 2) shifted per gene by up to ¼.
    """
    rng = np.random.default_rng([seed, 5])
    genes = len(network.genes)
    mean = rng.beta(10, 10, genes)
    deviation = np.maximum(0.01, rng.beta(15, 15, genes) * np.minimum(mean, 1 - mean) / 3)
    shift = rng.uniform(-0.25, 0.25, genes)
    free = np.clip(rng.beta(2, 2, (trajectories, genes)) + shift, 0, 1)
    held = rng.normal(mean, deviation, (trajectories, genes))
    while (outside := (held < 0) | (held > 1)).any():
        held = np.where(outside, rng.normal(mean, deviation, held.shape), held)
    return np.where(network.inputs, held, free)


def simulate(network: Network, initial: np.ndarray, times) -> np.ndarray:
    """Return trajectories (R, T, k) from the initial states (R, k) at `times` (T,), by LSODA at 1e-8."""
    trajectories = []
    for state in initial:
        solution = solve_ivp(
            lambda _, x: derivative(network, x), (times[0], times[-1]), state, "LSODA", times, rtol=1e-8, atol=1e-10
        )
        trajectories.append(np.clip(solution.y.T, 0, 1))
    return np.stack(trajectories)


def edges(network: Network) -> list[tuple[str, str, int]]:
    """Return the edges (regulator, target, sign), sorted by the order of the genes."""
    found = np.argwhere(network.regulator >= 0)
    listed = sorted((network.regulator[target, slot], target, network.sign[target, slot]) for target, slot in found)
    return [(str(network.genes[source]), str(network.genes[target]), int(sign)) for source, target, sign in listed]


def gene_sets(network: Network) -> dict[str, list[str]]:
    """Return the genes of every module by the name of the module."""
    return {
        f"module_{number + 1}": network.genes[network.module == number].tolist()
        for number in range(network.module.max() + 1)
    }
