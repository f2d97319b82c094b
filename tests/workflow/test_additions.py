"""A new entry of every kind is one file, and one line of configuration where it is used.

The files below are added to a copy of this checkout, whose workflow plans and runs them.
"""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

COPIED = ["Snakefile", "workflow", "envs", "profiles", "config", "resources"]
LIBRARY = Path("workflow/kinetrain")
FILES = {
    LIBRARY / "figures/size_of_networks.py": '''
"""Figure: how many targets a gene has."""

from kinetrain.figures.catalogue import PRUNING, Declaration

FIGURE = Declaration(
    title="Size of networks",
    section=PRUNING,
    place=99,
    sources=("networks",),
    needs=("datasets",),
    caption="**Targets** of a gene on average, by method.",
)


def tabulate(networks):
    """Return the out-degree of every model."""
    return networks[["method", "out_degree"]].dropna()


def draw(table):
    """Return a point per model."""
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots()
    axis.plot(table["method"], table["out_degree"], "o")
    return figure
''',
    LIBRARY / "pruning/methods/every_other.py": '''
"""Pruning of the weights in every other place."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kinetrain.pruning import method
from kinetrain.options import option


@dataclass(frozen=True)
class Method(method.Method):
    """The weights in odd places go first."""

    prunes: ClassVar[bool] = True
    step: int = option(2, "Distance of the places that stay.", least=2)

    def scores(self, event):
        """Return 1 in every `step`-th place, else 0."""
        places = {name: np.arange(mask.size).reshape(mask.shape) for name, mask in event.masks.items()}
        return {name: place % self.step == 0 for name, place in places.items()}, {}
''',
    LIBRARY / "neural/fields/linear.py": '''
"""A linear vector field: dg/dt = W g - g."""

import numpy as np
import torch

LEARNING_RATE_FACTOR = {}


def shapes(genes, hidden):
    """Return the shape of the only matrix."""
    return {"w": (genes, genes)}


def chains(shapes):
    """Return the only matrix as the only chain."""
    return (("w",),)


def initialise(seed, genes, hidden):
    """Return small random weights."""
    return {"w": np.random.default_rng(seed).normal(0, 0.1, (genes, genes))}


def production(parameters, state):
    """Return W g (M, B, k)."""
    return torch.bmm(state, parameters["w"].mT)


def derivative(parameters, state):
    """Return dg/dt (M, B, k)."""
    return production(parameters, state) - state


def magnitudes(weights):
    """Return |W|."""
    return {"w": np.abs(weights["w"])}
''',
    LIBRARY / "networks/metrics/diagonal.py": '''
"""How many genes are predicted to act on themselves."""

COLUMNS = """
self_regulation: share of the genes that are predicted to act on themselves
"""


def score(prediction):
    """Return the share of edges on the diagonal."""
    return {"self_regulation": prediction.edges.diagonal().mean()}
''',
    LIBRARY / "yardsticks/methods/variance.py": '''
"""Genes ordered by their variance: the larger it is, the more they regulate."""

import numpy as np

from kinetrain.yardsticks.changes import Answer

LABEL, REFERENCE, USES_PRIOR, MOST_WORK = "Variance", "none", False, 1e12


def infer(changes):
    """Return the variance of the regulator as the strength of a pair."""
    return Answer(np.broadcast_to(changes.start.var(axis=0), (changes.start.shape[1],) * 2))
''',
    LIBRARY / "training/update_rules/sign.py": '''
"""Gradient descent along the signs of the gradient."""

import numpy as np


def direction(moments, gradient, t):
    """Return the signs, and the moments, which are not used."""
    return np.sign(gradient), moments
''',
    LIBRARY / "training/optimizers/three_steps.py": '''
"""Three short steps down the gradient."""

import numpy as np


def minimize(evaluate, x, lower, upper, information):
    """Take the steps; return why they end."""
    for _ in range(3):
        _, gradient = evaluate(x, 1)
        x = np.clip(x - 0.01 * gradient / np.linalg.norm(gradient), lower, upper)
    return "three steps were taken"
''',
    Path("measured.csv"): "trajectory,time,A,B,C,D\n"
    + "".join(f"{n},{t},{n / 9},{1 / (1 + t)},{(1 + n) * t / 99},{0.5 + t / 9}\n" for n in range(6) for t in range(4)),
    Path("known.tsv"): "regulator\ttarget\nA\tC\nB\tC\nC\tD\n",
}
CONFIG = {
    "seeds": [0],
    "problems": {"own_problem": {"petab": "own/problem.yaml"}},
    "fits": {
        "mini_batch": {"main": {"optimizers": ["sign"], "schedules": ["S3"], "batch_sizes": [2]}},
        "full_batch": {"optimizers": ["three_steps"]},
    },
    "datasets": {"own_data": {"expression": {"train": "measured.csv"}, "truth": {"edges": "known.tsv"}}},
    "methods": {"every_other": {"step": 3}},
    "training": {"model": "linear", "integrator": "rk4", "epochs": 3},
    "pruning": {"first_epoch": 2},
}
MECHANISTIC = 'PATH="$(python3 workflow/scripts/environment.py envs/mechanistic.txt):$PATH"'
FIT = ["--problem=own/problem.yaml", "--model=compiled", "--name=own_problem", "--starts=1", "--checkpoint=state"]
FIT += ["--output=fits.tsv", "--trace=trace.tsv", "--parameters=parameters.npz"]


@pytest.fixture(scope="module")
def checkout(root, copy_parts, tmp_path_factory) -> Path:
    """A copy of this checkout with the files of this test and a PEtab problem."""
    top = tmp_path_factory.mktemp("checkout")
    copy_parts(COPIED, top)
    for path, text in FILES.items():
        (top / path).write_text(text.lstrip())
    shutil.copytree(root / "resources/models/egf_akt", top / "own")
    (top / ".snakemake").mkdir()
    (top / ".snakemake/envs").symlink_to((root / ".snakemake/envs").resolve())
    return top


@pytest.fixture(scope="module")
def fit(checkout):
    """A function that fits the problem by an optimizer and returns its row of the table of fits."""

    def run(script, *arguments):
        command = ["bash", "-c", f'{MECHANISTIC} exec python "$@"', "-", f"workflow/scripts/{script}.py", *arguments]
        done = subprocess.run(command, cwd=checkout, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    run("compile_model", "--problem=own/problem.yaml", "--model=compiled")

    def fit(optimizer, settings):
        run("fit", *FIT, f"--optimizer={optimizer}", f"--settings={settings}")
        return pd.read_csv(checkout / "fits.tsv", sep="\t").squeeze()

    return fit


def test_the_workflow_plans_what_is_added(checkout, snakemake):
    plan = snakemake(checkout, CONFIG, "--dry-run", checkout=checkout)
    assert plan.returncode == 0, plan.stdout + plan.stderr
    wanted = ["fits/own_problem/0/sign-S3-batch2-rescue.tsv", "fits/own_problem/0/three_steps.tsv"]
    wanted += ["networks/own_data/noise0_corruption0/every_other.tsv", "figures/size_of_networks.svg"]
    assert [file for file in wanted if file not in plan.stdout] == []


def test_an_added_method_field_metric_yardstick_and_data_set_end_in_an_added_figure(checkout, snakemake):
    run = snakemake(checkout, CONFIG, "--", "results/figures/size_of_networks.svg", checkout=checkout)
    assert run.returncode == 0, run.stdout + run.stderr
    networks = pd.read_csv(checkout / "results/tables/networks.tsv", sep="\t").set_index("method")
    assert networks.loc["every_other", "status"] == networks.loc["variance", "status"] == "finished"
    assert networks.loc["variance", "self_regulation"] == 1 and networks.loc["every_other", "self_regulation"] < 1
    assert np.isfinite(networks.loc["every_other", "validation_mse"])
    drawn = pd.read_csv(checkout / "results/figures/size_of_networks.tsv", sep="\t")
    assert {"every_other", "variance"} <= set(drawn["method"])


def test_an_added_update_rule_fits_a_problem_of_ones_own(fit):
    schedule = '"optimizer": {"rule": "sign"}, "schedule": {"name": "S3", "start": 0.1}, "batch_size": 2'
    row = fit("sign", f'{{"epochs": 2, {schedule}}}')
    assert row["status"] == "finished" and row["objective"] < 1e6


def test_an_added_full_batch_optimizer_fits_it_too(fit):
    row = fit("three_steps", '{"epochs": 4}')
    assert row["status"] == "finished" and row["message"] == "three steps were taken"
