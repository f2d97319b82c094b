"""Scores of a predicted network against a gold standard, by every metric of `metrics`."""

import numpy as np

from kinetrain.networks.metrics import Prediction, find_metric, known_metrics


def edge_scores(strength, truth, prior, edges=None) -> dict[str, float]:
    """Return the scores of a prediction, {column: number}, NaN where a rate is of nothing.

    strength, truth, prior (k, k) with entry [target, regulator]; the edges are those of `edges` (k, k), or else the
    non-zero of `strength`, by whose size pairs are ranked.
    """
    predicted, truth, prior = map(_booleans, (strength if edges is None else edges, truth, prior))
    strength = np.asarray(strength)
    prediction = Prediction(strength if strength.dtype == bool else np.abs(strength), predicted, truth, prior)
    return {name: value for metric in known_metrics() for name, value in find_metric(metric).score(prediction).items()}


def _booleans(network) -> np.ndarray:
    """Return where a network has edges; a network of booleans itself, as a copy may be large."""
    network = np.asarray(network)
    return network if network.dtype == bool else network != 0
