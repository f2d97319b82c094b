"""Loss and gradient of the perceptron with one hidden layer through Runge-Kutta steps, by hand and in its hidden units.

With u = W1 g + b1 the field dg/dt = W2 elu(u) + b2 − g closes over the m hidden units:

    du/dt = A elu(u) + d − u    with A = W1 W2 and d = W1 b2 + b1

Runge-Kutta steps are equivariant to such linear maps, so that the stages are those of the k genes, at a cost of m² per
row instead of 2 k m. The genes themselves decay towards what the stages produce, so their end is a weighted sum:

    g_end = r g_start + W2 Σ_s c_s elu(u_s) + (1 − r) b2

with c_s the weight of a stage and r the decay over all steps, polynomials in the step length. The adjoint goes through
the same stages in reverse; the gradients of both matrices are then a few products.
"""

from itertools import groupby

import numpy as np
import torch


def value_and_gradient(parameters, start, end, duration, weight, steps):
    """Return the loss (M,) of every model and the dict of its gradients, for the parameters w1, b1, w2 and b2.

    Arguments as in `rk4.value_and_gradient`. Exactly the derivative of the steps made: agrees with autograd to
    rounding. Models of the same number of steps are solved together, by NumPy on the CPU: the arrays are small, and an
    operation of torch takes several times as long to begin as one of NumPy.
    """
    tensors = [parameters[name].detach() for name in ("w1", "b1", "w2", "b2")] + [start, end, duration, weight]
    library = np if start.is_cpu else torch
    arrays = [tensor.numpy() for tensor in tensors] if library is np else tensors
    found, at = [], 0
    for count, members in groupby(steps):
        group = slice(at, at + len(list(members)))
        at = group.stop
        found.append(_same_steps(library, *(array[group] for array in arrays), count))
    value, *gradients = (library.concatenate(part) for part in zip(*found, strict=True))
    if library is np:
        value, *gradients = (torch.from_numpy(array) for array in (value, *gradients))
    return value, dict(zip(("w1", "b1", "w2", "b2"), gradients, strict=True))


def _same_steps(library, w1, b1, w2, b2, start, end, duration, weight, steps: int):
    """Return the losses and the four gradients of models that all take `steps` steps, as arrays of `library`."""
    scale = (duration / steps)[..., None]
    inner = w1 @ w2
    drive = ((w1 @ b2[..., None])[..., 0] + b1)[:, None]
    first = start @ _turned(w1) + b1[:, None]
    share, decay = _stage_weights(library, scale, steps)
    curves, stages = _forward(library, inner, drive, first, scale, steps)
    summed = (share * stages).sum(0)
    residual = decay * start + (1 - decay) * b2[:, None] + summed @ _turned(w2) - end
    counted = (weight / weight.sum(1)[:, None] / start.shape[2])[..., None]
    adjoint = 2 * counted * residual
    value = (adjoint * residual).sum(2).sum(1) / 2
    pulls, pulled = _backward(library, inner, scale, curves, share * (adjoint @ w2))
    pulls, stages = (part.swapaxes(0, 1).reshape(len(w1), -1, part.shape[-1]) for part in (pulls, stages))
    by_inner, by_drive = _turned(pulls) @ stages, pulls.sum(1)
    return (
        value,
        _turned(pulled) @ start + by_inner @ _turned(w2) + by_drive[..., None] * b2[:, None],
        by_drive + pulled.sum(1),
        _turned(adjoint) @ summed + _turned(w1) @ by_inner,
        ((1 - decay) * adjoint).sum(1) + (_turned(w1) @ by_drive[..., None])[..., 0],
    )


def _turned(matrices):
    """Return the transpose of every matrix."""
    return matrices.swapaxes(1, 2)


def _stage_weights(library, scale, steps: int):
    """Return the weights (S, M, B, 1) of all stages in the end of the genes, and their decay (M, B, 1).

    Those of a step are what the fourth-order scheme makes of dx/ds = f − x with a value of f at each stage.
    """
    second = scale * scale
    third = second * scale / 12
    last = scale / 6
    middle = scale / 3 - second / 6
    of_step = [last - second / 6 + third - third * scale / 2, middle + third, middle, last]
    decay = 1 - sum(of_step)
    weights, later = [], 1
    for _ in range(steps):
        weights = [later * weight for weight in of_step] + weights
        later = later * decay
    return library.stack(weights), later


def _forward(library, inner, drive, units, scale, steps: int):
    """Return elu′(u) and elu(u) of all stages, each (S, M, B, m), for hidden units that start at `units`."""
    lower_of = np.minimum if library is np else torch.clamp_max
    transposed, curves, stages = _turned(inner), [], []

    def slope(at):
        below = lower_of(at, 0)
        curves.append(library.exp(below))
        stages.append(at - below + curves[-1] - 1)
        return (stages[-1] @ transposed + (drive - at)) * scale

    for _ in range(steps):
        slope1 = slope(units)
        slope2 = slope(units + 0.5 * slope1)
        slope3 = slope(units + 0.5 * slope2)
        slope4 = slope(units + slope3)
        units = units + (slope1 + slope4 + 2 * (slope2 + slope3)) / 6
    return library.stack(curves), library.stack(stages)


def _backward(library, inner, scale, curves, direct):
    """Return the adjoints of A elu(u) + d at all stages (S, M, B, m), and that of the first hidden units (M, B, m).

    direct (S, M, B, m): derivative of the loss in elu(u) of every stage by way of the genes alone.
    """
    kept = []

    def pull_back(stage, pull):
        kept.append(pull * scale)
        return (kept[-1] @ inner + direct[stage]) * curves[stage] - kept[-1]

    adjoint = 0 * direct[0]
    for stage in range(len(direct) - 4, -1, -4):
        sixth = adjoint / 6
        pulled4 = pull_back(stage + 3, sixth)
        pulled3 = pull_back(stage + 2, pulled4 + 2 * sixth)
        pulled2 = pull_back(stage + 1, 0.5 * pulled3 + 2 * sixth)
        pulled1 = pull_back(stage, 0.5 * pulled2 + sixth)
        adjoint = adjoint + pulled1 + pulled2 + pulled3 + pulled4
    return library.stack(kept[::-1]), adjoint
