"""Gene networks with Hill kinetics, random ones, and their trajectories (Hossain et al. 2024, simulated data).

Input genes are constant; every other gene follows dx/dt = r (L(x) − x), where L joins the saturating effects of its
regulators by AND and OR, and r is one per unit of time unless `decay_spread` draws other rates. Random networks are
drawn here, published ones are read by `published_network`.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.integrate import solve_ivp

from kinetrain.data.gene_sets import PLANTED
from kinetrain.seeds import DECAY_RATES, GENE_SETS, INITIAL_STATES, NETWORK, generator
from kinetrain.simulation.options import Simulation

ACTIVATING = 0.68  # fraction of activating edges, as in the published 350-gene network (374 of 550)
WITHIN = 0.85  # probability that a regulator is of the gene's own module; choice of ours
DECOYS = 40  # gene sets without meaning, among which the planted one has to stand out
IN_DEGREES = (1, 2, 3)
IN_DEGREE_PROBABILITIES = (0.3, 0.45, 0.25)  # mean 1.95, as in the published network (550 edges, 277 targets)

# How the edges of a gene combine: the index of one edge, ("and", parts) or ("or", parts); None for an input.
Rule = int | tuple[str, tuple] | None


@dataclass(frozen=True)
class Network:
    """k genes and E edges between them.

    genes (k,); regulator (E,) and target (E,) indices of genes; sign (E,) +1 or −1; half (E,) EC50; exponent (E,)
    Hill exponent; rules: for every gene how its edges combine; module (k,) number from 0, where there are any.
    """

    genes: np.ndarray
    regulator: np.ndarray
    target: np.ndarray
    sign: np.ndarray
    half: np.ndarray
    exponent: np.ndarray
    rules: tuple[Rule, ...]
    module: np.ndarray | None = None
    rate: np.ndarray | None = None

    @cached_property
    def inputs(self) -> np.ndarray:
        """(k,) true for constant genes."""
        return np.array([rule is None for rule in self.rules])

    @cached_property
    def circuit(self) -> "Circuit":
        """The rules of all genes but the inputs, to be evaluated together."""
        return Circuit([rule for rule in self.rules if rule is not None], len(self.regulator))


class Circuit:
    """Rules as layers of products: AND is the product of its parts, OR one minus the product of one minus its parts.

    A wire carries one number: the first E wires the effects of the edges, the following ones what the layers give.
    """

    def __init__(self, rules: list[Rule], edges: int):
        levels: dict[int, dict[tuple[str, tuple], None]] = {}

        def level(rule) -> int:
            """Return how many layers a rule needs, and note its parts and itself by their layers."""
            if isinstance(rule, int):
                return 0
            depth = 1 + max(map(level, rule[1]))
            levels.setdefault(depth, {})[rule] = None
            return depth

        for rule in rules:
            level(rule)
        wires: dict[Rule, int] = {edge: edge for edge in range(edges)}
        self.layers = []  # (wires of the parts, which of them belong to an OR, first part of each rule, which is an OR)
        for depth in sorted(levels):
            counts = [len(parts) for _, parts in levels[depth]]
            either = np.array([join == "or" for join, _ in levels[depth]])
            parts = np.array([wires[part] for _, parts in levels[depth] for part in parts])
            self.layers.append((parts, np.repeat(either, counts), np.cumsum([0, *counts[:-1]]), either))
            wires |= {rule: len(wires) + place for place, rule in enumerate(levels[depth])}
        self.wires = len(wires)
        self.output = np.array([wires[rule] for rule in rules], int)

    def join(self, effects: np.ndarray) -> np.ndarray:
        """Return the values of the rules (rules, ...) for the effects of the edges (E, ...), all between 0 and 1."""
        wires = np.empty((self.wires, *effects.shape[1:]))
        wires[: len(effects)] = effects
        filled = len(effects)
        for parts, complemented, first, either in self.layers:
            factors = wires[parts]
            factors[complemented] = 1 - factors[complemented]
            products = np.multiply.reduceat(factors, first, axis=0)
            products[either] = 1 - products[either]
            wires[filled : filled + len(products)] = products
            filled += len(products)
        return wires[self.output]


def hill(x, half, exponent):
    """Return the activation B xⁿ / (K + xⁿ) with B = (cⁿ − 1) / (2cⁿ − 1), K = B − 1 and c the EC50.

    It is 0 at x = 0, ½ at the EC50 and 1 at x = 1. Written without B and K, which are infinite at cⁿ = ½.
    """
    power, centre = x**exponent, half**exponent
    return (1 - centre) * power / (centre + (1 - 2 * centre) * power)


def derivative(network: Network, state: np.ndarray) -> np.ndarray:
    """Return dx/dt (k, ...) at the states (k, ...), in units of expression per unit of time."""
    half, exponent, activating = (
        part.reshape(-1, *[1] * (state.ndim - 1)) for part in (network.half, network.exponent, network.sign > 0)
    )
    effect = hill(np.clip(state, 0, 1)[network.regulator], half, exponent)
    rate = np.zeros_like(state)
    free = ~network.inputs
    rate[free] = network.circuit.join(np.where(activating, effect, 1 - effect)) - state[free]
    return rate if network.rate is None else rate * network.rate.reshape(-1, *[1] * (state.ndim - 1))


def draw_network(options: Simulation) -> Network:
    """Return a random modular network: `inputs` of the `regulators` are constant, all other genes are regulated.

    Modules have unequal numbers of regulators, so that some modules matter more than others.
    """
    rng, genes = generator(options.seed, NETWORK), options.genes
    module = rng.permutation(np.arange(genes) % options.modules)
    chances = rng.dirichlet(np.ones(options.modules))[module]
    chosen = rng.choice(genes, options.regulators, replace=False, p=chances / chances.sum())
    constant = np.zeros(genes, bool)
    constant[chosen[: options.inputs]] = True
    regulator = np.full((genes, options.in_degree or max(IN_DEGREES)), -1)
    for gene in np.flatnonzero(~constant):
        picked = _draw_regulators(rng, gene, chosen, module, options.in_degree)
        regulator[gene, : len(picked)] = picked
    shape = regulator.shape
    width = len(str(genes))
    sign = np.where(rng.random(shape) < ACTIVATING, 1, -1)
    half, exponent = rng.uniform(*options.half, shape), rng.uniform(*options.exponents, shape)
    conjunction = rng.random(genes) < 0.5
    present = regulator >= 0
    target = np.nonzero(present)[0]
    return Network(
        genes=np.array([f"G{number + 1:0{width}d}" for number in range(genes)]),
        regulator=regulator[present],
        target=target,
        sign=sign[present],
        half=half[present],
        exponent=exponent[present],
        rules=tuple(_rule(np.flatnonzero(target == gene), conjunction[gene]) for gene in range(genes)),
        module=module,
        rate=_draw_rates(options) if options.decay_spread > 1 else None,
    )


def _draw_rates(options: Simulation) -> np.ndarray:
    """Return a rate per gene (k,), from its own random stream: the network is the same at every spread."""
    logarithm = generator(options.seed, DECAY_RATES).uniform(-1, 1, options.genes)
    return options.decay_spread**logarithm


def _rule(edges: np.ndarray, conjunction: bool) -> Rule:
    """Return the rule that joins all edges of a gene by AND or by OR."""
    if len(edges) < 2:
        return int(edges[0]) if len(edges) else None
    return ("and" if conjunction else "or", tuple(edges.tolist()))


def _draw_regulators(rng, gene, regulators, module, count):
    """Return `count` distinct regulators of a gene other than itself, or one to three, mostly of its own module."""
    others = regulators[regulators != gene]
    own = module[others] == module[gene]
    weight = np.where(own, WITHIN / max(own.sum(), 1), (1 - WITHIN) / max((~own).sum(), 1))
    count = min(count or rng.choice(IN_DEGREES, p=IN_DEGREE_PROBABILITIES), len(others))
    return rng.choice(others, count, replace=False, p=weight / weight.sum())


def draw_initial_states(network: Network, trajectories: int, seed: int) -> np.ndarray:
    """Return initial states (R, k) in [0, 1].

    Inputs: normal around a mean from Beta(10, 10) with a standard deviation of a third of its distance from the
    bounds times Beta(15, 15), at least 0.01, redrawn outside [0, 1]. Others: Beta(2, 2) shifted per gene by up to ¼.
    """
    rng = generator(seed, INITIAL_STATES)
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
    """Return trajectories (R, T, k) from the initial states (R, k) at `times` (T,), accurate to about 1e-9.

    All trajectories are integrated together by an explicit method of order 8, as nothing here is stiff.
    """
    shape = initial.T.shape  # genes first: what is gathered for the edges are whole rows

    def rate(_, flat):
        return derivative(network, flat.reshape(shape)).ravel()

    start = initial.T.ravel()
    solution = solve_ivp(rate, (times[0], times[-1]), start, "DOP853", times, rtol=1e-10, atol=1e-12)
    return np.clip(solution.y.T.reshape(len(times), *shape).transpose(2, 0, 1), 0, 1)


def edges(network: Network) -> list[tuple[str, str, int]]:
    """Return the edges (regulator, target, sign), sorted by the order of the genes."""
    listed = sorted(zip(network.regulator.tolist(), network.target.tolist(), network.sign.tolist(), strict=True))
    return [(str(network.genes[source]), str(network.genes[target]), sign) for source, target, sign in listed]


def gene_sets(network: Network, seed: int) -> dict[str, list[str]]:
    """Return the genes of every module, of the planted pathway and of decoys, by their names.

    The planted pathway holds the genes with the most targets, as many as a module has; the decoys hold as many genes
    each, drawn at random.
    """
    if network.module is None:
        raise ValueError("this network has no modules")
    modules = network.module.max() + 1
    genes = len(network.genes)
    rng, size = generator(seed, GENE_SETS), genes // modules
    targets = np.bincount(network.regulator, minlength=genes)
    members = {f"module_{number + 1}": np.flatnonzero(network.module == number) for number in range(modules)}
    members[PLANTED] = np.sort(np.argsort(-targets, kind="stable")[:size])
    for number in range(DECOYS):
        members[f"decoy_{number + 1}"] = np.sort(rng.choice(genes, size, replace=False))
    return {name: network.genes[places].tolist() for name, places in members.items()}
