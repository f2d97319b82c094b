"""Gradient descent with momentum: a running mean of gradients (decay 0.8), shortened to length 1 if longer (parPE)."""

import numpy as np

LABEL, COLOUR, PLACE = "SGD + momentum", "#7A1FA2", 5

RATE_IS_LENGTH = True


def direction(moments, gradient, t):
    """Return the mean, shortened to length 1 if it is longer, and the new moments."""
    mean = 0.8 * moments[0] + 0.2 * gradient
    return mean / max(np.linalg.norm(mean), 1.0), np.stack([mean, moments[1]])
