"""Models trained as one batch: their weights are rows of one matrix, each row with its own Adam and learning rate.

Adam works coordinate by coordinate, so no row depends on the others.
"""

import math
from collections.abc import Mapping

import numpy as np
import torch

DECAY1, DECAY2, EPSILON = 0.9, 0.999, 1e-8  # Kingma and Ba 2015


def size(shapes: dict[str, tuple[int, ...]]) -> int:
    """Return the number of parameters of one model."""
    return sum(math.prod(shape) for shape in shapes.values())


def unpack(rows, shapes: dict[str, tuple[int, ...]]) -> dict:
    """Return views {name: (M, *shape)} into the rows (M, P), an array or a tensor."""
    views, at = {}, 0
    for name, shape in shapes.items():
        views[name] = rows[:, at : at + math.prod(shape)].reshape(len(rows), *shape)
        at += math.prod(shape)
    return views


def pack(parts: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Return the rows (M, P) whose views `unpack` would give; those that the parts are views of already, if they are.

    Such parts (`integrators.fused.Gradients`) have the attribute `rows`.
    """
    return parts.rows if hasattr(parts, "rows") else torch.cat([part.flatten(1) for part in parts.values()], dim=1)


def padded(batches: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return batches of indices as rows of one array (M, B), and 1 or, where a shorter batch is padded, 0 (M, B)."""
    indices = np.zeros((len(batches), max(map(len, batches))), int)
    present = np.zeros(indices.shape, np.float32)
    for row, batch in enumerate(batches):
        indices[row, : len(batch)], present[row, : len(batch)] = batch, 1
    return indices, present


def adam_step(weights, gradient, first, second, rates, updates, mask=1) -> None:
    """Move the weights (M, P) in place by one step of Adam; first and second are its moments, in place too.

    rates (M, P) or (M, 1): learning rate of every weight; updates (M,): steps made by each model, this one included;
    mask (M, P): false for weights that must stay zero, whose moments are zero already.
    """
    correction1, correction2 = (1 - decay ** updates[:, None].double() for decay in (DECAY1, DECAY2))
    gradient = gradient * mask
    first.lerp_(gradient, 1 - DECAY1)
    second.mul_(DECAY2).addcmul_(gradient, gradient, value=1 - DECAY2)
    # m̂ / (√v̂ + ε) with both bias corrections moved into the denominator: fewer passes over the weights
    denominator = second.sqrt().mul_((correction1 / correction2.sqrt()).to(second.dtype))
    denominator.add_((EPSILON * correction1).to(second.dtype))
    weights.addcmul_(torch.div(first, denominator, out=denominator), rates, value=-1)
