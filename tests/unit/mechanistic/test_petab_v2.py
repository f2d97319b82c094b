"""Problems of PEtab version 2 have the same objective as in version 1, and experiments of several periods."""

import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from petab.v2.petab1to2 import petab_files_1to2
from petab_folder import write_petab

from kinetrain.errors import InputError, InputWarning
from kinetrain.mechanistic.conditions import Condition
from kinetrain.mechanistic.hierarchical import Hierarchical
from kinetrain.mechanistic.kernel.generate import Generator
from kinetrain.mechanistic.kernel.mapping import arrays_of
from kinetrain.mechanistic.kernel.model import import_symbolic, read_model
from kinetrain.mechanistic.kernel.problem import KernelProblem
from kinetrain.mechanistic.parameter_priors import Priors
from kinetrain.mechanistic.petab_problem import PetabProblem
from kinetrain.mechanistic.petab_reader import read_petab, read_petab_1
from kinetrain.mechanistic.predictions import predict
from kinetrain.mechanistic.solver_options import SolverOptions
from kinetrain.mechanistic.time_courses import time_courses

# A is made at the rate `input` and lost at the rate `loss`.
SBML = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1">
 <model id="toy">
  <listOfCompartments><compartment id="cell" size="1" spatialDimensions="3" constant="true"/></listOfCompartments>
  <listOfSpecies><species id="A" compartment="cell" initialConcentration="1" hasOnlySubstanceUnits="false"
   boundaryCondition="false" constant="false"/></listOfSpecies>
  <listOfParameters><parameter id="loss" value="1" constant="true"/>
   <parameter id="input" value="1" constant="false"/></listOfParameters>
  <listOfRules><rateRule variable="A"><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><minus/><ci>input</ci>
   <apply><times/><ci>loss</ci><ci>A</ci></apply></apply></math></rateRule></listOfRules>
 </model>
</sbml>
"""
TABLES = {
    "parameters": """parameterId,lowerBound,upperBound,nominalValue,estimate,priorDistribution,priorParameters
loss,0.01,100,0.7,true,log-normal,0;0.5
scaling_a,0.01,100,1.3,true,,
scaling_b,0.01,100,0.6,true,,
offset,-5,5,0.2,true,normal,0;1
sd,0.3,0.3,0.3,false,,""",
    "conditions": """conditionId,targetId,targetValue
low,input,0.5
high,input,2
none,input,0""",
    "experiments": """experimentId,time,conditionId
steady,-inf,low
steady,0,high
steady,3,none
fresh,0,high""",
    "observables": """observableId,observableFormula,observablePlaceholders,noiseFormula,noiseDistribution
total,factor * A + offset,factor,sd,normal""",
    "measurements": """observableId,experimentId,time,measurement,observableParameters
total,steady,0,1.1,scaling_a
total,steady,2,2.9,scaling_a
total,steady,4,1.4,scaling_a
total,fresh,1,1.2,scaling_b
total,fresh,3,1.7,scaling_b""",
}


def write(folder):
    """Write the toy problem into `folder` and return its YAML."""
    return write_petab(folder, SBML, TABLES, version=2)


@pytest.fixture(scope="module")
def toy(tmp_path_factory, compiled_model):
    """The toy problem's YAML and the folder of its model."""
    problem = write(tmp_path_factory.mktemp("toy"))
    return problem, compiled_model(problem)


@pytest.fixture(scope="module")
def renamed(tmp_path_factory, compiled_model):
    """The toy problem with names that AMICI needs itself and noise that is more than its placeholder."""
    folder = tmp_path_factory.mktemp("renamed")
    problem = write(folder)
    for file in folder.iterdir():
        text = re.sub(r"\bloss\b", "k", re.sub(r"\binput\b", "h", file.read_text()))
        file.write_text(text)
    table = pd.read_csv(folder / "observables.tsv", sep="\t").assign(
        noiseFormula="2 * level", noisePlaceholders="level"
    )
    table.to_csv(folder / "observables.tsv", sep="\t", index=False)
    table = pd.read_csv(folder / "measurements.tsv", sep="\t").assign(noiseParameters=0.15)
    table.to_csv(folder / "measurements.tsv", sep="\t", index=False)
    parameters = (folder / "parameters.tsv").read_text()
    (folder / "parameters.tsv").write_text(parameters[: parameters.index("sd")])
    return problem, compiled_model(problem)


def objective(theta) -> list[float]:
    """Return the negative log-likelihood of each experiment in closed form."""
    loss, a, b = 10 ** theta[:3]

    def relaxed(start, value, time):
        return value / loss + (start - value / loss) * np.exp(-loss * time)

    last = relaxed(relaxed(0.5 / loss, 2, 3), 0, 1)
    steady = a * np.array([0.5 / loss, relaxed(0.5 / loss, 2, 2), last]) + theta[3]
    fresh = b * np.array([relaxed(1, 2, 1), relaxed(1, 2, 3)]) + theta[3]
    return [
        float((0.5 * np.log(2 * np.pi * 0.3**2) + 0.5 * ((y - measured) / 0.3) ** 2).sum())
        for y, measured in ((steady, [1.1, 2.9, 1.4]), (fresh, [1.2, 1.7]))
    ]


def test_parameters_with_positive_bounds_are_estimated_on_the_log10_scale(toy):
    problem = PetabProblem(*toy)
    assert problem.names == ["loss", "scaling_a", "scaling_b", "offset"]
    np.testing.assert_allclose(problem.nominal, [*np.log10([0.7, 1.3, 0.6]), 0.2])
    np.testing.assert_allclose(problem.lower, [-2, -2, -2, -5])


@pytest.mark.parametrize("sensitivities", ["forward", "adjoint"])
def test_experiments_of_several_periods_are_as_in_closed_form(toy, sensitivities):
    options = SolverOptions(sensitivities=sensitivities, absolute_tolerance=1e-12, relative_tolerance=1e-10)
    problem = PetabProblem(*toy, options)
    assert problem.condition_names == ["steady", "fresh"]
    for theta in (problem.nominal, problem.nominal + np.array([0.1, -0.2, 0.05, 0.3])):
        assert [problem.value(theta, [k]) for k in (0, 1)] == pytest.approx(objective(theta), rel=1e-6)
        _, gradient = problem.value_and_gradient(theta, [0, 1])
        shifts = 1e-5 * np.eye(4)
        expected = [(sum(objective(theta + s)) - sum(objective(theta - s))) / 2e-5 for s in shifts]
        np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


def test_the_kernel_solves_experiments_of_several_periods_as_in_closed_form(toy):
    """A condition after a pre-equilibration is an event at the start, which the kernel left out: AMICI took over."""
    problem = KernelProblem(toy[0])
    for theta in (problem.nominal, problem.nominal + np.array([0.1, -0.2, 0.05, 0.3])):
        assert [problem.value(theta, [k]) for k in (0, 1)] == pytest.approx(objective(theta), rel=1e-5)


def test_constants_go_to_the_kernel_by_name_as_amici_orders_them_anew_in_every_import():
    """By position the values of three constants were swapped, in one of several runs of the same problem."""
    data = SimpleNamespace(
        pscale=[],
        fixed_parameters=[1.0, 2.0, 3.0],
        fixed_parameters_pre_equilibration=[4.0, 5.0, 6.0],
        reinitialization_state_idxs_sim=[],
        get_timepoints=lambda: [0.0],
        get_measurements=lambda: [0.0],
        get_noise_scales=lambda: [1.0],
        t_start=0.0,
    )
    none = np.zeros(0, dtype=int)
    facts = {"state_names": ["A"], "observable_names": ["o"], "constant_names": ["c", "a", "b"], "driving": []}
    found = arrays_of([Condition(data, np.zeros(0), none, none)], facts, ["a", "b", "c"])
    assert found.k.tolist() == [[3.0, 1.0, 2.0], [6.0, 4.0, 5.0]]


def test_the_source_of_a_kernel_does_not_depend_on_the_order_of_constants(toy):
    """With AMICI's order the kernel had another name in every import, and was compiled anew where a model was kept."""
    symbolic = import_symbolic(toy[0], read_petab(toy[0]))
    own = symbolic.sym
    texts = []
    for order in (1, -1):
        symbolic.sym = lambda kind, order=order: own(kind)[::order] if kind == "k" else own(kind)
        texts.append(Generator(read_model(symbolic, True, sort_constants=True)).text())
    assert len(own("k")) > 1
    assert texts[0] == texts[1]


def test_names_that_amici_needs_and_noise_formulas_with_numbers_are_as_in_closed_form(renamed):
    problem = PetabProblem(*renamed, SolverOptions(absolute_tolerance=1e-12, relative_tolerance=1e-10))
    assert problem.names == ["k", "scaling_a", "scaling_b", "offset"]
    for theta in (problem.nominal, problem.nominal + np.array([0.1, -0.2, 0.05, 0.3])):
        assert [problem.value(theta, [k]) for k in (0, 1)] == pytest.approx(objective(theta), rel=1e-6)


def test_priors_are_densities_of_the_linear_parameters(toy):
    problem, with_priors = (PetabProblem(*toy, SolverOptions(priors=priors)) for priors in (False, True))
    theta = problem.nominal + np.array([0.1, 0, 0, 0.3])
    logarithm = np.log(10) * theta[0]
    expected = logarithm + 0.5 * np.log(2 * np.pi * 0.25) + 0.5 * (logarithm / 0.5) ** 2
    expected += 0.5 * np.log(2 * np.pi) + 0.5 * theta[3] ** 2
    values = [p.value_and_gradient(theta, [0, 1]) for p in (problem, with_priors)]
    assert values[1][0] - values[0][0] == pytest.approx(expected, rel=1e-9)
    slope = np.log(10) * (1 + logarithm / 0.25)
    np.testing.assert_allclose(values[1][1] - values[0][1], [slope, 0, 0, theta[3]], rtol=1e-8, atol=1e-8)


def test_priors_of_other_kinds_and_nominal_values_are_needed_only_where_they_are_used(toy, tmp_path):
    problem = write(tmp_path)
    table = (tmp_path / "parameters.tsv").read_text()
    (tmp_path / "parameters.tsv").write_text(table.replace("log-normal", "cauchy").replace("\t0.2\t", "\t\t"))
    with pytest.warns(InputWarning, match="no nominalValue of 'offset'"):
        read = read_petab(problem)
    assert read.parameter_df["nominalValue"].isna().tolist() == [False, False, False, True, False]
    with pytest.raises(InputError, match="'loss': the prior 'cauchy' is not supported"):
        Priors(read.parameter_df[read.parameter_df["estimate"] == 1])


def test_a_converted_problem_has_the_objective_of_version_1(egf_yaml, egf_model, compiled_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("converted")
    petab_files_1to2(egf_yaml, folder)
    converted = PetabProblem(folder / egf_yaml.name, compiled_model(folder / egf_yaml.name))
    original = PetabProblem(egf_yaml, egf_model)
    assert converted.names == original.names and converted.n_conditions == original.n_conditions
    theta = original.nominal + np.random.default_rng(0).normal(0, 0.1, 19)
    values, gradients = zip(*(p.value_and_gradient(theta, range(6)) for p in (converted, original)), strict=True)
    assert values[0] == pytest.approx(values[1], rel=1e-8)
    np.testing.assert_allclose(*gradients, rtol=1e-6, atol=1e-8 * np.abs(gradients[1]).max())


def test_artificial_data_are_not_made_from_it(tmp_path):
    with pytest.raises(InputError, match="PEtab version 1 only"):
        read_petab_1(write(tmp_path))


def test_scalings_and_predictions_need_version_1(toy):
    problem = PetabProblem(*toy)
    with pytest.raises(InputError, match=r"toy: hierarchical optimization .* PEtab version 1 only"):
        Hierarchical(problem, "toy")
    with pytest.raises(InputError, match=r"prediction is .* PEtab version 1 only"):
        predict(problem, None, problem.names, problem.nominal[None])


@pytest.mark.parametrize(
    ("table", "before", "after", "message"),
    [
        ("problem.yaml", "location", "place", "'model_files' must have one model with its location"),
        (
            "problem.yaml",
            "\n- measurements.tsv",
            " measurements.tsv",
            "'measurement_files' must be a list of file names",
        ),
        ("problem.yaml", "measurements.tsv", "nothing.tsv", "names the table nothing.tsv, but"),
        ("measurements.tsv", "total\tfresh\t1", "absent\tfresh\t1", "absent"),
        ("conditions.tsv", "low\tinput\t0.5", "low\tinput\t", "condition table: row 2 has no targetValue"),
        ("conditions.tsv", "low\tinput\t0.5", "low\tinput\tnan", "condition table: row 2 has no targetValue"),
    ],
)
def test_wrong_entries_are_named(tmp_path, table, before, after, message):
    problem = write(tmp_path)
    file = tmp_path / table
    assert before in file.read_text()
    file.write_text(file.read_text().replace(before, after, 1))
    with pytest.raises(InputError, match=message) as caught:
        read_petab(problem)
    assert str(problem) in str(caught.value)


def test_measured_time_courses_stand_beside_the_simulated_ones(toy):
    problem = PetabProblem(*toy)
    table = time_courses(problem, toy[0], problem.nominal)
    measured = table[table["measurement"].notna()]
    assert measured.groupby("condition", sort=False)["time"].apply(list).to_dict() == {
        "steady": [0, 2, 4],
        "fresh": [1, 3],
    }
    assert (measured["noise"] == 0.3).all() and len(table) > 200
    assert ((measured["fitted"] - measured["measurement"]).abs() < 1).all()
