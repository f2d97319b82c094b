"""Compiled models shared by the tests of this folder: each is compiled once, and kept for later test sessions."""

import contextlib
import sys
import tempfile
from pathlib import Path

import amici
import numpy as np
import pytest

from kinetrain.problems import compiled, petab_tables

BENCHMARK = Path("Benchmarking-Initiative/Benchmark-Models-PEtab")
COMMIT = "4d2085084b289f6215a95475b1ee639fd7d42283"


@pytest.fixture(scope="session")
def compiled_model(request):
    """A function of a PEtab YAML that returns the folder of its compiled model.

    Models of earlier sessions lie in pytest's cache under a name made from all that shapes them: the problem's files,
    our code, AMICI and the interpreter. `pytest --cache-clear` compiles them again.
    """
    models = request.config.cache.mkdir("models")

    def folder_of(yaml):
        files = [Path(module.__file__) for module in (compiled, petab_tables)]
        files += petab_tables.list_files(yaml, petab_tables.read_description(yaml))
        versions = f"{amici.__version__} {sys.executable} {sys.version}".encode()
        key = petab_tables.checksum(b"".join([versions, *(file.read_bytes() for file in files)]))
        folder = models / f"{yaml.parent.name}-{key[:16]}"
        if not folder.is_dir():
            with tempfile.TemporaryDirectory(dir=models) as fresh:
                compiled.compile_model(yaml, Path(fresh) / "model")
                with contextlib.suppress(OSError):  # another session was faster
                    (Path(fresh) / "model").rename(folder)
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
