"""A kernel with the arrays of a problem: evaluations of pairs of a condition and a point of the parameters."""

import ctypes
import weakref

import numpy as np

from kinetrain.mechanistic.kernel.mapping import TYPES, Arrays

VALUE, GRADIENT, INFORMATION, INFORMATION_BY_ADJOINTS = range(4)
NOT_FINITE = 3


class Evaluator:
    """Initial value problems of one model (`build.load`), with measurements (`Arrays`).

    relative, absolute: tolerances; the latter in units of the states. most_attempts: of a step, for one condition.
    """

    def __init__(self, library, arrays: Arrays, relative: float, absolute: float, most_attempts: int):
        self._library = library
        addresses = (getattr(arrays, name).ctypes.data for name in TYPES)
        self._handle = library.kernel_new((ctypes.c_void_p * (1 + len(TYPES)))(len(arrays.start), *addresses))
        if not self._handle:
            raise MemoryError("not enough memory for the problem")
        weakref.finalize(self, library.kernel_free, self._handle)
        library.kernel_options(self._handle, relative, absolute, most_attempts)

    @property
    def counts(self) -> np.ndarray:
        """Attempts of a step by all lanes together, by lanes that had work, and accepted ones, so far."""
        counts = np.zeros(3, dtype=np.int64)
        self._library.kernel_counts(self._handle, counts.ctypes.data)
        return counts

    def evaluate(self, theta, condition, point, order, y=None, sigma=None) -> "Evaluation":
        """Return what pairs (P,) of conditions and points, rows of theta (S, n), come to.

        y, sigma: arrays (rows of all pairs, observables) that get the simulations.
        """
        found = Evaluation(theta, condition, point, order)
        if len(condition) and self._library.kernel_evaluate(self._handle, found.request(y, sigma)):
            raise MemoryError("not enough memory for the steps of the kernel: use smaller batches")
        return found


class Evaluation:
    """What pairs (P,) of a condition and a point come to, all points (S) of n parameters on their scales.

    value (P,): negative log-likelihoods, `inf` where a solve failed. gradient (S, n), information (S, n, n): sums over
    the pairs of a point, None where not asked for. status (P,): 0, or why it failed: 1 too many steps, 2 a step too
    small, 3 not finite. attempts (P,): of a step.
    """

    def __init__(self, theta, condition, point, order):
        (points, n), pairs = np.shape(theta), len(condition)
        self.theta, self.order = np.ascontiguousarray(theta, dtype=float), order
        self.condition, self.point = (np.ascontiguousarray(one, dtype=np.int32) for one in (condition, point))
        self.value = np.full(pairs, np.inf)
        self.status, self.attempts = np.full(pairs, NOT_FINITE, dtype=np.int32), np.zeros(pairs, dtype=np.int32)
        self.gradient = np.zeros((points, n)) if order else None
        self.information = np.zeros((points, n, n)) if order >= INFORMATION else None

    def request(self, y, sigma):
        """Return the structure `Request` of kernel.cpp; it is valid while this call lives."""
        arrays = [self.condition, self.point, self.theta, self.value, self.gradient, self.information]
        arrays += [self.status, self.attempts, y, sigma]
        addresses = [None if array is None else array.ctypes.data for array in arrays]
        return (ctypes.c_void_p * 14)(len(self.condition), *self.theta.shape, self.order, *addresses)
