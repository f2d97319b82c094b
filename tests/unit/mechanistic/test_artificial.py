"""Artificial data are valid PEtab problems, drawn anew for each replicate, with noise whose size is known."""

import json

import numpy as np
import pandas as pd
import petab.v1 as petab
import pytest

from kinetrain.errors import InputError
from kinetrain.problems.artificial import ArtificialOptions, make_artificial
from kinetrain.problems.petab_problem import PetabProblem
from kinetrain.settings import read_options

STEP = {"EGF_0": {"log10_uniform": [-1.5, 1.5]}, "EGF_rate": {"constant": 0}, "EGF_end": {"constant": 3600}}
RAMP = {"EGF_0": {"constant": 0}, "EGF_rate": {"log10_uniform": [-5.1, -2]}, "EGF_end": {"constant": 3600}}
SETTINGS = {
    "conditions": 60,
    "times": [0, 60, 300, 900, 3600],
    "protocols": [{"weight": 3, "inputs": STEP}, {"weight": 1, "inputs": RAMP}],
}


def make(egf_yaml, egf_model, folder, replicate=0, **changes):
    """Return the truth of an artificial data set written to `folder`."""
    options = read_options(ArtificialOptions, SETTINGS | changes)
    return make_artificial(egf_yaml, egf_model, replicate, options, folder)


@pytest.fixture(scope="module")
def artificial(egf_yaml, egf_model, tmp_path_factory):
    """A folder with an artificial data set, and its truth."""
    folder = tmp_path_factory.mktemp("artificial")
    return folder, make(egf_yaml, egf_model, folder)


def test_an_artificial_problem_passes_the_linter_and_uses_the_same_compiled_model(artificial, egf_model):
    folder, _ = artificial
    assert not petab.lint_problem(petab.Problem.from_yaml(str(folder / "problem.yaml")))
    problem = PetabProblem(folder / "problem.yaml", egf_model)
    assert (problem.n_conditions, len(problem.names)) == (60, 19)


def test_conditions_follow_the_protocols(artificial):
    conditions = pd.read_csv(artificial[0] / "conditions.tsv", sep="\t")
    steps, ramps = conditions[conditions["EGF_rate"] == 0], conditions[conditions["EGF_rate"] > 0]
    assert len(steps) > len(ramps) > 0
    assert steps["EGF_0"].between(10**-1.5, 10**1.5).all() and steps["EGF_0"].nunique() == len(steps)
    assert (ramps["EGF_0"] == 0).all() and (conditions["EGF_end"] == 3600).all()


def test_noise_has_the_stated_size(artificial, egf_model):
    folder, truth = artificial
    problem = PetabProblem(folder / "problem.yaml", egf_model)
    clean = np.array([result.y for result in problem.simulate(problem.nominal, range(60))])
    table = pd.read_csv(folder / "measurements.tsv", sep="\t")
    for index, name in enumerate(problem.model.get_observable_ids()):
        assert truth["noise"][name] == pytest.approx(0.1 * clean[:, :, index].max(), rel=1e-6)
        noisy = table[table["observableId"] == name].sort_values(["simulationConditionId", "time"], kind="stable")
        residuals = (noisy["measurement"].to_numpy() - clean[:, :, index].ravel()) / truth["noise"][name]
        assert abs(residuals.mean()) < 4 / np.sqrt(300) and abs(residuals.std() - 1) < 4 / np.sqrt(600)
    assert abs(truth["J_true"] - truth["expected_J_true"]) < 4 * np.sqrt(900 / 2)  # variance 1/2 per measurement


def test_the_same_seed_gives_the_same_bytes_and_another_replicate_other_data(artificial, egf_yaml, egf_model, tmp_path):
    folder, truth = artificial
    again = make(egf_yaml, egf_model, tmp_path / "again")
    other = make(egf_yaml, egf_model, tmp_path / "other", replicate=1)
    assert again["sha256"] == truth["sha256"] == json.loads((folder / "truth.json").read_text())["sha256"]
    assert other["sha256"]["conditions.tsv"] != truth["sha256"]["conditions.tsv"]
    assert other["sha256"]["measurements.tsv"] != truth["sha256"]["measurements.tsv"]
    assert other["sha256"]["model.xml"] == truth["sha256"]["model.xml"]


def test_scalings_of_observables_that_are_not_measured_are_not_estimated(egf_yaml, egf_model, tmp_path):
    truth = make(egf_yaml, egf_model, tmp_path, conditions=2, observables=["pAKT_total"])
    assert truth["not_estimated"] == ["scale_pegfr", "scale_ps6"]
    problem = PetabProblem(tmp_path / "problem.yaml", egf_model)
    assert len(problem.names) == 17
    assert np.isfinite(problem.value_and_gradient(problem.nominal, [0, 1])[1]).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"protocols": [{"inputs": {"dose": {"constant": 1}}}]}, "'dose' is no column"),
        ({"protocols": [{"inputs": {"EGF_0": {"gamma": 1}}}]}, "'EGF_0' is drawn by"),
        ({"observables": ["pERK"]}, "'pERK' is not in"),
        ({"times": [60, 0]}, "'times' must rise"),
        ({"colour": 1}, "unknown key 'colour'"),
        ({"conditions": "ten"}, "conditions: expected int, got 'ten'"),
    ],
)
def test_impossible_settings_are_refused(egf_yaml, egf_model, tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        make(egf_yaml, egf_model, tmp_path, **changes)
