"""Histories of runs: the objective by cost, the best point, and the record that a killed run is resumed from.

Mini-batch runs note iterates, whose full objective is evaluated outside the counted cost (`Journal`); full-batch runs
record every evaluation, all of which are counted (`Recorder`).
"""

import json
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from kinetrain.problem import SumOverConditions, Vector
from kinetrain.training.cost import ROUNDING, Cost
from kinetrain.training.requests import Request, Steps

Result = tuple[Any, ...]  # (value,), (value, gradient (n,)), or (value, gradient, Fisher information (n, n))


class Evaluated(Protocol):
    """What evaluates and counts: `Counted`, or a problem reduced to fewer parameters (`full_batch.Reduced`)."""

    n_conditions: int

    @property
    def cost(self) -> Cost:
        """What was counted."""

    @cost.setter
    def cost(self, cost: Cost) -> None: ...

    def value(self, theta: Vector, conditions: Vector) -> float:
        """Return the sum over conditions."""

    def value_and_gradient(self, theta: Vector, conditions: Vector) -> tuple[float, Vector]:
        """Return the sum and its gradient."""

    def value_gradient_and_information(self, theta: Vector, conditions: Vector) -> tuple[float, Vector, Vector]:
        """Return the sum, its gradient and the Fisher information."""


class History:
    """The history of a run: `entries`, dicts of costs and objective; the lowest value `best`, and `best_x` (n,)."""

    def __init__(self, n_conditions: int):
        self.everything = np.arange(n_conditions)
        self.entries: list[dict] = []
        self.best: float = np.inf
        self.best_x: Vector | None = None

    def keep_best(self, value: float, x: Vector) -> None:
        """Keep a point (n,) if it is the best so far."""
        if value < self.best:
            self.best, self.best_x = value, np.array(x)


class Journal(History):
    """The trace of a run: the full objective of its iterates, evaluated outside the counted cost.

    Parameters
    ----------
    problem: the fit problem; its evaluations are requested (`requests`) and not counted.
    budgets: the costs at which the run is traced, ascending (0 is its start).
    average_from: the cost from which on iterates are averaged.

    Attributes
    ----------
    entries: one for each point of the trace, with its own objective.
    """

    def __init__(self, problem: SumOverConditions, budgets: Vector, average_from: float):
        super().__init__(problem.n_conditions)
        self.budgets, self.average_from = budgets, average_from
        self.best_x = np.full(len(problem.lower), np.nan)
        self.sum, self.averaged = np.zeros(len(problem.lower)), 0

    def note(self, x, cost: Cost) -> Steps:
        """Note an iterate (n,): trace it if another of the budgets is used up."""
        spent = cost.total * (1 + ROUNDING)
        if spent > self.average_from:
            self.sum += x
            self.averaged += 1
        if len(self.budgets) and spent >= self.budgets[0]:
            self.budgets = self.budgets[np.searchsorted(self.budgets, spent, side="right") :]
            yield from self.record(x, cost)

    def record(self, x, cost: Cost) -> Steps:
        """Return the full objective at x (n,), which is added to the trace unless it is there."""
        if not self.entries or self.entries[-1]["cost"] < cost.total:
            columns = cost.columns()
            answer = yield Request(0, x, self.everything)
            self.entries.append({**columns, "objective": answer.result})
            self.keep_best(answer.result, x)
        return self.entries[-1]["objective"]

    def average(self) -> Steps:
        """Return the mean (n,) of the iterates that count, and its full objective; NaN if there are none."""
        if not self.averaged:
            return np.full_like(self.sum, np.nan), np.nan
        mean = self.sum / self.averaged
        answer = yield Request(0, mean, self.everything)
        return mean, answer.result

    def as_arrays(self) -> dict:
        """Return the history as named arrays."""
        return {
            "trace": json.dumps(self.entries),
            "best": self.best,
            "best_x": self.best_x,
            "sum": self.sum,
            "averaged": self.averaged,
            "budgets": self.budgets,
        }

    def restore(self, arrays: dict) -> None:
        """Restore a history written by `as_arrays`."""
        self.entries = json.loads(str(arrays["trace"]))
        self.best, self.averaged = float(arrays["best"]), int(arrays["averaged"])
        self.best_x, self.sum, self.budgets = (np.array(arrays[name]) for name in ("best_x", "sum", "budgets"))


class Recorder(History):
    """All evaluations of the full objective within the budget of `counted`, from which a killed run is resumed.

    Full-batch optimizers do not expose their state, so a killed run is resumed by replaying its evaluations: asked for
    the same points in the same order, the recorded results bring the optimizer to where it was.

    `offer(describe)` is called after each evaluation; `describe()` returns the record as arrays. entries: one for each
    evaluation, with the lowest objective so far.
    """

    def __init__(self, counted: Evaluated, offer: Callable):
        super().__init__(counted.n_conditions)
        self.counted, self.offer = counted, offer
        self.records: list[tuple[Vector, Result, Cost]] = []
        self.replay: list[tuple[Vector, Result, Cost]] = []

    def evaluate(self, theta: Vector, order: int) -> Result:
        """Return (value,), (value, gradient) or (value, gradient, information) for order 0, 1 or 2.

        Evaluations in the record to be replayed are not computed again, but counted as they were.

        Raises
        ------
        BudgetExhausted
            If another evaluation would exceed the budget.
        """
        theta = np.array(theta, dtype=float)
        if self.records and len(self.records[-1][1]) > order and np.array_equal(self.records[-1][0], theta):
            return self.records[-1][1][: order + 1]  # most optimizers ask for value and gradient one by one
        replayed = self._replayed(theta, order)
        if replayed is None:
            result = self._computed(theta, order)
        else:
            result, self.counted.cost = replayed
        self._record(theta, result)
        return result

    def _computed(self, theta: Vector, order: int) -> Result:
        if order == 0:
            return (self.counted.value(theta, self.everything),)
        evaluate = self.counted.value_and_gradient if order == 1 else self.counted.value_gradient_and_information
        return evaluate(theta, self.everything)

    def _replayed(self, theta: Vector, order: int) -> tuple[Result, Cost] | None:
        position = len(self.records)
        if position < len(self.replay):
            point, result, cost = self.replay[position]
            if np.array_equal(point, theta, equal_nan=True) and len(result) == order + 1:
                return result, cost
            self.replay = []  # another run: evaluate from here on
        return None

    def _record(self, theta: Vector, result: Result) -> None:
        self.records.append((theta, result, Cost(**vars(self.counted.cost))))
        self.keep_best(float(result[0]), theta)
        self.entries.append({**self.counted.cost.columns(), "objective": self.best})
        if len(self.records) > len(self.replay):
            self.offer(self.as_arrays)

    def trace(self, budgets: np.ndarray) -> list[dict]:
        """Return the first entry of the history, and for each of the `budgets` (costs) the last one within it."""
        spent = np.array([entry["cost"] for entry in self.entries])
        within = np.searchsorted(spent, budgets * (1 + ROUNDING), side="right") - 1
        return [self.entries[index] for index in np.unique([0, *within[within >= 0]])] if self.entries else []

    def as_arrays(self) -> dict:
        """Return the record of evaluations as arrays, one row per evaluation."""
        points = np.array([point for point, _, _ in self.records])
        results = [np.concatenate([np.ravel(part) for part in result]) for _, result, _ in self.records]
        return {
            "points": points,
            "results": np.concatenate(results),
            "lengths": np.array([len(result) for result in results]),
            "costs": json.dumps([vars(cost) for _, _, cost in self.records]),
        }

    def restore(self, arrays: dict) -> None:
        """Take a record written by `as_arrays` for replay."""
        points = arrays["points"]
        n = points.shape[1]
        ends = np.cumsum(arrays["lengths"])
        for point, begin, end, cost in zip(
            points, ends - arrays["lengths"], ends, json.loads(str(arrays["costs"])), strict=True
        ):
            numbers = arrays["results"][begin:end]
            parts = float(numbers[0]), numbers[1 : n + 1], numbers[n + 1 :].reshape(-1, n)
            result = parts[: 1 + (len(numbers) > 1) + (len(numbers) > n + 1)]
            self.replay.append((point, result, Cost(**cost)))
