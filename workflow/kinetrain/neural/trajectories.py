"""Whole trajectories of trained models, from the first measured point to the last time, beside what was measured."""

import numpy as np
import pandas as pd
import torch
from scipy.integrate import solve_ivp

from kinetrain.data.expression import Expression

# How many of each are shown; times at least, between the first and the last one of a trajectory.
GENES, TRAJECTORIES, TIMES = 4, 2, 50
# Of the solver: a curve shows the exact solution of the trained equations, not that by the steps of training.
RELATIVE, ABSOLUTE = 1e-6, 1e-8
MOST_EVALUATIONS = 20_000  # of the vector field, on the way of one trajectory


def trajectory_rows(field, parameters, expression: Expression) -> pd.DataFrame:
    """Return the table `trajectories` of `shown_genes` and `shown_trajectories`, without the columns of tables.LEVEL.

    parameters: {name: (M, *shape)} of trained models of the vector field, NaN where the training failed. Each model
    begins at the first measured point of all genes, without added noise, and sees no later one.

    time is in the unit of the data. measured is missing between measured times; split is that of the transition that
    ends at the time, empty for the first time, between measurements, and where no transition ends that is used.
    predicted, low, high: median, lowest and highest of the models with a finite value; models: how many these are, of
    so many seeds.
    """
    models, genes = len(next(iter(parameters.values()))), shown_genes(expression)
    parts = []
    for number in shown_trajectories(expression):
        measured = np.isfinite(expression.times[number])
        values, known = expression.values[number][measured], expression.times[number][measured]
        times = _with_times_between(known)
        paths = np.array([_path(field, _model(parameters, one), values[0], times)[:, genes] for one in range(models)])
        place = np.searchsorted(times, known)
        splits = np.full(len(times), "", dtype=object)
        splits[place] = _splits(expression, number, len(known))
        for column, gene in enumerate(genes):
            own = pd.DataFrame(paths[:, :, column])  # unlike NumPy, pandas does not warn where no model has a value
            seen = np.full(len(times), np.nan)
            seen[place] = values[:, gene]
            courses = {"predicted": own.median(), "low": own.min(), "high": own.max(), "models": own.count()}
            part = pd.DataFrame({"time": _of_data(times, expression.time_scale), "split": splits, "measured": seen})
            parts.append(part.assign(**courses, trajectory=number, gene=expression.genes[gene]))
    table = pd.concat(parts, ignore_index=True)
    return table.assign(time_unit=expression.time_unit, seeds=models)


def shown_genes(expression: Expression, count: int = GENES) -> np.ndarray:
    """Return the places of the genes that vary most over time in the training data, the same for all models.

    Varying is the variance about the mean of each trajectory, over all measured points that begin or end a training
    transition. Among equals the first ones are taken.
    """
    squares = np.zeros(len(expression.genes))
    used = expression.of("train")
    for number in np.unique(used[:, 0]):
        first = used[used[:, 0] == number, 1]
        seen = expression.values[number, np.union1d(first, first + 1)]
        squares += np.square(seen - seen.mean(axis=0)).sum(axis=0)
    return np.argsort(-squares, kind="stable")[:count]


def shown_trajectories(expression: Expression, most: int = TRAJECTORIES) -> list[int]:
    """Return the first trajectories with transitions that are held out: for the test, or else for validation."""
    held_out = next(rows for rows in map(expression.of, ("test", "validation")) if len(rows))
    return [int(number) for number in np.unique(held_out[:, 0])[:most]]


def _with_times_between(known: np.ndarray) -> np.ndarray:
    """Return measured times, and even ones between them where there are fewer than TIMES."""
    even = np.linspace(known[0], known[-1], TIMES if len(known) < TIMES else 2)
    apart = np.abs(even[:, None] - known).min(axis=1) > 1e-9 * (known[-1] - known[0])
    return np.union1d(known, even[apart])


def _of_data(times: np.ndarray, scale: float) -> list[float]:
    """Return times in the unit of the data, without the last digits, where rescaling there and back leaves a trace."""
    return [float(f"{time:.12g}") for time in times * scale]


def _splits(expression: Expression, number: int, points: int) -> np.ndarray:
    """Return the splits (T,) of the transitions of a trajectory by the point that they end at, "" where none does."""
    own = expression.transitions[:, 0] == number
    splits = np.full(points, "", dtype=object)
    splits[expression.transitions[own, 1] + 1] = expression.split[own]
    return splits


def _model(parameters, number: int) -> dict[str, torch.Tensor]:
    return {name: torch.as_tensor(part[number : number + 1], dtype=torch.float64) for name, part in parameters.items()}


def _path(field, parameters, start: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Return the states (T, k) of one model that is at `start` at the first of the times, NaN from where there is none.

    There is none of a model that failed, and where the solver fails.
    """
    path, evaluations = np.full((len(times), len(start)), np.nan), 0

    def slope(_, state):
        nonlocal evaluations
        evaluations += 1
        if evaluations > MOST_EVALUATIONS:  # what is not a number ends the solver, which keeps what it has
            return np.full_like(state, np.nan)
        with torch.no_grad():
            return field.derivative(parameters, torch.from_numpy(state)[None, None])[0, 0].numpy()

    if np.isfinite(slope(0.0, start)).all():
        with np.errstate(over="ignore", invalid="ignore"):  # of a model that grows without bounds
            solved = solve_ivp(slope, times[[0, -1]], start, t_eval=times, rtol=RELATIVE, atol=ABSOLUTE)
        path[: len(solved.t)] = np.reshape(solved.y, (len(start), -1)).T
    return np.where(np.isfinite(path), path, np.nan)
