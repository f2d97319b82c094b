"""The line search is that of parPE, errors included, or a corrected backtracking; its cost is counted."""

import itertools
import math

import numpy as np
import pytest

from kinetrain.training.cost import Counted
from kinetrain.training.line_search import corrected
from kinetrain.training.minibatch import Minibatch
from kinetrain.training.options import Safeguard
from kinetrain.training.requests import complete
from kinetrain.training.schedules import learning_rate
from kinetrain.training.updater import Updater

START = np.array([-3.0, 4.0])
NAMES = ["sgd", "momentum_exact", "rmsprop", "adam_balanced", "adam_standard"]


@pytest.fixture
def rippled(quadratic):
    """The quadratic toy problem with 60 sum_i cos(11 (x_i - c_ki)) in each condition: many local minima."""

    class Rippled(quadratic):
        cliff = np.inf  # of x1, beyond which gradients fail, but not values

        def value(self, theta, conditions):
            ripples = 60 * np.cos(11 * (theta - self.centres[conditions])).sum()
            return super().value(theta, conditions) + float(ripples)

        def value_and_gradient(self, theta, conditions):
            value, gradient = super().value_and_gradient(theta, conditions)
            value = np.inf if theta[0] > self.cliff else value
            return value, gradient - 660 * np.sin(11 * (theta - self.centres[conditions])).sum(axis=0)

    return Rippled


def transcribed(problem, name, rates, batch_size, limit, mode=0):
    """Follow the specification's pseudo-code word by word, on rules whose tests stand elsewhere.

    Return the last iterate and the numbers of evaluations with and without gradient, rescues and cubics; the iterate is
    None where the run stops with an invalid number.
    """
    updater, x, t = Updater(name, 2), START, 0
    x_old, g_old, rho, c = np.full(2, np.nan), np.full(2, np.nan), 4.0, 0
    counts = {"gradient": 0, "value": 0, "cubic": 0, "rescue": 0}

    def move(a, g, x):
        return updater.step(x, g, a, t, problem.lower, problem.upper)

    def evaluate(x, batch):
        counts["gradient"] += 1
        value, gradient = problem.value_and_gradient(x, batch)
        return value / len(batch), gradient / len(batch), math.isfinite(value)

    for eta in rates:
        for begin in range(0, 4, batch_size):
            batch, t = np.arange(4)[begin : begin + batch_size], t + 1
            f, g, ok = evaluate(x, batch)
            if ok:
                c, rho = max(c - 1, 0), min(1.3 * rho, 1.0)
                x_old, g_old = x, g
            elif mode == 0:
                return None, counts
            else:
                counts["rescue"] += 1
            while not ok:
                c += 1
                updater.undo()
                g, x = g_old, x_old
                if np.isnan(x).any():
                    return None, counts
                if c >= 10:
                    if mode != 2:
                        return None, counts
                    c, rho = 0, 1e-5
                    updater.clear()
                else:
                    rho = rho / 5
                x = move(eta * rho, g, x)
                f, g, ok = evaluate(x, batch)
            here = {"x": move(eta * rho, g, x)}

            def phi(a, here=here, batch=batch, g=g, x_old=x_old):
                updater.undo()
                here["x"] = move(a, g, x_old)
                counts["value"] += 1
                cost = problem.value(here["x"], batch) / len(batch)
                return cost if math.isfinite(cost) else math.inf

            if limit:
                with np.errstate(all="ignore"):
                    search(phi, f, g, np.float64(eta * rho), limit, here, x_old, counts)
            x = here["x"]
    return x, counts


def search(phi, f0, g, a0, limit, here, x_old, counts):
    f1 = phi(a0)
    if f1 <= f0:
        return
    dn = np.linalg.norm(here["x"] - x_old)
    s = (here["x"] - x_old) / dn @ g
    if s > 0:
        a2 = 2 * a0 if f1 < f0 - 2 * dn * s else a0 / 2
        f2 = phi(a2)
        if f2 > f1:
            phi(a0)
        return
    a2 = -0.5 * s * a0**2 / (f1 - f0 - s * a0)
    f2 = phi(a2)
    if f2 < f0:
        return
    if limit < 2:
        if f2 > f1:
            phi(a0)
        return
    a1 = a0
    for j in range(2, limit + 1):
        counts["cubic"] += 1
        d = (a1 * a2) ** 2 * (a2 - a1)
        v1 = f2 - f0 - s * a2
        v2 = f1 - f0 - s * a1
        a = (a1**2 * v1 - a2**2 * v2) / d
        b = (-(a1**3) * v1 + a2**3 * v2) / d
        root = b**2 - 3 * a * s
        a3 = (-b + np.sqrt(root)) / (3 * a)
        f3 = phi(a3)
        if f3 < f0:
            return
        if j < limit:
            f1, f2, a1, a2 = f2, f3, a2, a3
    phi(a1) if f1 < f2 else phi(a2)


def train(problem, name, rate, epochs, batch_size, safeguard):
    box = problem.lower, problem.upper
    fit = Minibatch(Counted(problem), START, *box, Updater(name, 2), rate, batch_size, safeguard)
    while fit.state.epoch < epochs:
        complete(fit.problem.problem, fit.step())
    return fit


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("name", NAMES)
def test_the_published_search_is_that_of_the_specification(rippled, name, limit):
    cubics = 0
    for batch_size, first in itertools.product([1, 2, 4], [1.0, 0.5, 0.3, 0.1]):
        rate = learning_rate("logarithmic", first, 0.01, 3)
        x, counts = transcribed(rippled(), name, [rate(epoch) for epoch in range(3)], batch_size, limit)
        fit = train(rippled(), name, rate, 3, batch_size, Safeguard(name="-", line_search=limit))
        np.testing.assert_allclose(fit.state.x, x, atol=1e-9, rtol=0)
        cost = fit.problem.cost
        assert cost.gradient_solves == batch_size * counts["gradient"]
        assert cost.value_solves == batch_size * counts["value"]
        cubics += counts["cubic"]
    assert (cubics > 0) == (limit > 1)


@pytest.mark.parametrize("mode", [1, 2])
@pytest.mark.parametrize("limit", [0, 2, 5])
@pytest.mark.parametrize("name", NAMES)
def test_published_rescue_and_search_together_are_those_of_the_specification(rippled, name, limit, mode):
    rescues = 0
    for batch_size, rippled.cliff in itertools.product([1, 2], [-2.9, -2.7, -1.5]):
        rate = learning_rate("logarithmic", 1.0, 0.1, 3)
        x, counts = transcribed(rippled(), name, [rate(epoch) for epoch in range(3)], batch_size, limit, mode)
        safeguard = Safeguard(name="-", rescue=mode, line_search=limit)
        assert x is not None
        fit = train(rippled(), name, rate, 3, batch_size, safeguard)
        np.testing.assert_allclose(fit.state.x, x, atol=1e-9, rtol=0)
        cost = fit.problem.cost
        assert cost.gradient_solves == batch_size * counts["gradient"]
        assert cost.value_solves == batch_size * counts["value"]
        assert fit.state.rescues == counts["rescue"]
        rescues += counts["rescue"]
    assert rescues > 0


def test_a_good_step_still_costs_one_evaluation(quadratic):
    fit = train(quadratic(), "sgd", lambda epoch: 1e-3, 1, 2, Safeguard(name="-", line_search=3))
    assert (fit.problem.cost.gradient_solves, fit.problem.cost.value_solves) == (4, 4)


@pytest.mark.parametrize("name", NAMES)
def test_the_corrected_search_pays_each_trial_once_and_makes_no_more_than_allowed(rippled, name):
    for limit in (1, 3, 5):
        problem = rippled()
        safeguard = Safeguard(name="-", line_search=limit, variant="corrected")
        fit = train(problem, name, lambda epoch: 0.5, 5, 4, safeguard)
        assert 5 * 4 <= fit.problem.cost.value_solves <= 5 * 4 * (limit + 1)


def test_the_corrected_search_halves_until_armijo_and_else_keeps_the_best():
    tried = []

    def step(rate):
        return np.array([-rate])

    def cost(x):
        tried.append(float(-x[0]))
        return (x[0] + 0.3) ** 2
        yield  # it asks for nothing

    def fails(x):
        return math.inf
        yield

    def search(cost, value, limit):
        return complete(None, corrected(step, cost, begin, value, slope, 2.0, limit))[0]

    begin, slope = np.zeros(1), np.array([0.6])
    assert search(cost, 0.09, 5) == -0.5
    assert tried == [2.0, 1.0, 0.5]
    assert search(cost, 0.0, 3) == -0.25  # none is below 0: the best of 2, 1, 0.5, 0.25
    assert search(fails, 0.0, 2) == -0.5  # all fail: the shortest


def test_a_failed_trial_counts_as_infinite(quadratic):
    for variant in ("published", "corrected"):
        problem = quadratic(wall=lambda x: x[0] > -2.5)
        fit = train(problem, "sgd", lambda epoch: 1.0, 1, 4, Safeguard(name="-", line_search=4, variant=variant))
        assert fit.state.x[0] <= -2.5 and np.isfinite(problem.value(fit.state.x, np.arange(4)))


@pytest.mark.parametrize("variant", ["published", "corrected"])
def test_a_resumed_search_goes_on_as_if_it_had_not_stopped(rippled, variant):
    def fresh():
        safeguard = Safeguard(name="-", line_search=3, variant=variant)
        box = rippled.lower, rippled.upper
        updater, generator = Updater("adam_balanced", 2), np.random.default_rng(1)
        return Minibatch(Counted(rippled()), START, *box, updater, lambda epoch: 0.3, 2, safeguard, generator)

    whole, first, second = fresh(), fresh(), fresh()
    for fit, steps in ((whole, 12), (first, 5)):
        for _ in range(steps):
            complete(fit.problem.problem, fit.step())
    second.restore({key: np.asarray(value) for key, value in first.as_arrays().items()})
    for _ in range(7):
        complete(second.problem.problem, second.step())
    np.testing.assert_array_equal(whole.state.x, second.state.x)
