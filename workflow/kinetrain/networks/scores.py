"""Scores of a predicted network against a gold standard, by every metric of `metrics`."""

import numpy as np

from kinetrain.networks.metrics import Prediction, find_metric, known_metrics


def edge_scores(strength, truth, prior, edges=None) -> dict[str, float]:
    """Return the scores of a prediction, {column: number}, NaN where a rate is of nothing.

    strength, truth, prior (k, k) with entry [target, regulator]; the edges are those of `edges` (k, k), or else the
    non-zero of `strength`, by whose size pairs are ranked.
    """
    predicted, truth, prior = (np.asarray(one) != 0 for one in (strength if edges is None else edges, truth, prior))
    prediction = Prediction(np.abs(strength), predicted, truth, prior)
    return {name: value for metric in known_metrics() for name, value in find_metric(metric).score(prediction).items()}
