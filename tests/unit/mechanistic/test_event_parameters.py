"""Parameters that events of the model change start from what the tables say.

A is made at the rate `input` and lost at the rate `loss`; at time 2 the input is washed out, and the loss is doubled.
"""

import libsbml
import numpy as np
import pytest
from petab_folder import write_petab

from kinetrain.errors import InputError
from kinetrain.mechanistic.compiled_model import fingerprint
from kinetrain.mechanistic.kernel.problem import KernelProblem
from kinetrain.mechanistic.petab_problem import PetabProblem
from kinetrain.mechanistic.petab_reader import read_petab
from kinetrain.mechanistic.solver_options import SolverOptions

TABLES = {
    "parameters": """parameterId,parameterScale,lowerBound,upperBound,nominalValue,estimate
loss,log10,0.01,100,0.7,1
dose,lin,0.1,10,1.5,1
late,lin,0,10,3,0""",
    "conditions": "conditionId,input\nweak,0.5\nstrong,dose\nown,",
    "observables": "observableId,observableFormula,noiseFormula\nof_a,A,0.1\nof_late,late,0.1",
    "measurements": "observableId,simulationConditionId,time,measurement\n"
    + "\n".join(
        f"{name},{k},{t},0.8" for name in ("of_a", "of_late") for k in ("weak", "strong", "own") for t in (1, 3)
    ),
}


CHANGES = {"input": "0", "loss": "2 * loss", "late": "late + 1"}


def sbml(changes) -> str:
    """Return the model, in which events make these changes; its own values of what the tables set are 11."""
    document = libsbml.SBMLDocument(3, 1)
    model = document.createModel()
    for name in ("A", "input", "loss", "late"):
        parameter = model.createParameter()
        parameter.setId(name), parameter.setValue(0 if name == "A" else 11), parameter.setConstant(False)
    rule = model.createRateRule()
    rule.setVariable("A"), rule.setMath(libsbml.parseL3Formula("input - loss * A"))
    event = model.createEvent()
    event.setUseValuesFromTriggerTime(True)
    trigger = event.createTrigger()
    trigger.setMath(libsbml.parseL3Formula("time >= 2")), trigger.setPersistent(True), trigger.setInitialValue(True)
    for name, formula in changes.items():
        assignment = event.createEventAssignment()
        assignment.setVariable(name), assignment.setMath(libsbml.parseL3Formula(formula))
    return libsbml.writeSBMLToString(document)


def write(folder, changes=CHANGES, **tables):
    """Write the problem, with some other tables, into `folder` and return its YAML."""
    return write_petab(folder, sbml(changes), TABLES | tables)


def objective(theta, condition, before=None) -> float:
    """Return the negative log-likelihood of a condition in closed form; theta is loss (log10) and dose.

    before: the input of a pre-equilibration.
    """
    loss, dose = 10 ** theta[0], theta[-1]
    steady = {"weak": 0.5, "strong": dose, "own": 11.0}[condition] / loss
    start = 0.0 if before is None else before / loss
    early, last = (steady + (start - steady) * np.exp(-loss * t) for t in (1, 2))
    found = [early, last * np.exp(-2 * loss), 3, 4] if before is None else [early, last * np.exp(-loss)]
    return float((0.5 * np.log(2 * np.pi * 0.01) + 0.5 * ((np.array(found) - 0.8) / 0.1) ** 2).sum())


def check(problem, before=None):
    theta = np.array([0.1, 1.6])[: len(problem.names)]
    for k, name in enumerate(problem.condition_names):
        value, gradient = problem.value_and_gradient(theta, [k])
        own = name.split("+")[0]
        shifts = 1e-5 * np.eye(len(theta))
        differences = [(objective(theta + h, own, before) - objective(theta - h, own, before)) / 2e-5 for h in shifts]
        assert value == pytest.approx(objective(theta, own, before), rel=1e-5)
        np.testing.assert_allclose(gradient, differences, rtol=1e-3, atol=1e-4 * np.abs(differences).max())


def opened(engine, path, compiled_model):
    if engine == "kernel":
        return KernelProblem(path)
    return PetabProblem(path, compiled_model(path), SolverOptions("forward", relative_tolerance=1e-10))


@pytest.mark.parametrize("engine", ["kernel", "amici"])
def test_they_start_from_the_tables_in_value_and_gradient(engine, tmp_path, compiled_model):
    problem = opened(engine, write(tmp_path), compiled_model)
    assert problem.names == ["loss", "dose"]
    check(problem)


def write_preequilibrated(folder, rest):
    """Write a problem in which only the input changes, pre-equilibrated with the input `rest`; return its YAML."""
    return write(
        folder,
        {"input": "0"},
        conditions=f"conditionId,input\nweak,0.5\nrest,{rest}",
        parameters="\n".join(TABLES["parameters"].splitlines()[:2]),
        observables="\n".join(TABLES["observables"].splitlines()[:2]),
        measurements="observableId,preequilibrationConditionId,simulationConditionId,time,measurement\n"
        "of_a,rest,weak,1,0.8\nof_a,rest,weak,3,0.8",
    )


@pytest.mark.parametrize("engine", ["kernel", "amici"])
def test_they_begin_anew_after_pre_equilibration(engine, tmp_path, compiled_model):
    check(opened(engine, write_preequilibrated(tmp_path, 0), compiled_model), before=0.0)


@pytest.mark.parametrize("engine", ["kernel", "amici"])
def test_events_do_not_happen_during_a_pre_equilibration(engine, tmp_path, compiled_model):
    path = write_preequilibrated(tmp_path, 2)  # the event would wash it out
    check(opened(engine, path, compiled_model), before=2.0)


@pytest.mark.parametrize("engine", ["kernel", "amici"])
def test_an_event_at_the_start_happens_once_before_the_pre_equilibration(engine, tmp_path, compiled_model):
    """It washes the input out there, so that nothing is left at the start of the experiment."""
    path = write_preequilibrated(tmp_path, 2)
    document = libsbml.readSBMLFromFile(str(tmp_path / "model.xml"))
    trigger = document.getModel().getEvent(0).getTrigger()
    trigger.setMath(libsbml.parseL3Formula("time >= 0")), trigger.setInitialValue(False)
    libsbml.writeSBMLToFile(document, str(tmp_path / "model.xml"))
    loss = 10**0.1
    simulated = 0.5 / loss * (1 - np.exp(-loss * np.array([1, 3])))
    expected = (0.5 * np.log(2 * np.pi * 0.01) + 0.5 * ((simulated - 0.8) / 0.1) ** 2).sum()
    value, _ = opened(engine, path, compiled_model).value_and_gradient(np.array([0.1]), [0])
    assert value == pytest.approx(expected, rel=1e-6)


def test_models_in_which_the_tables_set_others_are_not_the_same(tmp_path):
    shown = fingerprint(path := write(tmp_path), read_petab(path))
    path = write(tmp_path, parameters="\n".join(TABLES["parameters"].splitlines()[:3]))
    assert shown["parameters"] != fingerprint(path, read_petab(path))["parameters"]


def test_they_are_refused_in_version_2(tmp_path):
    tables = {
        "parameters": "parameterId,lowerBound,upperBound,nominalValue,estimate\nloss,0.01,100,0.7,true",
        "observables": "observableId,observableFormula,noiseFormula\nof_a,A,0.1",
        "measurements": "observableId,experimentId,time,measurement\nof_a,,1,0.8",
    }
    with pytest.raises(InputError, match="parameter table: 'loss' is changed by an event of the model"):
        read_petab(write_petab(tmp_path, sbml(CHANGES), tables, version=2))
