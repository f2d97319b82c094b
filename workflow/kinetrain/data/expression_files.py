"""Readers of expression over time: blocks of numbers, tidy tables, and cells with a pseudotime (AnnData)."""

import warnings
from pathlib import Path

import numpy as np

from kinetrain.data.expression_cells import read_cells
from kinetrain.data.expression_tables import read_text
from kinetrain.data.options import EACH_TIME, Layout
from kinetrain.data.samples import bounds, rises
from kinetrain.errors import InputError, InputWarning

READERS = {".h5ad": read_cells}  # of formats that need packages of their own, by suffix; all others are text
LARGEST = 100  # no logarithm of a measured quantity is as large
MOST = 1e9  # of any measured quantity: models compute with squares, some in single precision
LATEST = 1e15  # double precision hardly resolves a difference of 1 in larger times


def read_trajectories(path, genes=None, layout: Layout = Layout(), samples=None):
    """Return genes (k,), values (R, T, k) and times (R, T) from a file in one of three layouts.

    Blocks: a line `k, R`, then for each trajectory k lines of one gene over time and one line of times. Tidy: a table
    with a column of times, a column of trajectories and one per gene. Cells: an AnnData file
    (.h5ad) with a pseudotime among its observations; cells at the same time of a trajectory become their mean.

    With a number `layout.bins`, the points of every trajectory are put, in the order of their times, into that many
    groups as equal in size as can be, and each group becomes its mean, times included; with `times` points of equal
    times do.

    Parameters
    ----------
    genes : the names of the genes in the order wanted, or the path of a file of names. None takes those that the file
        of expression names, in its order. Of tables and cells they may be a selection.
    samples : the path of a sheet with the times and trajectories of the samples, whose names stand in its first column.
        The file of expression is then a table of samples and genes, either of them in its rows; samples may have any
        order in both files.

    Raises
    ------
    InputError
        If the file lacks one of `genes`, a value is missing before the end of a trajectory, times do not increase, or
        the values are on no scale that a model can be trained on.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: no such expression file")
    genes, trajectories = READERS.get(Path(path).suffix, read_text)(path, genes, layout, samples)
    trajectories = _scaled(path, genes, trajectories, layout.scale)
    points = [_binned(path, number, layout.bins, *one) for number, one in enumerate(trajectories, start=1)]
    longest = max(len(times) for times, _ in points)
    values = np.full((len(points), longest, len(genes)), np.nan)
    times = np.full((len(points), longest), np.nan)
    for index, (clock, block) in enumerate(points):
        times[index, : len(clock)], values[index, : len(clock)] = clock, block
    return np.array(genes), values, times


def _scaled(path, genes, trajectories, scale):
    """Return the trajectories on the scale that is asked for; InputError unless it suits values that change."""
    if not any((np.ptp(values, axis=0) > 0).any() for _, values in trajectories):
        raise InputError(f"{path}: no gene changes over time in any trajectory: there is nothing to learn from it")
    low, high = bounds(values for _, values in trajectories)
    size = np.maximum(-low, high)
    if scale is None and size.max() > LARGEST:
        raise InputError(
            f"{path}: '{genes[size.argmax()]}' reaches {size.max():g}, which is no log-like value: take log2(1 + x) of "
            "counts or intensities (expression.scale: log2), name columns that are no genes (expression.metadata), or "
            "let values be as they are (expression.scale: raw)"
        )
    if scale and size.max() > MOST:
        raise InputError(f"{path}: '{genes[size.argmax()]}' reaches {size.max():g}, above {MOST:g}: take another unit")
    if scale is None and size.max() > 1 and all((values == np.rint(values)).all() for _, values in trajectories):
        what = f"all values are whole numbers up to {size.max():g}: of counts, take expression.scale: log2"
        warnings.warn(f"{path}: {what}", InputWarning, stacklevel=3)
    if scale == "log2" and low.min() < 0:
        gene = genes[low.argmin()]
        raise InputError(f"{path}: '{gene}' has values below 0, of which expression.scale: log2 cannot be taken")
    return [(times, np.log2(1 + values) if scale == "log2" else values) for times, values in trajectories]


def _binned(path, number, bins, times, values):
    """Return times (T,) and values (T, k) of a trajectory: averaged in `bins` groups, then over equal times."""
    if bins not in (None, EACH_TIME):
        if bins > len(times):
            raise InputError(f"{path}: trajectory {number} has {len(times)} points, fewer than bins {bins}")
        groups = np.array_split(np.arange(len(times)), bins)
        times, values = (np.stack([part[group].mean(axis=0) for group in groups]) for part in (times, values))
    if not (later := rises(times)).all():
        group = np.cumsum([0, *later])
        times = times[[True, *later]]
        sums = np.zeros((len(times), values.shape[1]))
        np.add.at(sums, group, values)
        values = sums / np.bincount(group)[:, None]
    if len(times) < 2:
        raise InputError(f"{path}: trajectory {number} has {len(times)} times, a transition needs two")
    if (size := np.abs(times).max()) > LATEST:
        raise InputError(f"{path}: trajectory {number} has a time of {size:g}, above {LATEST:g}: take another unit")
    return times, values
