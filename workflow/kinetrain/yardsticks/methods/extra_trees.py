"""Extremely randomised trees that explain the changes by all other genes: the idea of dynGENIE3."""

import numpy as np

from kinetrain.yardsticks.changes import Answer, Changes
from kinetrain.yardsticks.methods import ONE_BY_ONE, ridge

LABEL = "Extra trees"
REFERENCE = "Geurts, Ernst & Wehenkel 2006; dynGENIE3: Huynh-Thu & Geurts 2018"
USES_PRIOR = False
MOST_WORK = ONE_BY_ONE
TREES = 30
LEAF = 5  # transitions in a leaf at least
FEATURES = 1 / 3  # of the genes, tried at each node


def infer(changes: Changes) -> Answer:
    """Return the network of variance explained, in units of the noise, and the predictions of the trees.

    Own expression and a constant are projected out of the changes as in linear models; the trees explain what is left
    over the interval s(d), with weights s(d)², by the expression of the other genes.
    """
    from sklearn.ensemble import ExtraTreesRegressor  # here, so that reading LABEL needs no scikit-learn

    found = ridge.fit(changes)
    end, strength = changes.asked_start.copy(), np.zeros((len(found.rate), len(found.rate)))
    for target, rate in enumerate(found.rate):
        others = np.arange(len(found.rate)) != target
        weight, asked = changes.saturation(rate), changes.saturation(rate, changes.asked_duration)
        change, lines = (
            changes.change[:, target],
            (
                weight[:, None] * _line(changes.start[:, target]),
                asked[:, None] * _line(changes.asked_start[:, target]),
            ),
        )
        own = np.linalg.lstsq(lines[0], change, rcond=None)[0]
        left = (change - lines[0] @ own) / weight
        forest = ExtraTreesRegressor(TREES, min_samples_leaf=LEAF, max_features=FEATURES, random_state=changes.seed)
        forest.fit(changes.start[:, others], left, sample_weight=weight**2)
        end[:, target] += lines[1] @ own + asked * forest.predict(changes.asked_start[:, others])
        explained = np.mean([tree.tree_.compute_feature_importances(normalize=False) for tree in forest], axis=0)
        strength[target, others] = explained * np.mean(weight**2) / (found.noise[target] or np.inf)
    return Answer(strength, end=end)


def _line(values) -> np.ndarray:
    """Return a constant and the gene's own expression, (n, 2)."""
    return np.stack([np.ones(len(values)), values], axis=1)
