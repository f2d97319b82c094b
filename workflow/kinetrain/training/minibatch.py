"""Mini-batch optimization with learning-rate schedules and the rescue interceptor.

Source: Stapor et al. 2022, Figs. 1 and 7, Methods; details as in parPE. Choices of ours: a seeded generator, NaN steps
count as failed evaluations, and a cap on the work of one rescue (in parPE it may go on for ever).
"""

import json
from dataclasses import asdict, dataclass

import numpy as np

from kinetrain.errors import InputError
from kinetrain.problems.cost import BudgetExhausted, Cost, Counted
from kinetrain.training.schedules import learning_rates
from kinetrain.training.settings import MinibatchOptions
from kinetrain.training.starts import Checkpoint, budget_points, run_starts, starting_point
from kinetrain.training.updaters import LENGTH_RULES, RULES, Updater

SHRINK, GROWTH = 5.0, 1.3
MOST_FAILURES, RESTART = 10, 1e-5
MOST_FAILED_EVALUATIONS, MOST_RESTARTS = 30, 3  # in one iteration
DONE = "all epochs done"


class EvaluationFailed(Exception):
    """The objective could not be evaluated and the run could not be rescued."""


@dataclass
class State:
    """Everything an optimization needs to go on after an epoch. Arrays are (n,), `order` is (K,)."""

    x: np.ndarray
    x_good: np.ndarray
    gradient_good: np.ndarray
    order: np.ndarray
    epoch: int = 0
    t: int = 0
    multiplier: float = 4.0
    failures: int = 0
    rescues: int = 0


class Minibatch:
    """One run of a mini-batch optimizer on the mean objective of batches of conditions.

    Parameters
    ----------
    problem: the interface of `problems.cost.Counted` (sums over conditions).
    start: parameters (n,) on the problem's scale; lower, upper: the box.
    name: an update rule of `updaters.RULES`.
    rates: learning rate of each epoch (E,).
    batch_size: conditions per batch; the last batch of an epoch may be smaller.
    rescue: 0 off, 1 shrink the step, 2 shrink and restart.
    generator: shuffles the conditions before each epoch; None leaves them in order.
    """

    def __init__(self, problem, start, lower, upper, name, rates, batch_size, rescue=2, generator=None):
        self.problem, self.lower, self.upper = problem, lower, upper
        self.rates, self.batch_size, self.rescue = rates, batch_size, rescue
        self.generator = generator
        n = len(start)
        self.updater = Updater(name, n)
        nothing = np.full(n, np.nan)
        self.state = State(np.array(start, float), nothing, nothing, np.arange(problem.n_conditions))

    @property
    def finished(self) -> bool:
        """Whether all epochs are done."""
        return self.state.epoch >= len(self.rates)

    def run_epoch(self) -> None:
        """Take one step for each batch of a fresh division of the conditions; EvaluationFailed ends the run."""
        state = self.state
        if self.generator is not None:
            self.generator.shuffle(state.order)
        for begin in range(0, len(state.order), self.batch_size):
            self._iterate(state.order[begin : begin + self.batch_size], self.rates[state.epoch])
        state.epoch += 1

    def _iterate(self, batch, rate):
        state = self.state
        state.t += 1
        value, gradient = self._evaluate(batch)
        if np.isfinite(value):
            state.failures = max(state.failures - 1, 0)
            state.multiplier = min(GROWTH * state.multiplier, 1.0)
            state.x_good, state.gradient_good = state.x, gradient
        else:
            gradient = self._rescue(batch, rate)
        state.x = self._step(state.x, gradient, rate)

    def _rescue(self, batch, rate) -> np.ndarray:
        """Return the gradient of the failed batch at a point nearer to the last good one, to which `state.x` is moved.

        The last good point and its gradient stay what they were, as in parPE: if the next batch fails too, the run
        falls back to them.
        """
        state = self.state
        if self.rescue == 0 or np.isnan(state.x_good).any():
            raise EvaluationFailed("the objective failed and there is no good point to go back to")
        restarts = 0
        state.rescues += 1
        for _ in range(MOST_FAILED_EVALUATIONS):
            state.failures += 1
            self.updater.undo()
            if state.failures >= MOST_FAILURES:
                if self.rescue == 1 or restarts == MOST_RESTARTS:
                    break
                restarts += 1
                state.failures, state.multiplier = 0, RESTART
                self.updater.clear()
            else:
                state.multiplier /= SHRINK
            state.x = self._step(state.x_good, state.gradient_good, rate)
            value, gradient = self._evaluate(batch)
            if np.isfinite(value):
                return gradient
        raise EvaluationFailed("the rescue interceptor gave up")

    def _step(self, x, gradient, rate):
        state = self.state
        return self.updater.step(x, gradient, rate * state.multiplier, state.t, self.lower, self.upper)

    def _evaluate(self, batch):
        """Return the means of objective and gradient over the batch; the mean is infinite where they failed."""
        value, gradient = self.problem.value_and_gradient(self.state.x, batch)
        return value / len(batch), gradient / len(batch)

    def as_arrays(self) -> dict:
        """Return the run's whole state as named arrays."""
        state = self.state
        generator = json.dumps(self.generator.bit_generator.state) if self.generator is not None else ""
        moments = {"moments": self.updater.moments, "previous": self.updater.previous}
        return {**vars(state), **moments, "generator": generator}

    def restore(self, arrays: dict) -> None:
        """Take over a state written by `as_arrays`; the run goes on exactly as it would have."""
        for name, value in vars(self.state).items():
            restored = np.array(arrays[name]) if isinstance(value, np.ndarray) else type(value)(arrays[name])
            setattr(self.state, name, restored)
        self.updater.moments, self.updater.previous = np.array(arrays["moments"]), np.array(arrays["previous"])
        if self.generator is not None:
            self.generator.bit_generator.state = json.loads(str(arrays["generator"]))


def fit(problem, start: int, x, name, rates, batch_size, rescue, generator, checkpoint: Checkpoint):
    """Return the row and the trace of one mini-batch run from x (n,), going on from its checkpoint if there is one.

    The result is the last iterate, judged by the sum over all conditions. That final value and the trace (about 20
    points, evenly spread over the epochs) are evaluated outside the counted cost. The budget is one gradient of each
    condition per epoch; rescues are paid from it too, so a run with rescues ends before its last epoch.

    Source: parPE (last iterate, neither best nor averaged); the budget is a choice of ours.
    """
    counted = Counted(problem, len(rates) * problem.n_conditions)
    run = Minibatch(counted, x, problem.lower, problem.upper, name, rates, batch_size, rescue, generator)
    everything = np.arange(problem.n_conditions)
    traced = set(budget_points(len(rates)).tolist())
    trace, message = [], DONE

    def record():
        cost = counted.cost.as_dict()
        del cost["failed_evaluations"]
        trace.append({**cost, "objective": problem.value(run.state.x, everything)})

    saved = checkpoint.load(start)
    if saved is None:
        record()
    else:
        run.restore(saved)
        counted.cost = Cost(**json.loads(str(saved["cost"])))
        trace = json.loads(str(saved["trace"]))
    try:
        while not run.finished:
            run.run_epoch()
            if run.state.epoch in traced:
                record()
            record_so_far = {"cost": json.dumps(vars(counted.cost)), "trace": json.dumps(trace)}
            checkpoint.save(start, {**run.as_arrays(), **record_so_far})
        objective = trace[-1]["objective"]
    except BudgetExhausted:
        run.state.x = run.state.x_good
        record()
        objective, message = trace[-1]["objective"], "budget used, partly by rescues"
    except EvaluationFailed as failure:
        objective, message = np.inf, str(failure)
    if message == DONE and not np.isfinite(objective):
        message = "the last iterate cannot be simulated"
    return {
        **counted.cost.as_dict(),
        "objective": objective,
        "status": "finished" if np.isfinite(objective) else "failed",
        "rescues": run.state.rescues,
        "epochs": run.state.epoch,
        "conditions": problem.n_conditions,
        "best_objective": min(point["objective"] for point in trace),
        "message": message,
    }, trace


def fit_starts(problem, name, replicate, optimizer, starts, options: MinibatchOptions, checkpoint_folder):
    """Return the tables of fits and traces (`starts.FIT_COLUMNS`, `TRACE_COLUMNS`) of a mini-batch multi-start.

    Raises
    ------
    InputError
        If the optimizer or the shape of the schedule is unknown.
    """
    if optimizer not in RULES:
        raise InputError(f"optimizer '{optimizer}' is unknown (known: {', '.join(RULES)})")
    schedule = dict(options.schedule)
    schedule_name = schedule.pop("name")
    rates = learning_rates(epochs=options.epochs, **schedule)
    if optimizer in LENGTH_RULES:
        rates = rates * np.sqrt(len(problem.lower))
    batch_size = options.batch_size
    if batch_size > problem.n_conditions:
        raise InputError(f"{name}: batch_size is {batch_size}, but there are only {problem.n_conditions} conditions")
    identity = {
        "problem": name,
        "optimizer": optimizer,
        "schedule": schedule_name,
        "batch_size": batch_size,
        "replicate": replicate,
    }
    checkpoint = Checkpoint(checkpoint_folder, {**identity, "settings": asdict(options), "data": problem.checksum})

    def fit_one(start):
        x = starting_point(problem, options.seed, start)
        # The last number keeps the shuffling apart from the streams of the starts.
        generator = np.random.default_rng([options.seed, start, replicate, 1])
        return fit(problem, start, x, optimizer, rates, batch_size, options.rescue, generator, checkpoint)

    return run_starts(fit_one, starts, checkpoint, identity)
