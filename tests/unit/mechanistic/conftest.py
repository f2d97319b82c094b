"""Compiled models shared by the tests of this folder: each is compiled once in a test session."""

from pathlib import Path

import numpy as np
import pytest

from kinetrain.problems.compiled import compile_model

BENCHMARK = Path("Benchmarking-Initiative/Benchmark-Models-PEtab")
COMMIT = "4d2085084b289f6215a95475b1ee639fd7d42283"


@pytest.fixture(scope="session")
def egf_yaml(root):
    """Our own PEtab problem of the EGF/AKT pathway."""
    return root / "resources/models/egf_akt/problem.yaml"


@pytest.fixture(scope="session")
def egf_model(egf_yaml, tmp_path_factory):
    """The folder of its compiled model."""
    folder = tmp_path_factory.mktemp("models") / "egf_akt"
    compile_model(egf_yaml, folder)
    return folder


@pytest.fixture(scope="session")
def collection(mirror):
    """The folder of the PEtab benchmark collection."""
    return mirror / BENCHMARK / COMMIT / "Benchmark-Models"


@pytest.fixture(scope="session")
def compiled_collection(collection, tmp_path_factory):
    """A function of a problem's name in the collection that returns its YAML and the folder of its compiled model."""
    done = {}

    def compiled(name):
        yaml = collection / name / f"{name}.yaml"
        if name not in done:
            done[name] = tmp_path_factory.mktemp("models") / name
            compile_model(yaml, done[name])
        return yaml, done[name]

    return compiled


class Quadratic:
    """Four conditions k with J_k = 0.5 sum_i w_i (x_i - c_ki)^2; it fails where `wall(x)` is true."""

    names = ("x1", "x2")
    lower, upper, nominal = np.full(2, -5.0), np.full(2, 5.0), np.zeros(2)
    start_lower, start_upper = lower, upper
    n_conditions = 4
    checksum = "quadratic"
    centres = np.array([(1, 0), (2, 1), (-1, 3), (0.5, -2)])
    weights = np.array([1.0, 10.0])

    def __init__(self, wall=lambda x: False):
        self.wall = wall
        self.evaluations = []

    def value(self, theta, conditions):
        if self.wall(theta):
            return np.inf
        return float(0.5 * (self.weights * (theta - self.centres[conditions]) ** 2).sum())

    def value_and_gradient(self, theta, conditions):
        value = self.value(theta, conditions)
        self.evaluations.append((tuple(conditions), *theta, value / len(conditions)))
        return value, (self.weights * (theta - self.centres[conditions])).sum(axis=0)


@pytest.fixture
def quadratic():
    """The toy problem of the reference runs, as a class."""
    return Quadratic
