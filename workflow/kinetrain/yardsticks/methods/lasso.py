"""Lasso of the changes on all other genes, with the penalty chosen by BIC for each target; no prior."""

import warnings

import numpy as np

from kinetrain.yardsticks.changes import Answer, Changes, columns, linear_answer
from kinetrain.yardsticks.methods import ONE_BY_ONE, ridge

LABEL = "Lasso"
REFERENCE = "Tibshirani 1996; least angle regression, BIC of Zou, Hastie & Tibshirani 2007"
USES_PRIOR = False
MOST_WORK = ONE_BY_ONE
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
    best, criterion = best_on_path(left, response, products, noise)
    coefficient[used] = best * scale
    coefficient[target] -= shares @ np.where(np.arange(len(squares)) == target, 0, coefficient)
    return coefficient, criterion


def best_on_path(left, response, products, noise) -> tuple[np.ndarray, float]:
    """Return the coefficients of least BIC on the lasso's path, and this BIC without its constant.

    left (N, u): columns; products (u, u): their inner products, or None; noise: variance of the response (N,).
    As scikit-learn's LassoLarsIC with the noise given, which would make the inner products anew for every target. The
    whole path is followed: coefficients can leave it again, so that no part of it bounds the BIC of the rest.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import lars_path  # here, so that reading LABEL needs no scikit-learn

    with warnings.catch_warnings():
        # genes that move alike: the path goes on without one of them, or ends where nothing is left to explain
        warnings.simplefilter("ignore", ConvergenceWarning)
        path = lars_path(left, response, Gram=products, max_iter=min(STEPS, len(left) - 2), method="lasso")[2]
    used = np.count_nonzero(path, axis=0)
    criteria = ((response[:, None] - left @ path) ** 2).sum(axis=0) / noise + np.log(len(left)) * used
    best = np.argmin(criteria)
    return path[:, best], float(criteria[best])
