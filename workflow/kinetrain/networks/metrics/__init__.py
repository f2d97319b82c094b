"""Metrics of predicted networks, one file each: COLUMNS and a function `score`. A new file is a new metric.

`score` takes a `Prediction` and returns {column: number}, NaN where a share has an empty whole; COLUMNS declares
these columns for `kinetrain.tables`, in lines `name: meaning`.
"""

import sys
from dataclasses import dataclass
from types import ModuleType

import numpy as np

from kinetrain import registry


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


def known_metrics() -> list[str]:
    """Return the names of all metrics."""
    return registry.names(sys.modules[__name__])


def find_metric(name: str) -> ModuleType:
    """Return the module of a metric; InputError lists those there are."""
    return registry.find(sys.modules[__name__], name, "metric")


def declared() -> dict[str, str]:
    """Return the columns of each metric, lines `name: meaning`."""
    return {name: find_metric(name).COLUMNS for name in known_metrics()}
