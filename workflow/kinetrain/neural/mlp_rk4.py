"""Loss and gradient of the perceptron with one hidden layer through Runge-Kutta steps, by hand and in its hidden units.

With u = W1 g + b1 the field dg/dt = W2 elu(u) + b2 − g closes over the m hidden units:

    du/dt = A elu(u) + d − u    with A = W1 W2 and d = W1 b2 + b1

Runge-Kutta steps are equivariant to such linear maps, so that the stages are those of the k genes, at a cost of m² per
row instead of 2 k m. The genes themselves decay towards what the stages produce, hence their end is a weighted sum:

    g_end = r g_start + W2 Σ_s c_s elu(u_s) + (1 − r) b2

with c_s the weight of a stage and r the decay over all steps, polynomials in the step length. The adjoint walks the
same stages in reverse; the gradients of both matrices are then a few products.
"""

from itertools import groupby

import numpy as np
import torch


def value_and_gradient(parameters, start, end, duration, weight, steps):
    """Return the loss (M,) of every model and the dict of its gradients, for the parameters w1, b1, w2 and b2.

    Arguments as in `rk4.value_and_gradient`. Exactly the derivative of the steps made: agrees with autograd to
    rounding. Models of the same number of steps are solved together.
    """
    values, gradients, at = [], [], 0
    for count, members in groupby(steps):
        group = slice(at, at + len(list(members)))
        at = group.stop
        own = {name: tensor[group] for name, tensor in parameters.items()}
        rows = (tensor[group] for tensor in (start, end, duration, weight))
        value, gradient = _same_steps(own, *rows, count)
        values.append(value)
        gradients.append(gradient)
    return torch.cat(values), {name: torch.cat([one[name] for one in gradients]) for name in parameters}


@torch.no_grad()
def _same_steps(parameters, start, end, duration, weight, steps: int):
    """Return loss and gradients of models that all take `steps` steps."""
    w1, b1, w2, b2 = (parameters[name] for name in ("w1", "b1", "w2", "b2"))
    scale = (duration / steps)[..., None]
    inner, drive = torch.bmm(w1, w2), torch.baddbmm(b1[..., None], w1, b2[..., None]).mT
    first = torch.baddbmm(b1[:, None], start, w1.mT)
    share, decay = _stage_weights(scale, steps)
    curves, stages, pulls = first.new_empty((3, 4 * steps, *first.shape))
    _walk(_forward, inner, drive, first, scale, curves, stages)
    summed = (share * stages).sum(dim=0)
    state = torch.baddbmm((1 - decay) * b2[:, None], summed, w2.mT).addcmul_(decay, start)
    residual = state - end
    counted = (weight / weight.sum(dim=1, keepdim=True) / start.shape[2])[..., None]
    value = (residual.square() * counted).sum(dim=(1, 2))
    adjoint = residual.mul_(counted).mul_(2)
    pulled = torch.zeros_like(first)
    _walk(_backward, inner, scale, curves, share * torch.bmm(adjoint, w2), pulls, pulled)
    pulls, stages = (part.transpose(0, 1).flatten(1, 2) for part in (pulls, stages))
    by_inner, by_drive = torch.bmm(pulls.mT, stages), pulls.sum(dim=1)
    return value, {
        "w1": torch.bmm(pulled.mT, start).baddbmm_(by_inner, w2.mT).baddbmm_(by_drive[..., None], b2[:, None]),
        "b1": by_drive + pulled.sum(dim=1),
        "w2": torch.bmm(adjoint.mT, summed).baddbmm_(w1.mT, by_inner),
        "b2": torch.baddbmm(((1 - decay) * adjoint).sum(dim=1)[..., None], w1.mT, by_drive[..., None])[..., 0],
    }


def _stage_weights(scale, steps: int):
    """Return the weights (S, M, B, 1) of all stages in the end of the genes, and their decay (M, B, 1).

    Those of a step are what the fourth-order scheme makes of dx/ds = f − x with a value of f at each stage.
    """
    second = scale * scale
    third = second * scale / 12
    fourth = scale / 6
    middle = scale / 3 - second / 6
    of_step = torch.stack([fourth - second / 6 + third - third * scale / 2, middle + third, middle, fourth])
    decay = 1 - of_step.sum(dim=0)
    powers = torch.arange(steps, -1, -1, dtype=scale.dtype, device=scale.device)
    later = decay ** powers[:, None, None, None]
    return (later[1:, None] * of_step).flatten(0, 1), later[0]


def _walk(walk, *tensors) -> None:
    """Walk over all stages, filling the last tensors, by NumPy where they are in the memory of the CPU.

    The arrays of a stage are small, and an operation of torch takes several times as long to begin as one of NumPy.
    """
    if tensors[0].is_cpu:
        walk(np.exp, np.minimum, *(one.numpy() for one in tensors))
    else:
        walk(torch.exp, torch.clamp_max, *tensors)


def _forward(exp, lower_of, inner, drive, units, scale, curves, stages) -> None:
    """Fill in elu′(u) and elu(u) of all stages, each (S, M, B, m), for hidden units that start at `units`."""
    transposed = inner.swapaxes(1, 2)

    def slope(stage, at):
        below = lower_of(at, 0)
        exp(below, out=curves[stage])
        stages[stage] = at - below + curves[stage] - 1
        return (stages[stage] @ transposed + (drive - at)) * scale

    for stage in range(0, len(stages), 4):
        slope1 = slope(stage, units)
        slope2 = slope(stage + 1, units + 0.5 * slope1)
        slope3 = slope(stage + 2, units + 0.5 * slope2)
        slope4 = slope(stage + 3, units + slope3)
        units = units + (slope1 + slope4 + 2 * (slope2 + slope3)) / 6


def _backward(exp, lower_of, inner, scale, curves, direct, pulls, adjoint) -> None:
    """Fill in the adjoints of A elu(u) + d at all stages (S, M, B, m), and add that of the first u to `adjoint`.

    direct (S, M, B, m): derivative of the loss in elu(u) of every stage by way of the genes alone.
    """

    def pull_back(stage, pull):
        pulls[stage] = pull * scale
        return (pulls[stage] @ inner + direct[stage]) * curves[stage] - pulls[stage]

    for stage in range(len(pulls) - 4, -1, -4):
        sixth = adjoint / 6
        pulled4 = pull_back(stage + 3, sixth)
        pulled3 = pull_back(stage + 2, pulled4 + 2 * sixth)
        pulled2 = pull_back(stage + 1, 0.5 * pulled3 + 2 * sixth)
        pulled1 = pull_back(stage, 0.5 * pulled2 + sixth)
        adjoint += pulled1 + pulled2 + pulled3 + pulled4
