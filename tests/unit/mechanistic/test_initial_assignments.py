"""PEtab tables override the initial assignments of parameters in the model."""

import libsbml
import numpy as np
import pytest
from petab_folder import write_petab

from kinetrain.errors import InputError
from kinetrain.mechanistic.initial_assignments import assigned_parameters, remove_overridden
from kinetrain.mechanistic.petab_problem import PetabProblem
from kinetrain.mechanistic.petab_reader import read_petab
from kinetrain.mechanistic.solver_options import SolverOptions

MATH = '<math xmlns="http://www.w3.org/1998/Math/MathML">{}</math>'
# Each species starts from a parameter of its own, to which the model assigns a number or a formula.
STARTS = {"A": "<cn>3</cn>", "B": "<apply><ln/><cn>5</cn></apply>", "C": "<cn>0.5</cn>"}
STARTS |= {"D": "<apply><times/><cn>2</cn><ci>loss</ci></apply>", "E": "<cn>7</cn>"}


def sbml() -> str:
    """Return the model: all species are lost at the rate `loss`."""
    species = "".join(
        f'<species id="{one}" compartment="cell" initialConcentration="1" hasOnlySubstanceUnits="false"'
        ' boundaryCondition="false" constant="false"/>'
        for one in STARTS
    )
    parameters = "".join(f'<parameter id="{one}_0" value="11" constant="true"/>' for one in STARTS)
    assignments = "".join(
        f'<initialAssignment symbol="{one}">{MATH.format(f"<ci>{one}_0</ci>")}</initialAssignment>'
        f'<initialAssignment symbol="{one}_0">{MATH.format(formula)}</initialAssignment>'
        for one, formula in STARTS.items()
    )
    lost = "<apply><minus/><apply><times/><ci>loss</ci><ci>{}</ci></apply></apply>"
    rules = "".join(f'<rateRule variable="{one}">{MATH.format(lost.format(one))}</rateRule>' for one in STARTS)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1"><model id="toy">
<listOfCompartments><compartment id="cell" size="1" spatialDimensions="3" constant="true"/></listOfCompartments>
<listOfSpecies>{species}</listOfSpecies>
<listOfParameters><parameter id="loss" value="1" constant="true"/>{parameters}</listOfParameters>
<listOfInitialAssignments>{assignments}</listOfInitialAssignments><listOfRules>{rules}</listOfRules>
</model></sbml>
"""


# A_0 and D_0 are estimated, B_0 is fixed by the table, C_0 by one condition, E_0 by nothing.
TABLES = {
    "parameters": """parameterId,parameterScale,lowerBound,upperBound,nominalValue,estimate
A_0,lin,0,10,2,1
D_0,log10,0.01,10,0.9,1
B_0,lin,0,10,1.2,0
loss,log10,0.01,10,0.4,1""",
    "conditions": "conditionId,C_0\nown,\ngiven,1.5",
    "observables": "observableId,observableFormula,noiseFormula\n" + "\n".join(f"of_{one},{one},0.5" for one in STARTS),
    "measurements": "observableId,simulationConditionId,time,measurement\n"
    + "\n".join(f"of_{one},{condition},2,0.8" for condition in ("own", "given") for one in STARTS),
}


def write(folder, **tables):
    """Write the problem, with some other tables, into `folder` and return its YAML."""
    return write_petab(folder, sbml(), TABLES | tables)


def objective(theta) -> list[float]:
    """Return the negative log-likelihood of both conditions in closed form; theta is A_0, D_0, loss on their scales."""
    values = []
    for start in (0.5, 1.5):
        now = np.array([theta[0], 1.2, start, 10 ** theta[1], 7]) * np.exp(-2 * 10 ** theta[2])
        values.append((0.5 * np.log(2 * np.pi * 0.25) + 0.5 * ((now - 0.8) / 0.5) ** 2).sum())
    return values


@pytest.mark.parametrize("method", ["forward", "adjoint"])
def test_tables_overrule_initial_assignments_in_value_and_gradient(tmp_path, compiled_model, method):
    path = write(tmp_path)
    problem = PetabProblem(path, compiled_model(path), SolverOptions(method))
    assert problem.names == ["A_0", "D_0", "loss"]
    theta = problem.nominal + 0.1
    values = [problem.value(theta, [k]) for k in (0, 1)]
    np.testing.assert_allclose(values, objective(theta), rtol=1e-6)
    _, gradient = problem.value_and_gradient(theta, [0, 1])
    differences = [(sum(objective(theta + h)) - sum(objective(theta - h))) / 2e-5 for h in 1e-5 * np.eye(3)]
    np.testing.assert_allclose(gradient, differences, rtol=1e-4)


def test_a_formula_that_counts_in_some_conditions_only_is_refused(tmp_path):
    path = write(
        tmp_path,
        conditions="conditionId,D_0\nown,\ngiven,1.5",
        parameters="\n".join(line for line in TABLES["parameters"].splitlines() if not line.startswith("D_0")),
    )
    with pytest.raises(InputError, match=r"problem\.yaml: condition table: 'D_0' is empty .* 2 \* loss"):
        read_petab(path)


VERSION_2 = {
    "parameters": """parameterId,lowerBound,upperBound,nominalValue,estimate
A_0,0,10,2,true
D_0,0,10,0.9,true
B_0,,,1.2,false
loss,0,10,0.4,true""",
    "observables": TABLES["observables"]
    .replace("noiseFormula", "noiseFormula,noiseDistribution")
    .replace(",0.5", ",0.5,normal"),
    "measurements": "observableId,experimentId,time,measurement\n" + "\n".join(f"of_{one},,2,0.8" for one in STARTS),
}


def test_tables_of_version_2_overrule_them_too(tmp_path, compiled_model):
    path = write_petab(tmp_path, sbml(), VERSION_2, version=2)
    problem = PetabProblem(path, compiled_model(path), SolverOptions("forward"))
    theta = np.array([2.0, np.log10(0.9), np.log10(0.4)])
    value, gradient = problem.value_and_gradient(np.array([2.0, 0.9, 0.4]), [0])
    assert value == pytest.approx(objective(theta)[0], rel=1e-6)
    assert np.abs(gradient).min() > 0.1


def test_a_parameter_that_a_rate_rule_changes_keeps_its_initial_assignment():
    ruled = f'<rateRule variable="C_0">{MATH.format("<cn>1</cn>")}</rateRule></listOfRules>'
    text = sbml().replace("</listOfRules>", ruled)
    text = text.replace('id="C_0" value="11" constant="true"', 'id="C_0" constant="false"')
    model = (document := libsbml.readSBMLFromString(text)).getModel()
    assert document.getNumErrors() == 0
    remove_overridden(model, ["B_0", "C_0"], {"C_0"}, "toy")
    assert assigned_parameters(model) == ["A_0", "C_0", "D_0", "E_0"]
    assert model.getParameter("B_0").getValue() == pytest.approx(np.log(5))


def test_models_whose_tables_overrule_other_assignments_are_not_the_same(tmp_path):
    from kinetrain.mechanistic.compiled_model import fingerprint

    path = write(tmp_path)
    shown = fingerprint(path, read_petab(path))
    without = "\n".join(line for line in TABLES["parameters"].splitlines() if not line.startswith("B_0"))
    path = write(tmp_path, parameters=without)
    assert shown["parameters"] != fingerprint(path, read_petab(path))["parameters"]


def test_parameters_that_are_assigned_what_is_assigned_a_number_have_its_value(tmp_path, compiled_model):
    chained = sbml().replace(MATH.format(STARTS["C"]), MATH.format("<apply><divide/><ci>E_0</ci><cn>14</cn></apply>"))
    chained = chained.replace(MATH.format(STARTS["E"]), MATH.format("<ci>F_0</ci>"))
    new = f'<initialAssignment symbol="F_0">{MATH.format("<cn>7</cn>")}</initialAssignment></listOfInitialAssignments>'
    chained = chained.replace("</listOfInitialAssignments>", new)
    chained = chained.replace(
        "</listOfParameters>", '<parameter id="F_0" value="3" constant="true"/></listOfParameters>'
    )
    path = write_petab(tmp_path, chained, TABLES | {"conditions": "conditionId\nown\ngiven"})
    problem = PetabProblem(path, compiled_model(path), SolverOptions("forward"))
    theta = problem.nominal + 0.1
    np.testing.assert_allclose([problem.value(theta, [k]) for k in (0, 1)], objective(theta)[:1] * 2, rtol=1e-6)
