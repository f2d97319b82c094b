"""Pruning of reactions: fit an over-complete model, remove the reactions of the lowest scores, and fit the rest again.

A pruned reaction is a rate fixed at zero. Which reactions are removed is decided without the truth, and so is how many
are kept: those after the event with the lowest Bayesian information criterion. Source of the score of `both`: DASH
(Hossain et al. 2024) for one layer, with rates and confidences scaled to a sum of 1 each, so that lambda is their
weight; rates can be compared because all of them have the same unit. Fits, the criterion and the schedule are choices
of ours.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kinetrain.mechanistic.reaction_options import METHODS, RANDOM, UNPRUNED, ReactionPruning
from kinetrain.mechanistic.reaction_prior import ReactionPrior
from kinetrain.problem import SumOverConditions, Vector
from kinetrain.pruning.events import prune
from kinetrain.seeds import generator
from kinetrain.training.cost import Cost, Counted
from kinetrain.training.full_batch import minimize, takes_information
from kinetrain.training.history import Recorder


class Remaining:
    """A counted problem with some parameters fixed at zero (`history.Evaluated`); it is evaluated at the others (m,).

    kept: whether each of the n parameters is one of the others.
    """

    def __init__(self, counted: Counted, kept: Vector):
        self.counted, self.kept, self.n_conditions = counted, kept, counted.n_conditions

    @property
    def cost(self) -> Cost:
        """What was counted."""
        return self.counted.cost

    @cost.setter
    def cost(self, cost: Cost) -> None:
        self.counted.cost = cost

    def complete(self, x: Vector) -> Vector:
        """Return all parameters (n,)."""
        theta = np.zeros(len(self.kept))
        theta[self.kept] = x
        return theta

    def value(self, theta: Vector, conditions: Vector) -> float:
        """Return the sum over conditions."""
        return self.counted.value(self.complete(theta), conditions)

    def value_and_gradient(self, theta: Vector, conditions: Vector) -> tuple[float, Vector]:
        """Return the sum and its gradient (m,)."""
        value, gradient = self.counted.value_and_gradient(self.complete(theta), conditions)
        return value, gradient[self.kept]

    def value_gradient_and_information(self, theta: Vector, conditions: Vector) -> tuple[float, Vector, Vector]:
        """Return the sum, its gradient (m,) and the Fisher information (m, m)."""
        found = self.counted.value_gradient_and_information(self.complete(theta), conditions)
        value, gradient, information = found
        return value, gradient[self.kept], information[np.ix_(self.kept, self.kept)]


@dataclass
class State:
    """The state of a run: parameters (n,), and of each of the c reactions whether it is left, the event that removed it
    (0 where none did) and the score that it had then, (c,); a row for each event so far, the fit before them first.
    """

    theta: Vector
    left: Vector
    removed: Vector
    score: Vector
    rows: list[dict]

    def as_arrays(self) -> dict:
        """Return the state as named arrays."""
        return {**vars(self), "rows": json.dumps(self.rows)}

    @classmethod
    def of_arrays(cls, arrays: dict) -> "State":
        """Return the state that `as_arrays` described."""
        return cls(**{**arrays, "rows": json.loads(str(arrays["rows"]))})


def score_of(rates: Vector, confidence: Vector, weight: float) -> Vector:
    """Return the scores of reactions: (1 - weight) x share of the rates + weight x share of the confidences."""
    return (1 - weight) * _share(rates) + weight * _share(confidence)


def _share(values: Vector) -> Vector:
    return values / values.sum() if values.any() else values


class ReactionRun:
    """The pruning of one fit by one method.

    Parameters
    ----------
    problem, held_out: what is fitted, and other conditions of the same model.
    prior: the reactions that may be pruned, with the confidences that the method is given.
    method, options: by what reactions are removed, and how many.
    seed: of the choice among equal scores.
    """

    def __init__(
        self,
        problem: SumOverConditions,
        held_out: SumOverConditions,
        prior: ReactionPrior,
        method: str,
        options: ReactionPruning,
        seed: list[int],
    ):
        self.problem, self.held_out, self.prior = problem, held_out, prior
        self.method, self.options, self.seed = method, options, seed
        names = list(problem.names)
        self.rates = np.array([names.index(name) for name in prior.parameters])
        self.held_out_place = np.array([names.index(name) for name in held_out.names])
        self.events, self.epochs = options.events, options.epochs
        if method == UNPRUNED:
            self.events, self.epochs = 1, options.epochs * options.events

    def run(self, theta: Vector, offer: Callable, saved: dict | None = None) -> State:
        """Return the state after all events, from fitted parameters (n,) or a `saved` state.

        `offer(describe)` is called after each event; `describe()` returns the state as arrays. A run ends early where
        what is left cannot be evaluated; its last row has an infinite objective.
        """
        if saved is not None:
            state = State.of_arrays(saved)
        else:
            count = len(self.rates)
            state = State(theta, np.full(count, True), np.zeros(count, int), np.zeros(count), [])
            self._note(state, self.problem.value(theta, np.arange(self.problem.n_conditions)), Cost())
        while len(state.rows) <= self.events and np.isfinite(state.rows[-1]["objective"]):
            if self.method != UNPRUNED:
                self._prune(state)
            self._fit(state)
            offer(state.as_arrays)
        return state

    def scores(self, state: State) -> Vector:
        """Return the scores of all reactions (c,): of those left, the lowest go, and by chance among equal ones."""
        if self.method == RANDOM:
            return np.zeros(len(self.rates))
        weight = METHODS[self.method].prior_weight
        weight = self.options.prior_weight if weight is None else weight
        return score_of(state.theta[self.rates] * state.left, self.prior.confidence * state.left, weight)

    def _prune(self, state: State) -> None:
        event, score = len(state.rows), self.scores(state)
        rng = generator(*self.seed, event)
        left = prune(state.left, score, self.options.fraction, rng)
        gone = state.left & ~left
        state.left, state.removed[gone], state.score[gone] = left, event, score[gone]

    def _fit(self, state: State) -> None:
        problem, optimizer = self.problem, self.options.optimizer
        kept = np.full(len(problem.lower), True)
        kept[self.rates[~state.left]] = False
        budget = self.epochs * problem.gradient_weight * problem.n_conditions
        remaining = Remaining(Counted(problem, budget), kept)
        recorder = Recorder(remaining, lambda describe: None)
        information = takes_information(optimizer, problem, self.epochs)
        minimize(recorder, problem.lower[kept], problem.upper[kept], state.theta[kept], optimizer, information)
        if recorder.best_x is not None:
            state.theta = remaining.complete(recorder.best_x)
        self._note(state, recorder.best, remaining.cost)

    def _note(self, state: State, objective: float, cost: Cost) -> None:
        """Add the row of an event: what is left, how well it fits, and the cost of all fits so far."""
        present = state.left & (state.theta[self.rates] > 0)
        parameters = len(state.theta) - len(self.rates) + int(present.sum())
        before = state.rows[-1] if state.rows else {"cost": 0.0, "cpu_seconds": 0.0}
        held_out, everything = state.theta[self.held_out_place], np.arange(self.held_out.n_conditions)
        row = {
            "event": len(state.rows),
            "left": int(state.left.sum()),
            "reactions": int(present.sum()),
            "objective": float(objective),
            "held_out_objective": self.held_out.value(held_out, everything),
            "bic": 2 * float(objective) + parameters * float(np.log(self.problem.n_measurements)),
            "kept": "; ".join(np.array(self.prior.reactions)[present]),
            "cost": before["cost"] + cost.total,
            "cpu_seconds": before["cpu_seconds"] + cost.cpu_seconds,
        }
        state.rows.append(row)

    def strength(self, state: State) -> Vector:
        """Return numbers (c,) by which reactions are ranked: what went later is stronger, then what has more.

        Reactions that went at the same event are ranked by the score that they had, those left by their rates.
        """
        when = np.where(state.left, self.events + 1, state.removed)
        size = np.where(state.left, state.theta[self.rates], state.score)
        order = np.lexsort((size, when))
        steps = (np.diff(when[order]) != 0) | (np.diff(size[order]) != 0)
        strength = np.empty(len(order))
        strength[order] = np.concatenate([[0], np.cumsum(steps)])
        return strength


def chosen(rows: list[dict]) -> dict:
    """Return the row of the event whose reactions are kept: the first one with the lowest criterion."""
    return min(rows, key=lambda row: row["bic"])
