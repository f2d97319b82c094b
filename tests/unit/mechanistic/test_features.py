"""Features of PEtab problems are computed as in closed form: values, and gradients of both kinds.

In the toy problem A is made at the rate `input` and lost at the rate `loss`, B is lost only; a bolus is added to A at
time 2.
"""

import numpy as np
import pandas as pd
import pytest
from petab_folder import write_petab

from kinetrain.mechanistic import conditions
from kinetrain.mechanistic.kernel import build
from kinetrain.mechanistic.kernel.evaluation import GRADIENT, INFORMATION, INFORMATION_BY_ADJOINTS
from kinetrain.mechanistic.kernel.problem import KernelProblem
from kinetrain.mechanistic.kernel.work import weights
from kinetrain.mechanistic.petab_checks import PREEQUILIBRATION
from kinetrain.mechanistic.petab_problem import PetabProblem
from kinetrain.mechanistic.petab_reader import read_petab
from kinetrain.mechanistic.solver_options import SolverOptions
from kinetrain.training.cost import Counted

LN10 = np.log(10)

SBML = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1">
 <model id="toy">
  <listOfCompartments><compartment id="cell" size="1" spatialDimensions="3" constant="true"/></listOfCompartments>
  <listOfSpecies>
   <species id="A" compartment="cell" initialConcentration="0" hasOnlySubstanceUnits="false" boundaryCondition="false"
    constant="false"/>
   <species id="B" compartment="cell" initialConcentration="1.5" hasOnlySubstanceUnits="false" boundaryCondition="false"
    constant="false"/>
  </listOfSpecies>
  <listOfParameters>
   <parameter id="loss" value="1" constant="true"/><parameter id="start" value="1" constant="true"/>
   <parameter id="input" value="1" constant="true"/><parameter id="bolus" value="0" constant="true"/>
  </listOfParameters>
  <listOfInitialAssignments><initialAssignment symbol="A">
   <math xmlns="http://www.w3.org/1998/Math/MathML"><ci>start</ci></math></initialAssignment></listOfInitialAssignments>
  <listOfRules>
   <rateRule variable="A"><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><minus/><ci>input</ci>
    <apply><times/><ci>loss</ci><ci>A</ci></apply></apply></math></rateRule>
   <rateRule variable="B"><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><minus/>
    <apply><times/><ci>loss</ci><ci>B</ci></apply></apply></math></rateRule>
  </listOfRules>
  <listOfEvents><event id="injection" useValuesFromTriggerTime="true">
   <trigger initialValue="false" persistent="true"><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><geq/>
    <csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/time">t</csymbol><cn>2</cn></apply></math>
   </trigger>
   <listOfEventAssignments><eventAssignment variable="A"><math xmlns="http://www.w3.org/1998/Math/MathML">
    <apply><plus/><ci>A</ci><ci>bolus</ci></apply></math></eventAssignment></listOfEventAssignments>
  </event></listOfEvents>
 </model>
</sbml>
"""

# id, observable formula, noise formula, transformation, distribution
OBSERVABLES = [
    ("plain", "observableParameter1_plain * A + observableParameter2_plain", "noiseParameter1_plain", "lin", "normal"),
    ("natural", "A", "sd_natural", "log", "normal"),
    ("decimal", "2 * A", "noiseParameter1_decimal", "log10", "normal"),
    ("relative", "A + B", "sd_constant + sd_slope * (A + B)", "lin", "normal"),
    ("robust", "B", "0.2", "lin", "laplace"),
]
PARAMETERS = {  # scale, lower, upper, true value
    "loss": ("log10", 1e-2, 1e2, 0.7),
    "start": ("log", 1e-2, 1e2, 2.0),
    "scaling_a": ("log10", 1e-2, 1e2, 1.3),
    "scaling_b": ("log10", 1e-2, 1e2, 0.6),
    "bolus_weak": ("log10", 1e-3, 1e1, 0.2),
    "bolus_strong": ("log10", 1e-3, 1e1, 0.5),
    "offset": ("lin", -5, 5, -0.3),
    "sd_natural": ("log", 1e-2, 1e2, 0.4),
    "sd_early": ("log10", 1e-3, 1e1, 0.1),
    "sd_late": ("lin", 1e-3, 1e1, 0.25),
    "sd_constant": ("lin", 1e-3, 1e1, 0.3),
    "sd_slope": ("log10", 1e-3, 1e1, 0.2),
}
# id: input, bolus (a number or a parameter), start of B (none: as in the model), pre-equilibrated in
CONDITIONS = {
    "weak": (1.0, "bolus_weak", None, None),
    "strong": (3.0, "bolus_strong", None, None),
    "unmeasured": (5.0, 0.0, None, None),
    "rest": (0.5, 0.0, None, None),
    "from_rest": (2.0, 0.0, 0.8, "rest"),
}


def measurements() -> pd.DataFrame:
    """Return the measurement table; `plain` has another scaling in each condition, `decimal` other noise over time."""
    rows = []
    rng = np.random.default_rng(1)

    def add(name, condition, time, parameters=None, noise=None):
        before = CONDITIONS[condition][3]
        rows.append((name, before, condition, time, round(rng.uniform(0.5, 3), 3), parameters, noise))

    for condition, scaling in (("weak", "scaling_a"), ("strong", "scaling_b"), ("from_rest", "scaling_a")):
        for time in (0.5, 1.0, 1.0, 3.0):
            add("plain", condition, time, f"{scaling};offset", 0.1 + 0.05 * time)
            add("decimal", condition, time, None, "sd_early" if time < 2 else "sd_late")
            add("robust", condition, time)
    for condition in ("weak", "strong", "from_rest"):
        add("natural", condition, 1.5)
        add("natural", condition, np.inf)
        add("relative", condition, 4.0)
    columns = ["observableId", "preequilibrationConditionId", "simulationConditionId", "time", "measurement"]
    return pd.DataFrame(rows, columns=[*columns, "observableParameters", "noiseParameters"])


def write(folder):
    """Write the problem into `folder` and return its YAML."""
    names = ["observableId", "observableFormula", "noiseFormula", "observableTransformation", "noiseDistribution"]
    doses = [(name, value, bolus, b) for name, (value, bolus, b, _) in CONDITIONS.items()]
    parameters = [(name, *row, 1) for name, row in PARAMETERS.items()]
    columns = ["parameterId", "parameterScale", "lowerBound", "upperBound", "nominalValue", "estimate"]
    tables = {
        "observables": pd.DataFrame(OBSERVABLES, columns=names),
        "conditions": pd.DataFrame(doses, columns=["conditionId", "input", "bolus", "B"]),
        "parameters": pd.DataFrame(parameters, columns=columns),
        "measurements": measurements(),
    }
    return write_petab(folder, SBML, tables)


def states(p, condition, time):
    """Return A and B in closed form."""
    value, bolus, b, before = CONDITIONS[condition]
    bolus = p.get(bolus, bolus)
    a = p["start"] if before is None else CONDITIONS[before][0] / p["loss"]
    b = 1.5 if b is None else b
    decay = np.exp(-p["loss"] * time)
    injected = bolus * np.exp(-p["loss"] * (time - 2)) if time >= 2 else 0.0
    return value / p["loss"] + (a - value / p["loss"]) * decay + injected, b * decay


def objective(theta, condition=None) -> float:
    """Return the negative log-likelihood at theta on the parameters' scales, of all conditions or one of them."""
    unscale = {"lin": lambda x: x, "log": np.exp, "log10": lambda x: 10.0**x}
    p = {name: unscale[row[0]](x) for (name, row), x in zip(PARAMETERS.items(), theta, strict=True)}
    total = 0.0
    for row in measurements().itertuples():
        if condition not in (None, row.simulationConditionId):
            continue
        a, b = states(p, row.simulationConditionId, row.time)
        measured = row.measurement
        if row.observableId == "plain":
            y, sd = p[row.observableParameters.split(";")[0]] * a + p["offset"], row.noiseParameters
        elif row.observableId == "natural":
            y, sd, measured = np.log(a), p["sd_natural"], np.log(measured)
            total += np.log(row.measurement)
        elif row.observableId == "decimal":
            y, sd, measured = np.log10(2 * a), p[row.noiseParameters], np.log10(measured)
            total += np.log(row.measurement * LN10)
        elif row.observableId == "relative":
            y, sd = a + b, p["sd_constant"] + p["sd_slope"] * (a + b)
        else:
            total += np.log(2 * 0.2) + abs(measured - b) / 0.2
            continue
        total += 0.5 * np.log(2 * np.pi * sd**2) + 0.5 * ((measured - y) / sd) ** 2
    return total


TIGHT = {"absolute_tolerance": 1e-12, "relative_tolerance": 1e-10}


@pytest.fixture(scope="module")
def toy(tmp_path_factory, compiled_model):
    """The toy problem's YAML and the folder of its model."""
    yaml = write(tmp_path_factory.mktemp("toy"))
    return yaml, compiled_model(yaml)


def points(problem):
    return [
        problem.nominal,
        *(problem.nominal + np.random.default_rng(number).normal(0, 0.1, len(PARAMETERS)) for number in (1, 2)),
    ]


def test_parameters_are_on_their_own_scales(toy):
    problem = PetabProblem(*toy)
    assert problem.names == list(PARAMETERS)
    scale = {"lin": lambda x: x, "log": np.log, "log10": np.log10}
    np.testing.assert_allclose(problem.nominal, [scale[row[0]](row[3]) for row in PARAMETERS.values()])


def test_conditions_without_measurements_are_left_out(toy):
    assert PetabProblem(*toy).condition_names == ["weak", "strong", "from_rest+rest"]


def test_the_objective_is_that_in_closed_form(toy):
    problem = PetabProblem(*toy, SolverOptions(**TIGHT))
    for theta in points(problem):
        assert problem.value(theta, range(3)) == pytest.approx(objective(theta), rel=1e-5)
        for index, name in enumerate(problem.condition_names):
            expected = objective(theta, name.split("+")[0])
            assert problem.value(theta, [index]) == pytest.approx(expected, rel=1e-5)


def test_conditions_that_differ_in_doses_and_scalings_share_a_mapping(toy, monkeypatch):
    mapped = []

    def mapping(problem, table, **rest):
        mapped.extend(table["simulationConditionId"])
        return create_parameter_mapping(problem, table, **rest)

    create_parameter_mapping = conditions.create_parameter_mapping
    monkeypatch.setattr(conditions, "create_parameter_mapping", mapping)
    PetabProblem(*toy)
    assert sorted(mapped) == ["from_rest", "weak"]


@pytest.mark.parametrize("sensitivities", ["forward", "adjoint"])
def test_the_gradient_is_that_in_closed_form(toy, sensitivities):
    problem = PetabProblem(*toy, SolverOptions(sensitivities=sensitivities, **TIGHT))
    for theta in points(problem):
        _, gradient = problem.value_and_gradient(theta, range(3))
        step = 1e-5 * np.eye(len(theta))
        expected = [(objective(theta + one) - objective(theta - one)) / 2e-5 for one in step]
        np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


@pytest.fixture(scope="module")
def toy_kernel(toy):
    """The toy problem, solved by its kernel."""
    return KernelProblem(toy[0])


def slopes(theta, condition=None):
    step = 1e-5 * np.eye(len(theta))
    return np.array([(objective(theta + d, condition) - objective(theta - d, condition)) / 2e-5 for d in step])


def test_the_kernel_knows_the_problem_as_amici_does(toy, toy_kernel):
    problem = PetabProblem(*toy)
    assert toy_kernel.names == problem.names
    assert toy_kernel.condition_names == problem.condition_names
    assert toy_kernel.n_measurements == problem.n_measurements
    assert toy_kernel.checksum == problem.checksum
    for name in ("lower", "upper", "nominal", "start_lower", "start_upper"):
        np.testing.assert_array_equal(getattr(toy_kernel, name), getattr(problem, name))


def test_the_kernel_has_values_and_gradients_in_closed_form_for_every_condition(toy_kernel):
    for theta in points(toy_kernel):
        for index, name in enumerate(toy_kernel.condition_names):
            value, gradient = toy_kernel.value_and_gradient(theta, [index])
            expected = slopes(theta, name.split("+")[0])
            assert value == pytest.approx(objective(theta, name.split("+")[0]), rel=1e-6)
            assert toy_kernel.value(theta, [index]) == pytest.approx(value, rel=1e-12)
            np.testing.assert_allclose(gradient, expected, atol=1e-6 * np.abs(expected).max())


def test_sensitivities_of_the_kernel_give_the_gradient_too(toy_kernel):
    for theta in points(toy_kernel):
        value, gradient, information = toy_kernel.value_gradient_and_information(theta, range(3))
        expected = slopes(theta)
        np.testing.assert_allclose(gradient, expected, atol=1e-6 * np.abs(expected).max())
        assert value == pytest.approx(objective(theta), rel=1e-6)
        assert np.linalg.eigvalsh(information).min() > -1e-9 * np.abs(information).max()


def test_an_adjoint_for_each_measurement_gives_the_information_where_that_takes_fewer_operations(toy):
    tables = read_petab(toy[0])
    every = tables.measurement_df[tables.measurement_df[PREEQUILIBRATION].isna()]
    for measured, chosen in ((every, INFORMATION), (every.head(1), INFORMATION_BY_ADJOINTS)):
        tables.measurement_df = measured
        problem = KernelProblem(toy[0], tables=tables)
        assert problem._information == chosen
        for theta in points(problem):
            orders = (INFORMATION, INFORMATION_BY_ADJOINTS)
            forward, adjoints = (problem._evaluate([theta], [range(problem.n_conditions)], order) for order in orders)
            np.testing.assert_allclose(adjoints[1], forward[1], atol=1e-8 * np.abs(forward[1]).max())
            np.testing.assert_allclose(adjoints[2], forward[2], atol=1e-8 * np.abs(forward[2]).max())
    assert problem.information_weight < KernelProblem(toy[0]).information_weight


def test_the_second_gradient_of_pre_equilibrated_conditions_is_paid_from_the_budget(toy, toy_kernel, monkeypatch):
    orders, evaluate = [], KernelProblem._evaluate
    tables = read_petab(toy[0])
    tables.measurement_df = tables.measurement_df[tables.measurement_df[PREEQUILIBRATION].isna()]
    monkeypatch.setattr(
        KernelProblem, "_evaluate", lambda self, *given: orders.append(given[2]) or evaluate(self, *given)
    )
    for problem, wanted in (
        (KernelProblem(toy[0], tables=tables), [INFORMATION]),
        (toy_kernel, [INFORMATION, GRADIENT]),
    ):
        orders.clear()
        counted = Counted(problem, gradient_weight=problem.gradient_weight)
        counted.value_gradient_and_information(problem.nominal, [0])
        gradient, information = weights(build.facts_of(problem.kernel), build.sizes_of(problem._library))
        assert orders == wanted
        assert counted.cost.total == pytest.approx(information + gradient * (len(wanted) - 1))


def test_simulations_of_the_kernel_are_those_of_amici(toy, toy_kernel):
    problem = PetabProblem(*toy, SolverOptions(**TIGHT))
    for ours, theirs in zip(
        toy_kernel.simulate(problem.nominal, range(3)), problem.simulate(problem.nominal, range(3)), strict=True
    ):
        np.testing.assert_array_equal(ours.ts, theirs.ts)
        np.testing.assert_allclose(ours.y, theirs.y, rtol=1e-6, atol=1e-9)
        known = np.isfinite(ours.sigmay)
        np.testing.assert_allclose(ours.sigmay[known], np.array(theirs.sigmay)[known], rtol=1e-6)
        assert ours.status == 0 and ours.llh == pytest.approx(theirs.llh, rel=1e-6)


def test_a_simulation_of_the_kernel_does_not_depend_on_what_was_measured(toy, toy_kernel):
    tables = read_petab(toy[0])
    tables.measurement_df.loc[tables.measurement_df["observableId"] == "natural", "measurement"] = 0.0
    blank = KernelProblem(toy[0], tables=tables)
    theta = points(blank)[1]
    for ours, plain in zip(blank.simulate(theta, range(3)), toy_kernel.simulate(theta, range(3)), strict=True):
        np.testing.assert_array_equal(ours.y, plain.y)
        assert ours.status == 0 and ours.llh == -np.inf and np.isfinite(plain.llh)
    assert blank.value(theta, [0]) == np.inf and np.isnan(blank.value_and_gradient(theta, [0])[1]).all()


def test_points_in_neighbouring_lanes_are_as_each_alone(toy_kernel):
    thetas = [*points(toy_kernel), np.full(len(PARAMETERS), np.nan)]
    batches = [[0, 1, 2], [2], [1, 0], [0]]
    values, gradients = toy_kernel.values_and_gradients(thetas, batches)
    for theta, batch, value, gradient in zip(thetas[:3], batches, values, gradients, strict=False):
        alone = toy_kernel.value_and_gradient(theta, batch)
        assert value == pytest.approx(alone[0], rel=1e-14)
        np.testing.assert_allclose(gradient, alone[1], rtol=1e-12)
    assert values[3] == np.inf and np.isnan(gradients[3]).all()
