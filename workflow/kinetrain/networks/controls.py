"""Predictors without any training, which a trained model has to beat."""

import numpy as np


def true_regulators_everywhere(truth) -> np.ndarray:
    """Return the (k, k) network in which every gene that regulates in `truth` regulates all genes.

    It knows who the regulators are and nothing else; balanced accuracy over all pairs rewards that already.
    """
    regulates = (np.asarray(truth) != 0).any(axis=0)
    return np.broadcast_to(regulates, np.shape(truth)).astype(float)


def persistence_error(values, transitions, split, part: str = "test") -> float:
    """Return the mean squared error, over pairs and genes, of the prediction that nothing changes.

    Parameters
    ----------
    values : (trajectories, times, k) expression.
    transitions : (N, 2) trajectory and index i of each pair i -> i + 1.
    split : (N,) which part each pair belongs to.
    """
    trajectory, first = np.asarray(transitions)[np.asarray(split) == part].T
    change = values[trajectory, first + 1] - values[trajectory, first]
    return float(np.mean(change**2)) if len(change) else np.nan
