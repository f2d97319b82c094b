"""The prior, with its edges ranked by lagged correlation, before all other pairs, ranked in the same way."""

import numpy as np

from kinetrain.yardsticks.changes import Answer, Changes
from kinetrain.yardsticks.methods import ALL_AT_ONCE
from kinetrain.yardsticks.methods.lagged_correlation import correlations

LABEL = "Prior + correlation"
REFERENCE = "a ranking of the prior's edges, which are all tied in the prior alone"
USES_PRIOR = True
MOST_WORK = ALL_AT_ONCE


def infer(changes: Changes) -> Answer:
    """Return the prior as the network, and a ranking of all pairs."""
    correlation = correlations(changes)
    return Answer(np.abs(correlation) + changes.prior, edges=changes.prior, effect=correlation * changes.prior)
