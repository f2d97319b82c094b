"""Metrics of predicted networks, one file each: COLUMNS and a function `score`. A new file is a new metric.

`score` takes a `Prediction` and returns {column: number}, NaN where a share has an empty whole; COLUMNS declares
these columns for `kinetrain.tables`, in lines `name: meaning`.
"""

from dataclasses import dataclass

import numpy as np

from kinetrain import registry

known_metrics, find_metric = registry.plugins(__name__, "metric")


@dataclass(frozen=True)
class Prediction:
    """A predicted network with gold standard and prior: (k, k) each, with entry [target, regulator].

    strength: numbers from 0, by which pairs are ranked; edges: whether a pair is predicted; truth: the gold standard;
    prior: the prior network. The last three are booleans. All ordered pairs count, the diagonal included.
    """

    strength: np.ndarray
    edges: np.ndarray
    truth: np.ndarray
    prior: np.ndarray


def declared() -> dict[str, str]:
    """Return the columns of each metric, lines `name: meaning`."""
    return {name: find_metric(name).COLUMNS for name in known_metrics()}
