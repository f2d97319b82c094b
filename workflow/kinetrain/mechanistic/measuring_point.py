"""Where a problem's solver is measured: at the nominal parameters, or where these cannot be evaluated, elsewhere."""

import copy

import numpy as np

from kinetrain.errors import InputError
from kinetrain.mechanistic.gradient_check import LONG, kinds_of
from kinetrain.mechanistic.solver_measures import MOST_CONDITIONS
from kinetrain.mechanistic.solver_options import SolverOptions

STARTS, SHARES = 10, (0.1, 0.5, 1.0)  # random starts, and how far of the way to them
NOMINAL = "the nominal parameters"


def measured_at(problem, path) -> tuple:
    """Return a PEtab problem (AMICI's) with another point as `nominal` if need be, and what point it is.

    It is the nominal parameters (at their bounds where they are infinite on their scale), else the first point on the
    way to some random starts, where one condition of each kind, and some more, have a finite value.

    Raises
    ------
    InputError
        If there is none; the message names a condition that fails, and the parameter that causes it, if one does.
    """
    solved = problem.solved_by(SolverOptions(**LONG))
    within = np.clip(problem.nominal, problem.lower, problem.upper)
    nominal = np.where(np.isfinite(problem.nominal), problem.nominal, within)
    more = np.linspace(0, problem.n_conditions - 1, min(MOST_CONDITIONS, problem.n_conditions)).astype(int)
    conditions = list(dict.fromkeys([*(members[0] for members in kinds_of(problem)), *map(int, more)]))
    for what, theta in _points(problem, nominal):
        failing = next((k for k in conditions if not np.isfinite(solved.value(theta, [k]))), None)
        if failing is None:
            if what != NOMINAL or not np.array_equal(theta, problem.nominal):
                problem = copy.copy(problem)
                problem.nominal = theta
            return problem, what
        conditions.remove(failing)  # what fails is tried first from now on
        conditions.insert(0, failing)
    name = problem.condition_names[failing]
    raise InputError(
        f"{path}: the condition '{name}' cannot be evaluated at {NOMINAL} or at {len(SHARES) * STARTS} points on the "
        f"way to random starts, so that its solver cannot be chosen{_reason(problem, solved, nominal, failing)}"
    )


def _points(problem, nominal):
    yield NOMINAL, nominal
    rng = np.random.default_rng(0)
    starts = rng.uniform(problem.start_lower, problem.start_upper, (STARTS, len(nominal)))
    for share in SHARES:
        for number, start in enumerate(starts):
            yield f"{share:.0%} of the way to random start {number}", nominal + share * (start - nominal)


def _reason(problem, solved, theta, k) -> str:
    """Return which parameter (set to one, the condition succeeds), or else which observable, makes a condition fail."""
    for name, value in solved.values_with_ones(theta, k):
        if np.isfinite(value):
            return f"; with '{name}' = 1 it can"
    result = solved.simulate(theta, [k])[0]
    for name, *both in zip(problem.model.get_observable_ids(), result.y.T, result.sigmay.T, strict=True):
        if result.status == 0 and not np.isfinite(both).all():
            return f": '{name}' or its noise has no finite value"
    return ": it takes too many steps, or its states are not finite"
