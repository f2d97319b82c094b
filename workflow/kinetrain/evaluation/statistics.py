"""Summaries of repeated runs."""

import numpy as np


def bootstrap_interval(values, level: float = 0.95, resamples: int = 2000, seed: int = 0) -> tuple[float, float]:
    """Return the percentile bootstrap interval of the median of `values`; infinite values (failed runs) may occur.

    Source: percentile bootstrap over starts, a choice of ours.
    """
    values = np.asarray(values, dtype=float)
    random = np.random.default_rng([seed, len(values)])
    medians = np.sort(np.median(random.choice(values, (resamples, len(values))), axis=1))
    tail = int(resamples * (1 - level) / 2)
    return float(medians[tail]), float(medians[-1 - tail])
