"""The protocol of fit problems: a sum over conditions, with its gradient, for any subset of them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

Vector = np.ndarray


class SumOverConditions(Protocol):
    """A fit problem of n parameters and K conditions, as optimizers see it.

    names, lower, upper: of the n parameters, and the box of the search, on the scale of the optimization; bounds may be
    infinite. n_measurements: data points of all conditions. checksum: of the data.
    gradient_weight: the cost of a gradient of one condition, in evaluations of its value. information_weight: the same
    with the Fisher information, or None where there is none. relaxed_solves: evaluations of single conditions that were
    repeated less accurately so far. engine: what evaluates it.
    """

    names: Sequence[str]
    lower: Vector
    upper: Vector
    n_conditions: int
    n_measurements: int
    checksum: str
    gradient_weight: float
    information_weight: float | None
    relaxed_solves: int
    engine: str

    def draw_start(self, generator: np.random.Generator) -> Vector:
        """Return a random starting point (n,)."""

    def value(self, theta: Vector, conditions: Sequence[int] | Vector) -> float:
        """Return the sum over `conditions` (indices) at theta (n,); `inf` where it failed."""

    def value_and_gradient(self, theta: Vector, conditions: Sequence[int] | Vector) -> tuple[float, Vector]:
        """Return the sum over `conditions` and its gradient (n,); `inf` and NaN where it failed."""

    def value_gradient_and_information(
        self, theta: Vector, conditions: Sequence[int] | Vector
    ) -> tuple[float, Vector, Vector]:
        """Return sum, gradient (n,) and Fisher information (n, n); only where `information_weight` is not None."""


@runtime_checkable
class SumsAtPoints(Protocol):
    """A fit problem that evaluates several points at once, each with conditions of its own, faster than one by one."""

    def values(self, thetas: Sequence[Vector], conditions: Sequence[Vector]) -> Vector:
        """Return the sum at each of the M points (n,), (M,)."""

    def values_and_gradients(self, thetas: Sequence[Vector], conditions: Sequence[Vector]) -> tuple[Vector, Vector]:
        """Return the sums (M,) and their gradients (M, n)."""


@runtime_checkable
class Simulated(Protocol):
    """A fit problem that also returns its simulations, as those of PEtab do."""

    def simulate(self, theta: Vector, conditions: Sequence[int] | Vector) -> list[Any]:
        """Return the simulation of each of the conditions at theta (n,)."""


class StartingBox:
    """Starting points that are drawn parameter by parameter.

    start_lower, start_upper (n,): the box in which they are uniform. start_quantiles: of parameters that do not start
    uniformly, quantile functions by their position.
    """

    start_lower: Vector
    start_upper: Vector
    start_quantiles: Mapping[int, Callable[[float], float]]

    def draw_start(self, generator: np.random.Generator) -> Vector:
        """Return a random starting point (n,)."""
        share = generator.uniform(size=len(self.start_lower))
        point: Vector = self.start_lower + share * (self.start_upper - self.start_lower)
        for index, quantile in self.start_quantiles.items():
            point[index] = quantile(share[index])
        return point
