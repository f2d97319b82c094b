"""Score tables of the yardsticks: ordinary network inference on the data that the neural models are trained on."""

import time

import numpy as np
import pandas as pd

from kinetrain.data.expression import Expression, endpoints
from kinetrain.evaluation.networks import MedianEffects
from kinetrain.networks.effects import mean_out_degree
from kinetrain.networks.scores import edge_scores
from kinetrain.tables import completed, empty
from kinetrain.yardsticks.changes import Answer, Changes
from kinetrain.yardsticks.methods import YARDSTICKS, find_yardstick

ASKED = {"test_mse": ("test", False), "test_mse_noisy": ("test", True), "validation_mse": ("validation", True)}


def yardstick_rows(expression: Expression, level: dict, seeds, priors, truth, names=YARDSTICKS):
    """Return the rows of the yardsticks `names`, and their median effects over the seeds: tables networks and effects.

    level: dataset, noise and prior_corruption. A yardstick that is left out has one row, with the reason.
    """
    rows, effects = [], []
    for name in names:
        yardstick = find_yardstick(name)
        identity = {**level, "method": name, "uses_prior": "yes" if yardstick.USES_PRIOR else "no"}
        reason = _why_not(yardstick, expression, priors)
        if reason:
            print(f"{level['dataset']}: {yardstick.LABEL} is left out: {reason}")
            rows.append({**identity, "seed": seeds[0], "status": "left out", "reason": reason})
            continue
        median = MedianEffects(expression.genes, truth, priors[0])
        for seed, prior in zip(seeds, priors, strict=True):
            began = time.process_time()
            noisy = expression.noisy(level["noise"], seed)
            changes = _changes(expression, noisy, prior, seed)
            answer = yardstick.infer(changes)
            row = {**identity, "seed": seed, "status": "finished", "cpu_seconds": time.process_time() - began}
            rows.append(row | _errors(expression, noisy, answer) | _network(answer, truth, prior))
            if answer.effect is not None:
                median.add(answer.effect)
        effects.append(median.rows({**level, "method": name}))
    return completed("networks", pd.DataFrame(rows)), pd.concat(effects or [empty("effects")])


def _why_not(yardstick, expression: Expression, priors) -> str:
    """Return why a yardstick is left out for these data, "" if it is not."""
    if yardstick.USES_PRIOR and not all(map(np.any, priors)):
        return "it needs a prior network, and the data set has none"
    genes, transitions = len(expression.genes), len(expression.of("train"))
    if genes**2 * transitions > yardstick.MOST_WORK:
        return (
            f"{genes} genes squared x {transitions} transitions are more than {yardstick.MOST_WORK:.0e}, "
            "what it can do in a quarter of an hour"
        )
    return ""


def _asked(expression: Expression, noisy):
    """Return start, end and duration of the transitions of each error in turn: of ASKED, {column: (...)}."""
    return {
        column: endpoints(expression, noisy if with_noise else expression.values, expression.of(split))
        for column, (split, with_noise) in ASKED.items()
    }


def _changes(expression: Expression, noisy, prior, seed: int) -> Changes:
    """Return the input of a yardstick: training transitions, and those to predict."""
    asked = _asked(expression, noisy).values()
    start, duration = (np.concatenate([part[place] for part in asked]) for place in (0, 2))
    begun, ended, lasted = endpoints(expression, noisy, expression.of("train"))
    return Changes(begun, ended, lasted, start, duration, prior, seed)


def _errors(expression: Expression, noisy, answer: Answer) -> dict:
    """Return the mean squared errors of the predictions by column; empty of a yardstick that predicts nothing."""
    errors, first = {}, 0
    for column, (_, end, _) in _asked(expression, noisy).items():
        if answer.end is not None and len(end):
            errors[column] = float(np.mean((answer.end[first : first + len(end)] - end) ** 2))
        first += len(end)
    return errors


def _network(answer: Answer, truth, prior) -> dict:
    """Return the sparsity of the network of a yardstick, and its scores where there is a gold standard."""
    edges = answer.strength != 0 if answer.edges is None else answer.edges
    scores = {} if truth is None else edge_scores(answer.strength, truth, prior, edges)
    return {"sparsity": float(1 - np.mean(edges)), "out_degree": mean_out_degree(edges)} | scores
