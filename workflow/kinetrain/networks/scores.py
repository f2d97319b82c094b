"""How well a predicted network agrees with a gold standard; both are (k, k) with entry [target, regulator]."""

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score


def edge_scores(strength, truth) -> dict[str, float]:
    """Return the scores of a prediction, whose edges are the non-zero entries of `strength` (k, k).

    Over all k x k ordered pairs, the diagonal included, without any threshold:
    balanced_accuracy = (true_positive_rate + true_negative_rate) / 2; auroc and auprc rank the pairs by `strength`.
    auroc_assayed and auprc_assayed rank only the pairs whose regulator has an edge in `truth`: in gold standards from
    experiments, a regulator that was never assayed is no negative.
    NaN where `truth` has no edge, or nothing but edges.
    Source: Hossain et al. 2024 (NeurIPS), appendix B.5, and the DASH code; assayed regulators are a choice of ours.
    """
    present = np.asarray(truth) != 0
    strength = np.abs(strength)
    assayed = present.any(axis=0)
    true_positive_rate = _mean(strength[present] != 0)
    true_negative_rate = _mean(strength[~present] == 0)
    auroc, auprc = _ranking(strength, present)
    auroc_assayed, auprc_assayed = _ranking(strength[:, assayed], present[:, assayed])
    return {
        "balanced_accuracy": (true_positive_rate + true_negative_rate) / 2,
        "auroc": auroc,
        "auprc": auprc,
        "true_positive_rate": true_positive_rate,
        "true_negative_rate": true_negative_rate,
        "auroc_assayed": auroc_assayed,
        "auprc_assayed": auprc_assayed,
    }


def _mean(values) -> float:
    return float(values.mean()) if values.size else np.nan


def _ranking(strength, present) -> tuple[float, float]:
    """Return the areas under the ROC and the precision-recall curve."""
    if not present.any() or present.all():
        return np.nan, np.nan
    positive, score = present.ravel(), strength.ravel()
    return float(roc_auc_score(positive, score)), float(average_precision_score(positive, score))
