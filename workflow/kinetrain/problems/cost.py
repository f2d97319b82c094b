"""What training a problem has cost so far: a counting layer around any problem."""

import time
from dataclasses import asdict, dataclass

import numpy as np


@dataclass
class Cost:
    """Solves of single conditions, failed evaluations (of any number of conditions), CPU seconds in evaluations."""

    gradient_solves: int = 0
    value_solves: int = 0
    failed_evaluations: int = 0
    cpu_seconds: float = 0.0

    def as_dict(self) -> dict:
        """Return the four numbers by name."""
        return asdict(self)


class BudgetExhausted(Exception):
    """The budget does not pay for another gradient."""


class Counted:
    """A problem whose evaluations are counted in `cost`; `problem` is the same one without counting.

    A problem has `names`, `lower`, `upper`, `start_lower`, `start_upper`, `nominal` (all of length n, on the scale of
    the optimization), `n_conditions`, a `checksum` of its data, and `value(theta, conditions)` and
    `value_and_gradient(theta, conditions)`: *sums* over any sequence of condition indices, `inf` where they failed.
    CPU seconds count the evaluations alone, not the optimizer around them (parPE: simulation time). A gradient beyond
    the `budget` (gradient solves of single conditions; None is without limit) raises BudgetExhausted.
    """

    def __init__(self, problem, budget: int | None = None):
        self.problem, self.budget = problem, budget
        self.cost = Cost()
        self.n_conditions = problem.n_conditions

    def value(self, theta, conditions) -> float:
        """Return the sum of the objective over `conditions`; `inf` if it failed."""
        return self._count("value_solves", self.problem.value, theta, conditions)[0]

    def value_and_gradient(self, theta, conditions) -> tuple[float, np.ndarray]:
        """Return the sum of the objective over `conditions` and its gradient (n,); `inf` if it failed."""
        return self._count("gradient_solves", self.problem.value_and_gradient, theta, conditions)

    def value_gradient_and_information(self, theta, conditions) -> tuple[float, np.ndarray, np.ndarray]:
        """Return sum, gradient (n,) and Fisher information (n, n); counts as one gradient."""
        return self._count("gradient_solves", self.problem.value_gradient_and_information, theta, conditions)

    def _count(self, kind, evaluate, theta, conditions):
        spent = self.cost.gradient_solves + len(conditions)
        if kind == "gradient_solves" and self.budget is not None and spent > self.budget:
            raise BudgetExhausted
        begin = time.process_time()
        result = evaluate(theta, conditions)
        result = result if isinstance(result, tuple) else (result,)
        self.cost.cpu_seconds += time.process_time() - begin
        setattr(self.cost, kind, getattr(self.cost, kind) + len(conditions))
        self.cost.failed_evaluations += not np.isfinite(result[0])
        return result
