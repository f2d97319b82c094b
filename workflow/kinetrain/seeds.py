"""Seeds: the random numbers of every use, from a seed of the configuration and the number of the use.

What one use draws depends on no other use. Another number gives other results. Measurements of solvers, checks of
gradients and intervals by resampling do not depend on the configuration: they have fixed seeds where they are drawn.
"""

import numpy as np

# Uses of data, neural models and enrichment: these numbers follow the seed, then an epoch or a mini-batch.
INITIAL_WEIGHTS = 1
EXPRESSION_NOISE = 2
SPLIT = 3
NETWORK = 4
INITIAL_STATES = 5
FIRST_SCORES = 6
TIES = 7
BATCHES = 8
NOISE_OF_METHOD = 9
START_OF_METHOD = 10
SCORES_OF_METHOD = 11
FOLDS = 12
DECAY_RATES = 13
PERMUTATIONS = 58
EQUAL_INFLUENCES = 59
CONTROL = 60
GENE_SETS = 61
CORRUPTION = 74

# Uses of PEtab problems: these numbers follow the seed and the numbers of replicate and start, as far as there are any.
# A starting point is drawn from the seed and its own number alone, so that all replicates and optimizers share it.
SHUFFLING = 1
CONDITIONS = 2
GROUPS = 3
REACTIONS = 75


def generator(seed: int, *use: int) -> np.random.Generator:
    """Return the generator of random numbers of one use of a seed."""
    return np.random.default_rng([seed, *use])
