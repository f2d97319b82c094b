"""Update rules and schedules agree with the numbers of the original implementation (parPE)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinetrain.errors import InputError
from kinetrain.options import read_options
from kinetrain.training.options import MinibatchOptions
from kinetrain.training.schedules import SHAPES, learning_rate
from kinetrain.training.update_rules import known_rules
from kinetrain.training.updater import Updater

GRADIENTS = np.array([(3, -4), (1, 2), (-2, 0.5), (0.1, 0.1)])

AFTER_EACH_UPDATE = {
    "sgd": [
        (-0.059999999880, 0.079999999840),
        (-0.104721359230, -0.009442718860),
        (-0.007707109686, -0.033696281246),
        (-0.078417782805, -0.104406954365),
    ],
    "momentum_exact": [
        (-0.060000000000, 0.080000000000),
        (-0.124764842010, 0.104000000000),
        (-0.139164842010, 0.113200000000),
        (-0.152684842010, 0.118560000000),
    ],
    "rmsprop": [
        (-0.316227732684, 0.316227741017),
        (-0.421056205367, 0.168785795732),
        (-0.239910474409, 0.130221436997),
        (-0.249453344523, 0.122094041945),
    ],
    "adam_balanced": [
        (-0.099999996667, 0.099999997500),
        (-0.188982415596, 0.127060400290),
        (-0.212122509778, 0.140987456679),
        (-0.233228363221, 0.151326351671),
    ],
    "adam_standard": [
        (-0.099999996667, 0.099999997500),
        (-0.187106387843, 0.126633700624),
        (-0.209828908990, 0.139989678389),
        (-0.229989562572, 0.149634502863),
    ],
}


def follow(name, rate=0.1, box=5.0):
    """Return the parameters after each update from the origin."""
    updater, x, path = Updater(name, 2), np.zeros(2), []
    for t, gradient in enumerate(GRADIENTS, start=1):
        x = updater.step(x, gradient, rate, t, np.full(2, -box), np.full(2, box))
        path.append(x)
    return np.array(path)


@pytest.mark.parametrize("name", AFTER_EACH_UPDATE)
def test_updates_are_those_of_parpe(name):
    np.testing.assert_allclose(follow(name), AFTER_EACH_UPDATE[name], atol=1e-9, rtol=0)


def test_momentum_without_the_quirk_differs_only_slightly():
    difference = np.abs(follow("momentum") - follow("momentum_exact"))
    assert 0 < difference.max() < 0.03
    np.testing.assert_array_equal(difference[0], 0)


@pytest.mark.parametrize("name", known_rules())
def test_every_update_stays_in_the_box(name):
    assert np.abs(follow(name, rate=10.0, box=0.5)).max() == 0.5


@pytest.mark.parametrize("name", known_rules())
def test_an_undone_step_can_be_repeated(name):
    updater, wall = Updater(name, 2), np.full(2, 5.0)
    updater.step(np.zeros(2), GRADIENTS[0], 0.1, 1, -wall, wall)
    once = updater.step(np.zeros(2), GRADIENTS[1], 0.1, 2, -wall, wall)
    updater.undo()
    again = updater.step(np.zeros(2), GRADIENTS[1], 0.1, 2, -wall, wall)
    np.testing.assert_array_equal(once, again)


def test_a_step_to_nan_stays_nan_instead_of_landing_on_a_bound():
    step = Updater("sgd", 2).step(np.zeros(2), np.array([np.nan, 1.0]), 0.1, 1, np.full(2, -5.0), np.full(2, 5.0))
    assert np.isnan(step).any()


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ("linear", [1, 0.750025, 0.50005, 0.250075, 0.0001]),
        ("inverse", [1, 0.000399880036, 0.000199980002, 0.000133328889, 0.0001]),
        ("logarithmic", [1, 0.1, 0.01, 0.001, 0.0001]),
        ("constant", [1, 1, 1, 1, 1]),
    ],
)
def test_schedules_are_those_of_parpe(shape, expected):
    rate = learning_rate(shape, 1.0, 1e-4, 5)
    np.testing.assert_allclose([rate(epoch) for epoch in range(5)], expected, atol=1e-12, rtol=1e-8)
    assert rate(2.5) < rate(2) or shape == "constant"
    assert rate(4.6) == rate(4)


RATES = st.floats(1e-8, 1e3)


@given(st.sampled_from(sorted(SHAPES)), RATES, RATES, st.floats(2, 1e4), st.lists(st.floats(0, 2e4), min_size=2))
@settings(deadline=None, max_examples=100)
def test_rates_fall_from_the_first_to_the_last_and_never_leave_their_range(shape, one, other, epochs, at):
    start, end = max(one, other), min(one, other)
    rate = learning_rate(shape, start, end, epochs)
    found = np.array([rate(epoch) for epoch in sorted(at)])
    assert rate(0) == pytest.approx(start) and rate(epochs) == pytest.approx(start if shape == "constant" else end)
    assert (np.diff(found) <= 1e-9 * start).all()
    assert (found >= end - 1e-9 * start).all() and (found <= start * (1 + 1e-9)).all()


@given(st.sampled_from(known_rules()), st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=6), st.integers(1, 20))
@settings(deadline=None, max_examples=100)
def test_steps_go_down_the_first_gradient_and_are_finite(name, gradient, repeats):
    updater, gradient = Updater(name, len(gradient)), np.array(gradient)
    x, wall = np.zeros(len(gradient)), np.full(len(gradient), np.inf)
    for t in range(1, repeats + 1):
        x = updater.step(x, gradient, 0.1, t, -wall, wall)
    assert np.isfinite(x).all() and (x * gradient <= 0).all()


def test_a_schedule_needs_epochs_to_interpolate_between():
    with pytest.raises(InputError, match="2 epochs"):
        learning_rate("linear", 1.0, 0.1, 1)


SETTINGS = {
    "epochs": 2,
    "optimizer": {"rule": "sgd"},
    "schedule": {"name": "S", "start": 1.0, "end": 0.1},
    "batch_size": 1,
}


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (
            "schedule",
            {"name": "S", "start": 1.0, "end": 0.1, "shape": "cubic"},
            "schedule.shape: unknown shape 'cubic'",
        ),
        ("schedule", {"name": "S", "start": 1.0, "end": 0.0}, "end = 0.0: 0.0 is not above 0"),
        ("optimizer", {"rule": "sdg"}, "settings.optimizer.rule: unknown rule 'sdg' .did you mean 'sgd'"),
        ("optimizer", {}, "exactly one of rule or torch must be given"),
        ("optimizer", {"rule": "sgd", "arguments": {"momentum": 0.9}}, "'torch' only"),
        ("optimizer", {"rule": "sgd", "then": "adam"}, "then: unknown full-batch optimizer 'adam'"),
        ("optimizer", {"rule": "sgd", "then": "fides", "share": 1.0}, "share = 1.0: 1.0 is not below 1"),
        ("batch_size", "half", "batch_size = 'half': expected a whole number or 'full'"),
        ("batch_size", 0, "batch_size = 0: 0 is less than the minimum of 1"),
        ("safeguard", {"name": "a", "rescue": 3}, "settings.safeguard.rescue = 3: expected 0, 1 or 2"),
        ("safeguard", {"name": "a", "line_search": -1}, "line_search = -1: -1 is less than the minimum of 0"),
    ],
)
def test_impossible_settings_are_refused(key, value, message):
    with pytest.raises(InputError, match=message):
        read_options(MinibatchOptions, {**SETTINGS, key: value})
