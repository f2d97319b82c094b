"""Classical Runge-Kutta of any vector field, many transitions with different durations as one batch.

The field does not depend on time, so a transition of length d is the unit interval of dy/ds = d f(y): transitions
of any length are rows of one batch (Hossain et al. 2024 solve them one by one). Each model has its own number of
steps per transition; the models are ordered so that these do not increase.
"""

import torch

from kinetrain.neural.segments import segments

TOGETHER = True  # many models are solved as one batch


def predict(field, parameters, start, duration, steps: list[int]):
    """Return the states (M, B, k) at the end of transitions that start at (M, B, k) and last (M, B)."""
    scale = (duration / torch.tensor(steps).to(duration)[:, None])[..., None]
    state = start
    for models, count in segments(steps):
        head = {name: tensor[:models] for name, tensor in parameters.items()}
        ended = state[:models]
        for _ in range(count):
            ended = _step(lambda y, head=head: field.derivative(head, y), ended, scale[:models])
        state = torch.cat([ended, state[models:]])
    return state


def _step(derivative, state, scale):
    slope1 = scale * derivative(state)
    slope2 = scale * derivative(state + slope1 / 2)
    slope3 = scale * derivative(state + slope2 / 2)
    slope4 = scale * derivative(state + slope3)
    return state + (slope1 + 2 * (slope2 + slope3) + slope4) / 6


def loss(predicted, end, weight):
    """Return the mean squared error (M,) over rows and genes; rows count by their weight (M, B), 0 or 1."""
    squares = (predicted - end).square().mean(dim=2)
    return (squares * weight).sum(dim=1) / weight.sum(dim=1)


def production_error(field, parameters, states, wanted):
    """Return the mean squared difference (M,) of the production at states (M, Q, k) from what is wanted (M, Q, k).

    It is differentiable in the parameters.
    """
    return (field.production(parameters, states) - wanted).square().mean(dim=(1, 2))


def value_and_gradient(field, parameters, start, end, duration, weight, steps: list[int], mask=None):
    """Return the loss (M,) of every model and the dict of its gradients with respect to its parameters.

    start, end (M, B, k); duration, weight (M, B); steps: one number per model, not increasing; mask: {name: (M,
    *shape)}, where the gradient is not wanted an integrator may leave it out (this one does not). The field's own
    derivative of the solver is used where it has one, autograd elsewhere; both differentiate the steps really made
    (discretise, then optimise).
    """
    own = getattr(field, "value_and_gradient", None)
    if own is not None:
        return own(parameters, start, end, duration, weight, steps)
    return autograd_value_and_gradient(field, parameters, start, end, duration, weight, steps)


def autograd_value_and_gradient(field, parameters, start, end, duration, weight, steps: list[int]):
    """Return what `value_and_gradient` returns, by automatic differentiation of `predict`."""
    leaves = {name: tensor.detach().requires_grad_() for name, tensor in parameters.items()}
    value = loss(predict(field, leaves, start, duration, steps), end, weight)
    gradients = torch.autograd.grad(value.sum(), list(leaves.values()))  # models are independent: one sum for all
    return value.detach(), dict(zip(leaves, gradients, strict=True))
