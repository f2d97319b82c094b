"""Optimizers of torch.optim step as torch does, and can be undone, cleared, saved and restored."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", exc_type=ImportError)

from kinetrain.errors import InputError  # noqa: E402
from kinetrain.training.cost import Counted  # noqa: E402
from kinetrain.training.minibatch import Minibatch  # noqa: E402
from kinetrain.training.options import TORCH, Safeguard  # noqa: E402
from kinetrain.training.requests import complete  # noqa: E402
from kinetrain.training.torch_update_rule import TorchUpdater  # noqa: E402

GRADIENTS = np.array([(3, -4), (1, 2), (-2, 0.5), (0.1, 0.1)])
BOX = np.full(2, -5.0), np.full(2, 5.0)
CLASSES = [
    ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("Adam", {"betas": [0.9, 0.9], "amsgrad": True}),
    ("AdamW", {}),
    ("RMSprop", {"centered": True}),
    ("Adagrad", {}),
    ("Adadelta", {}),
    ("NAdam", {}),
    ("RAdam", {}),
    ("Adamax", {}),
    ("ASGD", {}),
    ("Rprop", {}),
]


def follow(updater, x, gradients, rates):
    """Return the parameters after each update from x."""
    path = []
    for t, (gradient, rate) in enumerate(zip(gradients, rates, strict=True), start=1):
        x = updater.step(x, gradient, rate, t, *BOX)
        path.append(x)
    return np.array(path)


@pytest.mark.parametrize(("name", "arguments"), CLASSES)
def test_steps_are_those_of_torch(name, arguments):
    vector = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    optimizer = getattr(torch.optim, name)([vector], lr=1.0, **arguments)
    expected, rates = [], [0.1, 0.05, 0.02, 0.01]
    for gradient, rate in zip(GRADIENTS, rates, strict=True):
        optimizer.param_groups[0]["lr"] = rate
        vector.grad = torch.tensor(gradient)
        optimizer.step()
        expected.append(vector.detach().numpy().copy())
    found = follow(TorchUpdater(name, arguments, 2), np.zeros(2), GRADIENTS, rates)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("name", "arguments"), CLASSES)
def test_a_step_can_be_undone_and_all_steps_forgotten(name, arguments):
    updater, rates = TorchUpdater(name, arguments, 2), np.full(4, 0.1)
    once = follow(updater, np.zeros(2), GRADIENTS, rates)
    updater.undo()
    np.testing.assert_array_equal(updater.step(once[2], GRADIENTS[3], 0.1, 4, *BOX), once[3])
    updater.clear()
    np.testing.assert_array_equal(follow(updater, np.zeros(2), GRADIENTS, rates), once)


@pytest.mark.parametrize(("name", "arguments"), CLASSES)
def test_a_restored_run_with_rescues_and_a_line_search_goes_on_as_it_would_have(quadratic, name, arguments):
    def fresh():
        problem = quadratic(wall=lambda x: x[0] > -0.9)
        updater, generator = TorchUpdater(name, arguments, 2), np.random.default_rng(1)
        safeguard = Safeguard(name="-", rescue=2, line_search=2, variant="corrected")
        start = np.array([-3.0, 4.0])
        return Minibatch(Counted(problem), start, *BOX, updater, lambda epoch: 0.3, 2, safeguard, generator)

    whole, first, second = fresh(), fresh(), fresh()
    for fit, steps in ((whole, 20), (first, 9)):
        for _ in range(steps):
            complete(fit.problem.problem, fit.step())
    second.restore({key: np.asarray(value) for key, value in first.as_arrays().items()})
    for _ in range(11):
        complete(second.problem.problem, second.step())
    np.testing.assert_array_equal(whole.state.x, second.state.x)


def test_every_step_stays_in_the_box():
    assert np.abs(follow(TorchUpdater("Adam", {}, 2), np.zeros(2), GRADIENTS, np.full(4, 100.0))).max() == 5


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("Adaam", {}, "no optimizer 'Adaam'"),
        ("Optimizer", {}, "no optimizer 'Optimizer'"),
        ("lr_scheduler", {}, "no optimizer 'lr_scheduler'"),
        ("Adam", {"momentum": 0.9}, "torch.optim.Adam with {'momentum': 0.9}"),
        ("Adam", {"betas": [2.0, 0.9]}, "torch.optim.Adam"),
        ("Adam", {"lr": 0.1}, "'lr' is set by the schedule"),
        ("LBFGS", {}, "torch.optim.LBFGS"),
        ("SparseAdam", {}, "torch.optim.SparseAdam"),
    ],
)
def test_what_torch_does_not_offer_is_refused(name, arguments, message):
    with pytest.raises(InputError, match=message):
        TorchUpdater(name, arguments, 2)


def test_a_configuration_may_name_all_that_move_a_vector_and_nothing_else():
    def moves(name):
        try:
            TorchUpdater(name, {}, 2)
        except InputError:
            return False
        return True

    assert [name for name in dir(torch.optim) if name[0].isupper() and moves(name)] == TORCH
