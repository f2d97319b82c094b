"""Statistics of repeated runs: hierarchical bootstrap, intervals, correction of p values, and what intervals decide."""

from functools import lru_cache

import numpy as np
import pandas as pd

LEVEL = 0.95  # of all intervals
RESAMPLES = 2000
# Of fewer values not even a sign test of values that all agree is below 0.05: nothing is decided, no bootstrap has an
# interval (it could at most reach from the lowest to the highest), and equal values do not tell what others would be.
FEWEST = 6
FEWEST_SEEDS = 3  # models of a mean that is judged without an interval, a choice of ours: two say little of others
SHARE, POSITIVE = (0.0, 1.0), (0.0, np.inf)  # scales of shares (accuracies, areas), and of errors
ROUNDING = 1e-12  # in a value at an end of its scale, or in equal ones
BLOCK = ["problem", "replicate", "start"]  # from the outermost to the innermost level of resampling


def hierarchical_weights(blocks: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights of the blocks in the hierarchical mean (n,), and in its bootstrap draws (RESAMPLES, n).

    blocks: one row per repeated measurement, with columns problem, replicate and start. The mean is that over problems
    of the mean over replicates of the mean over starts. Each draw takes problems with replacement, then replicates of
    each, then starts of each, so that `draws @ values` is the bootstrap distribution of any such mean. Blocks that are
    compared have the same draws, which keeps pairs together.

    Source: hierarchical bootstrap over model > replicate > start, a choice of ours.
    """
    return _weights(tuple(blocks[BLOCK].itertuples(index=False, name=None)))


@lru_cache(maxsize=8)  # many settings have the same blocks
def _weights(rows: tuple) -> tuple[np.ndarray, np.ndarray]:
    random, count = np.random.default_rng(len(rows)), len(rows)
    weights, draws = np.zeros(count), np.zeros((RESAMPLES, count))
    groups = [(np.arange(count), 1.0, np.ones(RESAMPLES, dtype=int), 1.0)]
    for level in range(len(BLOCK)):
        keys, deeper = np.array([row[level] for row in rows]), []
        for members, weight, drawn, unit in groups:
            names, place = np.unique(keys[members], return_inverse=True)
            # a group drawn twice draws its own members twice as often, independently each time
            counts = random.multinomial(drawn * len(names), np.full(len(names), 1 / len(names)))
            for index in range(len(names)):
                inside = members[place == index]
                deeper.append((inside, weight / len(names), counts[:, index], unit / len(names)))
        groups = deeper
    for members, weight, drawn, unit in groups:
        weights[members] = weight / len(members)
        draws[:, members] = (drawn * unit / len(members))[:, None]
    return weights, draws


def interval(values, number: int) -> tuple[float, float]:
    """Return the 95 % percentile interval of bootstrap values of `number` blocks; NaN with fewer than FEWEST.

    The values may be infinite. The interval leaves out 0 where the two-sided p value of `pairs` is below 0.05.

    Source: Davison & Hinkley 1997, section 5.3.1: of R values that of rank (R + 1) α/2, and its mirror image.
    """
    if number < FEWEST:
        return np.nan, np.nan
    values = np.sort(np.asarray(values, dtype=float))
    tail = max(int((len(values) + 1) * (1 - LEVEL) / 2) - 1, 0)
    return float(values[tail]), float(values[-1 - tail])


def mean_over_blocks(blocks: pd.DataFrame, values) -> tuple[float, float, float]:
    """Return the hierarchical mean of `values` (n,), one per block, and its 95 % bootstrap interval (`interval`)."""
    weights, draws = hierarchical_weights(blocks)
    values = np.asarray(values, dtype=float)
    middle = np.median(values[np.isfinite(values)]) if np.isfinite(values).any() else 0.0
    drawn = draws @ (values - middle)  # less the median, so that equal values have one mean in all draws
    low, high = interval(drawn, len(values))
    return float(middle + weights @ (values - middle)), float(middle + low), float(middle + high)


def quantiles_over_blocks(blocks: pd.DataFrame, values, places) -> np.ndarray:
    """Return the quantiles of `values` (n,), one per block, at `places` in (0, 1), with 95 % intervals: (places, 3).

    The interval is a hierarchical bootstrap. Infinite values (failed runs) may occur; that at 0.5 is the median.
    """
    values = np.asarray(values, dtype=float)
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    weights, draws = hierarchical_weights(blocks)
    reached = np.cumsum(np.vstack([weights, draws])[:, order], axis=1)
    found = []
    for place in places:
        below, above = ((reached > place + step).argmax(axis=1) for step in (-1e-9, 1e-9))
        drawn = (ordered[below] + ordered[above]) / 2  # as the median of an even number
        found.append((drawn[0], *interval(drawn[1:], len(values))))
    return np.array(found)


def median_over_blocks(blocks: pd.DataFrame, values) -> tuple[float, float, float]:
    """Return the median of `values` (n,), one per block, and its 95 % hierarchical bootstrap interval."""
    median, low, high = quantiles_over_blocks(blocks, values, [0.5])[0]
    return float(median), float(low), float(high)


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95 % Wilson interval of a rate; NaN without trials. Source: Wilson 1927."""
    from scipy import stats

    if not trials:
        return np.nan, np.nan
    found = stats.binomtest(int(successes), int(trials)).proportion_ci(LEVEL, method="wilson")
    return float(found.low), float(found.high)


def holm(p_values) -> np.ndarray:
    """Return p values (n,) corrected for their number by Holm's step-down procedure; NaN stays, and does not count.

    Source: Holm, Scand. J. Stat. 6:65-70 (1979).
    """
    p_values = np.asarray(p_values, dtype=float)
    corrected, known = np.full(len(p_values), np.nan), np.flatnonzero(~np.isnan(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    scaled = p_values[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return corrected


def mean_interval(values, scale=None) -> tuple[float, float, float]:
    """Return the mean of `values` and its 95 % interval by Student's t; NaN as bounds where the spread is not known.

    So it is of a single value, and of fewer than FEWEST that are all equal: of a difference they would decide anything.

    scale: the ends of what the values can be, SHARE or POSITIVE, say. The interval is then that of the logit, or of the
    logarithm where there is no upper end, of the mean (by the delta method), so that it stays within them. Missing
    values are left out; one infinite value makes the mean infinite, without bounds.

    Source: t over seeds, a choice of ours; the paper prints ranges without saying of what. Intervals on transformed
    scales: Brown, Cai, DasGupta, Stat. Sci. 16:101-133 (2001), section 4.

    Raises
    ------
    ValueError
        If a value is not within its scale.
    """
    values = np.asarray(values, dtype=float)
    values = values[~np.isnan(values)]
    if len(values) == 0:
        return np.nan, np.nan, np.nan
    if np.isinf(values).any():
        with np.errstate(invalid="ignore"):  # of opposite infinities the mean is NaN
            return float(values.mean()), np.nan, np.nan
    mean = float(values.mean())
    if scale and not scale[0] - ROUNDING <= values.min() <= values.max() <= scale[1] + ROUNDING:
        raise ValueError(f"{values.min():g} to {values.max():g} is beyond the scale {scale[0]:g} to {scale[1]:g}")
    if len(values) == 1 or (len(values) < FEWEST and np.ptp(values) <= ROUNDING * np.abs(values).max()):
        return mean, np.nan, np.nan
    from scipy import stats

    half = float(stats.t.ppf((1 + LEVEL) / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    if scale and half > ROUNDING:  # then the mean is at no end
        return mean, *_within(mean, half, *scale)
    return mean, mean - half, mean + half


def _within(mean: float, half: float, lowest: float, highest: float) -> tuple[float, float]:
    """Return the bounds mean -+ half, made on a scale on which the ends are infinitely far."""
    above, below = mean - lowest, highest - mean
    if np.isinf(highest):
        return lowest + above * float(np.exp(-half / above)), lowest + above * float(np.exp(half / above))
    odds, width = above / below, half * (1 / above + 1 / below)
    with np.errstate(over="ignore"):
        shares = [float(1 / (1 + np.exp(-side * width) / odds)) for side in (-1, 1)]
    return lowest + shares[0] * (highest - lowest), lowest + shares[1] * (highest - lowest)


def judge(difference: tuple[float, float, float], wanted: int) -> str:
    """Return better, worse or undecided for a difference with the bounds of its interval; `wanted` is its good sign."""
    bounds = wanted * difference[1], wanted * difference[2]
    return "better" if min(bounds) > 0 else "worse" if max(bounds) < 0 else "undecided"
