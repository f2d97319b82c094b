"""Correlation of expression with the changes that follow, own expression and a constant projected out of both."""

import numpy as np

from kinetrain.yardsticks.changes import Answer, Changes, columns
from kinetrain.yardsticks.methods import ALL_AT_ONCE

LABEL = "Lagged correlation"
REFERENCE = "partial correlation at the lag of one transition"
USES_PRIOR = False
MOST_WORK = ALL_AT_ONCE


def infer(changes: Changes) -> Answer:
    """Return the network of absolute correlations, all of which are edges; it predicts nothing."""
    correlation = correlations(changes)
    return Answer(np.abs(correlation), effect=correlation)


def correlations(changes: Changes) -> np.ndarray:
    """Return the correlations (k, k) [target, regulator]; 0 where one of the two does not vary.

    Changes are divided by the length of the interval, as without decay.
    """
    at = columns(changes, 0.0)
    gram, product = at.columns.T @ at.columns, (at.columns.T @ at.response).T
    size, own = np.diag(gram), np.diag(product)
    known = np.where(size > 0, size, np.inf)
    covariance = product - own[:, None] / known[:, None] * gram
    regulator = size[None, :] - gram**2 / known[:, None]
    change = (at.response**2).sum(axis=0) - own**2 / known
    lengths = np.sqrt(np.maximum(regulator, 0) * np.maximum(change, 0)[:, None])
    varies = (regulator > 1e-9 * len(at.weight)) & (change > 1e-12 * np.mean(at.response**2))[:, None]
    correlation = np.divide(covariance, lengths, out=np.zeros_like(gram), where=varies)
    np.fill_diagonal(correlation, 0)
    return correlation
