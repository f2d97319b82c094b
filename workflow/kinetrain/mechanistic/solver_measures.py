"""Error and work of gradients, by which the solver settings of both engines are chosen."""

from dataclasses import replace

import numpy as np

from kinetrain.problem import SumsAtPoints

ACCURACY = 1e-4  # of gradients by chosen settings, relative; a small component of one may be less accurate
MOST_CONDITIONS = 12  # whose gradients are measured
# The work of the parts of a solve, in steps without sensitivities. Rounded from CPU times of seven models of the PEtab
# benchmark collection (8 to 109 states): the ratio of gradient and value, in the median of a model's conditions, is met
# within a factor of 1.5.
SOLVE, SOLVE_PARAMETER = 150.0, 0.1  # of a solve apart from its steps; in addition for each parameter
STEP_PARAMETER = 0.8  # of a step, for each parameter of forward sensitivities
STORED_STEP, BACKWARD_STEP = 1.3, 6.0  # of adjoint ones


def largest_error(candidate, sample, known) -> float:
    """Return the largest relative error over known points: of the conditions' gradients, or the sum of their values.

    The gradients of all m conditions are one vector (m n,), compared in its 2-norm; their sum is next to nothing at an
    optimum. All of them can vanish there too: errors are relative to at least a tenth of the longest vector, and values
    to at least one.
    """
    least = max((0.1 * np.linalg.norm(gradients) for _, _, gradients in known), default=0.0)
    errors = []
    for theta, values, gradients in known:
        found, slopes = evaluate(candidate, theta, sample)
        if not np.isfinite(found).all():
            return np.inf
        off = np.linalg.norm(slopes - gradients)
        errors.append(off / max(least, np.linalg.norm(gradients)) if off else 0.0)  # where no parameter acts all are 0
        errors.append(abs(found.sum() - values.sum()) / max(1.0, abs(values.sum())))
    return float(max(errors, default=np.inf))


def evaluate(problem, theta, sample) -> tuple[np.ndarray, np.ndarray]:
    """Return the value (m,) and the gradient (m, n) of each of m conditions."""
    if isinstance(problem, SumsAtPoints):
        return problem.values_and_gradients([theta] * len(sample), [np.array([k]) for k in sample])
    values, gradients = zip(*(problem.value_and_gradient(theta, [k]) for k in sample), strict=True)
    return np.array(values), np.array(gradients)


def work_of(problem, theta, conditions, method: str | None) -> np.ndarray:
    """Return the work (m,) of a gradient of each of m conditions by a method, or of a value (None)."""
    if method is not None:
        problem = problem.solved_by(replace(problem.options, sensitivities=method))
    return np.array([_work(result, method) for result in problem.simulate(theta, conditions, method is not None)])


def least_forward_work(value: float, parameters: int) -> float:
    """Return the work of forward sensitivities of a solve, given that of its value, if they take no more steps."""
    return _forward_work(value - SOLVE, parameters)


def _forward_work(steps, parameters) -> float:
    return SOLVE * (1 + SOLVE_PARAMETER * parameters) + steps * (1 + STEP_PARAMETER * parameters)


def _work(result, method=None) -> float:
    """Return the work of a solve, in steps of one without sensitivities; infinite if it failed."""
    if result.status != 0:
        return np.inf
    steps, before, after = max(result.numsteps), sum(result.preeq_numsteps), sum(result.posteq_numsteps)
    if method is None:
        return SOLVE + steps + before + after
    parameters = len(result.sllh)
    if method == "forward":
        return _forward_work(steps + before + after, parameters)
    solve, step = SOLVE * (1 + SOLVE_PARAMETER * parameters), 1 + STEP_PARAMETER * parameters
    backward = max(result.numsteps_b) + result.preeq_numsteps_b + result.posteq_numsteps_b
    # AMICI takes forward sensitivities for pre-equilibration here too.
    return solve + before * step + STORED_STEP * (steps + after) + BACKWARD_STEP * backward


def finite(number) -> float | None:
    """Return a number for JSON, None if it is not finite."""
    return float(number) if np.isfinite(number) else None
