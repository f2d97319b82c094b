"""Fit the toy problem slowly, for the test that kills and resumes it: toy_fit.py KIND CHECKPOINT OUTPUT SECONDS."""

import sys
import time

import numpy as np

from kinetrain.files import save_table
from kinetrain.settings import read_options
from kinetrain.training import full_batch, minibatch
from kinetrain.training.settings import FullBatchOptions, MinibatchOptions


class Valley:
    """Six conditions of a curved valley, each evaluation of which takes a while."""

    names, n_conditions, checksum = ("x", "y"), 6, "valley"
    lower, upper, nominal = np.full(2, -3.0), np.full(2, 3.0), np.ones(2)
    start_lower, start_upper = lower, upper

    def __init__(self, seconds):
        self.seconds, self.gradient_solves = seconds, 0

    def value(self, theta, conditions):
        bend = theta[1] - theta[0] ** 2
        return float(sum((k + 1) * (1 - theta[0]) ** 2 + 20 * bend**2 for k in conditions))

    def value_and_gradient(self, theta, conditions):
        time.sleep(self.seconds)
        self.gradient_solves += len(conditions)
        bend, weight = theta[1] - theta[0] ** 2, sum(k + 1 for k in conditions)
        slope = -2 * weight * (1 - theta[0]) - 80 * len(conditions) * theta[0] * bend
        return self.value(theta, conditions), np.array([slope, 40 * len(conditions) * bend])


def fit(kind, checkpoint, output, seconds):
    """Write the tables of a multi-start to the folder `output`; return the gradient solves that this call made."""
    valley = Valley(seconds)
    schedule = {"name": "S", "start": 0.1, "end": 0.01, "shape": "logarithmic"}
    settings = {"epochs": 40, "seed": 3, "sensitivities": "adjoint"}
    if kind == "minibatch":
        options = read_options(MinibatchOptions, settings | {"schedule": schedule, "batch_size": 2})
        tables = minibatch.fit_starts(valley, "toy", 0, "adam_balanced", 2, options, checkpoint)
    else:
        options = read_options(FullBatchOptions, settings)
        tables = full_batch.fit_starts(valley, "toy", 0, kind, 2, options, checkpoint)
    for table, name in zip(tables, ("fits", "trace"), strict=True):
        save_table(table, f"{output}/{name}.tsv")
    return valley.gradient_solves


if __name__ == "__main__":
    full_batch.SECONDS_BETWEEN_CHECKPOINTS = 0.0
    fit(*sys.argv[1:4], float(sys.argv[4]))
