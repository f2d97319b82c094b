"""The mini-batch loop with learning-rate schedules, the rescue interceptor and the line search.

Source: parPE; Stapor et al. 2022, Figs. 1 and 8 (their captions). Choices of ours: a seeded generator, NaN steps count
as failed evaluations, and a cap on the work of one rescue (unlimited in parPE).
"""

import json
from dataclasses import dataclass

import numpy as np

from kinetrain.training.line_search import SEARCHES
from kinetrain.training.options import Safeguard
from kinetrain.training.requests import Steps

SHRINK, GROWTH = 5.0, 1.3
MOST_FAILURES, RESTART = 10, 1e-5
MOST_FAILED_EVALUATIONS = 30  # in one iteration, which is up to three restarts


class EvaluationFailed(Exception):
    """The objective could not be evaluated and the run could not be rescued."""


@dataclass
class State:
    """The state of a mini-batch run after a step, without its updater and generator.

    Arrays are (n,), `order` is (K,). position: conditions of the epoch that are done; rate: learning rate of the
    epoch; t: number of the step, from 1; multiplier: of the rate, below 1 after rescues.
    """

    x: np.ndarray
    x_good: np.ndarray
    gradient_good: np.ndarray
    order: np.ndarray
    epoch: int = 0
    position: int = 0
    rate: float = np.nan
    t: int = 0
    multiplier: float = 4.0
    failures: int = 0
    rescues: int = 0


class Minibatch:
    """One run of a mini-batch optimizer on the mean objective of batches of conditions.

    Its steps are generators that yield `requests` for evaluations, which a driver completes.

    Parameters
    ----------
    problem: a `cost.Counted`.
    start: parameters (n,) on the problem's scale; lower, upper: the box.
    updater: an `updater.Updater` or `torch_update_rule.TorchUpdater`.
    rate: the learning rate as a function of the epoch, 0, 1, ...
    batch_size: conditions per batch; the last batch of an epoch may be smaller.
    safeguard: rescue and line search.
    generator: shuffles the conditions before each epoch; None leaves them in order.
    seen: the conditions that batches are made of; None is all.
    """

    def __init__(
        self, problem, start, lower, upper, updater, rate, batch_size, safeguard: Safeguard, generator=None, seen=None
    ):
        self.problem, self.lower, self.upper = problem, lower, upper
        self.updater, self.rate, self.batch_size = updater, rate, batch_size
        self.safeguard, self.corrected = safeguard, safeguard.variant == "corrected"
        self.generator = generator
        nothing = np.full(len(start), np.nan)
        self.state = State(
            np.array(start, float), nothing, nothing, np.arange(problem.n_conditions) if seen is None else seen
        )

    def step(self) -> Steps:
        """Take one step, on the next batch; conditions are divided into batches anew in each epoch.

        Raises
        ------
        EvaluationFailed
            If the objective failed and could not be rescued: the run is over.
        BudgetExhausted
            If the budget does not pay for the whole step. `state.x` is then the last point that was reached.
        """
        state = self.state
        if state.position == 0:
            if self.generator is not None:
                self.generator.shuffle(state.order)
            state.rate = float(self.rate(state.epoch))
        yield from self._iterate(state.order[state.position : state.position + self.batch_size])
        state.position += self.batch_size
        if state.position >= len(state.order):
            state.epoch, state.position = state.epoch + 1, 0

    def _iterate(self, batch):
        state = self.state
        state.t += 1
        value, gradient = yield from self._evaluate(state.x, batch)
        if np.isfinite(value):
            state.failures = 0 if self.corrected else max(state.failures - 1, 0)
            state.multiplier = min(GROWTH * state.multiplier, 1.0)
            state.x_good, state.gradient_good = state.x, gradient
        else:
            value, gradient = yield from self._rescue(batch)
        x = self._move(state.x, gradient, state.rate * state.multiplier)
        if self.safeguard.line_search:
            x = yield from self._search(batch, value, gradient)
        state.x = x

    def _rescue(self, batch) -> Steps:
        """Return value and gradient of the failed batch nearer to the last good point, to where `state.x` is moved.

        As published, the last good point and its gradient do not change: if the next batch fails too, the run
        falls back to them, and a line search starts from there. The counter of failures falls by one with each
        iteration that succeeds, so that single failures add up over time. In the corrected variant the rescued point
        is the new good one, and an iteration that succeeds sets the counter to zero.
        """
        state, mode = self.state, self.safeguard.rescue
        if mode == 0 or np.isnan(state.x_good).any():
            raise EvaluationFailed("the objective failed and there is no good point to go back to")
        state.rescues += 1
        state.x = state.x_good
        for _ in range(MOST_FAILED_EVALUATIONS):
            state.failures += 1
            self.updater.undo()
            if state.failures >= MOST_FAILURES:
                if mode == 1:
                    break
                state.failures, state.multiplier = 0, RESTART
                self.updater.clear()
            else:
                state.multiplier /= SHRINK
            x = self._move(state.x_good, state.gradient_good, state.rate * state.multiplier)
            value, gradient = yield from self._evaluate(x, batch)
            if np.isfinite(value):
                state.x = x
                if self.corrected:
                    state.x_good, state.gradient_good = x, gradient
                return value, gradient
        raise EvaluationFailed("the rescue interceptor gave up")

    def _search(self, batch, value, gradient) -> Steps:
        state = self.state

        def step(rate):
            self.updater.undo()
            return self._move(state.x_good, gradient, rate)

        def cost(x):
            mean = (yield from self.problem.ask(0, x, batch)) / len(batch)
            return mean if np.isfinite(mean) else np.inf

        search, rate = SEARCHES[self.safeguard.variant], state.rate * state.multiplier
        return (yield from search(step, cost, state.x_good, value, gradient, rate, self.safeguard.line_search))

    def _move(self, x, gradient, rate):
        return self.updater.step(x, gradient, rate, self.state.t, self.lower, self.upper)

    def _evaluate(self, x, batch) -> Steps:
        """Return the means of objective and gradient over the batch; the mean is infinite where they failed."""
        value, gradient = yield from self.problem.ask(1, x, batch)
        return value / len(batch), gradient / len(batch)

    def as_arrays(self) -> dict:
        """Return the run's whole state as named arrays."""
        generator = json.dumps(self.generator.bit_generator.state) if self.generator is not None else ""
        return {**vars(self.state), **self.updater.as_arrays(), "generator": generator}

    def restore(self, arrays: dict) -> None:
        """Restore a state written by `as_arrays`; the run continues as if it had not stopped."""
        for name, value in vars(self.state).items():
            restored = np.array(arrays[name]) if isinstance(value, np.ndarray) else type(value)(arrays[name])
            setattr(self.state, name, restored)
        self.updater.restore(arrays)
        if self.generator is not None:
            self.generator.bit_generator.state = json.loads(str(arrays["generator"]))
