"""Scalings, offsets and noise levels are found in the tables, computed analytically, and what that costs is counted."""

from types import SimpleNamespace

import libsbml
import numpy as np
import pandas as pd
import petab.v1 as petab
import pytest

from kinetrain.errors import InputError
from kinetrain.mechanistic import engines
from kinetrain.mechanistic.gradient_check import EXACT, LONG
from kinetrain.mechanistic.hierarchical import Hierarchical
from kinetrain.mechanistic.inner_parameters import inner_parameters
from kinetrain.mechanistic.petab_problem import PetabProblem
from kinetrain.mechanistic.solver_options import SolverOptions
from kinetrain.options import read_options
from kinetrain.problem import StartingBox
from kinetrain.training import full_batch
from kinetrain.training.cost import Counted
from kinetrain.training.options import FullBatchOptions

TIMES = np.array([1.0, 2.0, 3.0, 4.0])
OBSERVABLES = {  # observableFormula, noiseFormula, observableTransformation
    "a": ("scale_a * A + offset_a", "noiseParameter1_a", "lin"),
    "b": ("observableParameter1_b * B", "0.3", "lin"),
    "c": ("A + offset_c", "0.2 * fixed", "lin"),
    "d": ("scale_d * A", "sd_d", "log10"),
}
PARAMETERS = {  # parameterScale, lowerBound, upperBound, estimate
    "k": ("log10", 0.1, 10, 1),
    "scale_a": ("log10", 1e-3, 1e3, 1),
    "offset_a": ("lin", -100, 100, 1),
    "sd_a": ("log10", 1e-5, 1e3, 1),
    "scale_b0": ("lin", 1e-3, 1e3, 1),
    "scale_b1": ("lin", 1e-3, 3.0, 1),
    "offset_c": ("lin", -5, 5, 1),
    "scale_d": ("log10", 1e-3, 1e3, 1),
    "sd_d": ("log10", 1e-5, 1e3, 1),
    "fixed": ("lin", 0, 1, 0),
}


def states(k, condition):
    """A and B of the toy model at all times."""
    return np.exp(-k * TIMES) + condition, 1 + k * TIMES


class Lines(StartingBox):
    """Two conditions of a model in closed form, with the tables of a PEtab problem and results like AMICI's."""

    n_conditions, checksum, gradient_weight, information_weight, relaxed_solves = 2, "lines", 3.0, None, 0
    engine, n_measurements = "formula", 12
    condition_names, priors = ("c0", "c1"), None

    def __init__(self):
        table = pd.DataFrame.from_dict(
            PARAMETERS, orient="index", columns=["parameterScale", "lowerBound", "upperBound", "estimate"]
        )
        self.names = [name for name in PARAMETERS if PARAMETERS[name][3]]
        scaled = table.loc[self.names]
        logarithmic = (scaled["parameterScale"] == "log10").to_numpy()
        self.lower, self.upper = (
            np.where(logarithmic, np.log10(np.abs(scaled[bound].to_numpy(float))), scaled[bound].to_numpy(float))
            for bound in ("lowerBound", "upperBound")
        )
        self.logarithmic = logarithmic
        self.start_lower, self.start_upper, self.nominal = self.lower, self.upper, (self.lower + self.upper) / 2
        self.start_quantiles = {}
        self.model = SimpleNamespace(get_observable_ids=lambda: list(OBSERVABLES))
        observables = pd.DataFrame.from_dict(
            OBSERVABLES, orient="index", columns=["observableFormula", "noiseFormula", "observableTransformation"]
        )
        document = libsbml.SBMLDocument(3, 2)  # must live as long as its model
        self.petab = SimpleNamespace(
            parameter_df=table,
            observable_df=observables,
            condition_df=pd.DataFrame(index=["c0", "c1"]),
            measurement_df=self.measurements(),
            model=SimpleNamespace(sbml_model=document.createModel(), document=document),
        )
        table = self.petab.measurement_df
        self.data = [  # of each condition: indices of time and observable, measurement
            (
                np.searchsorted(TIMES, rows["time"]),
                rows["observableId"].map(list(OBSERVABLES).index).to_numpy(),
                rows["measurement"].to_numpy(),
            )
            for _, rows in table.groupby("simulationConditionId")
        ]

    def measurements(self):
        generator, rows = np.random.default_rng(4), []
        truth = np.array([0.0, 0.7, 4.0, -0.5, 2.0, 2.5, 1.0, 0.2, -1.0])
        for _ in range(2):  # replicates
            for condition in range(2):
                y, sigma = self.outputs(truth, condition)
                for index, name in enumerate(OBSERVABLES):
                    for time, value, noise in zip(TIMES, y[:, index], sigma[:, index], strict=True):
                        draw = generator.normal() * noise
                        value = value * 10**draw if name == "d" else value + draw
                        overrides = {"a": (None, "sd_a"), "b": (f"scale_b{condition}", None)}.get(name, (None, None))
                        rows.append((name, f"c{condition}", time, value, *overrides))
        columns = ["observableId", "simulationConditionId", "time", "measurement"]
        return pd.DataFrame(rows, columns=[*columns, "observableParameters", "noiseParameters"])

    def outputs(self, theta, condition):
        values = np.where(self.logarithmic, 10.0 ** np.where(self.logarithmic, theta, 0), theta)
        k, scale_a, offset_a, sd_a, scale_b0, scale_b1, offset_c, scale_d, sd_d = values
        first, second = states(k, condition)
        y = [scale_a * first + offset_a, (scale_b0, scale_b1)[condition] * second, first + offset_c, scale_d * first]
        noise = np.broadcast_to([sd_a, 0.3, 0.2, sd_d], (len(TIMES), 4))
        return np.array(y).T, noise

    def simulate(self, theta, conditions):
        results = []
        for condition in conditions:
            y, sigma = self.outputs(theta, condition)  # each time point twice, for the replicates
            results.append(SimpleNamespace(y=np.repeat(y, 2, axis=0), sigmay=np.repeat(sigma, 2, axis=0)))
        return results

    def value(self, theta, conditions):
        total = 0.0
        for condition in conditions:
            y, sigma = self.outputs(np.asarray(theta, float), condition)
            at, index, measured = self.data[condition]
            expected, noise, logarithmic = y[at, index], sigma[at, index], index == 3
            expected = np.where(logarithmic, np.log10(np.abs(expected)), expected)
            measured = np.where(logarithmic, np.log10(np.abs(measured)), measured)
            total += (np.log(noise) + 0.5 * ((measured - expected) / noise) ** 2).sum()
        return total

    def value_and_gradient(self, theta, conditions):
        steps = 1e-6 * np.eye(len(theta))
        gradient = [(self.value(theta + e, conditions) - self.value(theta - e, conditions)) / 2e-6 for e in steps]
        return self.value(theta, conditions), np.array(gradient)


EXPECTED = {
    "scale_a": "scaling",
    "offset_a": "offset",
    "sd_a": "sigma",
    "scale_b0": "scaling",
    "scale_b1": "scaling",
    "offset_c": "offset",
    "sd_d": "sigma",
}


def test_inner_parameters_are_found_in_the_tables():
    found = inner_parameters(Lines().petab, False, "lines")
    assert {name: inner.kind for name, inner in found.items()} == EXPECTED  # not scale_d, of a logarithmic observable
    assert len(found["scale_b0"].rows) == len(found["sd_a"].rows) / 2 == 8


@pytest.mark.parametrize(
    ("change", "lost"),
    [
        ({"a": ("scale_a * A + offset_a + k^2", "noiseParameter1_a", "lin")}, {"scale_a"}),
        ({"b": ("observableParameter1_b * B", "0.3 * B", "lin")}, {"scale_b0", "scale_b1"}),
        ({"c": ("A + offset_c^2", "0.2", "lin")}, {"offset_c"}),
        ({"d": ("scale_d * A", "0.1 + sd_d", "log10")}, {"sd_d"}),
        ({"d": ("scale_a * A", "sd_d", "log10")}, {"scale_a"}),
        ({"d": ("scale_a * offset_c * A", "sd_d", "lin")}, {"scale_a", "offset_c"}),
    ],
)
def test_what_is_something_else_too_is_not_inner(change, lost):
    problem = Lines().petab
    for name, row in change.items():
        problem.observable_df.loc[name] = row
    assert set(EXPECTED) - set(inner_parameters(problem, False, "lines")) == lost


def test_parameters_of_the_model_and_of_conditions_are_not_inner():
    lines = Lines()
    lines.petab.condition_df["B"] = ["scale_b0", "1"]
    rule = lines.petab.model.sbml_model.createAssignmentRule()
    rule.setMath(libsbml.parseL3Formula("2 * (offset_c + 1)"))
    found = inner_parameters(lines.petab, False, "lines")
    assert set(EXPECTED) - set(found) == {"scale_b0", "offset_c"}


def test_the_parameter_table_may_name_them_and_is_checked():
    problem = Lines().petab
    problem.parameter_df["parameterType"] = None
    problem.parameter_df.loc["sd_a", "parameterType"] = "sigma"
    assert list(inner_parameters(problem, False, "lines")) == ["sd_a"]
    problem.parameter_df.loc["scale_d", "parameterType"] = "scaling"
    with pytest.raises(InputError, match="lines: parameter table: parameterType calls 'scale_d' scaling"):
        inner_parameters(problem, False, "lines")


def test_the_inner_solution_is_the_minimum_over_the_inner_parameters():
    problem = Lines()
    hierarchical = Hierarchical(problem, "lines")
    theta = hierarchical.complete(np.array([0.2, 0.1]))
    assert [problem.names[index] for index in hierarchical.outer] == ["k", "scale_d"]
    _, gradient = problem.value_and_gradient(theta, [0, 1])
    at_bound = np.isclose(theta, problem.upper) | np.isclose(theta, problem.lower)
    inside = [index for index in hierarchical.inner if not at_bound[index]]
    assert len(inside) >= 6
    np.testing.assert_allclose(gradient[inside], 0, atol=2e-4)
    held = [index for index in hierarchical.inner if at_bound[index]]
    assert all(gradient[index] * (1 if theta[index] == problem.upper[index] else -1) < 0 for index in held)


def test_value_and_gradient_are_those_of_the_reduced_objective_and_are_counted():
    hierarchical = Hierarchical(Lines(), "lines")
    hierarchical.counted = Counted(hierarchical.problem)
    outer, step = np.array([0.2, 0.1]), 1e-5
    value, gradient = hierarchical.value_and_gradient(outer, range(2))
    cost = hierarchical.cost
    assert (cost.value_solves, cost.gradient_solves, cost.total) == (2, 2, 2 + 3 * 2)
    assert hierarchical.value(outer, range(2)) == pytest.approx(value)
    assert cost.value_solves == 2 + 4
    for index, e in enumerate(step * np.eye(2)):
        difference = hierarchical.value(outer + e, range(2)) - hierarchical.value(outer - e, range(2))
        assert gradient[index] == pytest.approx(difference / (2 * step), rel=1e-5)


def test_the_information_of_outer_parameters_lets_the_inner_ones_follow():
    factor = np.random.default_rng(0).normal(size=(9, 9))
    whole = factor @ factor.T

    class Informed(Lines):
        information_weight = 7.0

        def value_gradient_and_information(self, theta, conditions):
            return *self.value_and_gradient(theta, conditions), whole

    hierarchical = Hierarchical(Informed(), "lines")
    hierarchical.counted = Counted(hierarchical.problem)
    outer = np.array([0.2, 0.1])
    value, gradient, information = hierarchical.value_gradient_and_information(outer, range(2))
    assert hierarchical.cost.total == 2 + 2 * 7
    expected = hierarchical.value_and_gradient(outer, range(2))
    assert value == expected[0] and np.array_equal(gradient, expected[1])
    covariance = np.linalg.inv(whole)[np.ix_(hierarchical.outer, hierarchical.outer)]
    np.testing.assert_allclose(information, np.linalg.inv(covariance), rtol=1e-6)


@pytest.mark.parametrize("name", ["fides", "l_bfgs_b", "ipopt"])
def test_hierarchical_fits_find_a_minimum_of_the_whole_objective(name, tmp_path):
    if name == "ipopt":
        pytest.importorskip("cyipopt")
    problem = Lines()
    options = read_options(FullBatchOptions, {"epochs": 60, "seed": 1})
    fits, _, points = full_batch.fit_starts(
        problem, "lines", 0, f"{name}_hierarchical", 2, options, tmp_path, Hierarchical(problem, "lines")
    )
    assert (fits["cost"] <= 60 * 2 * 3.0).all() and (fits["status"] == "finished").all()
    best = points["best"][fits["objective"].argmin()]
    value, gradient = problem.value_and_gradient(best, [0, 1])
    assert value == pytest.approx(fits["objective"].min())
    inside = (best > problem.lower) & (best < problem.upper)
    np.testing.assert_allclose(gradient[inside], 0, atol=0.05)


def test_a_failed_simulation_is_infinite():
    hierarchical = Hierarchical(Lines(), "lines")
    hierarchical.counted = Counted(hierarchical.problem)
    value, gradient = hierarchical.value_and_gradient(np.array([np.nan, 0.1]), range(2))
    assert np.isinf(value) and np.isnan(gradient).all() and hierarchical.cost.failed_evaluations == 1


def test_the_embedded_problem_is_fitted_with_fewer_parameters(egf_yaml, egf_model, tmp_path):
    problem = PetabProblem(egf_yaml, egf_model)
    hierarchical = Hierarchical(problem, "egf")
    assert hierarchical.kinds == {"scale_pakt": "scaling", "scale_pegfr": "scaling", "scale_ps6": "scaling"}
    _, gradient = problem.value_and_gradient(hierarchical.complete(problem.nominal[hierarchical.outer]), range(6))
    np.testing.assert_allclose(gradient[hierarchical.inner], 0, atol=1e-2)
    options, objectives = read_options(FullBatchOptions, {"epochs": 8, "seed": 1}), {}
    for name in ("fides", "fides_hierarchical"):
        reduced = hierarchical if name == "fides_hierarchical" else None
        fits, _, points = full_batch.fit_starts(problem, "egf", 0, name, 1, options, tmp_path / name, reduced)
        objectives[name] = fits.loc[0, "objective"]
        again, _ = problem.value_and_gradient(points["best"][0], range(6))  # solved with sensitivities, as in the fit
        assert again == pytest.approx(fits.loc[0, "objective"], rel=1e-6)
    assert objectives["fides_hierarchical"] < objectives["fides"]


def test_the_kernel_finds_the_inner_parameters_of_amici_and_its_hierarchical_fits_are_its_own(
    egf_yaml, egf_model, tmp_path, monkeypatch
):
    amici = PetabProblem(egf_yaml, egf_model, SolverOptions("forward", **EXACT, **LONG))
    kernel = engines.open_problem(egf_yaml, egf_model, SolverOptions(engine="kernel"))
    by_amici, by_kernel = Hierarchical(amici, "egf"), Hierarchical(kernel, "egf")
    for theta in (amici.nominal, np.random.default_rng(5).uniform(amici.start_lower, amici.start_upper)):
        expected, found = (one.complete(theta[one.outer]) for one in (by_amici, by_kernel))
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
        assert kernel.value(found, range(6)) == pytest.approx(amici.value(expected, range(6)), rel=1e-6)
    for name in ("simulate", "value", "value_and_gradient", "value_gradient_and_information"):
        monkeypatch.setattr(PetabProblem, name, lambda *_: pytest.fail("AMICI solved it"))
    options = read_options(FullBatchOptions, {"epochs": 3, "seed": 1})
    fits, *_ = full_batch.fit_starts(kernel, "egf", 0, "fides_hierarchical", 1, options, tmp_path, by_kernel)
    assert fits.loc[0, "engine"] == kernel.engine and fits.loc[0, "value_solves"] > 0


def test_a_problem_without_inner_parameters_is_refused(egf_yaml):
    problem = petab.Problem.from_yaml(str(egf_yaml))
    problem.observable_df["noiseFormula"] = "0.1 + 0.1 * pAKT"
    with pytest.raises(InputError, match=r"egf: no estimated parameter is a scaling.* parameterType"):
        inner_parameters(problem, False, "egf")
