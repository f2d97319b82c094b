"""Expression over time as users have it: blocks of numbers, tidy tables, and cells with a pseudotime (AnnData)."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from kinetrain.data.expression import Split
from kinetrain.data.genes import header_note
from kinetrain.errors import InputError

TRAJECTORY = "trajectory"  # column of a tidy table unless another is named


@dataclass(frozen=True)
class Layout:
    """Where a file says what: names of its columns, the layer of an AnnData file, and into how many points it goes.

    Null for `trajectory`: the column of that name where there is one, else all rows are one trajectory. Null for
    `layer`: the matrix X. Null for `bins`: every time is a point.
    """

    time: str = "time"
    trajectory: str | None = None
    layer: str | None = None
    bins: int | None = None

    def __post_init__(self):
        if self.bins is not None and self.bins < 2:
            raise ValueError(f"bins must be at least 2, not {self.bins}")


@dataclass(frozen=True)
class Preparation(Split, Layout):
    """How measured trajectories are read and become transitions."""

    time_unit: str = "unknown"


def read_trajectories(path, genes=None, layout: Layout = Layout()):
    """Return genes (k,), values (R, T, k) and times (R, T) from a file in one of three layouts.

    Blocks: a line `k, R`, then for each trajectory k lines of one gene over time and one line of times. Tidy: a table
    (CSV, or TSV by its name) with a column of times, a column of trajectories and one per gene. Cells: an AnnData file
    (.h5ad) with a pseudotime among its observations; cells at the same time of a trajectory become their mean.

    With `layout.bins`, the points of every trajectory are put, in the order of their times, into that many groups as
    equal in size as can be, and each group becomes its mean, times included.

    Parameters
    ----------
    genes : the names of the genes in the order wanted. None takes those that the file names, in its order. Of an
        AnnData file they may be a selection.

    Raises
    ------
    InputError
        If the genes differ from `genes`, a value is missing before the end of a trajectory, or times do not increase.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: no such expression file")
    reader = _read_cells if str(path).endswith(".h5ad") else _read_text
    genes, trajectories = reader(path, genes, layout)
    points = [_binned(path, number, layout.bins, *one) for number, one in enumerate(trajectories, start=1)]
    longest = max(len(times) for times, _ in points)
    values = np.full((len(points), longest, len(genes)), np.nan)
    times = np.full((len(points), longest), np.nan)
    for index, (clock, block) in enumerate(points):
        times[index, : len(clock)], values[index, : len(clock)] = clock, block
    return np.array(genes), values, times


def _binned(path, number, bins, times, values):
    """Return times (T,) and values (T, k) of a trajectory: averaged in `bins` groups, then over equal times."""
    if bins is not None:
        if bins > len(times):
            raise InputError(f"{path}: trajectory {number} has {len(times)} points, fewer than bins {bins}")
        groups = np.array_split(np.arange(len(times)), bins)
        times, values = (np.stack([part[group].mean(axis=0) for group in groups]) for part in (times, values))
    if (np.diff(times) == 0).any():
        times, group, counts = np.unique(times, return_inverse=True, return_counts=True)
        sums = np.zeros((len(times), values.shape[1]))
        np.add.at(sums, group, values)
        values = sums / counts[:, None]
    if len(times) < 2:
        raise InputError(f"{path}: trajectory {number} has {len(times)} times, a transition needs two")
    return times, values


# --- text ---


def _read_text(path, genes, layout):
    separator = "\t" if str(path).endswith((".tsv", ".txt")) else ","
    with open(path) as lines:
        head = next(lines, "").strip().replace('"', "").split(separator)
    if head == [""]:
        raise InputError(f"{path}: the first line is empty; expected `k, R` or the names of columns")
    if len(head) > 1 and head[0].isdigit() and head[1].isdigit():
        if genes is None:
            raise InputError(f"{path}: holds blocks without names of genes: give the file of names (expression.genes)")
        trajectories = _read_blocks(path, separator, genes)
    else:
        genes, trajectories = _read_tidy(path, separator, genes, layout)
    for number, (times, values) in enumerate(trajectories, start=1):
        _check(path, number, times, values, genes)
    return genes, trajectories


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
            f"{path}: holds {len(table)} lines; {trajectories} trajectories of {count} genes need "
            f"{1 + trajectories * (count + 1)}"
        )
    found = []
    for block in table[1:].reshape(trajectories, count + 1, -1):
        known = np.isfinite(block[-1]).sum()
        if not np.isfinite(block[-1, :known]).all():
            raise InputError(f"{path}: trajectory {len(found) + 1} lacks a time before its last one")
        found.append((block[-1, :known].copy(), block[:-1, :known].T.copy()))
    return found


def _read_tidy(path, separator, genes, layout):
    table = pd.read_csv(path, sep=separator)
    if layout.time not in table.columns:
        raise InputError(f"{path}: no column '{layout.time}' (a tidy table has trajectory, time and one per gene)")
    if layout.trajectory is not None and layout.trajectory not in table.columns:
        raise InputError(f"{path}: no column '{layout.trajectory}', which expression.trajectory names")
    label = layout.trajectory or (TRAJECTORY if TRAJECTORY in table.columns else None)
    if table.empty or (label and table[label].isna().any()):
        raise InputError(f"{path}: {'no rows' if table.empty else 'a row without the name of its trajectory'}")
    found = [column for column in table.columns if column not in (label, layout.time)]
    genes = found if genes is None else genes
    if set(found) != set(genes):
        different = sorted(set(found) ^ set(genes))
        raise InputError(
            f"{path}: has {len(found)} genes, {len(genes)} gene names are given{header_note(len(found), genes)}; "
            f"in only one of the two: {', '.join(different[:5])}"
        )
    for column in (layout.time, *genes):
        numbers = pd.to_numeric(table[column], errors="coerce")
        if (bad := table[column][numbers.isna() & table[column].notna()]).size:
            where = "the time" if column == layout.time else f"gene '{column}'"
            raise InputError(f"{path}: {where}: '{bad.iloc[0]}' is not a number")
    groups = [group for _, group in table.groupby(label, sort=False)] if label else [table]
    for group in groups:
        if group[layout.time].isna().any():
            name = group[label].iloc[0] if label else 1
            raise InputError(f"{path}: trajectory {name} has a row without time")
    wanted = list(genes)
    return genes, [(group[layout.time].to_numpy(float), group[wanted].to_numpy(float)) for group in groups]


def _check(path, number, times, values, genes) -> None:
    """Raise InputError unless the times of a trajectory increase and it has a value for every gene at each of them."""
    if len(times) < 2:
        raise InputError(f"{path}: trajectory {number} has {len(times)} times, a transition needs two")
    if (np.diff(times) <= 0).any():
        at = int(np.argmax(np.diff(times) <= 0))
        raise InputError(
            f"{path}: times of trajectory {number} must increase, but {times[at]:g} is followed by {times[at + 1]:g}"
        )
    if not np.isfinite(values).all():
        row, gene = np.argwhere(~np.isfinite(values))[0]
        raise InputError(f"{path}: trajectory {number} has no value for gene '{genes[gene]}' at time {times[row]:g}")


# --- cells ---


def _read_cells(path, genes, layout):
    from anndata import read_h5ad  # takes a second, and only these files need it

    try:
        cells = read_h5ad(path)
    except (OSError, KeyError) as error:
        raise InputError(f"{path}: not an AnnData file ({error})") from None
    for key, column in (("time", layout.time), ("trajectory", layout.trajectory)):
        if column is not None and column not in cells.obs.columns:
            columns = ", ".join(map(str, cells.obs.columns)) or "none"
            raise InputError(f"{path}: expression.{key} is '{column}', but the columns of obs are {columns}")
    if layout.layer is not None and layout.layer not in cells.layers:
        layers = ", ".join(cells.layers) or "none"
        raise InputError(f"{path}: expression.layer is '{layout.layer}', but the layers are {layers}")
    if layout.layer is None and cells.X is None:
        raise InputError(f"{path}: has no matrix X: name one of its layers (expression.layer)")
    names = cells.var_names.astype(str)
    if not names.is_unique:
        raise InputError(f"{path}: gene '{names[names.duplicated()][0]}' is named more than once (var_names)")
    genes = names.tolist() if genes is None else list(genes)
    if missing := sorted(set(genes) - set(names)):
        raise InputError(f"{path}: {len(missing)} genes are not among var_names: {', '.join(missing[:5])}")
    times = _pseudotime(path, cells, layout.time)
    values = (cells.X if layout.layer is None else cells.layers[layout.layer])[:, names.get_indexer(genes)]
    values = np.asarray(values.toarray() if hasattr(values, "toarray") else values, float)
    if not np.isfinite(values).all():
        cell, gene = np.argwhere(~np.isfinite(values))[0]
        raise InputError(f"{path}: cell '{cells.obs_names[cell]}' has no finite value for gene '{genes[gene]}'")
    label = layout.trajectory or (TRAJECTORY if TRAJECTORY in cells.obs.columns else None)
    labels = cells.obs[label].astype(str).to_numpy() if label else np.zeros(len(times))
    if label and cells.obs[label].isna().any():
        raise InputError(f"{path}: cell '{cells.obs_names[cells.obs[label].isna()][0]}' has no trajectory ('{label}')")
    rows = (np.flatnonzero(labels == one) for one in dict.fromkeys(labels))
    ordered = (own[np.argsort(times[own], kind="stable")] for own in rows)
    return genes, [(times[own], values[own]) for own in ordered]


def _pseudotime(path, cells, column) -> np.ndarray:
    """Return the times (cells,) in a column of the observations; InputError unless all are finite numbers."""
    times = pd.to_numeric(cells.obs[column].astype(object), errors="coerce").to_numpy(float, na_value=np.nan)
    unknown = np.flatnonzero(~np.isfinite(times))
    if len(unknown):
        raise InputError(
            f"{path}: '{column}' (expression.time) is no finite number for {len(unknown)} of {len(times)} cells, "
            f"the first is '{cells.obs_names[unknown[0]]}': leave them out, or compute the pseudotime of one lineage"
        )
    return times
