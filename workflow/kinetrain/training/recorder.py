"""A record of all evaluations of the full objective, from which a killed run is resumed.

Full-batch optimizers keep their state to themselves, so a killed run is resumed by replaying its evaluations: asked for
the same points in the same order it gets the recorded answers, and arrives where it was.
"""

import json

import numpy as np

from kinetrain.training.cost import ROUNDING, Cost, Counted


class Recorder:
    """The full objective within the budget of `counted`.

    `offer(describe)` is called after each evaluation; `describe()` returns the record as arrays. `best` is the lowest
    value so far, `best_x` where; `history` holds one dict (costs, best value) per evaluation. least_order: what is
    evaluated even where less is asked for, since it will be asked for next.
    """

    def __init__(self, counted: Counted, offer, least_order: int = 0):
        self.counted, self.offer, self.least_order = counted, offer, least_order
        self.everything = np.arange(counted.n_conditions)
        self.records, self.replay = [], []
        self.history, self.best, self.best_x = [], np.inf, None

    def evaluate(self, theta, order: int):
        """Return (value,), (value, gradient) or (value, gradient, information) for order 0, 1 or 2.

        What the record to be replayed holds is not computed again, but counted as it was.

        Raises
        ------
        BudgetExhausted
            If another evaluation would exceed the budget.
        """
        theta = np.array(theta, dtype=float)
        if self.records and len(self.records[-1][1]) > order and np.array_equal(self.records[-1][0], theta):
            return self.records[-1][1][: order + 1]  # most optimizers ask for value and gradient one by one
        order = max(order, self.least_order)
        replayed = self._replayed(theta, order)
        if replayed is None:
            calls = (self.counted.value, self.counted.value_and_gradient, self.counted.value_gradient_and_information)
            result = calls[order](theta, self.everything)
            result = result if isinstance(result, tuple) else (result,)
        else:
            result, self.counted.cost = replayed
        self._record(theta, result)
        return result

    def _replayed(self, theta, order):
        position = len(self.records)
        if position < len(self.replay):
            point, result, cost = self.replay[position]
            if np.array_equal(point, theta) and len(result) == order + 1:
                return result, cost
            self.replay = []  # not the same run after all: evaluate from here on
        return None

    def _record(self, theta, result):
        self.records.append((theta, result, Cost(**vars(self.counted.cost))))
        if result[0] < self.best:
            self.best, self.best_x = float(result[0]), theta
        self.history.append({**self.counted.cost.columns(), "objective": self.best})
        if len(self.records) > len(self.replay):
            self.offer(self.as_arrays)

    def trace(self, budgets: np.ndarray) -> list[dict]:
        """Return the first entry of the history, and for each of the `budgets` (costs) the last one within it."""
        spent = np.array([entry["cost"] for entry in self.history])
        within = np.searchsorted(spent, budgets * (1 + ROUNDING), side="right") - 1
        return [self.history[index] for index in np.unique([0, *within[within >= 0]])] if self.history else []

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
            result = (float(numbers[0]),)
            if len(numbers) > 1:
                result += (numbers[1 : n + 1],)
            if len(numbers) > n + 1:
                result += (numbers[n + 1 :].reshape(n, n),)
            self.replay.append((point, result, Cost(**cost)))
