"""The simulated gene network obeys its Hill kinetics, and the same seed gives the same data."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from kinetrain.simulation.gene_network import (
    Circuit,
    Simulation,
    derivative,
    draw_initial_states,
    draw_network,
    edges,
    gene_sets,
    hill,
    simulate,
)

TIMES = (0, 2, 3, 7, 9)
SIZES = Simulation(genes=30, regulators=10, inputs=6, modules=3)


@pytest.fixture(scope="module")
def network():
    return draw_network(SIZES)


@pytest.mark.parametrize("exponent", [1.01, 1.357, 1.7])
@pytest.mark.parametrize("half", [0.4, 0.5, 0.6])
def test_activation_is_nothing_at_zero_half_at_the_ec50_and_all_at_one(half, exponent):
    assert np.allclose(hill(np.array([0, half, 1]), half, exponent), [0, 0.5, 1])


def test_activation_is_the_published_formula():
    x, half, exponent = 0.3, 0.45, 1.5
    b = (half**exponent - 1) / (2 * half**exponent - 1)
    assert np.isclose(hill(x, half, exponent), b * x**exponent / (b - 1 + x**exponent))


def test_activation_has_no_pole_where_the_formula_has_one():
    half = 0.6
    exponent = np.log(0.5) / np.log(half)  # 2 cⁿ = 1: B is infinite
    assert np.isclose(hill(0.3, half, exponent), 0.3**exponent)


def value(network, rule, state):
    """Return the value of a rule, edge by edge."""
    if isinstance(rule, int):
        effect = hill(state[network.regulator[rule]], network.half[rule], network.exponent[rule])
        return effect if network.sign[rule] > 0 else 1 - effect
    parts = np.array([value(network, part, state) for part in rule[1]])
    return np.prod(parts) if rule[0] == "and" else 1 - np.prod(1 - parts)


def test_regulators_join_by_product_or_by_probabilistic_sum(network):
    state = np.random.default_rng(0).random(30)
    rate = derivative(network, state)
    joins = {rule[0] for rule in network.rules if isinstance(rule, tuple)}
    assert joins == {"and", "or"}
    for gene, rule in enumerate(network.rules):
        assert np.isclose(rate[gene], 0 if rule is None else value(network, rule, state) - state[gene])


def test_rules_may_hold_rules_and_share_them():
    inner = ("or", (1, ("and", (2, 3))))
    circuit = Circuit([("and", (0, inner)), inner, 2], edges=4)
    a, b, c, d = effects = np.random.default_rng(0).random((4, 7))
    either = b + c * d - b * c * d
    assert np.allclose(circuit.join(effects), [a * either, either, c])


def test_many_states_have_the_derivatives_of_each(network):
    states = np.random.default_rng(1).random((30, 4))
    assert np.allclose(derivative(network, states), np.stack([derivative(network, one) for one in states.T], axis=1))


def test_trajectories_solve_the_equations(network):
    initial = draw_initial_states(network, 4, seed=1)
    solution = [
        solve_ivp(lambda _, x: derivative(network, x), (0, 9), one, "LSODA", TIMES, rtol=1e-11, atol=1e-13).y.T
        for one in initial
    ]
    assert np.abs(simulate(network, initial, TIMES) - np.stack(solution)).max() < 1e-8


def test_inputs_are_constant_and_all_values_between_zero_and_one(network):
    initial = draw_initial_states(network, 5, seed=1)
    values = simulate(network, initial, TIMES)
    assert values.shape == (5, 5, 30)
    assert (values[:, :, network.inputs] == initial[:, None, network.inputs]).all()
    assert values.min() >= 0 and values.max() <= 1
    assert (np.ptp(values[:, :, ~network.inputs], axis=1).max(axis=0) > 1e-3).all()


def test_every_gene_but_the_inputs_has_regulators_and_none_regulates_itself(network):
    listed = edges(network)
    targets = {target for _, target, _ in listed}
    assert targets == set(network.genes[~network.inputs])
    assert all(regulator != target and sign in (-1, 1) for regulator, target, sign in listed)
    assert len({(regulator, target) for regulator, target, _ in listed}) == len(listed)
    assert len({regulator for regulator, _, _ in listed}) <= 10


def test_the_modules_share_out_all_genes(network):
    sets = gene_sets(network, seed=1)
    modules = [members for name, members in sets.items() if name.startswith("module")]
    assert len(modules) == 3
    assert sorted(gene for members in modules for gene in members) == sorted(network.genes)


def test_the_planted_pathway_has_the_most_targets(network):
    planted = gene_sets(network, seed=1)["planted_hubs"]
    targets = Counter(regulator for regulator, _, _ in edges(network))
    others = set(network.genes) - set(planted)
    assert min(targets[gene] for gene in planted) >= max(targets[gene] for gene in others)


def test_the_same_seed_gives_the_same_network(network):
    again = draw_network(SIZES)
    other = draw_network(replace(SIZES, seed=2))
    assert edges(again) == edges(network) != edges(other)
    assert (draw_initial_states(network, 3, 1) == draw_initial_states(again, 3, 1)).all()


def test_impossible_sizes_are_refused():
    with pytest.raises(ValueError, match="inputs 5 > regulators 4"):
        Simulation(genes=10, regulators=4, inputs=5)
    with pytest.raises(ValueError, match="increase"):
        Simulation(times=(0.0, 2.0, 2.0))
    with pytest.raises(ValueError, match="in_degree"):
        Simulation(regulators=24, in_degree=24)
    for wrong in ({"exponents": (2.0, 1.0)}, {"half": (0.4, 1.0)}, {"decay_spread": 0.5}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Simulation(**wrong)


def test_every_regulated_gene_has_the_wanted_number_of_regulators():
    network = draw_network(replace(SIZES, in_degree=4))
    counts = np.bincount(network.target, minlength=30)
    assert (counts[~network.inputs] == 4).all() and (counts[network.inputs] == 0).all()


def test_kinetics_are_drawn_from_the_wanted_ranges_and_leave_the_network_as_it_is(network):
    other = draw_network(replace(SIZES, exponents=(4, 6), half=(0.1, 0.2), decay_spread=5))
    assert edges(other) == edges(network)
    assert other.exponent.min() >= 4 and other.exponent.max() <= 6
    assert other.half.min() >= 0.1 and other.half.max() <= 0.2
    assert 0.2 <= other.rate.min() < 0.5 and 2 < other.rate.max() <= 5


def test_a_rate_makes_its_gene_faster_by_that_factor(network):
    faster = replace(network, rate=np.linspace(0.5, 2, 30))
    state = np.random.default_rng(0).random((30, 2))
    assert np.allclose(derivative(faster, state), derivative(network, state) * faster.rate[:, None])
    with pytest.raises(ValueError, match="trajectories = 0: 0 is less than the minimum of 3"):
        Simulation(trajectories=0)
    with pytest.raises(ValueError, match=r"validation_fraction = 0\.0: 0\.0 is not above 0"):
        Simulation(validation_fraction=0.0)
