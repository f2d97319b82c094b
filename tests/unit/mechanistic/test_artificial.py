"""Artificial data are valid PEtab problems, drawn anew for each replicate, with noise whose size is known."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import petab.v1 as petab
import pytest

from kinetrain.errors import InputError
from kinetrain.mechanistic.artificial_data import make_artificial
from kinetrain.mechanistic.artificial_options import ArtificialOptions
from kinetrain.mechanistic.petab_problem import PetabProblem
from kinetrain.mechanistic.petab_reader import read_petab
from kinetrain.mechanistic.random_conditions import draw_conditions
from kinetrain.mechanistic.template import write_template
from kinetrain.options import read_options

STEP = {"EGF_0": {"log10_uniform": [-1.5, 1.5]}, "EGF_rate": {"constant": 0}, "EGF_end": {"constant": 3600}}
RAMP = {"EGF_0": {"constant": 0}, "EGF_rate": {"log10_uniform": [-5.1, -2]}, "EGF_end": {"constant": 3600}}
SETTINGS = {
    "conditions": 60,
    "replicates": 2,
    "times": [0, 60, 300, 900, 3600],
    "protocols": [{"weight": 3, "inputs": STEP}, {"weight": 1, "inputs": RAMP}],
}


LINES = {"egfr_initial": {"log_normal_factor": 0.5}, "pAKT": {"uniform": [0, 0.01]}}
GROUPS = {"count": 4, "test": 1, "inputs": LINES, "control": {"EGF_0": 10, "EGF_rate": 0}}


def read(**changes):
    """Return the settings of artificial data, with some of them changed."""
    return read_options(ArtificialOptions, SETTINGS | changes)


def make(template, folder, replicate=0, **changes):
    """Return the truth of an artificial data set written to `folder`, for a template and its model."""
    return make_artificial(*template, replicate, read(**changes), folder)


@pytest.fixture(scope="module")
def template(egf_yaml, compiled_model, tmp_path_factory):
    """A function of changed settings that returns a template of the EGF pathway and the folder of its model."""

    def write(**changes):
        folder = tmp_path_factory.mktemp("template")
        write_template(egf_yaml, read(**changes), folder)
        return folder / "problem.yaml", compiled_model(folder / "problem.yaml")

    return write


@pytest.fixture(scope="module")
def plain(template):
    """The template without groups, and its model."""
    return template()


@pytest.fixture(scope="module")
def artificial(plain, tmp_path_factory):
    """A folder with an artificial data set, and its truth."""
    folder = tmp_path_factory.mktemp("artificial")
    return folder, make(plain, folder)


@pytest.fixture(scope="module")
def grouped(template, tmp_path_factory):
    """A folder with artificial data of four groups, one held out; their truth; the folder of the model."""
    folder = tmp_path_factory.mktemp("grouped")
    path, model = template(groups=GROUPS)
    return folder, make((path, model), folder, conditions=12, groups=GROUPS), model


def test_an_artificial_problem_passes_the_linter_and_uses_the_templates_model(artificial, plain):
    folder, truth = artificial
    assert not petab.lint_problem(petab.Problem.from_yaml(str(folder / "problem.yaml")))
    problem = PetabProblem(folder / "problem.yaml", plain[1])
    assert (problem.n_conditions, len(problem.names)) == (60, 19)
    assert problem.value(problem.nominal, np.arange(60)) == pytest.approx(truth["J_true"], rel=1e-9)


def test_conditions_follow_the_protocols(artificial):
    conditions = pd.read_csv(artificial[0] / "conditions.tsv", sep="\t")
    steps, ramps = conditions[conditions["EGF_rate"] == 0], conditions[conditions["EGF_rate"] > 0]
    assert len(steps) > len(ramps) > 0
    assert steps["EGF_0"].between(10**-1.5, 10**1.5).all() and steps["EGF_0"].nunique() == len(steps)
    assert (ramps["EGF_0"] == 0).all() and (conditions["EGF_end"] == 3600).all()


def test_noise_has_the_stated_size(artificial, plain):
    folder, truth = artificial
    problem = PetabProblem(folder / "problem.yaml", plain[1])
    clean = np.array([result.y for result in problem.simulate(problem.nominal, range(60))])
    table = pd.read_csv(folder / "measurements.tsv", sep="\t")
    for index, name in enumerate(problem.model.get_observable_ids()):
        assert truth["noise"][name] == pytest.approx(0.1 * clean[:, :, index].max(), rel=1e-6)
        noisy = table[table["observableId"] == name].sort_values(["simulationConditionId", "time"], kind="stable")
        residuals = (noisy["measurement"].to_numpy() - clean[:, :, index].ravel()) / truth["noise"][name]
        assert abs(residuals.mean()) < 4 / np.sqrt(300) and abs(residuals.std() - 1) < 4 / np.sqrt(600)
    assert abs(truth["J_true"] - truth["expected_J_true"]) < 4 * np.sqrt(900 / 2)  # variance 1/2 per measurement


def test_the_same_seed_gives_the_same_bytes_and_another_replicate_other_data(artificial, plain, tmp_path):
    folder, truth = artificial
    again = make(plain, tmp_path / "again")
    other = make(plain, tmp_path / "other", replicate=1)
    assert again["sha256"] == truth["sha256"] == json.loads((folder / "truth.json").read_text())["sha256"]
    assert other["sha256"]["conditions.tsv"] != truth["sha256"]["conditions.tsv"]
    assert other["sha256"]["measurements.tsv"] != truth["sha256"]["measurements.tsv"]
    assert other["sha256"]["model.xml"] == truth["sha256"]["model.xml"]


def test_a_template_lacks_what_its_observables_do_not_need(egf_yaml, tmp_path):
    left_out = write_template(egf_yaml, read(observables=["pAKT_total"]), tmp_path)
    assert left_out == ["scale_pegfr", "scale_ps6"]
    template = read_petab(tmp_path / "problem.yaml")
    assert list(template.observable_df.index) == ["pAKT_total"] and len(template.parameter_df) == 17


def test_species_and_estimated_parameters_can_be_inputs(grouped):
    conditions = pd.read_csv(grouped[0] / "conditions.tsv", sep="\t")
    parameters = pd.read_csv(grouped[0] / "parameters.tsv", sep="\t", index_col=0)
    assert conditions["pAKT"].between(0, 0.01).all() and "egfr_initial" not in parameters.index
    factors = np.log(conditions["egfr_initial"].unique() / 37536153.8059105)
    assert len(factors) == 3 and np.abs(factors).max() < 2


def test_groups_share_inputs_and_a_scaling_and_the_last_ones_are_held_out(grouped):
    folder, truth, _ = grouped
    train, test = (petab.Problem.from_yaml(str(folder / name)) for name in ("problem.yaml", "test.yaml"))
    assert not petab.lint_problem(train) and not petab.lint_problem(test)
    assert (len(train.condition_df), len(test.condition_df)) == (9, 3)
    assert set(train.condition_df.groupby("egfr_initial").size()) == {3} and test.condition_df["pAKT"].nunique() == 1
    assert (train.condition_df["EGF_0"].iloc[::3] == 10).all() and test.condition_df["EGF_0"].iloc[0] == 10
    assert list(train.x_ids[-3:]) == ["scaling_g00", "scaling_g01", "scaling_g02"] and test.x_ids[-1] == "scaling_g03"
    assert list(train.x_nominal[-3:]) == pytest.approx([truth["scalings"][name] for name in ("g00", "g01", "g02")])
    assert test.parameter_df.loc["scaling_g03", ["estimate", "nominalValue"]].tolist() == [0, 1]


def test_a_control_that_fails_stays_a_control(template, tmp_path, monkeypatch):
    failing, simulate = [0, 1], PetabProblem.simulate

    def fail_once(problem, theta, conditions):
        if conditions[0] in failing:
            failing.remove(conditions[0])
            return [SimpleNamespace(status=-1)]
        return simulate(problem, theta, conditions)

    make(template(groups=GROUPS), tmp_path / "plain", conditions=12, groups=GROUPS)
    monkeypatch.setattr(PetabProblem, "simulate", fail_once)
    truth = make(template(groups=GROUPS), tmp_path / "failed", conditions=12, groups=GROUPS)
    before, after = (pd.read_csv(tmp_path / name / "conditions.tsv", sep="\t") for name in ("plain", "failed"))
    assert truth["conditions_drawn_again"] == 2
    assert after.loc[0, ["EGF_0", "EGF_rate"]].tolist() == [10, 0]
    assert after.loc[1, "EGF_0"] != before.loc[1, "EGF_0"] and after[2:].equals(before[2:])


def test_held_out_groups_are_solved_by_the_same_model(grouped):
    folder, truth, model = grouped
    train, test = (PetabProblem(folder / name, model) for name in ("problem.yaml", "test.yaml"))
    assert train.value(train.nominal, np.arange(9)) == pytest.approx(truth["J_true"], rel=1e-9)
    own = dict(zip(train.names, train.nominal, strict=True))
    unscaled = test.simulate(np.array([own[name] for name in test.names]), range(3))
    measured = pd.read_csv(folder / "measurements_test.tsv", sep="\t")
    noise = measured["noiseParameters"].to_numpy().reshape(3, 3, -1)
    y = np.array([result.y.T for result in unscaled])
    residuals = (measured["measurement"].to_numpy().reshape(y.shape) - truth["scalings"]["g03"] * y) / noise
    assert residuals.std() == pytest.approx(1, abs=0.4)


def test_initial_values_share_one_mapping_and_still_count(grouped):
    folder, _, model = grouped
    problem = PetabProblem(folder / "problem.yaml", model)
    first = [problem.simulate(problem.nominal, [k])[0].x[0] for k in (0, 3)]
    column = list(problem.model.get_state_ids()).index("pAKT")
    wanted = pd.read_csv(folder / "conditions.tsv", sep="\t")["pAKT"]
    assert [x[column] for x in first] == pytest.approx([wanted[0], wanted[3]])


def test_a_thousand_conditions_are_drawn_at_once():
    options = read(conditions=1000)
    own = {"EGF_0": 0.1, "EGF_rate": 0.0, "EGF_end": 3600.0}
    table, groups = draw_conditions(own, options, np.random.default_rng(0), np.random.default_rng(1))
    assert table.shape == (1000, 3) and (groups == 0).all() and table["EGF_0"].nunique() > 700


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"protocols": [{"inputs": {"dose": {"constant": 1}}}]}, "'dose' is no column"),
        ({"protocols": [{"inputs": {"EGF_0": {"gamma": 1}}}]}, "inputs.EGF_0: unknown key 'gamma'"),
        ({"protocols": [{"inputs": {"EGFR": {"constant": 1}}}]}, "'EGFR' has no number"),
        (
            {"protocols": [{"inputs": {"EGF_0": {"uniform": 1}}}]},
            "EGF_0.uniform = 1: expected a list of 2 numbers",
        ),
        (
            {"protocols": [{"inputs": {"EGF_0": {"choice": ["high"]}}}]},
            "EGF_0.choice = .*: expected a list of numbers",
        ),
        ({"protocols": [{"weight": 1}]}, "protocols.0: 'inputs' is a required property"),
        ({"protocols": [{"weight": 0, "inputs": {}}]}, "protocols.0.weight = 0: 0.0 is not above 0"),
        ({"times": [-60, 0]}, "times = .*: -60.0 is less than the minimum of 0"),
        ({"observables": ["pERK"]}, "'pERK' is not in"),
        ({"times": [60, 0]}, "'times' must rise"),
        ({"colour": 1}, "unknown key 'colour'"),
        ({"conditions": "ten"}, "conditions = 'ten': 'ten' is not of type 'integer'"),
        ({"conditions": 2, "groups": GROUPS}, "too few for 4 groups"),
        ({"groups": GROUPS | {"test": 4}}, "test 4 must be below count 4"),
        ({"groups": GROUPS | {"inputs": STEP}}, "'EGF_0' is drawn by both"),
        ({"groups": GROUPS | {"control": {"dose": 1}}}, "'control' of the groups sets 'dose'"),
    ],
)
def test_impossible_settings_are_refused(egf_yaml, tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        write_template(egf_yaml, read(**changes), tmp_path)


def test_starts_can_be_drawn_around_the_truth(egf_yaml, tmp_path):
    write_template(egf_yaml, read(start_width=1.5), tmp_path)
    parameters = read_petab(tmp_path / "problem.yaml").parameter_df
    low, high = map(float, parameters.loc["k_turnover", "initializationPriorParameters"].split(";"))
    assert (low + high) / 2 == pytest.approx(np.log10(0.001479614562719)) and high - low == pytest.approx(3)
    touching = float(np.log10(41.3771031603841))  # the box of one parameter ends at exactly zero
    write_template(egf_yaml, read(start_width=touching), tmp_path)
    assert not petab.lint_problem(petab.Problem.from_yaml(str(tmp_path / "problem.yaml")))


@pytest.mark.parametrize(
    ("name", "inputs", "own"),
    [
        ("Lucarelli_CellSystems2018", {"init_S2": {"log10_normal": [1.5, 0.5]}}, {"init_S2": 142.781779487328}),
        ("Chen_MSB2009", {"c531": {"log_normal_factor": 0.5}, "c1": {"constant": 0}}, {"c531": 1.08e6, "c1": 5e-9}),
    ],
)
def test_published_problems_have_templates(mirror, tmp_path, name, inputs, own):
    collection = "Benchmarking-Initiative/Benchmark-Models-PEtab/4d2085084b289f6215a95475b1ee639fd7d42283"
    path = mirror / collection / "Benchmark-Models" / name / f"{name}.yaml"
    write_template(path, read(protocols=[{"inputs": inputs}]), tmp_path)
    template = read_petab(tmp_path / "problem.yaml")
    assert template.condition_df.iloc[0][list(own)].to_dict() == pytest.approx(own)
    assert (template.observable_df["noiseFormula"] == "noiseParameter1_" + template.observable_df.index).all()
    assert not template.parameter_df.index.str.startswith("sd_").any()
