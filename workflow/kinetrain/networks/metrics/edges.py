"""Rates of true positives and true negatives among pairs, without any ranking.

Source: Hossain et al. 2024 (NeurIPS), appendix B.5, and the DASH code; the last three columns are choices of ours.
Copying the prior gives recall_outside_prior 0 and wrong_prior_kept 1.
"""

import numpy as np

from kinetrain.networks.metrics import Prediction

COLUMNS = """
balanced_accuracy: mean of true positive and true negative rate over all pairs; an edge is an effect that is not zero
true_positive_rate: share of the true edges that are predicted
true_negative_rate: share of the other pairs that are not predicted
precision: share of the predicted edges that are true
recall_outside_prior: share of the true edges outside the prior that are predicted
wrong_prior_kept: share of the wrong edges of the prior that are predicted
"""


def score(prediction: Prediction) -> dict[str, float]:
    """Return the rates of one network."""
    return support_scores(prediction.edges, prediction.truth, prediction.prior)


def support_scores(predicted, truth, prior, among=True) -> dict[str, float]:
    """Return the rates of networks given as booleans of any one shape; `among` is where pairs count.

    Counted in bits, an eighth of the memory: of 11,165 genes a network of booleans has 125 MB, and so has each step
    of an expression of them.
    """
    pairs = int(np.count_nonzero(np.broadcast_to(among, truth.shape)))
    networks = (network if among is True else network & among for network in (predicted, truth, prior))
    predicted, truth, prior = map(np.packbits, networks)
    return packed_scores(predicted, truth, prior, pairs)


def packed_scores(predicted, truth, prior, pairs: int) -> dict[str, float]:
    """Return the rates of networks given as bits (`numpy.packbits`), with so many pairs."""
    return _rates(
        {
            "pairs": pairs,
            "true": count_bits(truth),
            "predicted": count_bits(predicted),
            "found": count_bits(predicted & truth),
            "missing_in_prior": count_bits(truth & ~prior),
            "found_outside_prior": count_bits(predicted & truth & ~prior),
            "wrong_in_prior": count_bits(prior & ~truth),
            "wrong_kept": count_bits(predicted & prior & ~truth),
        }
    )


def count_bits(bits) -> int:
    """Return how many bits are set."""
    return int(np.bitwise_count(bits).sum(dtype=int))


def _rates(count: dict) -> dict:
    """Return the rates that follow from numbers of pairs."""
    false_positives = count["predicted"] - count["found"]
    true_positive_rate = _ratio(count["found"], count["true"])
    true_negative_rate = 1 - _ratio(false_positives, count["pairs"] - count["true"])
    return {
        "balanced_accuracy": (true_positive_rate + true_negative_rate) / 2,
        "true_positive_rate": true_positive_rate,
        "true_negative_rate": true_negative_rate,
        "precision": _ratio(count["found"], count["predicted"]),
        "recall_outside_prior": _ratio(count["found_outside_prior"], count["missing_in_prior"]),
        "wrong_prior_kept": _ratio(count["wrong_kept"], count["wrong_in_prior"]),
    }


def _ratio(part, whole):
    """Return part / whole, NaN where `whole` is 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        quotient = np.asarray(part, dtype=float) / np.asarray(whole)
    return quotient if quotient.ndim else float(quotient)
