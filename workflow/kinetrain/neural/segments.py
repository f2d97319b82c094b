"""Segments of a batch of models with different numbers of solver steps: finished models drop out from the end."""

from itertools import pairwise


def segments(steps: list[int]) -> list[tuple[int, int]]:
    """Return (models, count): the first `models` models make `count` further steps together.

    `steps` (one number per model) must not increase, so that the unfinished models are always the first ones.
    """
    if any(later > earlier for earlier, later in pairwise(steps)):
        raise ValueError(f"steps must not increase from model to model: {steps}")
    levels = [0, *sorted(set(steps))]
    return [(sum(own >= upper for own in steps), upper - lower) for lower, upper in pairwise(levels)]
