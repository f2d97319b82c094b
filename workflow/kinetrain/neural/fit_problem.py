"""A vector field as a fit problem: a sum over conditions, as the optimizers of `kinetrain.training` see it.

A condition is a training trajectory with all its transitions or, where there are few trajectories, a single
transition. The objective is the negative log-likelihood of Gaussian errors without its constant,

    F(θ) = Σ (predicted − next)² / 2 σ²

over conditions, transitions and genes, with σ the standard deviation of the noise that was added to the data or, where
none was, the root mean square of the changes from one time point to the next, so that persistence has F = n / 2. It is
n / 2 σ² times the loss that `training_loop` minimises, the mean over the n predicted values: the same minimum.
"""

from collections.abc import Sequence

import numpy as np
import torch

from kinetrain.errors import InputError
from kinetrain.neural import ensemble, training_loop
from kinetrain.neural.options import few_trajectories
from kinetrain.neural.run import FLOOR, Run

NUMBERS = torch.float32  # as in training; the compiled kernel has no others
# A gradient multiplies by each matrix three times (forward, for the adjoint, for the weights), a value once.
GRADIENT_WEIGHT = 3.0


class NeuralProblem:
    """The fit problem of one vector field with P raw weights, on the training transitions of one data set.

    Attributes
    ----------
    As of `problem.SumOverConditions`. Weights have no bounds, but for living multipliers: those are FLOOR or above.

    Raises
    ------
    InputError
        If no gene changes, and no noise was added: errors have no unit.
    """

    gradient_weight, information_weight, relaxed_solves = GRADIENT_WEIGHT, None, 0

    def __init__(self, run: Run, noise: float):
        self._run = run
        start, end, duration = (part[0].to(NUMBERS) for part in run.transitions("train", [0]))
        self._data = start, end, duration
        self._rows = conditions_of(run.expression.of("train")[:, 0])
        unit = noise or float((end - start).square().mean().sqrt())
        if not unit:
            raise InputError("no gene changes in the training data: there is nothing to fit")
        self._per_value = 0.5 / unit**2
        self.names = [f"{name}_{n}" for name, shape in run.raw_shapes.items() for n in range(int(np.prod(shape)))]
        self.n_conditions, self.n_measurements = len(self._rows), end.numel()
        self.checksum = training_loop.fingerprint(run)
        self.engine = f"{run.field.__name__.rpartition('.')[2]}, {run.integrator.__name__.rpartition('.')[2]}"
        lowest = ensemble.unpack(np.full((1, len(self.names)), -np.inf), run.raw_shapes)
        if run.keeps_alive:
            lowest["v"][:] = FLOOR
        self.lower = np.concatenate([part.ravel() for part in lowest.values()])
        self.upper = np.full(len(self.names), np.inf)

    def draw_start(self, generator: np.random.Generator) -> np.ndarray:
        """Return the weights (P,) that training starts from with a random seed."""
        return self._run.start_row(int(generator.integers(2**31))).astype(float)

    def value(self, theta, conditions) -> float:
        """Return the objective of `conditions` (indices) at theta (P,); `inf` where it failed."""
        return float(self.values([theta], [conditions])[0])

    def value_and_gradient(self, theta, conditions) -> tuple[float, np.ndarray]:
        """Return the objective of `conditions` and its gradient (P,); `inf` and NaN where they failed."""
        values, gradients = self.values_and_gradients([theta], [conditions])
        return float(values[0]), gradients[0]

    def value_gradient_and_information(self, theta, conditions):
        """There is no Fisher information: `information_weight` is None."""
        raise NotImplementedError

    def values(self, thetas: Sequence[np.ndarray], conditions: Sequence) -> np.ndarray:
        """Return the objective (M,) at each of M points, each with conditions of its own."""
        (start, end, duration), present = self._batch(conditions)
        run = self._run
        with torch.no_grad():
            found = run.integrator.predict(run.field, self._raw(thetas), start, duration, self._steps(thetas))
        squares = (found - end).double().square().sum(dim=2) * present
        return finite(self._per_value * squares.sum(dim=1).cpu().numpy())

    def values_and_gradients(self, thetas: Sequence[np.ndarray], conditions: Sequence) -> tuple[np.ndarray, np.ndarray]:
        """Return the objectives (M,) at M points and their gradients (M, P)."""
        (start, end, duration), present = self._batch(conditions)
        run = self._run
        loss, gradients = run.integrator.value_and_gradient(
            run.field, self._raw(thetas), start, end, duration, present, self._steps(thetas)
        )
        scale = self._per_value * end.shape[2] * present.sum(dim=1).double()
        values = finite((scale * loss).cpu().numpy())
        found = (scale[:, None] * ensemble.pack(gradients)).cpu().numpy()
        found[~np.isfinite(values)] = np.nan
        return values, found

    def _raw(self, thetas) -> dict[str, torch.Tensor]:
        rows = torch.from_numpy(np.stack(thetas)).to(self._run.options.device, NUMBERS)
        return ensemble.unpack(rows, self._run.raw_shapes)

    def _steps(self, thetas) -> list[int]:
        return [self._run.options.steps] * len(thetas)

    def _batch(self, conditions):
        """Return start, end (M, B, k) and duration (M, B) of the transitions of each point, and 1 or 0 (M, B).

        A point with fewer transitions than another is padded by some of no length, with 0.
        """
        rows = [np.concatenate([self._rows[k] for k in own]) for own in conditions]
        indices, present = (torch.from_numpy(part).to(self._run.options.device) for part in ensemble.padded(rows))
        start, end, duration = (part[indices] for part in self._data)
        return (start, end, duration * present), present


def conditions_of(trajectory: np.ndarray) -> list[np.ndarray]:
    """Return the transitions of each condition, given the trajectory (N,) of each transition."""
    numbers = np.unique(trajectory)
    if few_trajectories(len(numbers)):
        return list(np.arange(len(trajectory))[:, None])
    return [np.flatnonzero(trajectory == number) for number in numbers]


def finite(values: np.ndarray) -> np.ndarray:
    """Return the values with inf in place of NaN: an evaluation that failed."""
    return np.where(np.isfinite(values), values, np.inf)
