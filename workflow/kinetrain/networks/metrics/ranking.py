"""Rankings of pairs by the strength of the prediction: areas under curves and precision.

Area under the ROC curve and average precision: Hossain et al. 2024 (NeurIPS), appendix B.5; the others are choices of
ours.
"""

import numpy as np

from kinetrain.networks.metrics import Prediction

COLUMNS = """
auroc: area under the ROC curve, pairs ranked by the size of the effect over the sum over the regulators of the target
auprc: area under the precision-recall curve of the same ranking
precision_at_edges: among as many pairs as there are true edges
precision_at_100: among the first 100 pairs
balanced_accuracy_best: at the best threshold instead of exact zero
"""
TOP = 100  # pairs that an experiment could check


def score(prediction: Prediction) -> dict[str, float]:
    """Return the scores of the ranking of all pairs."""
    return ranking_scores(prediction.strength, prediction.truth)


def ranking_scores(strength, truth) -> dict[str, float]:
    """Return the scores of ranking pairs by `strength` (>= 0), against the booleans `truth` of the same shape."""
    return scores_of_parts(strength[truth], strength[~truth])


def scores_of_parts(positives, negatives) -> dict[str, float]:
    """Return the scores of ranking pairs, given the strengths of true edges and of other pairs; both are sorted here.

    Pairs of equal strength count as ranked in random order. Sorted separately, twelve million pairs need a second and
    no copy in double precision.
    """
    positives.sort()  # in place: of 11,165 genes there are 125 million pairs
    negatives.sort()
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
