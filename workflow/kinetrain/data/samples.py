"""Samples and cells: which genes they have, and the trajectories that their times and labels make of them."""

import warnings

import numpy as np

from kinetrain.data.genes import COUNTERS, about_alike, alike, warn_of_dates
from kinetrain.data.text import refuse_repeated
from kinetrain.errors import InputError, InputWarning

ROUNDING = 1e-12  # of a time: the same time, computed in two ways, differs by less
TRAJECTORY = "trajectory"  # column of trajectories unless another is named


def check_genes(path, genes, found, kind: str) -> None:
    """Raise InputError unless each of the `genes` is once among those `found`; warn of others that are left out."""
    wanted, known = set(genes), set(found)
    if missing := sorted(wanted - known):
        raise InputError(
            f"{path}: {len(missing)} genes of {len(genes)} are not among its {kind}: {', '.join(missing[:5])}; "
            f"it has {some(found)}{about_alike(alike(missing, found))}"
        )
    refuse_repeated(path, [name for name in found if name in wanted], "gene")
    if "" in genes:
        raise InputError(f"{path}: gene {list(genes).index('') + 1} among its {kind} has no name")
    if broken := [name for name in genes if not str(name).isprintable()]:
        raise InputError(f"{path}: the gene {str(broken[0])!r} has a line end, a tab or an invisible mark in its name")
    if counters := [name for name in genes if COUNTERS.fullmatch(str(name))]:
        raise InputError(f"{path}: '{counters[0]}' is no gene but a count of reads that belong to none: leave it out")
    if not genes:
        raise InputError(f"{path}: has no gene among its {kind}")
    warn_of_dates(path, genes)
    if kind == "columns" and (left_out := [name for name in found if name not in wanted]):
        what = f"{len(left_out)} columns are not among the genes that were asked for: {some(left_out)}"
        warnings.warn(f"{path}: {what}", InputWarning, stacklevel=4)


def equal(path, labels) -> np.ndarray:
    """Return a number (rows,) that is the same in rows with the same text in each of the columns of labels.

    Warns of texts that may mean the same: wt and WT, 1 and 1.0.
    """
    text = labels.astype(str).apply(lambda column: column.str.strip())
    for name in text:
        first: dict[str, str] = {}
        if others := [
            label for label in dict.fromkeys(text[name]) if first.setdefault(_loosely(label), label) != label
        ]:
            pair = f"'{first[_loosely(others[0])]}' and '{others[0]}'"
            what = f"{pair} of '{name}' are told apart, though they may mean the same"
            warnings.warn(f"{path}: {what}", InputWarning, stacklevel=4)
    return text.groupby(list(text), sort=False).ngroup().to_numpy()


def _loosely(text: str) -> str:
    """Return a label without what may be mere spelling: capitals, and the zeros around a number."""
    try:
        return repr(float(text))
    except ValueError:
        return text.casefold()


def trajectories(path, clocks, labels, values) -> list:
    """Return times (T,) and values (T, k) of the trajectories: one per clock (rows,) and label, in the order of rows.

    Rows without a time on a clock have no part in its trajectories; a clock without any time is an InputError.
    """
    for number, clock in enumerate(clocks, start=1):
        if not np.isfinite(clock).any():
            raise InputError(f"{path}: column {number} of those that expression.time names holds no time at all")
    if left_out := int((~np.isfinite(clocks).any(axis=0)).sum()):
        what = f"{left_out} of {len(values)} rows have a time in no lineage and are left out"
        warnings.warn(f"{path}: {what}", InputWarning, stacklevel=5)
    if shared := int((np.isfinite(clocks).sum(axis=0) > 1).sum()):
        warnings.warn(
            f"{path}: {shared} of {len(values)} rows have a time in several lineages: what is held out of one is "
            "trained on in another, so errors of validation and test are too low",
            InputWarning,
            stacklevel=5,
        )
    labels = np.zeros(len(values)) if labels is None else labels
    rows = [
        (clock, np.flatnonzero((labels == one) & np.isfinite(clock)))
        for clock in clocks
        for one in dict.fromkeys(labels)
    ]
    return [(clock[own], values[own]) for clock, own in rows if len(own)]


def rises(times) -> np.ndarray:
    """Return whether each time (T,) but the first is later than that before it, as 0.1 + 0.2 is not later than 0.3."""
    return np.diff(times) > ROUNDING * np.maximum(np.abs(times[1:]), np.abs(times[:-1]))


def in_order(found) -> list:
    """Return times (T,) and values (T, k) of the trajectories in the order of their times."""
    orders = (np.argsort(times, kind="stable") for times, _ in found)
    return [(one[0][order], one[1][order]) for one, order in zip(found, orders, strict=True)]


def bounds(blocks) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and the highest value of every gene (k,) in blocks of values (T, k)."""
    low, high = zip(*((values.min(axis=0), values.max(axis=0)) for values in blocks), strict=True)
    return np.min(low, axis=0), np.max(high, axis=0)


def some(names) -> str:
    """Return the names, or the first of many."""
    names = [str(name) for name in names]
    return ", ".join(names[:8]) + (f" ... ({len(names)} in all)" if len(names) > 8 else "")
