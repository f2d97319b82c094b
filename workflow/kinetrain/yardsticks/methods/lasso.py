"""Lasso of the changes on all other genes, with the penalty chosen by BIC for each target; no prior."""

import warnings

import numpy as np

from kinetrain.yardsticks.changes import Answer, Changes, columns, linear_answer
from kinetrain.yardsticks.methods import ridge

LABEL = "Lasso"
REFERENCE = "Tibshirani 1996; least angle regression, BIC of Zou, Hastie & Tibshirani 2007"
USES_PRIOR = False
MOST_WORK = 1e9
STEPS = 100  # of the path: regulators of one target at most


def infer(changes: Changes) -> Answer:
    """Return the network of the coefficients that are not zero, and its predictions."""
    found = ridge.fit(changes)
    coefficients, _ = lasso(changes, found)
    return linear_answer(changes, found.rate, coefficients, found.noise)


def lasso(changes: Changes, found: ridge.Fit, trust=None) -> tuple[np.ndarray, float]:
    """Return the coefficients (k, k) of standardised columns, and the sum of the BIC over the targets.

    Own expression and a constant are projected out, without penalty. `trust` (k, k): by how much a column is larger
    than standardised, so that its coefficient is penalised less; None is 1 everywhere.
    """
    genes = len(found.rate)
    coefficients, total = np.zeros((genes, genes)), 0.0
    for rate in np.unique(found.rate):
        at = columns(changes, rate)
        products = at.columns.T @ at.columns if len(at.columns) > genes else None  # of all columns, for all targets
        for target in np.flatnonzero(found.rate == rate):
            factor = np.ones(genes) if trust is None else trust[target]
            coefficients[target], criterion = _one(at, products, target, found.noise[target], factor)
            total += criterion
    return coefficients, total


def _one(at, products, target, noise, factor) -> tuple[np.ndarray, float]:
    """Return the coefficients (k,) of one target and its BIC."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LassoLarsIC  # here, so that reading LABEL needs no scikit-learn

    transitions, own = len(at.columns), at.columns[:, target]
    shares = own @ at.columns / transitions  # of the own column in the others: its mean square is 1, or 0
    persistence = own @ at.response[:, target] / transitions
    response = at.response[:, target] - persistence * own
    variance = np.mean(response**2)
    squares = at.used - shares**2  # mean squares of the others once the own column is projected out
    used = np.flatnonzero((squares > 1e-9) & (np.arange(len(squares)) != target))
    coefficient = np.zeros(len(squares))
    coefficient[target] = persistence
    if noise <= 0 or variance <= 1e-12 * np.mean(at.response**2) or not len(used):
        return coefficient, 0.0  # no other gene is needed to explain the changes, or there are none
    scale = factor[used] / np.sqrt(squares[used])
    left = (at.columns[:, used] - np.outer(own, shares[used])) * scale
    if products is not None:
        inner = products[np.ix_(used, used)] - transitions * np.outer(shares[used], shares[used])
        products = inner * np.outer(scale, scale)
    # noise far below the signal changes no choice, but its inverse would exceed the precision of the path
    noise = max(noise, 1e-9 * variance)
    steps = min(STEPS, transitions - 2)
    path = LassoLarsIC("bic", fit_intercept=False, precompute=products, noise_variance=noise, max_iter=steps)
    with warnings.catch_warnings():
        # genes that move alike: the path goes on without one of them, or ends where nothing is left to explain
        warnings.simplefilter("ignore", ConvergenceWarning)
        path.fit(left, response)
    coefficient[used] = path.coef_ * scale
    coefficient[target] -= shares @ np.where(np.arange(len(squares)) == target, 0, coefficient)
    return coefficient, float(path.criterion_.min())
