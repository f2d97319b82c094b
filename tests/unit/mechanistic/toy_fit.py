"""Fit the toy problem slowly, for the test that kills and resumes it: toy_fit.py KIND CHECKPOINT OUTPUT SECONDS."""

import sys
import time

import numpy as np

from kinetrain.files import save_arrays, save_table
from kinetrain.options import read_options
from kinetrain.problem import StartingBox
from kinetrain.training import full_batch, minibatch_fits, starts
from kinetrain.training.options import FullBatchOptions, MinibatchOptions


class Valley(StartingBox):
    """Six conditions of a curved valley, each evaluation of which takes a while; `lives` ends it after that many."""

    names, n_conditions, checksum, engine = ("x", "y"), 6, "valley", "formula"
    n_measurements = 6
    gradient_weight, information_weight, relaxed_solves = 4.0, None, 0
    lower, upper, nominal = np.full(2, -3.0), np.full(2, 3.0), np.ones(2)
    start_lower, start_upper = lower, upper
    start_quantiles = {}  # noqa: RUF012

    def __init__(self, seconds=0.0, lives=np.inf):
        self.seconds, self.lives, self.gradients = seconds, lives, 0

    def value(self, theta, conditions):
        bend = theta[1] - theta[0] ** 2
        return float(sum((k + 1) * (1 - theta[0]) ** 2 + 20 * bend**2 for k in conditions))

    def value_and_gradient(self, theta, conditions):
        time.sleep(self.seconds)
        self.gradients += 1
        if self.gradients > self.lives:
            raise KeyboardInterrupt
        bend, weight = theta[1] - theta[0] ** 2, sum(k + 1 for k in conditions)
        slope = -2 * weight * (1 - theta[0]) - 80 * len(conditions) * theta[0] * bend
        return self.value(theta, conditions), np.array([slope, 40 * len(conditions) * bend])


KINDS = {
    "rule": {"optimizer": {"rule": "adam_balanced"}},
    "corrected": {"optimizer": {"rule": "sgd"}, "safeguard": {"name": "c", "line_search": 3, "variant": "corrected"}},
    "published": {"optimizer": {"rule": "rmsprop"}, "safeguard": {"name": "p", "line_search": 3}},
    "torch": {"optimizer": {"torch": "NAdam", "arguments": {"weight_decay": 0.01}}},
    "hybrid": {"optimizer": {"rule": "adam_balanced", "then": "fides", "share": 0.3}},
}


def fit(kind, checkpoint, output, valley):
    """Write the tables and parameters of a multi-start to the folder `output`.

    kind: one of `KINDS`, or a full-batch optimizer.
    """
    settings = {"epochs": 40, "seed": 3}
    if kind in KINDS:
        schedule = {"name": "S", "start": 0.1, "end": 0.01, "shape": "logarithmic"}
        options = read_options(MinibatchOptions, settings | KINDS[kind] | {"schedule": schedule, "batch_size": 2})
        *tables, parameters = minibatch_fits.fit_starts(valley, "toy", 0, kind, 2, options, checkpoint)
    else:
        options = read_options(FullBatchOptions, settings)
        *tables, parameters = full_batch.fit_starts(valley, "toy", 0, kind, 2, options, checkpoint)
    for table, name in zip(tables, ("fits", "trace"), strict=True):
        save_table(table, f"{output}/{name}.tsv")
    save_arrays(f"{output}/parameters.npz", **parameters)


if __name__ == "__main__":
    starts.SECONDS_BETWEEN_CHECKPOINTS = 0.0
    fit(*sys.argv[1:4], Valley(float(sys.argv[4])))
