"""Line searches on the mini-batch of a step: shorten a step that does not improve the objective of the mini-batch.

Each takes `step(rate)`, which returns the point (n,) that a step of this rate leads to and leaves the updater as after
that step; `cost(x)`, which asks for the objective of the batch without gradient (`requests`), `inf` where it failed;
where the steps `begin` (n,), with the `value` and the `gradient` (n,) of the batch; the `rate` of the whole step; and
`limit`, how often it may be shortened. Each is a generator of requests that returns the point to go to.
"""

import numpy as np

from kinetrain.training.requests import Steps

ARMIJO = 1e-4


def published(step, cost, begin, value, gradient, rate, limit) -> Steps:
    """Interpolate by a parabola and then by cubics (Dennis and Schnabel), with the peculiarities of parPE.

    The slope is per unit of distance but the abscissa a rate; trials have no bounds; the last cubic is kept only if it
    improves on `value`; and the point that is kept is evaluated again. A trial at NaN counts as failed (in parPE NaN
    becomes the lower bound).

    Source: parPE; Stapor et al. 2022, Fig. 8 (which calls it backtracking).
    """

    def trial(rate):
        # A failed trial is infinite, and what is interpolated through it need not exist. Only arithmetic is silenced:
        # while a generator waits, its setting of NumPy would hold for other code.
        with np.errstate(all="ignore"):
            x = step(rate)
        return (yield from cost(x)), x

    first, x = yield from trial(rate := np.float64(rate))
    if first <= value:
        return x
    length = np.linalg.norm(x - begin)
    with np.errstate(all="ignore"):
        slope = (x - begin) / length @ gradient
    if slope > 0:
        return (yield from _uphill(trial, value, slope * length, rate, first))
    with np.errstate(all="ignore"):
        shorter = -0.5 * slope * rate**2 / (first - value - slope * rate)
    second, x = yield from trial(shorter)
    if second < value:
        return x
    if limit < 2:
        return (yield from trial(rate))[1] if second > first else x
    return (yield from _cubics(trial, value, slope, [(rate, first), (shorter, second)], limit))


def _uphill(trial, value, rise, rate, first) -> Steps:
    """Halve the step, and keep the better one: the step was no descent (momentum, scaling, clipping)."""
    longer = first < value - 2 * rise  # never, as both are positive here
    second, x = yield from trial(2 * rate if longer else rate / 2)
    return (yield from trial(rate))[1] if second > first else x


def _cubics(trial, value, slope, latest, limit) -> Steps:
    """Try minima of the cubics through the latest two trials (rate, cost) until one improves on `value`."""
    (a1, f1), (a2, f2) = latest
    for j in range(2, limit + 1):
        a3 = _lowest(value, slope, a1, f1, a2, f2)
        f3, x = yield from trial(a3)
        if f3 < value:
            return x
        if j < limit:
            (a1, f1), (a2, f2) = (a2, f2), (a3, f3)
    return (yield from trial(a1 if f1 < f2 else a2))[1]


def _lowest(value, slope, a1, f1, a2, f2):
    with np.errstate(all="ignore"):
        v1, v2 = f2 - value - slope * a2, f1 - value - slope * a1
        scale = (a1 * a2) ** 2 * (a2 - a1)
        cubic, square = (a1**2 * v1 - a2**2 * v2) / scale, (-(a1**3) * v1 + a2**3 * v2) / scale
        return (-square + np.sqrt(square**2 - 3 * cubic * slope)) / (3 * cubic)


def corrected(step, cost, begin, value, gradient, rate, limit) -> Steps:
    """Halve the step at most `limit` times, until it satisfies Armijo's condition; keep the best of all trials.

    Where every trial fails the shortest one is kept, and the next evaluation fails.
    """
    trials = []
    for _ in range(limit + 1):
        x = step(rate)
        trials.append(((yield from cost(x)), rate))
        if trials[-1][0] <= value + ARMIJO * min(gradient @ (x - begin), 0.0):
            return x
        rate = rate / 2
    return step(min(trials)[1])


SEARCHES = {"published": published, "corrected": corrected}
