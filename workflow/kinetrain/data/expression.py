"""Expression over time: trajectories, their transitions, the split into training, validation and test, noise."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from kinetrain.data.options import Split, held_out
from kinetrain.errors import InputError, InputWarning
from kinetrain.files import load_arrays, save_arrays
from kinetrain.seeds import EXPRESSION_NOISE, SPLIT, generator

SPLITS = ("train", "validation", "test")
LONGEST = 2  # units of time that a transition takes at most, where time is rescaled


@dataclass(frozen=True)
class Expression:
    """R trajectories of k genes; shorter ones are padded with NaN at their end.

    genes (k,); values (R, T, k); times (R, T), those of the data in `time_unit` divided by `time_scale`;
    transitions (N, 2): trajectory and index i of the transition from time i to i + 1; split (N,): train, validation or
    test.
    """

    genes: np.ndarray
    values: np.ndarray
    times: np.ndarray
    transitions: np.ndarray
    split: np.ndarray
    time_unit: str
    time_scale: float = 1.0

    def save(self, path) -> None:
        """Write the expression as NPZ."""
        save_arrays(path, **{name: np.asarray(part) for name, part in vars(self).items()})

    def of(self, split: str) -> np.ndarray:
        """Return the transitions (n, 2) of one split."""
        return self.transitions[self.split == split]

    @property
    def changing(self) -> np.ndarray:
        """Genes (k,) that are not constant within every trajectory, as the inputs of a simulation are."""
        return (np.nanmax(self.values, axis=1) > np.nanmin(self.values, axis=1)).any(axis=0)

    def noisy(self, sigma: float, seed: int) -> np.ndarray:
        """Return the values (R, T, k) with Gaussian noise of standard deviation `sigma` (units of expression).

        Every value has one draw, whether it ends one transition or starts the next (Hossain et al. 2024, B.3).
        """
        return self.values + sigma * generator(seed, EXPRESSION_NOISE).standard_normal(self.values.shape)


def prepare(genes, train, test, options: Split, time_unit: str = "time") -> Expression:
    """Return the expression of the trajectories `train` and, unless None, `test`: both (values, times)."""
    values, times = train
    transitions = all_transitions(times, options.longest_interval)
    fractions = {"validation": options.validation_fraction, "test": options.test_fraction if test is None else 0.0}
    split = split_transitions(transitions, fractions, options.seed, options.validation)
    scale = _unit_of_time(times, transitions) if options.rescale_time else 1.0
    if test is not None:
        _warn_of_shared(train, test)
        later = all_transitions(test[1], options.longest_interval)
        later[:, 0] += len(values)
        transitions = np.concatenate([transitions, later])
        split = np.concatenate([split, np.full(len(later), "test")])
        values, times = (_stacked(first, second) for first, second in zip(train, test, strict=True))
    return Expression(np.array(genes), values, times / scale, transitions, split, time_unit, scale)


def _warn_of_shared(train, test) -> None:
    """Warn of test trajectories that are equal to training trajectories."""
    known = [_points(*one) for one in zip(*train, strict=True)]
    if shared := [number for number, one in enumerate(zip(*test, strict=True), start=1) if _points(*one) in known]:
        warnings.warn(
            f"trajectory {shared[0]} of the test ({len(shared)} of {len(test[0])} in all) is a training trajectory "
            "too: the test error says nothing about unseen data",
            InputWarning,
            stacklevel=3,
        )


def _points(values, times) -> tuple:
    """Return the values (T, k) and times (T,) of a trajectory without their padding, to be compared."""
    measured = np.isfinite(times)
    return values[measured].tolist(), times[measured].tolist()


def _unit_of_time(times: np.ndarray, transitions: np.ndarray) -> float:
    """Return the median length of transitions (N, 2) between times (R, T), at least the longest over LONGEST.

    In units of the median alone the intervals of a pseudotime, which differ by orders of magnitude, take hundreds, over
    which nearly every model diverges.
    """
    trajectory, index = transitions.T
    lengths = times[trajectory, index + 1] - times[trajectory, index]
    return float(max(np.median(lengths), lengths.max() / LONGEST))


def _stacked(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the trajectories (R, T, ...) of both one after the other, padded with NaN to the same T."""
    longest = max(first.shape[1], second.shape[1])
    padded = [
        np.pad(part, [(0, 0), (0, longest - part.shape[1])] + [(0, 0)] * (part.ndim - 2), constant_values=np.nan)
        for part in (first, second)
    ]
    return np.concatenate(padded)


def load_expression(path) -> Expression:
    """Return the expression in an NPZ written by `Expression.save`."""
    arrays = load_arrays(path, ["genes", "values", "times", "transitions", "split", "time_unit", "time_scale"])
    scalars: dict[str, Any] = {"time_unit": str(arrays["time_unit"]), "time_scale": float(arrays["time_scale"])}
    expression = Expression(**{**arrays, **scalars})
    missing = [split for split in SPLITS[:2] if not len(expression.of(split))]
    if missing:
        raise InputError(f"{path}: no transitions for {' and '.join(missing)}; training needs both")
    return expression


def endpoints(
    expression: Expression, values: np.ndarray, transitions: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return start (N, k), end (N, k) and duration (N,) of the transitions, taken from `values` (R, T, k)."""
    trajectory, index = transitions.T
    duration = expression.times[trajectory, index + 1] - expression.times[trajectory, index]
    return values[trajectory, index], values[trajectory, index + 1], duration


def all_transitions(times: np.ndarray, longest: float | None = None) -> np.ndarray:
    """Return the transitions (N, 2) between neighbouring times (R, T), without those longer than `longest`."""
    steps = np.diff(times, axis=1)
    known = np.isfinite(steps) & (steps <= (np.inf if longest is None else longest * (1 + 1e-9)))
    return np.argwhere(known)


def split_transitions(transitions: np.ndarray, fractions: dict[str, float], seed: int, validation=()) -> np.ndarray:
    """Return the split (N,) of the transitions: `fractions` of them, at least one each, and `train`.

    Whole trajectories are held out where there are several, single transitions where there is one trajectory (Hossain
    et al. 2024 do the first for simulated data, the second for yeast and breast cancer). `validation`: indices of those
    for validation, instead of a fraction drawn by `seed`.
    """
    trajectories = np.unique(transitions[:, 0])
    units = transitions[:, 0] if len(trajectories) > 1 else np.arange(len(transitions))
    kind = "trajectories" if len(trajectories) > 1 else "transitions of the one trajectory"
    pool = np.unique(units)
    if missing := sorted(set(validation) - set(pool.tolist())):
        raise InputError(f"validation names {missing[0]}, but the {kind} that can be used are {_ranges(pool)}")
    order = generator(seed, SPLIT).permutation(pool)
    split = np.full(len(transitions), "train", dtype="<U10")
    if len(validation):
        split[np.isin(units, validation)] = "validation"
        order = order[~np.isin(order, validation)]
        fractions = {name: fraction for name, fraction in fractions.items() if name != "validation"}
    taken = 0
    for name, fraction in fractions.items():
        count = held_out(fraction, len(pool))
        split[np.isin(units, order[taken : taken + count])] = name
        taken += count
    if taken >= len(order):
        wanted = [f"{name}_fraction {value:g}" for name, value in fractions.items() if value]
        wanted = [f"validation {list(validation)}"] * bool(len(validation)) + wanted
        raise InputError(
            f"{len(pool)} trajectories (or transitions of the one, none longer than longest_interval) are too few "
            f"to hold out {' and '.join(wanted)}"
        )
    return split


def _ranges(numbers) -> str:
    """Return sorted whole numbers as text: 0 to 4, 6, 8 to 9."""
    runs = np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1)
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs if len(run)) or "none"
