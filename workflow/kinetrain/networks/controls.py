"""Control predictors: predictions without any training, which a trained model has to beat."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Control:
    """Label of a control predictor, and the dashes (of matplotlib) of its line."""

    label: str
    dashes: str | tuple


PRIOR_ALONE = "prior alone"
REGULATORS_X_TARGETS = "regulators x targets"
REGULATORS_X_ALL = "regulators x all genes"
ALL_X_TARGETS = "all genes x targets"
PERSISTENCE = "persistence"
CONTROLS = {
    PRIOR_ALONE: Control("Prior alone", "--"),
    REGULATORS_X_TARGETS: Control("Regulators × targets", "-."),
    REGULATORS_X_ALL: Control("Regulators × all genes", ":"),
    ALL_X_TARGETS: Control("All genes × targets", (0, (1, 4))),
    PERSISTENCE: Control("Persistence", "--"),
}


def informed(truth) -> dict[str, np.ndarray]:
    """Return the (k, k) networks of predictors that know only which genes regulate or are regulated in `truth`.

    Every true regulator regulates every true target, or all genes; or all genes regulate every true target. Balanced
    accuracy over all pairs rewards that already.
    """
    present = np.asarray(truth) != 0
    regulators, targets = present.any(axis=0)[None, :], present.any(axis=1)[:, None]
    networks = {
        REGULATORS_X_TARGETS: regulators & targets,
        REGULATORS_X_ALL: regulators,
        ALL_X_TARGETS: targets,
    }
    return {name: np.broadcast_to(network, present.shape) for name, network in networks.items()}


def persistence_error(values, transitions, split, part: str = "test") -> float:
    """Return the mean squared error, over transitions and genes, of the prediction that nothing changes.

    Parameters
    ----------
    values : (trajectories, times, k) expression.
    transitions : (N, 2) trajectory and index i of each transition i -> i + 1.
    split : (N,) which part each transition belongs to.
    """
    trajectory, first = np.asarray(transitions)[np.asarray(split) == part].T
    change = values[trajectory, first + 1] - values[trajectory, first]
    return float(np.mean(change**2)) if len(change) else np.nan
