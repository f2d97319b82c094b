"""Features of models are computed by the kernel as by SciPy, or refused before anything is compiled."""

import libsbml
import numpy as np
import pandas as pd
import pytest
import sympy
from amici.importers.sbml.splines import CubicHermiteSpline as SbmlSpline
from petab_folder import write_petab
from scipy.integrate import solve_ivp
from scipy.interpolate import CubicHermiteSpline

from kinetrain.mechanistic.kernel import build
from kinetrain.mechanistic.kernel.graph import KernelUnsupportedError
from kinetrain.mechanistic.kernel.problem import KernelProblem

PARAMETERS = {"loss": 0.7, "u0": 1.0, "u1": 2.0, "u2": 0.5}
NODES = [0.0, 2.0, 5.0]
TIMES, MEASURED = np.array([0.5, 1.5, 3.0, 4.5]), np.array([1.0, 1.2, 1.3, 0.8])


def write(folder, rate, spline=False, trigger=None):
    """Write a problem of a species A with this rate (SBML's formula); A is observed with a known noise of 0.1."""
    document = libsbml.SBMLDocument(3, 1)
    model = document.createModel()
    model.setId("toy")
    cell = model.createCompartment()
    cell.setId("cell"), cell.setSize(1), cell.setConstant(True), cell.setSpatialDimensions(3)
    species = model.createSpecies()
    species.setId("A"), species.setCompartment("cell"), species.setInitialConcentration(1)
    species.setHasOnlySubstanceUnits(False), species.setBoundaryCondition(False), species.setConstant(False)
    for name in [*PARAMETERS, *(["input"] if spline else [])]:
        parameter = model.createParameter()
        parameter.setId(name), parameter.setValue(1), parameter.setConstant(name in PARAMETERS)
    rule = model.createRateRule()
    rule.setVariable("A"), rule.setMath(libsbml.parseL3Formula(rate))
    if spline:
        values = [sympy.Symbol(name) for name in ("u0", "u1", "u2")]
        own = {"sbml_id": sympy.Symbol("input"), "evaluate_at": sympy.Symbol("time")}
        SbmlSpline(**own, nodes=NODES, values_at_nodes=values).add_to_sbml_model(model)
    if trigger:
        event = model.createEvent()
        event.setUseValuesFromTriggerTime(True)
        made = event.createTrigger()
        made.setMath(libsbml.parseL3Formula(trigger)), made.setPersistent(True), made.setInitialValue(True)
        assignment = event.createEventAssignment()
        assignment.setVariable("A"), assignment.setMath(libsbml.parseL3Formula("A + 1"))
    tables = {
        "observables": pd.DataFrame({"observableId": ["obs_a"], "observableFormula": ["A"], "noiseFormula": ["0.1"]}),
        "conditions": pd.DataFrame({"conditionId": ["only"]}),
        "measurements": pd.DataFrame(
            {"observableId": "obs_a", "simulationConditionId": "only", "time": TIMES, "measurement": MEASURED}
        ),
        "parameters": pd.DataFrame(
            {
                **{"parameterId": list(PARAMETERS), "parameterScale": "log10", "lowerBound": 1e-2, "upperBound": 1e2},
                **{"nominalValue": list(PARAMETERS.values()), "estimate": 1},
            }
        ),
    }
    return write_petab(folder, libsbml.writeSBMLToString(document), tables)


def objective(theta, rate) -> float:
    """Return the negative log-likelihood at theta (log10), with the rate of A as a function of time, A and values."""
    p = dict(zip(PARAMETERS, 10**theta, strict=True))
    options = {"rtol": 1e-11, "atol": 1e-13, "max_step": 0.05, "t_eval": TIMES}
    y = solve_ivp(lambda t, a: rate(t, a, **p), (0, TIMES[-1]), [1.0], **options).y[0]
    return float((0.5 * np.log(2 * np.pi * 0.01) + 0.5 * ((y - MEASURED) / 0.1) ** 2).sum())


def check(problem, rate):
    for theta in (problem.nominal, problem.nominal + np.array([0.1, -0.2, 0.15, 0.2])):
        value, gradient = problem.value_and_gradient(theta, [0])
        step = 1e-5 * np.eye(len(theta))
        expected = [(objective(theta + one, rate) - objective(theta - one, rate)) / 2e-5 for one in step]
        assert value == pytest.approx(objective(theta, rate), rel=1e-6)
        np.testing.assert_allclose(gradient, expected, atol=1e-4 * np.abs(expected).max())


def test_a_spline_in_time_through_estimated_values_is_that_of_scipy(tmp_path):
    def rate(t, a, loss, u0, u1, u2):
        slopes = [(u1 - u0) / 2, (u1 - u0) / 4 + (u2 - u1) / 6, (u2 - u1) / 3]
        return CubicHermiteSpline(NODES, [u0, u1, u2], slopes)(t) - loss * a

    check(KernelProblem(write(tmp_path, "input - loss * A", spline=True)), rate)


def test_a_rate_that_changes_its_slope_where_a_state_crosses_a_threshold_is_that_of_scipy(tmp_path):
    problem = KernelProblem(write(tmp_path, "u0 - loss * A + u2 * piecewise(A - 1.2, A > 1.2, 0) - 0.1 * u1 * time"))
    check(problem, lambda t, a, loss, u0, u1, u2: u0 - loss * a + u2 * np.maximum(a - 1.2, 0) - 0.1 * u1 * t)


@pytest.mark.parametrize(
    ("rate", "trigger", "reason"),
    [
        ("piecewise(u0, A > 1.2, u1) - loss * A", None, "which states trigger and where the right-hand side jumps"),
        ("u0 - loss * A", "A > 1.2", "event '.*', which states trigger"),
        ("u0 - loss * A", "sin(time) > 0.5", "whose time is no linear equation"),
    ],
)
def test_what_the_kernel_does_not_support_is_refused_before_anything_is_compiled(
    tmp_path, monkeypatch, rate, trigger, reason
):
    monkeypatch.setattr(build, "_compile", lambda *_: pytest.fail("compiled"))
    with pytest.raises(KernelUnsupportedError, match=reason):
        KernelProblem(write(tmp_path, rate, trigger=trigger))
