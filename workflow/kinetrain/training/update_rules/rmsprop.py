"""RMSProp: the gradient over the root of its running mean square (decay 0.9), without bias correction (parPE)."""

import numpy as np

from kinetrain.training.update_rules import DELTA

LABEL, COLOUR, PLACE = "RMSProp", "#2CA25F", 3


def direction(moments, gradient, t):
    """Return the scaled gradient and the new moments."""
    square = 0.9 * moments[1] + 0.1 * gradient**2
    return gradient / (np.sqrt(square) + DELTA), np.stack([moments[0], square])
