"""Solver settings are chosen by measurement and can be set; failing solves end fast."""

import json
from dataclasses import asdict, replace
from types import SimpleNamespace

import numpy as np
import pytest

from kinetrain.errors import InputError
from kinetrain.mechanistic import solver_choice, solver_measures
from kinetrain.mechanistic.petab_problem import PetabProblem, make_solver
from kinetrain.mechanistic.solver_choice import choose
from kinetrain.mechanistic.solver_options import SolverOptions, filled, merged, safe_options
from kinetrain.options import read_options


@pytest.fixture(scope="module")
def choice(egf_yaml, egf_model):
    """What is chosen for the embedded problem."""
    return choose(egf_yaml, egf_model)


@pytest.fixture(scope="module")
def egf(egf_yaml, egf_model):
    """The embedded problem, solved with safe settings."""
    return PetabProblem(egf_yaml, egf_model)


def nothing_open(options):
    settings = asdict(options)
    information = settings.pop("information_weight")
    nothing = "auto" not in settings.values() and None not in settings.values()
    return nothing and (options.sensitivities == "adjoint" or information is None)


def test_the_choice_leaves_nothing_open_and_its_gradients_are_accurate(choice, egf):
    chosen = SolverOptions(**choice["chosen"])
    assert nothing_open(chosen)
    assert choice["accurate"]
    assert json.loads(json.dumps(choice, allow_nan=False)) == choice
    theta, sample = egf.nominal + np.random.default_rng(7).normal(0, 0.1, 19), range(6)
    exact = egf.solved_by(SolverOptions("forward", **solver_choice.EXACT, **solver_choice.LONG))
    known = [(theta, *solver_measures.evaluate(exact, theta, sample))]
    assert solver_measures.largest_error(egf.solved_by(chosen), sample, known) < 2e-4


def test_what_is_pinned_is_not_searched(egf_yaml, egf_model):
    pinned = {"sensitivities": "adjoint", "relative_tolerance": 1e-7, "gradient_tolerance": 1e-5, "max_steps": 3000}
    choice = choose(egf_yaml, egf_model, SolverOptions(**pinned))
    assert len(choice["candidates"]) == 1
    assert {name: choice["chosen"][name] for name in pinned} == pinned


def row(method, work, error=1e-6):
    return {"sensitivities": method, "work": work, "error": error}


@pytest.mark.parametrize(
    ("work", "failed", "wanted"),
    [(0.5, 0, "adjoint"), (0.9, 0, "forward"), (2.0, 0, "forward"), (0.5, 5, "forward"), (0.5, 2, "adjoint")],
)
def test_adjoint_wins_if_it_takes_clearly_less_work_and_fails_hardly_more_often(work, failed, wanted):
    best = {"forward": row("forward", 1.0), "adjoint": row("adjoint", work)}
    assert solver_choice._decide(best, {"forward": {"failed": 0}, "adjoint": {"failed": failed}}) == wanted


def test_forward_sensitivities_of_a_large_model_are_not_even_counted(egf_yaml, egf_model, monkeypatch):
    asked, work_of = set(), solver_choice.work_of
    monkeypatch.setattr(solver_choice, "work_of", lambda *given: asked.add(given[3]) or work_of(*given))
    monkeypatch.setattr(solver_choice, "TOO_LARGE", 1)
    choice = choose(egf_yaml, egf_model, SolverOptions(relative_tolerance=1e-8, gradient_tolerance=1e-6))
    assert choice["chosen"]["sensitivities"] == "adjoint" and asked == {None, "adjoint"}


def test_a_method_that_is_not_accurate_wins_by_no_little_work():
    best = {"forward": row("forward", 1.0, error=1e-5), "adjoint": row("adjoint", 0.01, error=np.inf)}
    starts = {method: {"failed": 0} for method in best}
    assert solver_choice._decide(best, starts) == "forward"
    best["forward"]["error"] = 1e-3
    assert solver_choice._decide(best, starts) == "forward"
    assert solver_choice._longest(best) == np.inf  # nothing accurate that another method could be far slower than
    best["adjoint"]["error"] = 1e-5
    assert solver_choice._longest(best) == 0.02


def test_the_nominal_parameters_keep_within_the_step_limits():
    class Stiff:
        names, nominal, start_lower, start_upper = ["k"], np.full(1, 3.0), np.zeros(1), np.ones(1)

        def solved_by(self, options):
            return self

        def simulate(self, theta, conditions, derivatives):
            good = SimpleNamespace(status=0, sllh=np.zeros(1), numsteps=[1500 * theta[0]], numsteps_b=None)
            return [good if theta[0] > 0.2 else SimpleNamespace(status=-1)]

    chosen = {"sensitivities": "forward", "relative_tolerance": 1e-8, "gradient_tolerance": 1e-6}
    found = solver_choice._try_starts(Stiff(), SolverOptions(), chosen, [0])
    starts = np.random.default_rng(0).uniform(0, 1, solver_choice.STARTS)
    assert found == {"tried": 20, "failed": (starts <= 0.2).sum(), "steps": 4500, "steps_backward": 0}


def test_an_information_that_is_not_accurate_is_not_used(egf):
    chosen, sample = replace(safe_options(19), sensitivities="adjoint"), [0, 3]
    known = solver_choice.references(egf, ["forward"], sample)
    assert solver_choice._informs(egf, chosen, sample, known)
    assert not solver_choice._informs(egf, replace(chosen, max_steps=20), sample, known)


def test_the_choice_is_the_same_again_and_depends_on_no_clock(choice, egf_yaml, egf_model, monkeypatch):
    ticks = iter(np.random.default_rng(0).uniform(0, 9, 10_000))
    for clock in ("process_time", "perf_counter", "monotonic", "time"):
        monkeypatch.setattr(f"time.{clock}", lambda: next(ticks))
    again = choose(egf_yaml, egf_model)
    monkeypatch.undo()
    assert json.dumps(again) == json.dumps(choice)


def test_work_counts_the_steps_of_all_parts_of_a_solve(egf):
    theta, conditions = egf.nominal, [0, 5]
    value, forward, adjoint = (
        solver_measures.work_of(egf, theta, conditions, one) for one in (None, "forward", "adjoint")
    )
    steps = [max(result.numsteps) for result in egf.simulate(theta, conditions)]
    np.testing.assert_array_equal(value, solver_measures.SOLVE + np.array(steps))
    assert (value[0] < value[1]) and (forward > 8 * value).all() and (2 * value < adjoint).all()
    failed = solver_measures.work_of(egf.solved_by(SolverOptions(max_steps=10)), theta, [0], "adjoint")
    assert solver_choice._weight(failed, value[:1]) == 5.0  # nothing is known of its cost
    assert np.isinf(failed).all()


@pytest.mark.parametrize(("ratio", "weight"), [(0.4, 1), (1.2, 1), (4.4, 5), (8.3, 7), (8.4, 10), (26, 30), (120, 100)])
def test_weights_are_rounded_coarsely(ratio, weight):
    assert solver_choice._weight(np.array([ratio, ratio, 1e9]), np.ones(3)) == weight


def test_the_tightest_of_accurate_tolerances_of_little_work_is_taken():
    rows = [row("forward", 2.0), row("forward", 1.04), row("forward", 1.0), row("forward", 0.1, error=1e-2)]
    assert solver_choice._pick(rows) is rows[1]
    assert solver_choice._pick([row("forward", 1.0, error=0.1), row("forward", 2.0, error=0.01)])["error"] == 0.01


def test_settings_that_are_given_are_kept_and_the_others_are_filled_from_the_file(tmp_path, choice):
    file = tmp_path / "solver.json"
    file.write_text(json.dumps(choice))
    options = merged(SolverOptions(max_steps=77, priors=True, trials=3), file)
    assert nothing_open(options)
    assert (options.max_steps, options.priors, options.trials) == (77, True, 3)
    assert options.gradient_weight == choice["chosen"]["gradient_weight"]


def test_without_a_file_safe_constants_serve(egf):
    assert merged(SolverOptions()) == SolverOptions()
    assert egf.options == safe_options(19)
    assert (egf.options.sensitivities, safe_options(30).sensitivities) == ("forward", "adjoint")
    assert egf.gradient_weight == 5.0
    assert filled(SolverOptions("adjoint"), safe_options(19)).sensitivities == "adjoint"


@pytest.mark.parametrize("text", ["{", "{}", '{"chosen": {"tolerance": 1}}', '{"chosen": {"max_steps": -1}}'])
def test_a_file_that_measure_solver_did_not_write_is_refused(tmp_path, text):
    file = tmp_path / "solver.json"
    file.write_text(text)
    with pytest.raises(InputError, match=r"solver\.json"):
        merged(SolverOptions(), file)
    with pytest.raises(InputError, match=r"nothing\.json"):
        merged(SolverOptions(), tmp_path / "nothing.json")


@pytest.mark.parametrize(
    "settings",
    [
        {"sensitivities": "both"},
        {"max_steps": 0},
        {"gradient_tolerance": -1.0},
        {"trials": 7},
        {"information_weight": 0.0},
    ],
)
def test_impossible_settings_are_refused(settings):
    with pytest.raises(InputError, match=next(iter(settings))):
        read_options(SolverOptions, settings)


@pytest.mark.parametrize("sensitivities", ["forward", "adjoint"])
def test_solvers_that_keep_their_memory_give_the_numbers_of_fresh_ones(egf, sensitivities):
    from amici.sim import sundials as amici

    problem = egf.solved_by(SolverOptions(sensitivities))
    theta = problem.nominal + np.random.default_rng(0).normal(0, 0.2, len(problem.names))
    assert not np.isfinite(problem.value_and_gradient(problem.upper, [0, 1])[0])
    for order, conditions in ((0, [0, 1]), (1, [2, 0]), (0, [1]), (1, [0, 2, 4])):
        solver = make_solver(problem.model, problem.options, amici.SensitivityOrder(order))
        filled_in = [problem._fill(theta, k).data for k in conditions]
        fresh = amici.run_simulations(problem.model, solver, filled_in)
        evaluate = problem.value_and_gradient if order else lambda *point: (problem.value(*point), None)
        value, gradient = evaluate(theta, conditions)
        assert value == pytest.approx(-sum(result.llh for result in fresh), rel=1e-15)  # Python 3.12 sums more exactly
        if order:
            np.testing.assert_array_equal(gradient, -sum(result.sllh for result in fresh))


def test_a_failing_solve_is_tried_again_with_looser_tolerances_and_counted(egf):
    hard = SolverOptions("forward", absolute_tolerance=1e-14, relative_tolerance=1e-12, max_steps=700)
    strict, patient = egf.solved_by(hard), egf.solved_by(replace(hard, trials=6))
    assert strict.value(strict.nominal, [0]) == np.inf
    assert strict.relaxed_solves == 0
    assert patient.value(patient.nominal, [0]) == pytest.approx(egf.value(egf.nominal, [0]), rel=1e-4)
    assert 1 <= patient.relaxed_solves <= 5


def test_the_backward_problem_is_relaxed_alone_if_it_failed_alone(egf):
    hard = SolverOptions("adjoint", gradient_tolerance=1e-13, max_steps=2000, max_steps_backward=1500)
    strict, patient = egf.solved_by(hard), egf.solved_by(replace(hard, trials=6))
    value, gradient = patient.value_and_gradient(egf.nominal, [0])
    assert strict.value_and_gradient(egf.nominal, [0])[0] == np.inf
    assert value == egf.value(egf.nominal, [0])
    assert np.isfinite(gradient).all()
    assert patient.relaxed_solves > 0


def test_the_first_failure_ends_an_evaluation(egf, monkeypatch):
    solved = []
    monkeypatch.setattr(PetabProblem, "_solve", lambda self, condition, *_: solved.append(condition))
    assert egf.value(egf.nominal, np.arange(6)) == np.inf
    assert egf.value_and_gradient(egf.nominal, np.arange(6))[0] == np.inf
    assert len(solved) == 2


def test_the_information_is_by_forward_sensitivities_and_has_a_cost_of_its_own(egf):
    forward, adjoint = (egf.solved_by(SolverOptions(method, gradient_weight=4.0)) for method in ("forward", "adjoint"))
    assert (forward.information_weight, adjoint.information_weight) == (4.0, None)
    adjoint = egf.solved_by(SolverOptions("adjoint", gradient_weight=4.0, information_weight=9.0))
    assert (adjoint.gradient_weight, adjoint.information_weight) == (4.0, 9.0)
    theta = egf.nominal + np.random.default_rng(1).normal(0, 0.1, 19)
    expected, found = (p.value_gradient_and_information(theta, [0, 3]) for p in (forward, adjoint))
    for mine, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(mine, other)
    gradient = adjoint.value_and_gradient(theta, [0, 3])[1]
    assert 0 < np.linalg.norm(gradient - found[1]) < 1e-4 * np.linalg.norm(gradient)


@pytest.mark.parametrize("theta", [np.nan, np.inf])
def test_parameters_that_are_no_numbers_fail_without_a_solve(egf, theta):
    assert egf.value(np.full(19, theta), [0]) == np.inf
    assert np.isnan(egf.value_and_gradient(np.full(19, theta), [0])[1]).all()


def test_gradients_that_are_all_zero_agree():
    still = SimpleNamespace(value_and_gradient=lambda theta, conditions: (1.0, np.zeros(2)))
    known = [(np.zeros(2), np.ones(1), np.zeros((1, 2)))]
    assert solver_measures.largest_error(still, [0], known) == 0.0
