"""Data sets come in by configuration alone: published networks, cells with a pseudotime, splits that are named."""

import copy
import re

import pytest
from configuration import ConfigurationError, Plan, load_objectives

from kinetrain.errors import InputError
from kinetrain.yardsticks.methods import YARDSTICKS

NETWORK = {
    "genes": "SIM350/gene_names_350.csv",
    "edges": "SIM350/edge_properties_G350.csv",
    "equations": "SIM690/ode_system_functions.csv",
    "exponents": [1.01, 1.7],
}
TEST = "SIM350/simu_350genes_10samples_for_testing.csv"
SIMULATE = {"network": NETWORK, "test": TEST, "trajectories": 150, "validation": [3, 23]}


@pytest.fixture
def published(smoke) -> dict:
    """The smoke configuration with a published network for its only data set."""
    return {**smoke, "problems": {}, "datasets": {"sim350": {"simulate": copy.deepcopy(SIMULATE)}}}


@pytest.fixture
def cells(smoke, tmp_path) -> dict:
    """The smoke configuration with a file of cells for its only data set."""
    for name in ("cells.h5ad", "prior.tsv"):
        (tmp_path / name).write_text("not read before it is needed")
    expression = {"train": str(tmp_path / "cells.h5ad"), "time": "dpt_pseudotime", "trajectory": "lineage", "bins": 50}
    return {
        **smoke,
        "problems": {},
        "datasets": {"mine": {"expression": expression, "prior": {"edges": str(tmp_path / "prior.tsv")}}},
    }


def test_a_published_network_is_downloaded_and_simulated_as_configured(published, manifest, root):
    plan = Plan(published, manifest, places=(root,))
    assert set(plan.downloads) == {*(NETWORK[key] for key in ("genes", "edges", "equations")), TEST}
    settings = plan.simulation_settings("sim350")
    assert settings["exponents"] == [1.01, 1.7] and settings["validation"] == [3, 23]
    assert not {"genes", "network", "test"} & set(settings)
    assert not plan.tests_pathways("sim350", "dash")


def test_a_published_network_can_be_planned(published, snakemake, tmp_path):
    published["datasets"]["sim350"]["prior"] = {"matrix": "SIM350/edge_prior_matrix_simu_350_noise_0.025.csv"}
    process = snakemake(tmp_path, published, "--dry-run", "--printshellcmds")
    assert process.returncode == 0, process.stderr
    said = process.stdout + process.stderr
    assert "rule simulate_published_network" in said and "rule simulate_expression:" not in said
    assert "--equations resources/downloads/QuackenbushLab" in said and "edge_prior_matrix_simu_350_noise_0.025" in said


def test_cells_without_a_file_of_genes_or_a_gold_standard_can_be_planned(cells, snakemake, tmp_path):
    process = snakemake(tmp_path, cells, "--dry-run", "--printshellcmds")
    assert process.returncode == 0, process.stderr
    said = process.stdout + process.stderr
    assert f"--train {tmp_path}/cells.h5ad --settings" in said and '"time": "dpt_pseudotime"' in said
    assert "build_gold_standard" not in said


def test_a_data_set_leaves_out_yardsticks_as_it_leaves_out_methods(published, manifest, snakemake, root, tmp_path):
    published["datasets"]["sim350"]["leave_out"] = ["extra_trees", "lasso"]
    process = snakemake(tmp_path, published, "--dry-run", "--printshellcmds")
    said = process.stdout + process.stderr
    assert "--yardsticks lagged_correlation lasso_prior prior_correlation ridge --output" in said
    published["datasets"]["sim350"]["leave_out"] = list(YARDSTICKS)
    process = snakemake(tmp_path, published, "--dry-run")
    assert process.returncode == 0 and "score_yardsticks" not in process.stdout + process.stderr
    published["datasets"]["sim350"]["leave_out"] = ["laso"]
    with pytest.raises(ConfigurationError, match=r"'laso' is neither among .* nor a yardstick"):
        Plan(published, manifest, places=(root,))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"genes": 80}, "sim350.simulate.genes: a published network has its own genes; leave out `genes`"),
        (
            {"validation": [3, 150]},
            "sim350.simulate.validation has 150, but the trajectories are counted from 0 to 149",
        ),
        ({"network": {**NETWORK, "exponents": [1.7, 1.01]}}, "network.exponents: must be above 0, the smaller first"),
        ({"network": {"genes": NETWORK["genes"]}}, "sim350.simulate.network: 'edges' is a required property"),
        ({"network": {**NETWORK, "edges": "SIM350/edges.csv"}}, "simulate.network.edges = 'SIM350/edges.csv': neither"),
    ],
)
def test_a_published_network_that_cannot_be_is_refused(published, manifest, root, change, said):
    published["datasets"]["sim350"]["simulate"] |= change
    with pytest.raises(ConfigurationError) as refused:
        Plan(published, manifest, places=(root,))
    assert said in str(refused.value)


def test_a_random_network_has_no_published_trajectories(smoke, manifest, root):
    smoke["datasets"]["modular24"]["simulate"]["test"] = TEST
    with pytest.raises(ConfigurationError, match=r"modular24\.simulate\.test: a random network has no published"):
        Plan(smoke, manifest, places=(root,))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"bins": 1}, "mine.expression.bins = 1: 1 is less than the minimum of 2"),
        ({"pseudotime": "t"}, "mine.expression: unknown key 'pseudotime'"),
        ({"validation": [0.1]}, "mine.expression.validation.0 = 0.1: 0.1 is not of type 'integer'"),
    ],
)
def test_wrong_settings_of_cells_are_refused(cells, manifest, root, change, said):
    cells["datasets"]["mine"]["expression"] |= change
    with pytest.raises(ConfigurationError) as refused:
        Plan(cells, manifest, places=(root,))
    assert said in str(refused.value)


def test_networks_that_contradict_themselves_are_refused(cells, published, manifest, root):
    prior = cells["datasets"]["mine"]["prior"]
    prior["genes"] = prior["edges"]
    with pytest.raises(ConfigurationError, match=r"mine\.prior\.genes: an edge list names its genes"):
        Plan(cells, manifest, places=(root,))
    published["datasets"]["sim350"]["truth"] = {"matrix": "SIM350/edge_prior_matrix_simu_350_noise_0.0.csv"}
    with pytest.raises(ConfigurationError, match=r"sim350\.truth: a simulated data set has its own"):
        Plan(published, manifest, places=(root,))


def test_published_objectives_are_those_of_measured_data_without_priors(smoke, manifest, root, tmp_path):
    file = "Fujita_SciSignal2010/Fujita_SciSignal2010.yaml"
    artificial = {"conditions": 4, "times": [0, 10], "protocols": [{"inputs": {"EGF_0": {"uniform": [0, 1]}}}]}
    problems = {
        "measured": {"petab": file},
        "own": {"petab": file, "reference_objective": -1.5},
        "drawn": {"petab": file, "artificial": artificial},
        "with_priors": {"petab": file, "solver": {"priors": True}},
    }
    published = load_objectives(root / "resources" / "published" / "objectives.tsv")
    plan = Plan({**smoke, "problems": problems}, manifest, places=(root,), objectives=published)
    keys = ("reference_objective", "best_known_objective")
    found = {name: tuple(problem.get(key) for key in keys) for name, problem in plan.problems.items()}
    nominal, best = (published[file][key] for key in keys)
    nothing = (None, None)
    assert found == {"measured": (nominal, best), "own": (-1.5, best), "drawn": nothing, "with_priors": nothing}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a/a.yaml\tnominal\tten\tpaper", "line 2: objective is 'ten', expected a number"),
        ("a/a.yaml\tnominal\tnan\tpaper", "line 2: objective is 'nan', expected a number"),
        ("a/a.yaml\tbest\t1\tpaper", "line 2: expected 4 fields, the second nominal or best known"),
        ("a/a.yaml\tnominal\t1\tx\na/a.yaml\tnominal\t2\tx", "line 3: the objective 'nominal' of a/a.yaml stands"),
    ],
)
def test_malformed_published_objectives_are_refused(tmp_path, line, message):
    (tmp_path / "objectives.tsv").write_text(f"petab\tquantity\tobjective\tsource\n{line}\n")
    with pytest.raises(InputError, match=re.escape(message)):
        load_objectives(tmp_path / "objectives.tsv")
