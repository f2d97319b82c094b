"""Mini-batch fits within a budget, traced and resumable; and hybrids, which continue in full batch."""

import json
import warnings
from dataclasses import replace
from functools import partial

import numpy as np

from kinetrain import seeds
from kinetrain.errors import InputWarning
from kinetrain.problem import SumOverConditions, Vector
from kinetrain.tables import FIT
from kinetrain.training import full_batch
from kinetrain.training.cost import BudgetExhausted, Cost, Counted
from kinetrain.training.history import Journal, Recorder
from kinetrain.training.minibatch import EvaluationFailed, Minibatch
from kinetrain.training.options import MinibatchOptions, Optimizer
from kinetrain.training.requests import Steps, complete_all
from kinetrain.training.starts import Checkpoint, budget_points, checkpoint_of, run_starts, starting_point
from kinetrain.training.update_rules import find_rule
from kinetrain.training.updater import Updater

AVERAGED_SHARE = 0.25  # of the budget, its end


def make_updater(optimizer: Optimizer, n: int):
    """Return the updater of n parameters that the settings name; torch is imported for its optimizers alone."""
    if optimizer.torch is None:
        return Updater(optimizer.rule, n)
    from kinetrain.training.torch_update_rule import TorchUpdater

    return TorchUpdater(optimizer.torch, optimizer.arguments, n)


class Fit:
    """One mini-batch run with its journal, from x (n,) to the end of its schedule: of its budget, or of less.

    The budget is that of one gradient of each condition per epoch. Line searches and rescues are
    paid from it too, so a run with these makes fewer epochs. The learning rate of an epoch follows the share of the
    budget that is spent at its beginning, so that every run reaches the end of its schedule; without line search and
    rescues this is the rate of the epoch's number.

    Source: parPE (the rate depends on the epoch); the budget is a choice of ours.
    """

    def __init__(self, problem: SumOverConditions, x: Vector, options: MinibatchOptions, generator):
        optimizer, n = options.optimizer, len(x)
        self.per_epoch = problem.gradient_weight * problem.n_conditions
        self.budgets = self.per_epoch * budget_points(options.epochs)
        rate = options.learning_rate()
        # A rate that is the length of a step is scaled to the length of a step of the other rules.
        by_length = optimizer.rule is not None and getattr(find_rule(optimizer.rule), "RATE_IS_LENGTH", False)
        scale = np.sqrt(n) if by_length else 1.0
        self.budget = options.epochs_in_batches * self.per_epoch
        self.counted = Counted(problem, self.budget)
        self.journal = Journal(problem, self.budgets, (1 - AVERAGED_SHARE) * self.budget)
        seen = np.arange(problem.n_conditions)
        if optimizer.subset:
            seen = generator.permutation(seen)[: int(np.ceil(optimizer.subset * len(seen)))]
        self.run = Minibatch(
            self.counted,
            x,
            problem.lower,
            problem.upper,
            make_updater(optimizer, n),
            lambda epoch: scale * rate(self.counted.cost.total / self.per_epoch),
            len(seen) if options.batch_size == "full" else options.batch_size,
            options.safeguard,
            generator,
            seen,
        )

    def train(self, offer) -> Steps:
        """Run until the budget is used; return why the run ended. `offer(self.as_arrays)` is called after each step."""
        counted, run = self.counted, self.run
        if not self.journal.entries:
            yield from self.journal.note(run.state.x, counted.cost)
        try:
            while counted.cost.total < self.budget:
                yield from run.step()
                yield from self.journal.note(run.state.x, counted.cost)
                offer(self.as_arrays)
        except BudgetExhausted:
            pass
        except EvaluationFailed as failure:
            return str(failure)
        return full_batch.BUDGET_USED

    def as_arrays(self) -> dict:
        """Return the whole state as named arrays."""
        return {**self.run.as_arrays(), **self.journal.as_arrays(), "cost": json.dumps(vars(self.counted.cost))}

    def restore(self, arrays: dict) -> None:
        """Restore a state written by `as_arrays`; the run continues as if it had not stopped."""
        self.run.restore(arrays)
        self.journal.restore(arrays)
        self.counted.cost = Cost(**json.loads(str(arrays["cost"])))


def fit(
    problem: SumOverConditions, start: int, x: Vector, options: MinibatchOptions, generator, checkpoint: Checkpoint
) -> Steps:
    """Return row, trace and points of one mini-batch run or hybrid from x (n,), continued from its checkpoint.

    The result of a mini-batch run is its last iterate, judged by the sum over all conditions; that final value and the
    trace (about 20 points at fixed budgets) are evaluated outside the counted cost. A hybrid continues from there in
    full batch, whose result it is.

    Source: parPE (last iterate, neither best nor averaged).
    """
    batched = Fit(problem, x, options, generator)
    saved = checkpoint.load(start)
    if saved is not None:
        batched.restore(saved)
    offer = partial(checkpoint.offer, start)
    message = yield from batched.train(offer)
    if message == full_batch.BUDGET_USED and options.optimizer.then:
        return (yield from _continue_in_full_batch(batched, options, offer, saved))
    return (yield from _result_of(batched, message))


def _result_of(batched: Fit, message: str) -> Steps:
    journal, state, counted = batched.journal, batched.run.state, batched.counted
    objective = (yield from journal.record(state.x, counted.cost)) if message == full_batch.BUDGET_USED else np.inf
    averaged, averaged_objective = yield from journal.average()
    if message == full_batch.BUDGET_USED and not np.isfinite(objective):
        message = "the last iterate cannot be simulated"
    row = {
        **counted.columns(),
        "objective": objective,
        "status": "finished" if np.isfinite(objective) else "failed",
        "rescues": state.rescues,
        "epochs": state.epoch,
        "best_objective": journal.best,
        "averaged_objective": averaged_objective,
        "message": message,
    }
    return row, journal.entries, {"last": state.x, "best": journal.best_x, "averaged": averaged}


def _continue_in_full_batch(batched: Fit, options: MinibatchOptions, offer, saved) -> Steps:
    """Return row, trace and points of a hybrid after its mini-batch part.

    Its checkpoint holds the end of the mini-batch part and the record of later evaluations.
    """
    problem, counted, state, journal = batched.counted.problem, batched.counted, batched.run.state, batched.journal
    yield from journal.record(state.x, counted.cost)
    before = batched.as_arrays()
    counted.budget = options.epochs * batched.per_epoch
    name = options.optimizer.then
    recorder = Recorder(counted, lambda describe: offer(lambda: {**before, **describe()}))
    if saved is not None and "points" in saved:
        recorder.restore(saved)
    left = options.epochs - counted.cost.total / batched.per_epoch
    information = full_batch.takes_information(name, problem, left)
    message = full_batch.minimize(recorder, problem.lower, problem.upper, state.x, name, information)
    row = full_batch.summary(counted, recorder, message)
    row["rescues"], row["best_objective"] = state.rescues, min(journal.best, recorder.best)
    later = recorder.trace(batched.budgets[batched.budgets > journal.entries[-1]["cost"]])
    points = full_batch.points_of(recorder.best_x)
    if journal.best < recorder.best:
        points["best"] = journal.best_x
    return row, journal.entries + later, points


def fit_starts(
    problem: SumOverConditions,
    name: str,
    replicate: int,
    optimizer: str,
    starts: int,
    options: MinibatchOptions,
    checkpoint_folder,
    given: np.ndarray | None = None,
):
    """Return tables of fits and traces and the parameters of a mini-batch multi-start (`starts.run_starts`).

    given (m, n): the first starting points, if they are not drawn.
    `optimizer` is its name in the tables. Batches larger than the problem are full ones, with an InputWarning.

    Raises
    ------
    InputError
        If the schedule or the torch optimizer is impossible.
    """
    if options.batch_size != "full" and options.batch_size > problem.n_conditions:
        warnings.warn(
            f"{name}: batch_size is {options.batch_size}, but there are only {problem.n_conditions} conditions: "
            "full batches are taken",
            InputWarning,
            stacklevel=2,
        )
        options = replace(options, batch_size="full")
    size = problem.n_conditions if options.batch_size == "full" else options.batch_size
    named = (name, optimizer, options.schedule.name, size, options.safeguard.name, replicate)
    identity = dict(zip(FIT, named, strict=True))
    checkpoint = checkpoint_of(checkpoint_folder, identity, options, problem, given)

    def fit_one(start):
        x = starting_point(problem, options.seed, start, given)
        generator = seeds.generator(options.seed, start, replicate, seeds.SHUFFLING)
        return fit(problem, start, x, options, generator, checkpoint)

    def fit_all(left):
        return complete_all(problem, {start: fit_one(start) for start in left}, options.side_by_side)

    return run_starts(fit_all, starts, checkpoint, identity, problem.names)
