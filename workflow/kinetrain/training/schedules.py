"""Learning-rate schedules: the learning rate as a function of the epoch."""

import math
from collections.abc import Callable

from kinetrain.errors import InputError


def linear(start, end, r):
    """Return rates that fall by the same amount in every epoch."""
    return start - (start - end) * r


def inverse(start, end, r):
    """Return rates whose inverses rise by the same amount in every epoch."""
    return 1 / (1 / start - (1 / start - 1 / end) * r)


def logarithmic(start, end, r):
    """Return rates that fall by the same factor in every epoch."""
    return math.exp(math.log(start) - (math.log(start) - math.log(end)) * r)


def constant(start, end, r):
    """Return the rate `start` in every epoch."""
    return start


SHAPES = {"linear": linear, "inverse": inverse, "logarithmic": logarithmic, "constant": constant}


def learning_rate(shape: str, start: float, end: float, epochs: float) -> Callable[[float], float]:
    """Return the learning rate as a function of the epoch: `start` in epoch 0, `end` in epoch `epochs` - 1 and later.

    Raises
    ------
    InputError
        If there are fewer than two epochs to interpolate between.

    Source: parPE (Stapor et al. 2022); there the linear shape is the default.
    """
    if epochs < 2 and shape != "constant":
        raise InputError(
            f"a {shape} schedule needs at least 2 epochs, got {epochs:g}: give a larger budget, a hybrid a larger "
            "share of it, or the schedule the shape constant"
        )
    last = max(epochs - 1, 1)
    return lambda epoch: SHAPES[shape](start, end, min(epoch / last, 1.0))
