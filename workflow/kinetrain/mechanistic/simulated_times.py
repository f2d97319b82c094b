"""Times at which both engines simulate a condition in addition to those that were measured."""

import numpy as np


def even_times(start: float, measured, count: int) -> np.ndarray:
    """Return `count` even times from the start to the last finite measured time, without those that are measured."""
    finite = measured[np.isfinite(measured)]
    return np.setdiff1d(np.linspace(start, finite.max(), count), finite) if len(finite) else np.empty(0)
