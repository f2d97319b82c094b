"""What is written down of a mini-batch run: the full objective at fixed budgets, the best point, an average."""

import json

import numpy as np

from kinetrain.training.cost import ROUNDING, Cost
from kinetrain.training.requests import Request, Steps


class Journal:
    """The trace of a run: the full objective of its iterates, evaluated outside the counted cost.

    Parameters
    ----------
    problem: what it is about; its evaluations are asked for (`requests`), without counting.
    budgets: the costs at which the run is traced, ascending (0 is its start).
    average_from: the cost from which on iterates are averaged.

    Attributes
    ----------
    trace: dicts of the costs and the objective. best, best_x (n,): the lowest objective in the trace, and where.
    """

    def __init__(self, problem, budgets, average_from: float):
        self.everything = np.arange(problem.n_conditions)
        self.budgets, self.average_from = budgets, average_from
        self.trace, self.best, self.best_x = [], np.inf, np.full(len(problem.lower), np.nan)
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
        if not self.trace or self.trace[-1]["cost"] < cost.total:
            columns = cost.columns()
            answer = yield Request(0, x, self.everything)
            self.trace.append({**columns, "objective": answer.result})
            if self.trace[-1]["objective"] < self.best:
                self.best, self.best_x = self.trace[-1]["objective"], np.array(x)
        return self.trace[-1]["objective"]

    def average(self) -> Steps:
        """Return the mean (n,) of the iterates that count, and its full objective; NaN if there are none."""
        if not self.averaged:
            return np.full_like(self.sum, np.nan), np.nan
        mean = self.sum / self.averaged
        answer = yield Request(0, mean, self.everything)
        return mean, answer.result

    def as_arrays(self) -> dict:
        """Return what was written down as named arrays."""
        return {
            "trace": json.dumps(self.trace),
            "best": self.best,
            "best_x": self.best_x,
            "sum": self.sum,
            "averaged": self.averaged,
            "budgets": self.budgets,
        }

    def restore(self, arrays: dict) -> None:
        """Take over what was written by `as_arrays`."""
        self.trace = json.loads(str(arrays["trace"]))
        self.best, self.averaged = float(arrays["best"]), int(arrays["averaged"])
        self.best_x, self.sum, self.budgets = (np.array(arrays[name]) for name in ("best_x", "sum", "budgets"))
