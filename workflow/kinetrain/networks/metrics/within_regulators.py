"""Accuracy over the pairs whose regulator has an edge in the gold standard (choice of ours).

Knowing which genes regulate at all gives most of the balanced accuracy over all pairs, and in gold standards from
experiments a regulator that was never assayed is no negative.
"""

from kinetrain.networks.metrics import Prediction
from kinetrain.networks.metrics.edges import support_scores
from kinetrain.networks.metrics.ranking import scores_of_parts

COLUMNS = """
balanced_accuracy_within_regulators: over the pairs whose regulator occurs in the gold standard, as a regulator that no
  experiment assayed is no negative
auroc_within_regulators: over the same pairs
auprc_within_regulators: over the same pairs
"""


def score(prediction: Prediction) -> dict[str, float]:
    """Return balanced accuracy and areas under both curves of the pairs of known regulators."""
    strength, edges, truth = prediction.strength, prediction.edges, prediction.truth
    known = truth.any(axis=0)
    ranked = scores_of_parts(strength[truth], strength[known > truth])
    return {
        "balanced_accuracy_within_regulators": support_scores(edges, truth, truth, known)["balanced_accuracy"],
        "auroc_within_regulators": ranked["auroc"],
        "auprc_within_regulators": ranked["auprc"],
    }
