"""Models that need different numbers of solver steps, in one batch: those that are done drop out from the end."""

from itertools import pairwise


def segments(steps: list[int]) -> list[tuple[int, int]]:
    """Return (models, count): the first `models` models make `count` further steps together.

    `steps` (one number per model) must not increase, so that the models still under way are always the first ones.
    """
    if any(later > earlier for earlier, later in pairwise(steps)):
        raise ValueError(f"steps must not increase from model to model: {steps}")
    levels = [0, *sorted(set(steps))]
    return [(sum(own >= upper for own in steps), upper - lower) for lower, upper in pairwise(levels)]
