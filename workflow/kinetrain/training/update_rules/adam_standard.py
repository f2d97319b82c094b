"""Adam with the decays 0.9 and 0.999 of the literature (Kingma and Ba 2015; constants of parPE)."""

import numpy as np

from kinetrain.training.update_rules import DELTA

LABEL, COLOUR, PLACE = "Adam (standard)", "#6BAED6", 2


def direction(moments, gradient, t):
    """Return the direction of Adam and the new moments."""
    return adam(moments, gradient, t, 0.999)


def adam(moments, gradient, t, decay):
    """Return the direction of Adam, whose mean square decays by `decay`, and the new moments."""
    mean = 0.9 * moments[0] + 0.1 * gradient
    square = decay * moments[1] + (1 - decay) * gradient**2
    scaled = (mean / (1 - 0.9**t)) / (np.sqrt(square / (1 - decay**t)) + DELTA)
    return scaled, np.stack([mean, square])
