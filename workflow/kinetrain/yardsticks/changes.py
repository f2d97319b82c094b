"""Input and output of a yardstick, and the linear model of the change of a gene within an interval of any length.

Every yardstick explains the changes x_i(t + d) - x_i(t) of a gene by the expression x(t) of all genes. If the drive f
of a gene and its rate r stay the same during an interval, dx/dt = f - r x gives exactly

    x(t + d) - x(t) = s(d) (f - r x(t)),  s(d) = (1 - exp(-r d)) / r,

so that intervals of different lengths are one regression, of columns times s(d): r = 0 is division by the interval,
r = infinity ignores its length. The rate of each gene is chosen by prediction error (see `ridge`).
"""

from dataclasses import dataclass

import numpy as np

RATES = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, np.inf)  # times the median interval
FREEDOM = 10  # degrees of freedom that least squares must leave for its estimate of the noise to be used


@dataclass(frozen=True)
class Changes:
    """N transitions of k genes, for training: start (N, k), end (N, k), duration (N,).

    asked_start (n, k) and asked_duration (n,): transitions whose end is to be predicted; prior: (k, k) booleans
    [target, regulator], or None; seed: of what is drawn.
    """

    start: np.ndarray
    end: np.ndarray
    duration: np.ndarray
    asked_start: np.ndarray
    asked_duration: np.ndarray
    prior: np.ndarray | None = None
    seed: int = 0

    @property
    def change(self) -> np.ndarray:
        """The changes that a yardstick explains, (N, k)."""
        return self.end - self.start

    def saturation(self, rate: float, duration=None) -> np.ndarray:
        """Return s(d) of `duration` (n,), or of the training transitions: 1 at the median interval of these.

        `rate` is in units of one over the median interval.
        """
        middle = np.median(self.duration)
        length = (self.duration if duration is None else duration) / middle
        if rate == 0:
            return length
        return np.expm1(-rate * length) / np.expm1(-rate) if np.isfinite(rate) else np.ones(len(length))

    @property
    def rates(self) -> tuple[float, ...]:
        """The rates to choose from: one if all intervals are equally long, as then all rates give the same model."""
        return RATES if np.ptp(self.duration) > 1e-6 * np.median(self.duration) else RATES[:1]


@dataclass(frozen=True)
class Answer:
    """The network of a yardstick, and its predictions.

    strength: (k, k) [target, regulator], at least 0, by which pairs are ranked. Own effects are 0, as they are
    confounded with decay. edges: (k, k) booleans, None where the non-zero strengths are the edges. effect: (k, k) with
    signs, or None. end: (n, k) predictions of the transitions that were asked for, None from a yardstick that cannot
    predict.
    """

    strength: np.ndarray
    edges: np.ndarray | None = None
    effect: np.ndarray | None = None
    end: np.ndarray | None = None


@dataclass(frozen=True)
class Columns:
    """The regression of all genes that share a rate: one column per gene, the constant projected out.

    weight (N,): s(d); columns (N, k) with a root mean square of 1 (0 where a gene never varies); response (N, k): the
    changes; centre and scale (k,): columns are weight x (start - centre) / scale.
    """

    weight: np.ndarray
    columns: np.ndarray
    response: np.ndarray
    centre: np.ndarray
    scale: np.ndarray

    @property
    def used(self) -> np.ndarray:
        """The mean squares of the columns (k,): 1, or 0 where a gene never varies."""
        return np.isfinite(self.scale).astype(float)


def columns(changes: Changes, rate: float) -> Columns:
    """Return the regression of the changes at a rate."""
    weight = changes.saturation(rate)
    share = weight / (weight @ weight)
    centre = (share * weight) @ changes.start
    moved = weight[:, None] * (changes.start - centre)
    scale = np.sqrt(np.mean(moved**2, axis=0))
    scale[scale <= 1e-9 * max(scale.max(), 1e-300)] = np.inf
    response = changes.change - np.outer(weight, share @ changes.change)
    return Columns(weight, moved / scale, response, centre, scale)


def linear_answer(changes: Changes, rates, coefficients, noise) -> Answer:
    """Return the answer of a linear model: `coefficients` (k, k) [target, regulator] of the standardised columns.

    The strength of a pair is its coefficient over the standard deviation of the noise of the target (`noise`, (k,)
    variances): targets of different noise are ranked together. `rates` (k,) are those of the targets.
    """
    genes = len(rates)
    effect = np.zeros((genes, genes))
    constant = np.zeros(genes)
    for rate in np.unique(rates):
        own = np.flatnonzero(rates == rate)
        at = columns(changes, rate)
        effect[own] = coefficients[own] / at.scale
        drive = at.weight @ changes.change[:, own] / (at.weight @ at.weight)
        constant[own] = drive - effect[own] @ at.centre
    weight = np.stack([changes.saturation(rate, changes.asked_duration) for rate in rates], axis=1)
    end = changes.asked_start + weight * (constant + changes.asked_start @ effect.T)
    strength = np.abs(coefficients) / np.sqrt(np.where(noise > 0, noise, np.inf))[:, None]
    np.fill_diagonal(strength, 0)
    return Answer(strength, effect=np.where(np.eye(genes, dtype=bool), 0, effect), end=end)


def noise_variance(changes: Changes, rates, leave_one_out) -> np.ndarray:
    """Return the variance of each gene's noise (k,), by least squares on all genes.

    Where too few degrees of freedom are left for that, the error of ridge regression for transitions left out
    (`leave_one_out`, (k,)), an upper bound.
    """
    from scipy.linalg import qr  # here, so that reading the LABEL of a yardstick needs no SciPy

    variance = np.array(leave_one_out, dtype=float)
    for rate in np.unique(rates):
        own, at = rates == rate, columns(changes, rate)
        # Pivoted: of columns in their own order those after a dependent one are not spanned by the columns kept.
        basis, triangle, _ = qr(at.columns, mode="economic", pivoting=True)
        sizes = np.abs(np.diag(triangle))
        basis = basis[:, sizes > 1e-9 * sizes.max(initial=0)]
        freedom = len(at.columns) - basis.shape[1] - 1  # the constant is projected out
        if freedom >= FREEDOM:
            left = at.response[:, own] - basis @ (basis.T @ at.response[:, own])
            variance[own] = (left**2).sum(axis=0) / freedom
    return variance
