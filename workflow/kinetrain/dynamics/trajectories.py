"""Expression over time: what the files hold, which transitions are fitted, and the noise that is put on them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from kinetrain.errors import InputError
from kinetrain.files import load_arrays, save_arrays
from kinetrain.networks.genes import header_note

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Expression:
    """R trajectories of k genes; shorter ones are padded with NaN at their end.

    genes (k,); values (R, T, k); times (R, T) in `time_unit`; transitions (N, 2): trajectory and index i of the
    transition from time i to i + 1; split (N,): train, validation or test.
    """

    genes: np.ndarray
    values: np.ndarray
    times: np.ndarray
    transitions: np.ndarray
    split: np.ndarray
    time_unit: str

    def save(self, path) -> None:
        """Write the expression as NPZ."""
        save_arrays(path, **{**vars(self), "time_unit": np.array(self.time_unit)})

    def of(self, split: str) -> np.ndarray:
        """Return the transitions (n, 2) of one split."""
        return self.transitions[self.split == split]

    def noisy(self, sigma: float, seed: int) -> np.ndarray:
        """Return the values (R, T, k) with Gaussian noise of standard deviation `sigma` (units of expression).

        Every value has one draw, whether it ends one transition or starts the next (Hossain et al. 2024, B.3).
        """
        return self.values + sigma * np.random.default_rng([seed, 2]).standard_normal(self.values.shape)


@dataclass(frozen=True)
class Preparation:
    """How measured trajectories become transitions; the longest interval is in units of the file's times, or null."""

    validation_fraction: float = 0.13
    test_fraction: float = 0.0
    longest_interval: float | None = None
    time_unit: str = "unknown"
    seed: int = 0

    def __post_init__(self):
        if not 0 < self.validation_fraction < 1 or not 0 <= self.test_fraction < 1:
            raise ValueError("validation_fraction must be above 0 and below 1, test_fraction at least 0 and below 1")


def prepare(genes, train, test, options: Preparation) -> Expression:
    """Return the expression of the trajectories `train` and, unless None, `test`: both (values, times)."""
    values, times = train
    transitions = all_transitions(times, options.longest_interval)
    fractions = {"validation": options.validation_fraction, "test": options.test_fraction if test is None else 0.0}
    split = split_transitions(transitions, fractions, options.seed)
    if test is not None:
        later = all_transitions(test[1], options.longest_interval)
        later[:, 0] += len(values)
        transitions = np.concatenate([transitions, later])
        split = np.concatenate([split, np.full(len(later), "test")])
        values, times = (_stacked(first, second) for first, second in zip(train, test, strict=True))
    return Expression(genes, values, times, transitions, split, options.time_unit)


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
    arrays = load_arrays(path, ["genes", "values", "times", "transitions", "split", "time_unit"])
    expression = Expression(**{**arrays, "time_unit": str(arrays["time_unit"])})
    missing = [split for split in SPLITS[:2] if not len(expression.of(split))]
    if missing:
        raise InputError(f"{path}: no transitions for {' and '.join(missing)}; training needs both")
    return expression


def pairs(expression: Expression, values: np.ndarray, transitions: np.ndarray):
    """Return start (N, k), end (N, k) and duration (N,) of the transitions, taken from `values` (R, T, k)."""
    trajectory, index = transitions.T
    duration = expression.times[trajectory, index + 1] - expression.times[trajectory, index]
    return values[trajectory, index], values[trajectory, index + 1], duration


def all_transitions(times: np.ndarray, longest: float | None = None) -> np.ndarray:
    """Return every transition (N, 2) between neighbouring times (R, T), but for those longer than `longest`."""
    steps = np.diff(times, axis=1)
    known = np.isfinite(steps) & (steps <= (np.inf if longest is None else longest * (1 + 1e-9)))
    return np.argwhere(known)


def split_transitions(transitions: np.ndarray, fractions: dict[str, float], seed: int) -> np.ndarray:
    """Return the split (N,) of the transitions: `fractions` of them, at least one each, and `train`.

    Whole trajectories are set apart where there are enough of them, single transitions of the one trajectory where
    there is one (Hossain et al. 2024 do the first for simulated data, the second for yeast and breast cancer).
    """
    trajectories = np.unique(transitions[:, 0])
    units = transitions[:, 0] if len(trajectories) > 1 else np.arange(len(transitions))
    pool = np.unique(units)
    order = np.random.default_rng([seed, 3]).permutation(pool)
    split = np.full(len(transitions), "train", dtype="<U10")
    taken = 0
    for name, fraction in fractions.items():
        count = max(1, round(fraction * len(pool))) if fraction > 0 else 0
        split[np.isin(units, order[taken : taken + count])] = name
        taken += count
    if taken >= len(pool):
        raise InputError(
            f"{len(pool)} trajectories (or transitions of the one, none longer than longest_interval) are too few "
            f"to set apart {' and '.join(f'{name}_fraction {value:g}' for name, value in fractions.items() if value)}"
        )
    return split


def read_trajectories(path, genes: np.ndarray):
    """Return values (R, T, k) and times (R, T) from a file in either of two layouts.

    Blocks: a line `k, R`, then for each trajectory k lines of one gene over time and one line of times. Tidy: a table
    (CSV, or TSV by its name) with the columns `trajectory`, `time` and one per gene.

    Raises
    ------
    InputError
        If the genes differ from `genes`, a value is missing before the end of a trajectory, or times do not increase.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: no such expression file")
    separator = "\t" if str(path).endswith((".tsv", ".txt")) else ","
    with open(path) as lines:
        head = next(lines, "").strip().replace('"', "").split(separator)
    if head == [""]:
        raise InputError(f"{path}: the first line is empty; expected `k, R` or the names of columns")
    blocks = len(head) > 1 and head[0].isdigit() and head[1].isdigit()
    reader = _read_blocks if blocks else _read_tidy
    values, times = reader(path, separator, genes)
    _check(path, values, times, genes)
    return values, times


def _read_blocks(path, separator, genes):
    try:
        table = pd.read_csv(path, sep=separator, header=None).to_numpy(float)
    except ValueError as error:
        raise InputError(f"{path}: not a table of numbers ({error})") from None
    count, trajectories = int(table[0, 0]), int(table[0, 1])
    if count != len(genes):
        raise InputError(
            f"{path}: holds {count} genes, but {len(genes)} gene names are given{header_note(count, genes)}"
        )
    if trajectories < 1:
        raise InputError(f"{path}: holds no trajectory")
    if len(table) != 1 + trajectories * (count + 1):
        raise InputError(
            f"{path}: {len(table)} lines; {trajectories} trajectories of {count} genes and their times need "
            f"{1 + trajectories * (count + 1)}"
        )
    stacked = table[1:].reshape(trajectories, count + 1, -1)
    return stacked[:, :-1].transpose(0, 2, 1).copy(), stacked[:, -1].copy()


def _read_tidy(path, separator, genes):
    table = pd.read_csv(path, sep=separator)
    for column in ("trajectory", "time"):
        if column not in table.columns:
            raise InputError(f"{path}: no column '{column}' (a tidy table has trajectory, time and one per gene)")
    if table.empty or table["trajectory"].isna().any():
        raise InputError(f"{path}: {'no rows' if table.empty else 'a row without the name of its trajectory'}")
    found = [column for column in table.columns if column not in ("trajectory", "time")]
    if set(found) != set(genes):
        different = sorted(set(found) ^ set(genes))
        raise InputError(
            f"{path}: has {len(found)} genes, {len(genes)} gene names are given{header_note(len(found), genes)}; "
            f"in only one of the two: {', '.join(different[:5])}"
        )
    for column in ("time", *genes):
        numbers = pd.to_numeric(table[column], errors="coerce")
        if (bad := table[column][numbers.isna() & table[column].notna()]).size:
            where = "the time" if column == "time" else f"gene '{column}'"
            raise InputError(f"{path}: {where}: '{bad.iloc[0]}' is not a number")
    groups = [group for _, group in table.groupby("trajectory", sort=False)]
    longest = max(map(len, groups))
    values = np.full((len(groups), longest, len(genes)), np.nan)
    times = np.full((len(groups), longest), np.nan)
    for index, group in enumerate(groups):
        if group["time"].isna().any():
            raise InputError(f"{path}: trajectory {group['trajectory'].iloc[0]} has a row without time")
        values[index, : len(group)] = group[list(genes)].to_numpy(float)
        times[index, : len(group)] = group["time"].to_numpy(float)
    return values, times


def _check(path, values, times, genes) -> None:
    """Raise InputError unless every trajectory is complete up to its last time and its times increase."""
    for number, (block, clock) in enumerate(zip(values, times, strict=True)):
        length = np.isfinite(clock).sum()
        if length < 2:
            raise InputError(f"{path}: trajectory {number + 1} has {length} times, a transition needs two")
        if not np.isfinite(clock[:length]).all():
            raise InputError(f"{path}: trajectory {number + 1} lacks a time before its last one")
        if (np.diff(clock[:length]) <= 0).any():
            at = int(np.argmax(np.diff(clock[:length]) <= 0))
            raise InputError(
                f"{path}: times of trajectory {number + 1} must increase, "
                f"but {clock[at]:g} is followed by {clock[at + 1]:g}"
            )
        if not np.isfinite(block[:length]).all():
            row, gene = np.argwhere(~np.isfinite(block[:length]))[0]
            raise InputError(
                f"{path}: trajectory {number + 1} has no value for gene '{genes[gene]}' at time {clock[row]:g}"
            )
