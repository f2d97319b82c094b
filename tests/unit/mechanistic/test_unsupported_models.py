"""With `engine: kernel` every kind of model that the kernel does not support is refused before anything is compiled."""

import os
import subprocess
import sys

import libsbml
import pandas as pd
import pytest
from petab_folder import write_petab

from kinetrain.errors import InputError
from kinetrain.mechanistic import compiled_model
from kinetrain.mechanistic.engines import require
from kinetrain.mechanistic.kernel import build

KINDS = {  # of models: what is done with that of `write`, and words of the refusal
    "an event that a state triggers": (lambda m: event(m, "A > 1.2", B="0"), "event '.*', which states trigger"),
    "an event that a rule of a state triggers": (
        lambda m: (assign(m, "total", "A + B"), event(m, "total > 2", B="0")),
        "event '.*', which states trigger",
    ),
    "an event that another event triggers": (
        lambda m: (parameter(m, "flag"), event(m, "time > 1", flag="1"), event(m, "flag > 0.5", B="0")),
        "event '.*', which states trigger",
    ),
    "a rate that jumps where a state crosses a threshold": (
        lambda m: rate(m, "B", "piecewise(loss, A > 1.2, 0)"),
        "which states trigger and where the right-hand side jumps",
    ),
    "an observable that jumps where a state crosses a threshold": (
        lambda m: assign(m, "seen", "piecewise(1, A > 1.2, 0)"),
        "which states trigger and where the right-hand side jumps",
    ),
    "an event at times of no linear equation": (lambda m: event(m, "sin(time) > 0.5", B="0"), "no linear equation"),
    "an input that switches at such times": (
        lambda m: rate(m, "B", "piecewise(loss, time^2 > 2, 0)"),
        "no linear equation",
    ),
    "an algebraic rule": (lambda m: algebraic(m, "A + B - 2"), "does not support algebraic rules"),
    "a function that is not known": (lambda m: rate(m, "B", "-loss * arcsinh(B)"), "the function asinh"),
    "an event with a delay": (lambda m: event(m, "time > 1", delay="2", B="0"), "delay"),
    "a delayed state": (lambda m: rate(m, "B", "loss * delay(A, 1)"), "delay"),
}


def write(folder, change):
    """Write a problem of the species A, which is lost, and B, which `change` does something with; return its YAML."""
    document = libsbml.SBMLDocument(3, 1)
    model = document.createModel()
    model.setId("toy")
    cell = model.createCompartment()
    cell.setId("cell"), cell.setSize(1), cell.setConstant(True), cell.setSpatialDimensions(3)
    for name in "AB":
        species = model.createSpecies()
        species.setId(name), species.setCompartment("cell"), species.setInitialConcentration(2)
        species.setHasOnlySubstanceUnits(False), species.setBoundaryCondition(False), species.setConstant(False)
    parameter(model, "loss").setConstant(True)
    parameter(model, "seen")
    rate(model, "A", "-loss * A")
    change(model)
    number = {"parameterId": ["loss"], "parameterScale": "log10", "lowerBound": 1e-2, "upperBound": 1e2}
    tables = {
        "observables": pd.DataFrame(
            {"observableId": ["obs"], "observableFormula": ["A + seen"], "noiseFormula": [0.1]}
        ),
        "conditions": pd.DataFrame({"conditionId": ["only"]}),
        "measurements": pd.DataFrame(
            {"observableId": ["obs"], "simulationConditionId": "only", "time": 3, "measurement": 1}
        ),
        "parameters": pd.DataFrame({**number, "nominalValue": 0.5, "estimate": 1}),
    }
    return write_petab(folder, libsbml.writeSBMLToString(document), tables)


def formula(text):
    """Return SBML's mathematics of a formula, in which `time` and `delay` are SBML's own."""
    return libsbml.parseL3Formula(text)


def parameter(model, name):
    made = model.createParameter()
    made.setId(name), made.setValue(0), made.setConstant(False)
    return made


def rate(model, name, text):
    rule = model.createRateRule()
    rule.setVariable(name), rule.setMath(formula(text))


def assign(model, name, text):
    if model.getParameter(name) is None:
        parameter(model, name)
    rule = model.createAssignmentRule()
    rule.setVariable(name), rule.setMath(formula(text))


def algebraic(model, text):
    model.createAlgebraicRule().setMath(formula(text))


def event(model, trigger, delay=None, **targets):
    made = model.createEvent()
    made.setUseValuesFromTriggerTime(True)
    own = made.createTrigger()
    own.setMath(formula(trigger)), own.setPersistent(True), own.setInitialValue(True)
    if delay:
        made.createDelay().setMath(formula(delay))
    for name, text in targets.items():
        assignment = made.createEventAssignment()
        assignment.setVariable(name), assignment.setMath(formula(text))


@pytest.fixture(autouse=True)
def nothing_is_compiled(monkeypatch):
    """A test fails where AMICI or the kernel compiles something."""
    monkeypatch.setattr(build, "_compile", lambda *_: pytest.fail("the kernel was compiled"))
    monkeypatch.setattr(compiled_model, "_build", lambda *_: pytest.fail("AMICI compiled"))


@pytest.mark.parametrize("kind", KINDS)
def test_an_unsupported_kind_of_model_is_refused_in_a_line(kind, tmp_path):
    change, words = KINDS[kind]
    with pytest.raises(InputError, match=words) as refusal:
        require(write(tmp_path, change), "kernel")
    assert "\n" not in str(refusal.value) and str(tmp_path) in str(refusal.value)


def test_a_supported_model_is_not_refused(tmp_path):
    yaml = write(tmp_path, lambda m: (rate(m, "B", "piecewise(loss, time > 2, 0)"), event(m, "time > 1", B="A")))
    require(yaml, "kernel")


def test_the_step_that_compiles_a_model_refuses_it_first(root, tmp_path):
    yaml, model = write(tmp_path, KINDS["an event that a state triggers"][0]), tmp_path / "model"
    command = [sys.executable, root / "workflow/scripts/compile_model.py", "--problem", yaml, "--model", model]
    command = [str(word) for word in [*command, "--engine", "kernel"]]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "CXX": "no-such-compiler"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 2 and not model.exists()
    assert "which states trigger; with 'engine: auto' or 'engine: amici' AMICI solves it" in done.stderr
