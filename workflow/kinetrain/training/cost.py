"""The cost of a fit: a layer around any problem that counts its evaluations and enforces a budget."""

import time
from dataclasses import dataclass

import numpy as np

from kinetrain.problem import Simulated, SumOverConditions
from kinetrain.training.requests import Request, Steps

ROUNDING = 1e-9  # relative; a budget may be met exactly, in sums of other order


@dataclass
class Cost:
    """Counts of solves of single conditions, and of failures.

    total: all solves, in units of one without sensitivities. gradient_solves: without and with the Fisher information,
    which may have a cost of its own. failed_evaluations: of any number of conditions. relaxed_solves: repeated with
    looser tolerances; they are part of the solves of their kind.
    """

    total: float = 0.0
    gradient_solves: int = 0
    value_solves: int = 0
    cpu_seconds: float = 0.0
    failed_evaluations: int = 0
    relaxed_solves: int = 0

    def columns(self) -> dict:
        """Return the columns of traces: solves of both kinds, their cost, CPU seconds."""
        return {
            "gradient_solves": self.gradient_solves,
            "value_solves": self.value_solves,
            "cost": self.total,
            "cpu_seconds": self.cpu_seconds,
        }


class BudgetExhausted(Exception):
    """The budget does not pay for another evaluation."""


class Counted:
    """A problem whose evaluations are counted in `cost`; `problem` is the same one without counting.

    An evaluation that fails is paid in full, although it ends at the first condition that fails. CPU seconds count the
    evaluations alone, not the optimizer around them (parPE: simulation time). An evaluation beyond the `budget` (in the
    units of `Cost.total`; None is without limit) raises BudgetExhausted.
    """

    def __init__(self, problem: SumOverConditions, budget: float | None = None, gradient_weight: float | None = None):
        self.problem, self.budget = problem, budget
        self.cost = Cost()
        self.gradient_weight = problem.gradient_weight if gradient_weight is None else gradient_weight
        self.n_conditions = problem.n_conditions

    def columns(self) -> dict:
        """Return the columns of fits: costs, the engine, the cost of a gradient, failures, the size of the problem."""
        return {
            **self.cost.columns(),
            "engine": self.problem.engine,
            "gradient_weight": self.gradient_weight,
            "failed_evaluations": self.cost.failed_evaluations,
            "relaxed_solves": self.cost.relaxed_solves,
            "conditions": self.n_conditions,
            "measurements": self.problem.n_measurements,
            "parameters": len(self.problem.names),
        }

    def ask(self, order: int, theta, conditions) -> Steps:
        """Request value (order 0), or value and gradient, and return them; counted as by the functions below."""
        kind, weight = (("value_solves", 1), ("gradient_solves", self.gradient_weight))[order]
        self._require(weight * len(conditions))
        answer = yield Request(order, theta, conditions)
        self._add(kind, weight, len(conditions), answer.result, answer.cpu_seconds, answer.relaxed_solves)
        return answer.result

    def value(self, theta, conditions) -> float:
        """Return the sum of the objective over `conditions`; `inf` if it failed."""
        return self._count("value_solves", 1, self.problem.value, theta, conditions)

    def value_and_gradient(self, theta, conditions) -> tuple[float, np.ndarray]:
        """Return the sum of the objective over `conditions` and its gradient (n,); `inf` if it failed."""
        return self._count("gradient_solves", self.gradient_weight, self.problem.value_and_gradient, theta, conditions)

    def value_gradient_and_information(self, theta, conditions) -> tuple[float, np.ndarray, np.ndarray]:
        """Return sum, gradient (n,) and Fisher information (n, n); counts as a gradient, at its own cost."""
        evaluate, weight = self.problem.value_gradient_and_information, self.problem.information_weight
        return self._count("gradient_solves", weight, evaluate, theta, conditions)

    def simulate(self, theta, conditions) -> list:
        """Return the problem's own simulations of `conditions`; counts as one value."""
        if not isinstance(self.problem, Simulated):
            raise TypeError(f"{type(self.problem).__name__} has no simulations")
        return self._count("value_solves", 1, self.problem.simulate, theta, conditions)

    def _count(self, kind, weight, evaluate, theta, conditions):
        self._require(weight * len(conditions))
        relaxed, begin = self.problem.relaxed_solves, time.process_time()
        result = evaluate(theta, conditions)
        spent = time.process_time() - begin
        self._add(kind, weight, len(conditions), result, spent, self.problem.relaxed_solves - relaxed)
        return result

    def _require(self, price):
        if self.budget is not None and self.cost.total + price > self.budget * (1 + ROUNDING):
            raise BudgetExhausted

    def _add(self, kind, weight, count, result, cpu_seconds, relaxed):
        cost = self.cost
        cost.cpu_seconds += cpu_seconds
        cost.relaxed_solves += relaxed
        cost.total += weight * (count + relaxed)
        setattr(cost, kind, getattr(cost, kind) + count + relaxed)
        if not isinstance(result, list):
            cost.failed_evaluations += not np.isfinite(result[0] if isinstance(result, tuple) else result)
