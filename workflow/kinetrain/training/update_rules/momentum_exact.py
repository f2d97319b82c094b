"""Momentum as in parPE's code, where the norm is updated while it is used."""

import numpy as np

LABEL, COLOUR, PLACE = "SGD + momentum (parPE)", "#C2185B", 6

RATE_IS_LENGTH = True
KEEPS_PREVIOUS = True  # when moments are forgotten, in parPE the copy survives and comes back at the next undo


def direction(moments, gradient, t):
    """Return the running mean of gradients, shortened, and the new moments.

    The norm for coordinate i is that of a vector whose entries after i are still the old ones.
    """
    mean = 0.8 * moments[0] + 0.2 * gradient
    below = np.cumsum(mean**2)
    above = np.cumsum(moments[0][::-1] ** 2)[::-1] - moments[0] ** 2
    return mean / np.maximum(np.sqrt(below + above), 1.0), np.stack([mean, moments[1]])
