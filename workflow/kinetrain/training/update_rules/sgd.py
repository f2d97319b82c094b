"""Gradient descent along the normalised gradient (parPE)."""

import numpy as np

LABEL, COLOUR, PLACE = "SGD", "#9E6EBD", 4

RATE_IS_LENGTH = True


def direction(moments, gradient, t):
    """Return the gradient divided by its Euclidean norm, and the moments, which are not used."""
    return gradient / (np.linalg.norm(gradient) + 1e-8), moments
