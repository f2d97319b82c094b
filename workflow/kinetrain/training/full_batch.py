"""Full-batch fits, with the objective, the starts and the budget of mini-batch fits."""

import time
from collections.abc import Iterator
from typing import Protocol

import numpy as np

from kinetrain.problem import SumOverConditions, Vector
from kinetrain.tables import FIT, FULL_BATCH
from kinetrain.training.cost import BudgetExhausted, Counted
from kinetrain.training.history import Evaluated, Recorder
from kinetrain.training.optimizers import HIERARCHICAL, find_optimizer
from kinetrain.training.options import FullBatchOptions
from kinetrain.training.starts import Checkpoint, budget_points, checkpoint_of, run_starts, starting_points

BUDGET_USED = "budget used"
FEWEST_INFORMATION = 10  # evaluations with the Fisher information; it is not used if the budget pays for fewer


class Reduced(Evaluated, Protocol):
    """A problem whose other parameters follow from its outer ones; it is evaluated at these (m,).

    outer (m,): their indices; counted: counts the evaluations, and is set before.
    """

    outer: Vector
    counted: Counted

    def complete(self, outer: Vector) -> Vector | None:
        """Return all parameters (n,) at outer ones; None where that fails."""


def takes_information(name: str, problem, epochs: float) -> bool:
    """Whether an optimizer gets the Fisher information of a problem, with a budget of `epochs` gradients.

    The information of the kinetics kernel costs as much as ten gradients or more; a budget that pays for a few of them
    is better spent on gradients, from which the optimizer learns the curvature.
    """
    wants = getattr(find_optimizer(name), "TAKES_INFORMATION", False)
    if not wants or problem.information_weight is None:
        return False
    return epochs * problem.gradient_weight >= FEWEST_INFORMATION * problem.information_weight


def minimize(recorder: Recorder, lower, upper, x, name: str, information: bool) -> str:
    """Run an optimizer of `optimizers` from x (n,) in a box until it stops or the budget is used; return why it ended.

    With `information` the optimizer gets the Fisher information as its Hessian. The recorder holds what was found.
    """
    try:
        return find_optimizer(name).minimize(recorder.evaluate, x, lower, upper, information)
    except BudgetExhausted:
        return BUDGET_USED


def search_on(recorder: Recorder, lower, upper, points: Iterator[Vector], name: str, information: bool) -> str:
    """Run an optimizer from one point (n,) after the other until the budget is used; return how many searches began."""
    searches = 0
    while True:
        before, searches = len(recorder.records), searches + 1
        message = minimize(recorder, lower, upper, next(points), name, information)
        if message == BUDGET_USED or len(recorder.records) == before:  # else the search never ends
            return f"{message}, {searches} searches"


def fit(
    problem: SumOverConditions,
    start: int,
    points: Iterator[Vector],
    name: str,
    options: FullBatchOptions,
    checkpoint: Checkpoint,
    reduced: Reduced | None = None,
):
    """Return row, trace and points of a full-batch run from the first of `points` (n,), or, with `restarts`, from all.

    Of a `reduced` problem only the outer parameters are optimized.

    The result is the best point evaluated, which is the `last` point too; there is no average. The trace
    holds the start and the best value so far at about 20 fixed budgets. A run whose start cannot be evaluated has
    failed; one with restarts has if no point could be.
    """
    epochs = options.epochs
    per_epoch = problem.gradient_weight * problem.n_conditions
    counted = Counted(problem, epochs * per_epoch)
    task: Evaluated = counted
    outer: Vector | slice = slice(None)
    if reduced is not None:
        task, outer, reduced.counted = reduced, reduced.outer, counted
    recorder = Recorder(task, lambda describe: checkpoint.offer(start, describe))
    saved = checkpoint.load(start)
    if saved is not None:
        recorder.restore(saved)
    box = problem.lower[outer], problem.upper[outer]
    information = takes_information(name, problem, epochs)
    begins = (x[outer] for x in points)
    if options.restarts:
        message = search_on(recorder, *box, begins, name, information)
    else:
        message = minimize(recorder, *box, next(begins), name, information)
    best = recorder.best_x
    if reduced is not None and best is not None:
        best = reduced.complete(best)
    row = summary(counted, recorder, message, options.restarts)
    return row, recorder.trace(per_epoch * budget_points(epochs)), points_of(best)


def summary(counted: Counted, recorder: Recorder, message: str, restarts: bool = False) -> dict:
    """Return the columns of a fit whose last part was a full-batch run, or many from other points (`restarts`)."""
    finished = bool(recorder.entries) and np.isfinite(recorder.entries[-1 if restarts else 0]["objective"])
    return {
        **counted.columns(),
        "objective": recorder.best if finished else np.inf,
        "status": "finished" if finished else "failed",
        "rescues": 0,
        "epochs": counted.cost.gradient_solves // counted.n_conditions,
        "best_objective": recorder.best,
        "averaged_objective": np.nan,
        "message": message,
    }


def points_of(best) -> dict:
    """Return the `starts.POINTS` of a full-batch run by its best point (n,); None if nothing could be evaluated."""
    return {"last": best, "best": best, "averaged": None if best is None else np.full(len(best), np.nan)}


def fit_starts(
    problem: SumOverConditions,
    name: str,
    replicate: int,
    optimizer: str,
    starts: int,
    options: FullBatchOptions,
    checkpoint_folder,
    reduced: Reduced | None = None,
    given: np.ndarray | None = None,
):
    """Return tables of fits and traces and the parameters of a full-batch multi-start (`starts.run_starts`).

    given (m, n): the first starting points, if they are not drawn.
    Hierarchical optimizers, and they alone, take the problem `reduced` to its outer parameters.

    Raises
    ------
    InputError
        If the optimizer is unknown.
    """
    find_optimizer(optimizer)
    if optimizer.endswith(HIERARCHICAL) != (reduced is not None):
        raise ValueError(f"{optimizer}: a reduced problem goes with hierarchical optimizers, and with them alone")
    named = (name, optimizer, FULL_BATCH, problem.n_conditions, FULL_BATCH, replicate)
    identity = dict(zip(FIT, named, strict=True))
    checkpoint = checkpoint_of(checkpoint_folder, identity, options, problem, given)

    def fit_all(left):
        for start in left:
            begin, points = time.monotonic(), starting_points(problem, options.seed, start, given)
            result = fit(problem, start, points, optimizer, options, checkpoint, reduced)
            yield start, result, time.monotonic() - begin

    return run_starts(fit_all, starts, checkpoint, identity, problem.names)
