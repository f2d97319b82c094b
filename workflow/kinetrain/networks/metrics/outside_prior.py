"""Accuracy over the pairs outside the prior, where a copy of the prior is at chance (choice of ours).

A copy of the prior has a balanced accuracy of 0.5 here; a dense prediction, which has every edge, gains nothing in the
ranking.
"""

from kinetrain.networks.metrics import Prediction
from kinetrain.networks.metrics.edges import support_scores
from kinetrain.networks.metrics.ranking import scores_of_parts

COLUMNS = """
balanced_accuracy_outside_prior: over the pairs that are not in the prior
auprc_outside_prior: over the pairs that are not in the prior
"""


def score(prediction: Prediction) -> dict[str, float]:
    """Return balanced accuracy and area under the precision-recall curve of the pairs outside the prior."""
    strength, edges = prediction.strength, prediction.edges
    truth, prior = prediction.truth, prediction.prior
    ranked = scores_of_parts(strength[truth > prior], strength[~(truth | prior)])
    return {
        "balanced_accuracy_outside_prior": support_scores(edges, truth, truth, ~prior)["balanced_accuracy"],
        "auprc_outside_prior": ranked["auprc"],
    }
