"""Lasso that penalises edges of the prior less, by a factor chosen by BIC over all targets."""

import numpy as np

from kinetrain.yardsticks.changes import Answer, Changes, linear_answer
from kinetrain.yardsticks.methods import ONE_BY_ONE, ridge
from kinetrain.yardsticks.methods.lasso import lasso

LABEL = "Lasso + prior"
REFERENCE = "adaptive lasso (Zou 2006) with weights from prior knowledge, as in Greenfield et al. 2013"
USES_PRIOR = True
MOST_WORK = ONE_BY_ONE
FACTORS = (1.0, 2.0, 4.0, 8.0)  # by which columns of the prior are larger; 1 ignores the prior


def infer(changes: Changes) -> Answer:
    """Return the network of the coefficients that are not zero, and its predictions."""
    assert changes.prior is not None  # USES_PRIOR
    found = ridge.fit(changes)
    fits = [lasso(changes, found, np.where(changes.prior, factor, 1.0)) for factor in FACTORS]
    coefficients, _ = min(fits, key=lambda fit: fit[1])
    return linear_answer(changes, found.rate, coefficients, found.noise)
