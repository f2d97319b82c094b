"""The parameters of the best fit of a problem: how certain they are, how far other good fits differ, and as PEtab."""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import petab.v1 as petab
from scipy import stats

from kinetrain.errors import InputError
from kinetrain.mechanistic.petab_files import gather, parameter_files, read_description
from kinetrain.mechanistic.petab_tables import read_tables
from kinetrain.tables import TABLES
from kinetrain.training.starts import best_members

LEVEL = 0.95
AT_BOUND = 1e-3  # of the distance of the bounds: nearer than that is at one
DETERMINED = 1e-10  # smallest eigenvalue of the scaled information, over the largest, that determines a direction
PART = 1e-3  # of a parameter in such a direction that is more than rounding
TOGETHER = 128  # conditions whose information is computed in one call
HALVINGS = 10  # of a step that does not lower the objective
DAMPINGS = 10.0 ** np.arange(-6, 3)  # of steps, as shares of the largest eigenvalue of the information
COLUMNS = TABLES["estimates"].names()[2:]  # without the problem and the replicate


def estimates(problem, settings: list[tuple[pd.DataFrame, dict]]) -> tuple[pd.DataFrame, np.ndarray | None]:
    """Return a table of the parameters of the best of all fits, in the units of the model, and their values (n,).

    problem: that was fitted. settings: per optimizer and its setting the table of its starts and the arrays that fit.py
    writes. The table has COLUMNS and a row per estimated parameter, the values are on the scales of the optimization.
    Where every fit failed, it has no rows, and they are None.

    low, high: 95 % interval from the Fisher information at the estimate (a quadratic approximation on the parameter's
    scale), of the parameters that are not at a bound; infinite where the data determine no value, empty where the
    information is not known. decrease_left: what the function of that name returns. spread_low, spread_high: the range
    over the good fits, whose objective lies less than half the 95 % quantile of chi-squared above the best, with as
    many degrees of freedom as parameters.
    """
    fits = [_points(problem, *setting) for setting in settings]
    rows, points = pd.concat([found for found, _ in fits]), np.concatenate([values for _, values in fits])
    if rows.empty:
        return pd.DataFrame(columns=COLUMNS), None
    objectives = rows["objective"].to_numpy(float)
    best = int(np.argmin(objectives))
    good = objectives <= objectives[best] + 0.5 * stats.chi2.ppf(LEVEL, len(problem.names))
    theta = points[best]
    at_bound, half, left = _local(problem, theta)
    scales = problem.petab.parameter_df.loc[problem.names, "parameterScale"].to_numpy()
    values = {
        "estimate": theta,
        "low": theta - half,
        "high": theta + half,
        "spread_low": points[good].min(axis=0),
        "spread_high": points[good].max(axis=0),
        "lower_bound": problem.lower,
        "upper_bound": problem.upper,
    }
    table = pd.DataFrame({name: _unscaled(value, scales) for name, value in values.items()})
    table = table.assign(
        parameter=problem.names,
        scale=scales,
        at_bound=at_bound,
        optimizer=rows["optimizer"].iloc[best],
        start=rows["start"].iloc[best],
        objective=objectives[best],
        decrease_left=left,
        good_fits=int(good.sum()),
    )
    return table[COLUMNS], theta


def _local(problem, theta) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the bound that each parameter is at, half its interval (n,), and by how much a step lowers the objective.

    The bounds are `lower`, `upper` or `no`.
    """
    near = AT_BOUND * (problem.upper - problem.lower)
    lower, upper = theta <= problem.lower + near, theta >= problem.upper - near
    free = ~(lower | upper)
    computed = with_information(problem, theta)
    movable = free
    if computed is not None:  # at a bound, but the objective falls away from it
        movable = free | np.where(computed[1] > 0, upper, lower & (np.asarray(computed[1]) < 0))
    half = half_widths(free, curvature(computed, free))
    left = decrease_left(problem, theta, movable, curvature(computed, movable))
    return np.select([upper, lower], ["upper", "lower"], "no"), half, left


def _points(problem, fits: pd.DataFrame, arrays: dict):
    """Return the fits that ended with a finite objective, best first, and their parameters in the problem's order."""
    found = fits[np.isfinite(fits["objective"])].sort_values("objective", kind="stable")
    return found, best_members(fits, arrays, len(fits))[:, places(problem, arrays)]


def places(problem, arrays: dict) -> list[int]:
    """Return where the problem's parameters (n,) stand among those of fits, whose arrays fit.py wrote.

    Raises
    ------
    InputError
        If these are not the same ones.
    """
    names = list(map(str, arrays["names"]))
    if sorted(names) != sorted(problem.names):
        raise InputError("the fits have other parameters than the problem: it was changed since")
    return [names.index(name) for name in problem.names]


@dataclass(frozen=True)
class Curvature:
    """The objective, its gradient and Fisher information at a point, of the f parameters that are free.

    gradient (f,). Of the information: the square roots of its diagonal, `size` (f,), its eigenvalues (f,) and
    eigenvectors (f, f) after division by them, or by 1 where they are zero (`divisor`), and which of these directions
    the data determine, `known` (f,).
    """

    value: float
    gradient: np.ndarray
    size: np.ndarray
    divisor: np.ndarray
    eigenvalues: np.ndarray
    vectors: np.ndarray
    known: np.ndarray


def curvature(computed, free) -> Curvature | None:
    """Return the curvature in the parameters that are `free` (n,), None where it is not known.

    computed: what `with_information` returns.
    """
    if computed is None or not free.any():
        return None
    value, gradient, information = computed
    gradient, information = np.asarray(gradient)[free], np.asarray(information)[np.ix_(free, free)]
    if not np.isfinite(information).all():
        return None
    size = np.sqrt(np.diag(information))
    divisor = np.where(size > 0, size, 1)
    eigenvalues, vectors = np.linalg.eigh(information / np.outer(divisor, divisor))
    known = eigenvalues > DETERMINED * max(eigenvalues.max(), np.finfo(float).tiny)
    return Curvature(value, gradient, size, divisor, eigenvalues, vectors, known)


def with_information(problem, theta):
    """Return value, gradient (n,) and Fisher information (n, n) of all conditions, some at a time.

    None where the problem has no information. Of large models this takes minutes: so it says how far it is, and can be
    interrupted.
    """
    if problem.information_weight is None:
        return None
    total, count = [0.0, 0.0, 0.0], problem.n_conditions
    for begin in range(0, count, TOGETHER):
        end = min(begin + TOGETHER, count)
        parts = problem.value_gradient_and_information(theta, np.arange(begin, end))
        total = [one + part for one, part in zip(total, parts, strict=True)]
        if count > TOGETHER:
            print(f"Fisher information: {end} of {count} conditions", file=sys.stderr, flush=True)
    return total


def half_widths(free, found: Curvature | None) -> np.ndarray:
    """Return half the 95 % interval of each parameter (n,) on its scale; NaN for those not `free`, or not known.

    The information is that of the free parameters, the others held fixed. A parameter that takes part in a direction
    which the data do not determine has an infinite interval.
    """
    half = np.full(len(free), np.nan)
    if found is None:
        return half
    variance = (found.vectors**2 / np.where(found.known, found.eigenvalues, 1)).sum(axis=1)
    loose = ((found.vectors[:, ~found.known] ** 2).sum(axis=1) > PART**2) | (found.size == 0)
    with np.errstate(divide="ignore"):
        deviation = np.where(loose, np.inf, np.sqrt(variance) / found.size)
    half[free] = stats.norm.ppf((1 + LEVEL) / 2) * deviation
    return half


def decrease_left(problem, theta, free, found: Curvature | None) -> float:
    """Return by how much one step more lowers the objective: about 0 at a minimum, NaN where it is not known.

    The best of several steps within the bounds counts: what it gains is left for certain, and more may be. That of
    Gauss and Newton in the directions that the data determine is halved until it helps. Far from a minimum the
    approximation fails along it, however often it is halved; so steps are tried that are damped by a share of the
    largest eigenvalue of the information (Levenberg), up to the steepest descent.
    """
    if found is None:
        return np.nan
    reached = [_value_after(problem, theta, free, step) for step in _damped_steps(found)]
    for halving in range(HALVINGS):
        reached.append(_value_after(problem, theta, free, _gauss_newton_step(found) / 2**halving))
        if reached[-1] < found.value:
            break
    ended = [value for value in reached if np.isfinite(value)]
    return float(max(0.0, found.value - min(ended))) if ended else np.nan


def _value_after(problem, theta, free, step) -> float:
    """Return the objective after a step (f,) of the `free` parameters, cut off at the bounds."""
    at = theta.copy()
    at[free] += step
    return problem.value(np.clip(at, problem.lower, problem.upper), np.arange(problem.n_conditions))


def _gauss_newton_step(found: Curvature) -> np.ndarray:
    directions = found.vectors[:, found.known]
    scaled = directions.T @ (found.gradient / found.divisor) / found.eigenvalues[found.known]
    return -(directions @ scaled) / found.divisor


def _damped_steps(found: Curvature):
    """Yield steps (f,), the longest first: a failed or endless one costs one evaluation."""
    information = (found.vectors * found.eigenvalues) @ found.vectors.T * np.outer(found.divisor, found.divisor)
    eigenvalues, vectors = np.linalg.eigh(information)
    for share in DAMPINGS if eigenvalues.max() > 0 else ():
        weights = np.maximum(eigenvalues, 0) + share * eigenvalues.max()
        yield -vectors @ (vectors.T @ found.gradient / weights)


def _unscaled(values, scales) -> np.ndarray:
    """Return values on the scales of the parameters in the units of the model."""
    with np.errstate(over="ignore"):
        return np.array(list(petab.map_unscale(values, scales)))


def write_fitted_problem(path, table: pd.DataFrame, folder) -> None:
    """Write the problem at `path` into `folder`, with the estimates of `table` as nominal values: PEtab of any version.

    The parameter tables keep all other columns. Bounds that were hit are marked in the column `kinetrain_at_bound`,
    which PEtab permits.
    """
    gather(path, folder)
    fitted = table.set_index("parameter")
    for name in parameter_files(read_description(Path(folder) / "problem.yaml")):
        file = Path(folder) / name
        parameters = read_tables([file], petab.PARAMETER_ID)
        own = [one for one in fitted.index if one in parameters.index]
        parameters["nominalValue"] = parameters.reindex(columns=["nominalValue"])["nominalValue"].astype(object)
        parameters.loc[own, "nominalValue"] = fitted.loc[own, "estimate"].astype(object)
        parameters["kinetrain_at_bound"] = fitted["at_bound"].reindex(parameters.index).fillna("")
        parameters.to_csv(file, sep="\t", index_label=petab.PARAMETER_ID)
