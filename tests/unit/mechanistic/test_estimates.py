"""The estimates of a problem are those of its best fit, with intervals that are right for a quadratic objective."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import petab.v1 as petab
import pytest
from scipy import stats

from kinetrain.errors import InputError
from kinetrain.mechanistic import estimates as estimates_module
from kinetrain.mechanistic.estimates import (
    curvature,
    decrease_left,
    estimates,
    half_widths,
    with_information,
    write_fitted_problem,
)
from kinetrain.mechanistic.kernel.problem import KernelProblem
from kinetrain.mechanistic.petab_reader import read_petab

NAMES = ["a", "b"]


def problem_of(information, scales=("lin", "lin")):
    """Return a problem of two parameters with a given Fisher information everywhere."""
    table = pd.DataFrame({"parameterScale": scales}, index=NAMES)
    return SimpleNamespace(
        names=NAMES,
        lower=np.full(2, -5.0),
        upper=np.full(2, 5.0),
        petab=SimpleNamespace(parameter_df=table),
        information_weight=1.0,
        n_conditions=3,
        value=lambda theta, conditions: 0.0,
        value_gradient_and_information=lambda theta, conditions: (0.0, np.zeros(2), np.asarray(information, float)),
    )


def hill_of(lowest, curvature, upper=5.0):
    """Return a quadratic objective of two parameters with a minimum at `lowest`, which a bound may cut off."""
    problem = problem_of(curvature)
    problem.upper = np.full(2, upper)
    problem.value = lambda theta, conditions: 0.5 * (theta - lowest) @ curvature @ (theta - lowest)
    problem.value_gradient_and_information = lambda theta, conditions: (
        problem.value(theta, conditions),
        curvature @ (theta - lowest),
        curvature,
    )
    return problem


CURVED, FREE = np.array([[4.0, 1.0], [1.0, 9.0]]), np.array([True, True])


def left_at(problem, theta):
    """Return what is left at theta, with all parameters free."""
    return decrease_left(problem, theta, FREE, curvature(with_information(problem, theta), FREE))


def test_what_one_step_more_gains_is_all_that_is_left_of_a_quadratic_objective():
    problem = hill_of(np.array([1.0, 2.0]), CURVED)
    away = np.array([0.0, 0.5])
    assert left_at(problem, away) == pytest.approx(problem.value(away, None))
    assert left_at(problem, np.array([1.0, 2.0])) == 0
    table, _ = estimates(problem, [setting([away], [problem.value(away, None)])])
    assert table["decrease_left"].tolist() == [pytest.approx(problem.value(away, None))] * 2


def test_what_is_left_is_not_known_where_no_step_can_be_evaluated():
    problem = hill_of(np.array([1.0, 2.0]), CURVED)
    found = curvature(with_information(problem, np.zeros(2)), FREE)
    problem.value = lambda theta, conditions: np.inf
    assert np.isnan(decrease_left(problem, np.zeros(2), FREE, found))


def test_a_fit_at_a_bound_from_which_the_objective_falls_is_at_no_minimum():
    lowest, stuck = np.array([1.0, 2.0]), np.array([1.0, -5.0])
    for place, left in ((stuck, 0.5 * 9 * 49), (np.array([1.0, 5.0]), 0.5 * 9 * 9)):
        problem = hill_of(lowest, np.diag([4.0, 9.0]))
        table, _ = estimates(problem, [setting([place], [problem.value(place, None)])])
        assert table["decrease_left"].tolist() == [pytest.approx(left)] * 2 and np.isnan(table["low"][1])
    beyond = hill_of(np.array([1.0, 7.0]), np.diag([4.0, 9.0]))  # the bound cuts it off
    table, _ = estimates(beyond, [setting([np.array([1.0, 5.0])], [18.0])])
    assert table["decrease_left"].tolist() == [0, 0]


def test_far_from_a_minimum_a_damped_step_tells_that_something_is_left():
    # A direction that hardly curves asks for a step of 10^11, after which the objective is huge at any of its halves.
    flat = np.diag([1e-10, 4.0])
    problem = hill_of(np.zeros(2), flat)
    problem.value = lambda theta, conditions: (
        0.5 * theta @ flat @ theta - 10 * np.exp(-((theta[0] - 1) ** 2)) + 100 * (abs(theta[0]) > 1.5)
    )
    problem.lower, problem.upper = np.full(2, -1e12), np.full(2, 1e12)
    at = np.array([0.5, 0.5])
    slope = -20 * 0.5 * np.exp(-0.25)
    problem.value_gradient_and_information = lambda theta, conditions: (
        problem.value(theta, conditions),
        flat @ theta + np.array([slope, 0.0]),
        flat,
    )
    assert left_at(problem, at) > 0.4


def test_a_step_that_leads_too_far_is_halved_and_stays_within_the_bounds():
    problem = hill_of(np.array([1.0, 2.0]), CURVED)
    exact = problem.value_gradient_and_information
    problem.value_gradient_and_information = lambda *given: (*exact(*given)[:2], CURVED / 8)  # a step 8 times too long
    away = np.array([0.0, 0.5])
    assert 0 < left_at(problem, away) <= problem.value(away, None)
    cut = hill_of(np.array([9.0, 2.0]), np.diag([4.0, 9.0]))
    at = np.array([4.0, 2.0])
    assert left_at(cut, at) == pytest.approx(cut.value(at, None) - cut.value(np.array([5.0, 2.0]), None))
    cut.information_weight = None
    assert np.isnan(left_at(cut, at))


def setting(points, objectives, optimizer="fides", names=NAMES):
    """Return the table and the arrays of full-batch fits."""
    fits = pd.DataFrame({"objective": objectives, "start": range(len(points)), "schedule": "-", "optimizer": optimizer})
    return fits, {"names": np.array(names), "best": np.array(points), "last": np.array(points)}


def test_intervals_are_those_of_the_normal_distribution():
    table, _ = estimates(problem_of([[4.0, 0.0], [0.0, 0.25]]), [setting([[1.0, 2.0]], [3.0])])
    z = stats.norm.ppf(0.975)
    assert (table["high"] - table["estimate"]).tolist() == pytest.approx([z / 2, z * 2])
    assert (table["estimate"] - table["low"]).tolist() == pytest.approx([z / 2, z * 2])


def test_the_best_of_all_optimizers_is_taken_and_good_fits_make_the_spread():
    first = setting([[1.0, 1.0], [9.0, 9.0]], [5.0, np.inf])
    second = setting([[2.0, 2.0], [2.5, 1.0], [4.0, 4.0]], [1.0, 2.0, 30.0], "ipopt")
    table, _ = estimates(problem_of(np.eye(2)), [first, second])
    table = table.set_index("parameter")
    assert table.loc["a", ["estimate", "spread_low", "spread_high", "good_fits"]].tolist() == [2.0, 2.0, 2.5, 2]
    assert table["optimizer"].tolist() == ["ipopt"] * 2 and table["start"].tolist() == [0, 0]


def test_a_bound_that_was_hit_is_marked_and_has_no_interval():
    table, _ = estimates(problem_of([[4.0, 1.0], [1.0, 1.0]]), [setting([[5.0, -5.0 + 1e-9]], [0.0])])
    assert table["at_bound"].tolist() == ["upper", "lower"] and table["low"].isna().all()


def test_what_the_data_do_not_determine_has_an_infinite_interval():
    table, _ = estimates(problem_of([[1.0, 1.0], [1.0, 1.0]]), [setting([[0.0, 0.0]], [0.0])])  # only a + b is known
    assert np.isposinf(table["high"]).all()
    alone = half_widths(FREE, curvature(with_information(problem_of([[1.0, 0.0], [0.0, 0.0]]), np.zeros(2)), FREE))
    assert np.isfinite(alone[0]) and np.isposinf(alone[1])


def test_values_are_in_the_units_of_the_model():
    table, _ = estimates(problem_of(np.eye(2), ("log10", "log")), [setting([[2.0, 1.0]], [0.0])])
    assert table["estimate"].tolist() == pytest.approx([100.0, np.e])
    assert table["upper_bound"].tolist() == pytest.approx([1e5, np.exp(5)])


def test_fits_of_another_problem_are_refused_and_failed_ones_give_no_rows():
    with pytest.raises(InputError, match="other parameters than the problem"):
        estimates(problem_of(np.eye(2)), [setting([[0.0, 0.0]], [0.0], names=["a", "c"])])
    table, best = estimates(problem_of(np.eye(2)), [setting([[0.0, 0.0]], [np.inf])])
    assert table.empty and best is None


def test_the_problem_with_the_estimates_is_petab_that_others_read(egf_yaml, tmp_path):
    before = read_petab(egf_yaml).parameter_df
    names = list(before.index[before["estimate"] == 1])
    table = pd.DataFrame({"parameter": names, "estimate": np.arange(len(names)) + 0.5, "at_bound": "no"})
    write_fitted_problem(egf_yaml, table, tmp_path / "fitted")
    problem = petab.Problem.from_yaml(tmp_path / "fitted" / "problem.yaml")
    assert problem.parameter_df.loc[names, "nominalValue"].tolist() == table["estimate"].tolist()
    assert not petab.lint_problem(problem)
    assert read_petab(tmp_path / "fitted" / "problem.yaml").parameter_df["lowerBound"].equals(before["lowerBound"])


def test_the_information_of_the_best_fit_is_computed_once():
    problem, calls = problem_of(np.eye(2)), []
    exact = problem.value_gradient_and_information
    problem.value_gradient_and_information = lambda *given: (calls.append(given), exact(*given))[1]
    estimates(problem, [setting([[1.0, 2.0]], [3.0])])
    assert len(calls) == 1


def test_the_information_of_many_conditions_is_added_up_and_says_how_far_it_is(egf_yaml, monkeypatch, capsys):
    problem = KernelProblem(egf_yaml)
    free = np.full(len(problem.names), True)
    whole = curvature(with_information(problem, problem.nominal), free)
    assert "Fisher information" not in capsys.readouterr().err
    monkeypatch.setattr(estimates_module, "TOGETHER", 4)
    parts = curvature(with_information(problem, problem.nominal), free)
    assert parts.value == pytest.approx(whole.value) and parts.size == pytest.approx(whole.size)
    assert parts.gradient == pytest.approx(whole.gradient, abs=1e-9 * np.abs(whole.gradient).max())
    assert "Fisher information: 4 of 6 conditions" in capsys.readouterr().err
