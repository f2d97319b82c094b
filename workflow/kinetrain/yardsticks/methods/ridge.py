"""Ridge regression of the changes on all genes; the decay rate of each gene is the one of lowest error."""

from dataclasses import dataclass

import numpy as np

from kinetrain.yardsticks.changes import Answer, Changes, columns, linear_answer, noise_variance
from kinetrain.yardsticks.methods import ALL_AT_ONCE

LABEL = "Ridge"
REFERENCE = "Hoerl & Kennard 1970; penalty by the error of transitions left out, one by one"
USES_PRIOR = False
MOST_WORK = ALL_AT_ONCE
PENALTIES = np.logspace(-4, 4, 17)  # times the number of transitions
CONSTANT = 10.0  # size of the column of the constant, which is hardly penalised


@dataclass(frozen=True)
class Fit:
    """Ridge regressions of k genes: rate (k,), coefficients (k, k) of standardised columns, noise (k,) variances."""

    rate: np.ndarray
    coefficients: np.ndarray
    noise: np.ndarray


def fit(changes: Changes) -> Fit:
    """Return the regressions, each at the rate and the penalty with the lowest error of transitions left out."""
    from sklearn.linear_model import RidgeCV  # here, so that reading LABEL needs no scikit-learn

    genes = changes.start.shape[1]
    best, rate, coefficients = np.full(genes, np.inf), np.zeros(genes), np.zeros((genes, genes))
    for tried in changes.rates:
        at = columns(changes, tried)
        ridge = RidgeCV(PENALTIES * len(at.weight), fit_intercept=False, alpha_per_target=True)
        own = (at.columns * at.response).mean(axis=0)  # columns have a mean square of 1, or are 0
        # the constant is projected out already; its column accounts for it in the errors of transitions left out
        constant = CONSTANT * at.weight[:, None] / np.sqrt(np.mean(at.weight**2))
        ridge.fit(np.hstack([at.columns, constant]), at.response - at.columns * own)
        better = -ridge.best_score_ < best * (1 - 1e-9)
        best[better], rate[better] = -ridge.best_score_[better], tried
        coefficients[better] = (ridge.coef_[:, :-1] + np.diag(own))[better]
    return Fit(rate, coefficients, noise_variance(changes, rate, best))


def infer(changes: Changes) -> Answer:
    """Return the network of standardised coefficients, and its predictions."""
    found = fit(changes)
    return linear_answer(changes, found.rate, found.coefficients, found.noise)
