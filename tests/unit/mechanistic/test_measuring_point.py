"""Where the nominal parameters cannot be evaluated solvers are chosen at another point, or the problem is refused."""

import shutil

import numpy as np
import pandas as pd
import pytest

from kinetrain.errors import InputError
from kinetrain.mechanistic import engines
from kinetrain.mechanistic.measuring_point import NOMINAL, measured_at
from kinetrain.mechanistic.petab_problem import PetabProblem
from kinetrain.mechanistic.solver_options import SolverOptions


@pytest.fixture
def spoiled(egf_yaml, egf_model, tmp_path):
    """A function of the row of a parameter `noise` that makes it the noise of one condition; returns YAML and model."""

    def write(**row):
        folder = shutil.copytree(egf_yaml.parent, tmp_path / "spoiled")
        tables = {name: pd.read_csv(folder / f"{name}.tsv", sep="\t") for name in ("parameters", "measurements")}
        parameters, measurements = tables.values()
        here = measurements["simulationConditionId"] == "step_3"
        measurements["noiseParameters"] = measurements["noiseParameters"].astype(object).mask(here, "noise")
        parameters.loc[len(parameters)] = {"parameterId": "noise", "parameterScale": "lin", "estimate": 1, **row}
        tables["parameters"] = parameters
        for name, table in tables.items():
            table.to_csv(folder / f"{name}.tsv", sep="\t", index=False)
        return folder / "problem.yaml", egf_model

    return write


def test_problems_are_measured_at_the_nominal_parameters_where_these_can_be_evaluated(egf_yaml, egf_model):
    problem = PetabProblem(egf_yaml, egf_model)
    found, point = measured_at(problem, egf_yaml)
    assert found is problem and point == NOMINAL


@pytest.mark.parametrize("nominal", [0.0, -1.0])  # an infinite value, and one that is not a number
@pytest.mark.parametrize("engine", ["kernel", "amici"])
def test_solvers_are_chosen_where_the_problem_can_be_evaluated(engine, nominal, spoiled):
    yaml, model = spoiled(lowerBound=-2, upperBound=1, nominalValue=nominal)
    assert PetabProblem(yaml, model).value(PetabProblem(yaml, model).nominal, range(6)) == np.inf
    choice = engines.choose(yaml, model, SolverOptions(engine=engine))
    assert choice["accurate"] and "random start" in choice["point"]
    rows = [row["error"] for row in choice["candidates"]]
    assert None not in rows and min(rows) < 1e-5


def test_a_nominal_value_of_zero_on_a_logarithmic_scale_is_taken_at_its_bound(spoiled):
    yaml, model = spoiled(parameterScale="log10", lowerBound=1e-3, upperBound=1e2, nominalValue=0)
    found, point = measured_at(PetabProblem(yaml, model), yaml)
    assert point == NOMINAL and found.nominal[-1] == -3


def test_a_problem_that_can_be_evaluated_nowhere_is_refused_with_condition_and_parameter(spoiled):
    yaml, model = spoiled(lowerBound=-2, upperBound=-1, nominalValue=-1.5)
    for engine in ("auto", "kernel", "amici"):
        with pytest.raises(InputError, match=r"condition 'step_3' cannot be evaluated.*; with 'noise' = 1 it can$"):
            engines.choose(yaml, model, SolverOptions(engine=engine))
