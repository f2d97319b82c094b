"""Fixtures of the neural tests: small simulated expression, a prior for it, and a way to call scripts."""

import sys

import numpy as np
import pytest

from kinetrain.data.expression import Expression, all_transitions, split_transitions
from kinetrain.simulation import gene_network as networks
from kinetrain.simulation.options import Simulation

GENES = 12


@pytest.fixture(scope="module")
def expression():
    """Return 8 trajectories of 4 times of a random network of GENES genes, split into training, validation and test."""
    network = networks.draw_network(Simulation(genes=GENES, regulators=6, inputs=3, modules=2))
    times = np.tile([0.0, 2, 3, 7], (8, 1))
    values = networks.simulate(network, networks.draw_initial_states(network, 8, seed=1), times[0])
    transitions = all_transitions(times)
    split = split_transitions(transitions, {"validation": 0.2, "test": 0.2}, seed=1)
    return Expression(network.genes, values, times, transitions, split, "1")


@pytest.fixture(scope="module")
def prior():
    """Return a random prior and its co-regulation, dense (GENES, GENES) both."""
    matrix = (np.random.default_rng(0).random((GENES, GENES)) < 0.2).astype(float)
    return matrix, matrix.T @ matrix


@pytest.fixture
def call(monkeypatch, root):
    """Run the main function of a script with the given arguments."""
    monkeypatch.syspath_prepend(str(root / "workflow/scripts"))

    def call(script, *arguments):
        monkeypatch.setattr(sys, "argv", [script, *map(str, arguments)])
        __import__(script).main()

    return call
