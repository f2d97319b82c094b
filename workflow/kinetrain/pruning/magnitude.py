"""Scores of weights by magnitude: the data terms of Hossain et al. 2024 (NeurIPS), eqs. of DASH."""

import numpy as np


def normalised_magnitudes(event) -> dict[str, np.ndarray]:
    """Return the magnitudes of the field's matrices at an event, {matrix: array}, each divided by its sum."""
    terms = event.field.magnitudes(event.weights)
    return {name: term / (term.sum() or 1.0) for name, term in terms.items()}
