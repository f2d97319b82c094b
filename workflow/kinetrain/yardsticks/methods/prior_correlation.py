"""The prior, its edges ranked by lagged correlation, before all other pairs ranked likewise."""

import numpy as np

from kinetrain.yardsticks.changes import Answer, Changes
from kinetrain.yardsticks.methods.lagged_correlation import correlations

LABEL = "Prior + correlation"
REFERENCE = "the prior alone is a low bar for rankings: its ties count in random order"
USES_PRIOR = True
MOST_WORK = 1e11


def infer(changes: Changes) -> Answer:
    """Return the prior as the network, and a ranking of all pairs."""
    correlation = correlations(changes)
    return Answer(np.abs(correlation) + changes.prior, edges=changes.prior, effect=correlation * changes.prior)
