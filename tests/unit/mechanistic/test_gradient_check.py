"""Wrong gradients are found by differences of the objective, in every condition, and right ones are not suspected."""

import copy
from types import SimpleNamespace
from zlib import crc32

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from petab_folder import write_petab

from kinetrain.errors import InputError
from kinetrain.mechanistic.gradient_check import GradientCheck, differences
from kinetrain.mechanistic.petab_problem import PetabProblem
from kinetrain.mechanistic.solver_choice import choose
from kinetrain.mechanistic.solver_options import SolverOptions

BOTH = ["adjoint", "forward"]


class Toy:
    """Conditions k with J_k = sum_i (1 + k/10) exp(x_i) sin(i + x_i); `faults` change what a method finds.

    A fault is given condition, value and gradient, and returns value and gradient. Values beyond `wall` fail.
    """

    lower, upper, nominal = np.full(3, -5.0), np.full(3, 5.0), np.array([0.1, -0.4, 0.7])
    start_lower, start_upper = lower, upper
    petab = SimpleNamespace(parameter_df=pd.DataFrame({"parameterScale": "log10"}, index=["a", "b", "c"]))
    method, tight = "forward", True

    def __init__(self, n_conditions=3, same=False, noise=0.0, wall=np.inf, **faults):
        self.n_conditions, self.same, self.noise, self.wall, self.faults = n_conditions, same, noise, wall, faults
        self.names = list(self.petab.parameter_df.index)
        self.condition_names = [f"c{k}" for k in range(n_conditions)]

    def structures(self):
        return [()] * self.n_conditions if self.same else list(range(self.n_conditions))

    def solved_by(self, options):
        other = copy.copy(self)
        other.method, other.tight = options.sensitivities, options.relative_tolerance < 1e-9
        return other

    def value(self, theta, conditions):
        if np.abs(theta).max() > self.wall:
            return np.inf
        jitter = self.noise * (2 * crc32(theta.tobytes()) / 2**32 - 1)
        return float(
            sum((1 + k / 10) * (np.exp(theta) * np.sin(np.arange(3) + theta)).sum() for k in conditions) + jitter
        )

    def value_and_gradient(self, theta, conditions):
        value, gradient = 0.0, np.zeros(3)
        for k in conditions:
            angle = np.arange(3) + theta
            part = self.value(theta, [k]), (1 + k / 10) * np.exp(theta) * (np.sin(angle) + np.cos(angle))
            part = self.faults.get(self.method, lambda k, *right: right)(k, *part)
            value, gradient = value + part[0], gradient + part[1]
        return value, gradient


def without_b(condition):
    """Return a fault: the derivative by `b` is zero in one condition."""
    return lambda k, value, gradient: (value, gradient * ([1, 0, 1] if k == condition else 1))


def test_right_gradients_are_not_suspected():
    check = GradientCheck(Toy(), BOTH, "toy")
    assert check.methods == BOTH
    assert all(verdict.error < 1e-8 for verdict in check.verdicts.values())
    assert check.record()["one_by_one"] == 3


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (without_b(2), "disagrees with differences"),
        (lambda k, value, gradient: (value, gradient + (k == 2) * np.array([0, 2e-4, 0])), "disagrees"),
        (lambda k, value, gradient: (value + (k == 2) * 0.1, gradient), "another objective with the gradient"),
        (lambda k, value, gradient: (value, gradient * (np.nan if k == 2 else 1)), "fails"),
    ],
)
@pytest.mark.parametrize("method", BOTH)
def test_a_method_that_is_wrong_in_one_condition_is_dropped(method, fault, reason):
    check = GradientCheck(Toy(**{method: fault}), BOTH, "toy")
    assert check.methods == [one for one in BOTH if one != method]
    verdict = check.record()["methods"][method]
    assert not verdict["agrees"]
    assert reason in verdict["reason"] and "'c2'" in verdict["reason"]


def test_one_wrong_condition_among_hundreds_that_differ_in_doses_is_found():
    check = GradientCheck(Toy(300, same=True, adjoint=without_b(217)), BOTH, "toy")
    assert check.methods == BOTH
    assert not check.holds("adjoint")
    assert check.holds("forward")
    assert check.methods == ["forward"]
    assert "'c217'" in check.verdicts["adjoint"].reason
    assert (check.record()["one_by_one"], check.record()["in_sums"]) == (1, 299)


def test_where_no_method_is_right_the_problem_is_refused_with_condition_and_parameter():
    with pytest.raises(
        InputError, match=r"^toy: .*condition 'c1' .*derivative by 'b' is 0, by differences "
    ) as refusal:
        GradientCheck(Toy(adjoint=without_b(1), forward=without_b(1)), BOTH, "toy")
    assert "\n" not in str(refusal.value)
    with pytest.raises(InputError, match="sensitivities: auto"):
        GradientCheck(Toy(adjoint=without_b(1)), ["adjoint"], "toy")
    with pytest.raises(InputError, match=r"'c1'.*adjoint: .*in condition 'c0'"):
        GradientCheck(Toy(adjoint=without_b(0), forward=without_b(1)), BOTH, "toy")


def test_noise_of_the_objective_does_not_make_a_gradient_wrong():
    check = GradientCheck(Toy(noise=1e-6), BOTH, "toy")
    assert check.methods == BOTH and not check.vague
    check = GradientCheck(Toy(noise=10.0, adjoint=without_b(0)), ["adjoint"], "toy")
    assert check.record()["vague"] == ["c0", "c1", "c2"]  # said, since nothing was found out


def test_a_problem_that_cannot_be_solved_anywhere_is_refused():
    assert GradientCheck(Toy(wall=1.5), BOTH, "toy").methods == BOTH
    with pytest.raises(InputError, match="condition 'c0' cannot be solved at the nominal parameters"):
        GradientCheck(Toy(wall=0.0), BOTH, "toy")


@given(
    st.lists(st.floats(-3, 3), min_size=1, max_size=6),
    st.floats(0.1, 20.0),
    st.floats(0, 1e-6),
)
@settings(max_examples=50, deadline=None)
def test_the_error_of_differences_is_not_underestimated(powers, frequency, noise):
    def value(step):
        smooth = sum(factor * step**power for power, factor in enumerate(powers)) + np.sin(frequency * step)
        return smooth + noise * np.sin(1e9 * step)

    slope, error = differences(value, noise, 0.0)
    right = frequency + (powers[1] if len(powers) > 1 else 0.0)
    assert abs(slope - right) <= error + 1e-9
    assert error < 1e-2 * frequency + 1e3 * noise


# A turns into B at the rate k1 and back at k2, all of it at some speed.
SBML = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1">
 <model id="toy">
  <listOfCompartments><compartment id="cell" size="1" spatialDimensions="3" constant="true"/></listOfCompartments>
  <listOfSpecies>
   <species id="A" compartment="cell" initialConcentration="1" hasOnlySubstanceUnits="false" boundaryCondition="false"
    constant="false"/>
   <species id="B" compartment="cell" initialConcentration="0" hasOnlySubstanceUnits="false" boundaryCondition="false"
    constant="false"/>
  </listOfSpecies>
  <listOfParameters><parameter id="k1" value="1" constant="true"/><parameter id="k2" value="1" constant="true"/>
   <parameter id="speed" value="1" constant="true"/></listOfParameters>
  <listOfReactions><reaction id="forth" reversible="true" fast="false">
   <listOfReactants><speciesReference species="A" stoichiometry="1" constant="true"/></listOfReactants>
   <listOfProducts><speciesReference species="B" stoichiometry="1" constant="true"/></listOfProducts>
   <kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><times/><ci>speed</ci><apply><minus/>
    <apply><times/><ci>k1</ci><ci>A</ci></apply><apply><times/><ci>k2</ci><ci>B</ci></apply></apply></apply></math>
   </kineticLaw></reaction></listOfReactions>
 </model>
</sbml>
"""
TABLES = {
    "parameters": "parameterId,parameterScale,lowerBound,upperBound,nominalValue,estimate\nback,lin,0,10,0.6,1",
    "conditions": """conditionId,speed,k1,k2,A
rest,1,0.3,back,1
reset,1,0.8,back,2
slow,1e-4,0.3,back,1
after_slow,1,0.8,back,
idle,1,0.8,0.7,1""",
    "observables": "observableId,observableFormula,noiseFormula\na,A,0.5",
    "measurements": """observableId,preequilibrationConditionId,simulationConditionId,time,measurement
a,rest,reset,1,0.7
a,rest,reset,10,0.1
a,slow,after_slow,0,0.7
a,,idle,1,0.7""",
}
VERSION_2 = {
    "parameters": """parameterId,lowerBound,upperBound,nominalValue,estimate
k1,0,10,0.8,true
k2,0,10,0.6,true""",
    "conditions": "conditionId,targetId,targetValue\nmore_a,A,A + 5\nmore_b,B,B + 3",
    "experiments": """experimentId,time,conditionId
together,0,
together,10,more_a
together,10,more_b""",
    "observables": "observableId,observableFormula,noiseFormula,noiseDistribution\na,A,0.5,normal\nb,B,0.1,normal",
    "measurements": """observableId,experimentId,time,measurement
a,together,0,0.7
b,together,0,1
a,together,10,0.1
b,together,10,0.4""",
}


@pytest.fixture(scope="module")
def toy(tmp_path_factory, compiled_model):
    """The problem of version 1, and the folder of its model."""
    path = write_petab(tmp_path_factory.mktemp("version_1"), SBML, TABLES, 1)
    return path, compiled_model(path)


def test_adjoint_sensitivities_are_dropped_where_states_are_set_anew_after_pre_equilibration(toy):
    choice = choose(*toy)
    assert choice["chosen"]["sensitivities"] == "forward"
    adjoint = choice["check"]["methods"]["adjoint"]
    assert not adjoint["agrees"] and "'reset+rest'" in adjoint["reason"]
    with pytest.raises(InputError, match=r"'reset\+rest'.*derivative by 'back' is"):
        choose(*toy, SolverOptions("adjoint"))


def test_changes_that_meet_at_a_measured_time_spoil_adjoint_objective_and_gradient(tmp_path, compiled_model):
    path = write_petab(tmp_path, SBML, VERSION_2, 2)
    choice = choose(path, compiled_model(path))
    assert choice["chosen"]["sensitivities"] == "forward"
    assert "objective with the gradient" in choice["check"]["methods"]["adjoint"]["reason"]
    problem = PetabProblem(path, compiled_model(path), SolverOptions(**choice["chosen"]))
    assert problem.value_and_gradient(problem.nominal, [0])[0] == pytest.approx(problem.value(problem.nominal, [0]))


@pytest.mark.parametrize("tolerance", [1e-6, 1e-8])
def test_slow_steady_states_are_found_at_loose_tolerances(toy, tolerance):
    options = SolverOptions("forward", absolute_tolerance=tolerance / 100, relative_tolerance=tolerance)
    problem = PetabProblem(*toy, options)
    steady, slow = 2 / 3, problem.condition_names.index("after_slow+slow")
    right = 0.5 * np.log(2 * np.pi * 0.5**2) + 0.5 * ((steady - 0.7) / 0.5) ** 2
    assert problem.value(problem.nominal, [slow]) == pytest.approx(right, rel=1e-4)
    assert problem.value_and_gradient(problem.nominal, [slow])[0] == pytest.approx(right, rel=1e-4)


@pytest.mark.parametrize("method", BOTH)
def test_where_no_estimated_parameter_acts_derivatives_are_zero(toy, method):
    problem = PetabProblem(*toy, SolverOptions(method))
    idle = [problem.condition_names.index("idle")]
    value, gradient, information = problem.value_gradient_and_information(problem.nominal, idle)
    assert value == problem.value(problem.nominal, idle) == problem.value_and_gradient(problem.nominal, idle)[0]
    np.testing.assert_array_equal(gradient, [0])
    np.testing.assert_array_equal(information, [[0]])
