"""How well a predicted network agrees with a gold standard; both are (k, k) with entry [target, regulator]."""

import numpy as np

TOP = 100  # pairs that an experiment could check


def edge_scores(strength, truth, prior, edges=None) -> dict[str, float]:
    """Return the scores of a prediction: edges are those of `edges` (k, k), or else the non-zero of `strength` (k, k).

    All k x k ordered pairs count, the diagonal included. Without any threshold: balanced_accuracy = (true_positive_rate
    + true_negative_rate) / 2, precision. By the size of `strength`: auroc, auprc (average precision), the precision
    among as many pairs as there are true edges (precision_at_edges) and among the first 100 (precision_at_100), and
    the highest balanced accuracy that any threshold gives (balanced_accuracy_best).

    The rest is for judging what the scores over all pairs hide:
    - balanced_accuracy, auroc and auprc _within_regulators: only pairs whose regulator has an edge in `truth`. Knowing
      who regulates at all earns most of the balanced accuracy over all pairs, and in gold standards from experiments
      a regulator that was never assayed is no negative.
    - balanced_accuracy_outside_prior and recall_outside_prior: only pairs that `prior` (k, k) does not hold;
      wrong_prior_kept: fraction predicted of the prior's edges that are not true. Copying the prior gives 0.5, 0, 1.
      auprc_outside_prior ranks the same pairs, where a dense prediction, which holds every edge, earns nothing.

    NaN where a rate has nothing to be a rate of.
    Source: Hossain et al. 2024 (NeurIPS), appendix B.5, and the DASH code; all but the first three, auroc and auprc are
    choices of ours.
    """
    truth, prior = (np.asarray(network) != 0 for network in (truth, prior))
    predicted = np.asarray(strength if edges is None else edges) != 0
    regulators = truth.any(axis=0)
    scores = support_scores(predicted, truth, prior)
    scores["balanced_accuracy_outside_prior"] = _balanced_accuracy(predicted, truth, ~prior)
    scores["balanced_accuracy_within_regulators"] = _balanced_accuracy(predicted[:, regulators], truth[:, regulators])
    within = ranking_scores(np.abs(strength[:, regulators]), truth[:, regulators])
    scores |= {f"{name}_within_regulators": within[name] for name in ("auroc", "auprc")}
    scores["auprc_outside_prior"] = ranking_scores(np.abs(strength[~prior]), truth[~prior])["auprc"]
    return scores | ranking_scores(np.abs(strength), truth)


def support_scores(predicted, truth, prior) -> dict[str, float]:
    """Return the scores that need no strengths, of networks given as booleans of any one shape."""
    return rates(
        {
            "pairs": truth.size,
            "true": np.count_nonzero(truth),
            "predicted": np.count_nonzero(predicted),
            "found": np.count_nonzero(predicted & truth),
            "missing_in_prior": np.count_nonzero(truth & ~prior),
            "found_outside_prior": np.count_nonzero(predicted & truth & ~prior),
            "wrong_in_prior": np.count_nonzero(prior & ~truth),
            "wrong_kept": np.count_nonzero(predicted & prior & ~truth),
        }
    )


def rates(count: dict) -> dict[str, float]:
    """Return the scores that follow from numbers of pairs, each a number or an array of them."""
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


def ranking_scores(strength, truth) -> dict[str, float]:
    """Return the scores of ranking pairs by `strength` (>= 0), against the booleans `truth` of the same shape.

    Pairs of equal strength count as ranked in random order. True and other strengths are sorted apart, so that twelve
    million pairs need a second and no copy in double precision.
    """
    positives, negatives = np.sort(strength[truth]), np.sort(strength[~truth])
    edges = len(positives)
    names = ("auroc", "auprc", "precision_at_edges", "precision_at_100", "balanced_accuracy_best")
    if not edges or not len(negatives):
        return dict.fromkeys(names, np.nan)
    below, not_above = (np.searchsorted(negatives, positives, side) for side in ("left", "right"))
    # the highest true positive rate minus false positive rate lies at the strength of a true edge, or at none
    reached = edges - np.searchsorted(positives, positives, "left")
    false_alarms = len(negatives) - below
    youden = max(0, (reached / edges - false_alarms / len(negatives)).max())
    values = (
        (below + not_above).mean() / (2 * len(negatives)),
        (reached / (reached + false_alarms)).mean(),
        _precision_among_first(positives, negatives, edges),
        _precision_among_first(positives, negatives, TOP),
        (1 + youden) / 2,
    )
    return dict(zip(names, map(float, values), strict=True))


def _precision_among_first(positives, negatives, count: int) -> float:
    """Return the share of positives among the `count` strongest of both sorted arrays, ties in random order."""
    count = min(count, len(positives) + len(negatives))
    strongest = np.concatenate([positives[-count:], negatives[-count:]])
    least = np.partition(strongest, -count)[-count]
    sure, certain_misses = (len(part) - np.searchsorted(part, least, "right") for part in (positives, negatives))
    tied, tied_misses = (
        np.searchsorted(part, least, "right") - np.searchsorted(part, least) for part in (positives, negatives)
    )
    open_places = count - sure - certain_misses
    return (sure + open_places * tied / (tied + tied_misses)) / count


def _balanced_accuracy(predicted, truth, where=True) -> float:
    found = _ratio(np.count_nonzero(predicted & truth & where), np.count_nonzero(truth & where))
    avoided = _ratio(np.count_nonzero(~predicted & ~truth & where), np.count_nonzero(~truth & where))
    return (found + avoided) / 2


def _ratio(part, whole):
    """Return part / whole, NaN where `whole` is 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        quotient = np.asarray(part, dtype=float) / np.asarray(whole)
    return quotient if quotient.ndim else float(quotient)
