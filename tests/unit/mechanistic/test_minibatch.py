"""Whole mini-batch runs agree with the original implementation; failures are rescued as there, and within limits."""

import itertools

import numpy as np
import pytest

from kinetrain.training.cost import BudgetExhausted, Counted
from kinetrain.training.minibatch import MOST_FAILED_EVALUATIONS, EvaluationFailed, Minibatch
from kinetrain.training.options import Safeguard
from kinetrain.training.requests import complete
from kinetrain.training.schedules import learning_rate
from kinetrain.training.updater import Updater

START = np.array([-3.0, 4.0])


def create(problem, name, rate, batch_size=2, rescue=0, generator=None, variant="published"):
    """Return a run on a toy problem."""
    safeguard = Safeguard(name="-", rescue=rescue, variant=variant)
    box = problem.lower, problem.upper
    return Minibatch(Counted(problem), START, *box, Updater(name, 2), rate, batch_size, safeguard, generator)


def run(problem, name, rates, epochs, **options):
    """Return a finished run on a toy problem; rates: shape, start and end."""
    fit = create(problem, name, learning_rate(*rates, epochs), **options)
    while fit.state.epoch < epochs:
        complete(fit.problem.problem, fit.step())
    return fit


@pytest.mark.parametrize(
    ("name", "cost", "x1", "x2"),
    [
        ("sgd", 17.91658496, -0.8451343226, 0.4999900442),
        ("momentum_exact", 19.37271549, -1.117232142, 0.04853758248),
        ("rmsprop", 16.84767456, 0.471788256, 0.5001677532),
        ("adam_balanced", 18.33773675, 0.9631703945, -0.03751644407),
        ("adam_standard", 17.84158136, 0.8524490505, 0.05733142767),
    ],
)
def test_whole_runs_end_where_those_of_parpe_do(quadratic, name, cost, x1, x2):
    problem = quadratic()
    fit = run(problem, name, ("logarithmic", 1, 0.01), 10)
    np.testing.assert_allclose(fit.state.x, [x1, x2], atol=1e-9, rtol=0)
    assert problem.value(fit.state.x, np.arange(4)) / 4 == pytest.approx(cost, abs=1e-8)
    assert fit.problem.cost.gradient_solves == 2 * 20  # 10 epochs of 2 batches of 2 conditions


def test_the_rescue_takes_the_path_of_parpe(quadratic):
    problem = quadratic(wall=lambda x: x[0] > -0.9)
    fit = run(problem, "adam_balanced", ("logarithmic", 1, 0.1), 3, rescue=2)
    expected = [
        ((0, 1), -3, 4, 72.75),
        ((2, 3), -2.000000022, 3.000000003, 64.31250011),
        ((0, 1), -1.088012596, 2.013805408, 16.18193867),
        ((2, 3), -0.7930476004, 1.713685972, np.inf),
        ((2, 3), -1.035644229, 1.960521917, 42.50548977),
        ((0, 1), -0.9811271578, 1.901349833, 14.27190276),
        ((2, 3), -0.9578861253, 1.877161716, 41.26467334),
    ]
    assert [batch for batch, *_ in problem.evaluations] == [batch for batch, *_ in expected]
    np.testing.assert_allclose(
        [numbers for _, *numbers in problem.evaluations], [numbers for _, *numbers in expected], rtol=1e-9, atol=1e-9
    )
    np.testing.assert_allclose(fit.state.x, [-0.9291622416, 1.845736767], rtol=1e-9)
    assert problem.value(fit.state.x, np.arange(4)) / 4 == pytest.approx(27.09868486, abs=1e-8)
    assert (fit.state.rescues, fit.problem.cost.failed_evaluations) == (1, 1)
    assert fit.problem.cost.gradient_solves == 14  # the failed evaluation and the repeated one count too


def test_a_budget_that_ends_in_a_rescue_leaves_the_last_good_point(quadratic):
    problem = quadratic(wall=lambda x: x[0] > -0.9)
    fit = create(problem, "adam_balanced", learning_rate("logarithmic", 1, 0.1, 3), rescue=2)
    fit.problem.budget = 8  # four batches of two, the last of which fails
    with pytest.raises(BudgetExhausted):
        for _ in range(6):
            complete(fit.problem.problem, fit.step())
    np.testing.assert_allclose(fit.state.x, [-1.088012596, 2.013805408], rtol=1e-9)
    assert fit.problem.cost.gradient_solves == 8


def test_without_rescue_the_first_failure_ends_the_run(quadratic):
    problem = quadratic(wall=lambda x: x[0] > -0.9)
    with pytest.raises(EvaluationFailed):
        run(problem, "adam_balanced", ("logarithmic", 1, 0.1), 3, rescue=0)
    assert len(problem.evaluations) == 4


@pytest.mark.parametrize("rescue", [0, 1, 2])
def test_a_start_that_cannot_be_evaluated_ends_the_run_in_every_mode(quadratic, rescue):
    problem = quadratic(wall=lambda x: x[0] > -4)
    with pytest.raises(EvaluationFailed, match="no good point"):
        run(problem, "adam_balanced", ("linear", 1, 0.1), 3, rescue=rescue)
    assert len(problem.evaluations) == 1


@pytest.mark.parametrize(("rescue", "failures"), [(1, 9), (2, MOST_FAILED_EVALUATIONS)])
def test_a_rescue_that_cannot_succeed_gives_up(quadratic, rescue, failures):
    problem = quadratic()
    problem.wall = lambda x: len(problem.evaluations) >= 1  # only the very first evaluation succeeds
    with pytest.raises(EvaluationFailed, match="gave up"):
        run(problem, "adam_balanced", ("linear", 1, 0.1), 3, rescue=rescue)
    assert len(problem.evaluations) == 2 + failures


def test_every_condition_is_used_once_per_epoch_and_the_last_batch_may_be_smaller(quadratic):
    problem = quadratic()
    run(problem, "sgd", ("constant", 1.0, 1.0), 5, batch_size=3, generator=np.random.default_rng(0))
    batches = [batch for batch, *_ in problem.evaluations]
    assert [len(batch) for batch in batches] == [3, 1] * 5
    assert all(sorted(first + last) == [0, 1, 2, 3] for first, last in zip(batches[::2], batches[1::2], strict=True))
    assert len(set(batches[::2])) > 1  # shuffled anew


def test_full_batches_do_not_depend_on_the_shuffling(quadratic):
    rates = ("constant", 1.0, 1.0)
    ends = [
        run(quadratic(), "sgd", rates, 9, batch_size=4, generator=np.random.default_rng(seed)).state.x
        for seed in (1, 2)
    ]
    np.testing.assert_allclose(ends[0], ends[1], rtol=1e-12)


def test_single_failures_add_up_as_published_but_not_in_the_corrected_variant(quadratic):
    rescued = {}
    for variant in ("published", "corrected"):
        problem = quadratic()
        calls = itertools.count()
        problem.wall = lambda x, calls=calls: next(calls) % 4 > 1  # two failures, a rescued step and a good one
        fit = create(problem, "adam_balanced", lambda epoch: 0.01, rescue=1, variant=variant)
        try:
            for _ in range(100):
                complete(fit.problem.problem, fit.step())
        except EvaluationFailed:
            pass
        rescued[variant] = fit.state.rescues, fit.state.t
    assert rescued == {"published": (9, 19), "corrected": (49, 100)}


def test_the_corrected_variant_starts_anew_from_the_rescued_point(quadratic):
    goods = {}
    for variant in ("published", "corrected"):
        problem = quadratic(wall=lambda x: x[0] > -0.9)
        fit = create(problem, "adam_balanced", learning_rate("logarithmic", 1, 0.1, 3), rescue=2, variant=variant)
        for _ in range(4):
            complete(fit.problem.problem, fit.step())  # the fourth fails and is rescued
        goods[variant] = fit.state.x_good
        assert fit.state.rescues == 1
    np.testing.assert_allclose(goods["published"], [-1.088012596, 2.013805408], rtol=1e-9)
    np.testing.assert_allclose(goods["corrected"], [-1.035644229, 1.960521917], rtol=1e-9)


@pytest.mark.parametrize("name", ["adam_balanced", "momentum_exact"])
def test_a_restored_run_goes_on_as_if_it_had_not_stopped(quadratic, name):
    def fresh():
        problem = quadratic(wall=lambda x: x[0] > -0.9)
        generator = np.random.default_rng([0, 1, 2, 1])
        return create(problem, name, learning_rate("logarithmic", 1, 0.1, 8), rescue=2, generator=generator)

    whole, first, second = fresh(), fresh(), fresh()
    for fit, steps in ((whole, 16), (first, 7)):
        for _ in range(steps):
            complete(fit.problem.problem, fit.step())
    second.restore({key: np.asarray(value) for key, value in first.as_arrays().items()})
    for _ in range(9):
        complete(second.problem.problem, second.step())
    np.testing.assert_array_equal(whole.state.x, second.state.x)
    assert whole.state.rescues == second.state.rescues > 0
