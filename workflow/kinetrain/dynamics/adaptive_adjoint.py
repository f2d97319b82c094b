"""The published way to solve and differentiate: adaptive Dormand-Prince and the continuous adjoint, pair by pair.

Hossain et al. 2024 use torchdiffeq with relative tolerance 1e-7 and absolute tolerance 1e-9. Slow; the reference that
the fast integrators are held against.
"""

import torch
from torchdiffeq import odeint_adjoint

from kinetrain.dynamics.rk4 import loss


class _Flow(torch.nn.Module):
    """The vector field of one model as the module that torchdiffeq asks for."""

    def __init__(self, field, parameters):
        super().__init__()
        self.field = field
        self.weights = torch.nn.ParameterDict(parameters)

    def forward(self, time, state):
        return self.field.derivative(dict(self.weights), state)


def predict(flows, start, duration, relative=1e-7, absolute=1e-9):
    """Return the states (M, B, k) at the end of the transitions; every transition is a solve of its own."""
    return torch.stack(
        [
            torch.cat([_solve(flow, *pair, relative, absolute) for pair in zip(states, lengths, strict=True)])
            for flow, states, lengths in zip(flows, start, duration, strict=True)
        ]
    )


def _solve(flow, state, length, relative, absolute):
    times = torch.stack([torch.zeros_like(length), length])
    return odeint_adjoint(flow, state[None, None], times, rtol=relative, atol=absolute, method="dopri5")[-1, 0]


def value_and_gradient(field, parameters, start, end, duration, weight, relative=1e-7, absolute=1e-9):
    """Return the loss (M,) of every model and the dict of its gradients, as `rk4.value_and_gradient` does."""
    flows = [
        _Flow(field, {name: tensor[model : model + 1].clone() for name, tensor in parameters.items()})
        for model in range(len(start))
    ]
    value = loss(predict(flows, start, duration, relative, absolute), end, weight)
    value.sum().backward()
    gradients = {name: torch.cat([flow.weights[name].grad for flow in flows]) for name in parameters}
    return value.detach(), gradients
