"""The pruning of the reactions of all fits of a problem by one method, with its scores against the known truth."""

import sys
import time
from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd

from kinetrain import tables
from kinetrain.mechanistic.reaction_options import ReactionPruning
from kinetrain.mechanistic.reaction_prior import ReactionPrior, corrupt
from kinetrain.mechanistic.reaction_pruning import ReactionRun, chosen
from kinetrain.networks.metrics.edges import support_scores
from kinetrain.networks.metrics.ranking import ranking_scores
from kinetrain.problem import SumOverConditions, Vector
from kinetrain.seeds import REACTIONS, generator
from kinetrain.training.starts import Checkpoint, peak_memory_mb

SHOWN = ("event", "left", "reactions", "objective", "held_out_objective", "bic", "kept")
RATES = ("precision", "true_positive_rate", "balanced_accuracy")


@dataclass(frozen=True)
class Pruned:
    """The fits of a problem that are pruned, and what they are compared with.

    name, replicate: of the problem. problem, held_out: its fit problem, and that of other conditions of its model.
    fitted (starts, n): the parameters that its fits ended with, NaN where one failed. prior: what is known of the
    reactions. truth (c,): whether each of these is true; no method sees it. seed: of all random choices.
    """

    name: str
    replicate: int
    problem: SumOverConditions
    held_out: SumOverConditions
    fitted: np.ndarray
    prior: ReactionPrior
    truth: Vector
    seed: int


def prune_fits(given: Pruned, method: str, options: ReactionPruning, folder) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tables `reactions` and `reaction_path` of a method; checkpoints are kept in the `folder`.

    All methods have the same corrupted priors, which differ from start to start.
    """
    identity = {"problem": given.name, "replicate": given.replicate, "method": method}
    inputs = {"fitted": given.fitted.tolist(), "prior": asdict(given.prior) | {"confidence": [*given.prior.confidence]}}
    data = {"data": [given.problem.checksum, given.held_out.checksum], "seed": given.seed}
    checkpoint = Checkpoint(folder, {**identity, "options": asdict(options), **inputs, **data})
    runs, path = [], []
    for level, corruption in enumerate(options.corruptions(method)):
        for start, theta in enumerate(given.fitted):
            number = level * len(given.fitted) + start
            result = checkpoint.finished(number)
            if result is None:
                seed = [given.seed, given.replicate, start, REACTIONS]
                prior = given.prior
                if corruption is not None:
                    moved = corrupt(prior.confidence, corruption, generator(*seed))
                    prior = replace(prior, confidence=moved)
                run = ReactionRun(given.problem, given.held_out, prior, method, options, seed)
                result = _prune_fit(run, theta, given.truth, checkpoint, number)
                checkpoint.finish(number, result)
            key = {**identity, "prior_corruption": corruption, "start": start}
            runs.append(key | result[0])
            path += [key | row for row in result[1]]
            print(_line(key, result[0]), file=sys.stderr)
    return tables.frame("reactions", runs), tables.frame("reaction_path", path)


def _prune_fit(run: ReactionRun, theta: Vector, truth: Vector, checkpoint: Checkpoint, number: int) -> list:
    """Return the row of a run, and the rows of its events."""
    begin = time.monotonic()
    if not np.isfinite(theta).all():
        return [{"status": "failed"}, []]
    state = run.run(theta, lambda describe: checkpoint.offer(number, describe), checkpoint.load(number))
    for row in state.rows:
        row |= _rates(row["kept"], run.prior, truth)
    last = state.rows[-1]
    row = {
        "status": "finished" if np.isfinite(last["objective"]) else "failed",
        "cost": last["cost"],
        "cpu_seconds": last["cpu_seconds"],
        "wall_seconds": round(time.monotonic() - begin, 3),
        "peak_memory_mb": peak_memory_mb(),
    }
    if row["status"] == "finished":
        best = chosen(state.rows)
        row |= {name: best[name] for name in (*SHOWN, *RATES)}
        ranked = ranking_scores(run.strength(state), truth)
        row |= {name: ranked[name] for name in ("auprc", "precision_at_edges")}
    return [row, state.rows]


def _rates(kept: str, prior: ReactionPrior, truth: Vector) -> dict:
    """Return the rates of the reactions that are kept, given by their names."""
    names = set(kept.split("; "))
    predicted = np.array([name in names for name in prior.reactions])
    scores = support_scores(predicted, truth, truth)
    return {name: scores[name] for name in RATES}


def _line(key: dict, row: dict) -> str:
    corruption = "" if key["prior_corruption"] is None else f", {100 * key['prior_corruption']:g} % of the prior moved"
    what = f"{key['problem']}, replicate {key['replicate']}, {key['method']}{corruption}, start {key['start']}"
    kept = f", {row['reactions']} reactions kept, BIC {row['bic']:.6g}" if row["status"] == "finished" else ""
    return f"{what}: {row['status']}{kept}"
