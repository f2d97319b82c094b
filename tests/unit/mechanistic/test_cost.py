"""Everything that is solved is paid from one budget, in units of a solve without sensitivities."""

import numpy as np
import pytest

from kinetrain.training.cost import BudgetExhausted, Counted

EVERYTHING = np.arange(4)


def test_a_gradient_costs_its_weight(quadratic):
    counted = Counted(quadratic(), gradient_weight=4.5)
    counted.value(np.zeros(2), EVERYTHING)
    counted.value_and_gradient(np.zeros(2), EVERYTHING[:2])
    assert counted.cost.total == 4 + 2 * 4.5
    columns = counted.cost.columns()
    assert {**columns, "cpu_seconds": 0} == {"gradient_solves": 2, "value_solves": 4, "cost": 13.0, "cpu_seconds": 0}


def test_a_gradient_with_the_information_counts_as_a_gradient_at_its_own_cost(quadratic):
    class Informed(quadratic):
        information_weight = 7.0

        def value_gradient_and_information(self, theta, conditions):
            return *self.value_and_gradient(theta, conditions), np.eye(2)

    counted = Counted(Informed(), budget=4 * 7.0, gradient_weight=4.5)
    counted.value_gradient_and_information(np.zeros(2), EVERYTHING)
    assert (counted.cost.total, counted.cost.gradient_solves, counted.cost.value_solves) == (28.0, 4, 0)
    with pytest.raises(BudgetExhausted):
        counted.value_gradient_and_information(np.zeros(2), EVERYTHING[:1])


def test_a_budget_can_be_met_exactly_but_not_exceeded(quadratic):
    counted = Counted(quadratic(), budget=3 * 4 * 0.1, gradient_weight=0.1)
    for _ in range(3):
        counted.value_and_gradient(np.zeros(2), EVERYTHING)
    for evaluate in (counted.value, counted.value_and_gradient):
        with pytest.raises(BudgetExhausted):
            evaluate(np.zeros(2), EVERYTHING[:1])
    assert (counted.cost.gradient_solves, counted.cost.value_solves) == (12, 0)


def test_failures_and_repeated_solves_are_counted_and_paid(quadratic):
    class Relaxed(quadratic):
        def value_and_gradient(self, theta, conditions):
            self.relaxed_solves += 3
            return super().value_and_gradient(theta, conditions)

    counted = Counted(Relaxed(wall=lambda x: x[0] > 1), gradient_weight=5)
    counted.problem.relaxed_solves = 7  # from evaluations outside
    counted.value_and_gradient(np.zeros(2), EVERYTHING)
    counted.value_and_gradient(np.full(2, 2.0), EVERYTHING)
    cost = counted.cost
    assert (cost.relaxed_solves, cost.failed_evaluations, cost.gradient_solves) == (6, 1, 14)
    assert cost.total == 5 * 14
