"""The published integrator: adaptive Dormand-Prince and continuous adjoint, one transition at a time.

Hossain et al. 2024 use torchdiffeq with relative tolerance 1e-7 and absolute tolerance 1e-9. Slow; the reference that
the fast integrators are compared with.
"""

import torch
from torchdiffeq import odeint_adjoint

from kinetrain.neural.integrators.rk4 import loss

TOGETHER = False  # models are solved one after the other
RELATIVE, ABSOLUTE = 1e-7, 1e-9


class _Flow(torch.nn.Module):
    """The vector field of one model as the module that torchdiffeq asks for."""

    def __init__(self, field, parameters):
        super().__init__()
        self.field = field
        self.weights = torch.nn.ParameterDict(parameters)

    def forward(self, time, state):
        return self.field.derivative(dict(self.weights), state)


def predict(field, parameters, start, duration, steps=None):
    """Return the states (M, B, k) at the end of the transitions; every transition is a solve of its own."""
    return _predict(_flows(field, parameters), start, duration)


def value_and_gradient(field, parameters, start, end, duration, weight, steps=None, mask=None):
    """Return the loss (M,) of every model and the dict of its gradients, as `rk4.value_and_gradient` does.

    The solver chooses its steps by itself.
    """
    flows = _flows(field, parameters)
    value = loss(_predict(flows, start, duration), end, weight)
    value.sum().backward()
    gradients = {name: torch.cat([flow.weights[name].grad for flow in flows]) for name in parameters}
    return value.detach(), gradients


def _flows(field, parameters) -> list[_Flow]:
    """Return one vector field per model, with parameters of its own."""
    models = len(next(iter(parameters.values())))
    rows = [{name: tensor[model : model + 1].clone() for name, tensor in parameters.items()} for model in range(models)]
    return [_Flow(field, row) for row in rows]


def _predict(flows, start, duration):
    return torch.stack(
        [
            torch.cat([_solve(flow, *pair) for pair in zip(states, lengths, strict=True)])
            for flow, states, lengths in zip(flows, start, duration, strict=True)
        ]
    )


def _solve(flow, state, length):
    """Return the state (1, k) at the end of one transition; one of no length, which fills up a batch, stays."""
    if length == 0:
        return state[None]
    times = torch.stack([torch.zeros_like(length), length])
    return odeint_adjoint(flow, state[None, None], times, rtol=RELATIVE, atol=ABSOLUTE, method="dopri5")[-1, 0]
