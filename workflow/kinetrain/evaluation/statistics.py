"""Summaries of repeated runs."""

import numpy as np
from scipy import stats


def bootstrap_interval(values, level: float = 0.95, resamples: int = 2000, seed: int = 0) -> tuple[float, float]:
    """Return the percentile bootstrap interval of the median of `values`; infinite values (failed runs) may occur.

    Source: percentile bootstrap over starts, a choice of ours.
    """
    values = np.asarray(values, dtype=float)
    random = np.random.default_rng([seed, len(values)])
    medians = np.sort(np.median(random.choice(values, (resamples, len(values))), axis=1))
    tail = int(resamples * (1 - level) / 2)
    return float(medians[tail]), float(medians[-1 - tail])


def mean_interval(values, level: float = 0.95) -> tuple[float, float, float]:
    """Return the mean of `values` and its confidence interval by Student's t; NaN as bounds for a single value.

    Missing values are left out. Source: t over seeds, a choice of ours; the paper prints ranges without saying of what.
    """
    values = np.asarray(values, dtype=float)
    values = values[np.isfinite(values)]
    if len(values) == 0:
        return np.nan, np.nan, np.nan
    mean = float(values.mean())
    if len(values) == 1:
        return mean, np.nan, np.nan
    half = float(stats.t.ppf((1 + level) / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    return mean, mean - half, mean + half
