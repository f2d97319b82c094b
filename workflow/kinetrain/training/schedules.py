"""Learning rates by epoch."""

import numpy as np

from kinetrain.errors import InputError


def linear(start, end, r):
    """Return rates that fall by the same amount in every epoch."""
    return start - (start - end) * r


def inverse(start, end, r):
    """Return rates whose inverses rise by the same amount in every epoch."""
    return 1 / (1 / start - (1 / start - 1 / end) * r)


def logarithmic(start, end, r):
    """Return rates that fall by the same factor in every epoch."""
    return np.exp(np.log(start) - (np.log(start) - np.log(end)) * r)


def constant(start, end, r):
    """Return the rate `start` in every epoch."""
    return np.full_like(r, start)


SHAPES = {"linear": linear, "inverse": inverse, "logarithmic": logarithmic, "constant": constant}


def learning_rates(shape: str, start: float, end: float, epochs: int) -> np.ndarray:
    """Return one learning rate per epoch (epochs,), exactly `start` in the first and `end` in the last.

    Raises
    ------
    InputError
        If the shape is unknown, a rate is not positive, or there are fewer than two epochs to interpolate between.

    Source: parPE (Stapor et al. 2022); there the linear shape is the default.
    """
    if shape not in SHAPES:
        raise InputError(f"settings: schedule shape '{shape}' is unknown (known: {', '.join(SHAPES)})")
    if not (start > 0 and end > 0):
        raise InputError(f"settings: schedule rates must be positive, got start {start} and end {end}")
    if epochs < 2 and shape != "constant":
        raise InputError(f"settings: a {shape} schedule needs at least 2 epochs, got {epochs}")
    r = np.arange(epochs) / max(epochs - 1, 1)
    return SHAPES[shape](start, end, r)
