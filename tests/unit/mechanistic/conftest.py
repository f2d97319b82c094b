"""Compiled models shared by the tests of this folder: each is compiled once, and kept for later test sessions."""

from pathlib import Path

import numpy as np
import pytest

from kinetrain.mechanistic.compiled_model import compile_model
from kinetrain.mechanistic.petab_files import checksum
from kinetrain.problem import StartingBox

BENCHMARK = Path("Benchmarking-Initiative/Benchmark-Models-PEtab")
COMMIT = "4d2085084b289f6215a95475b1ee639fd7d42283"


@pytest.fixture(scope="session")
def compiled_model(tmp_path_factory):
    """A function of a PEtab YAML that returns the folder of its compiled model, which is kept in the user's cache."""

    def folder_of(yaml):
        folder = tmp_path_factory.getbasetemp() / "models" / checksum(str(yaml))[:16]
        compile_model(yaml, folder)
        return folder

    return folder_of


@pytest.fixture(scope="session")
def egf_yaml(root):
    """Our own PEtab problem of the EGF/AKT pathway."""
    return root / "resources/models/egf_akt/problem.yaml"


@pytest.fixture(scope="session")
def egf_model(egf_yaml, compiled_model):
    """The folder of its compiled model."""
    return compiled_model(egf_yaml)


@pytest.fixture(scope="session")
def compiled_collection(mirror, compiled_model):
    """A function of a problem's name in the PEtab benchmark collection: its YAML and the folder of its model."""

    def find(name):
        yaml = mirror / BENCHMARK / COMMIT / "Benchmark-Models" / name / f"{name}.yaml"
        return yaml, compiled_model(yaml)

    return find


class Quadratic(StartingBox):
    """Four conditions k with J_k = 0.5 sum_i w_i (x_i - c_ki)^2; it fails where `wall(x)` is true."""

    names = ("x1", "x2")
    lower, upper, nominal = np.full(2, -5.0), np.full(2, 5.0), np.zeros(2)
    start_lower, start_upper = lower, upper
    start_quantiles = {}  # noqa: RUF012
    n_conditions, n_measurements = 4, 8
    checksum = "quadratic"
    engine = "formula"
    gradient_weight, information_weight, relaxed_solves = 1.0, None, 0
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
