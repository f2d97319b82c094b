"""Readers of expression in text: blocks of numbers, and tables of one row per sample.

A table may be joined by a sheet of samples, with their times and labels; it then has a row or a column per sample.
"""

import re
import warnings
from itertools import product

import numpy as np

from kinetrain.data.genes import gene_names, is_label, names_genes
from kinetrain.data.sample_sheets import joined
from kinetrain.data.samples import TRAJECTORY, bounds, check_genes, equal, in_order, rises, some, trajectories
from kinetrain.data.text import (
    about_comma,
    about_separator,
    as_numbers,
    first_row,
    read_numbers,
    read_table,
    refuse_repeated,
)
from kinetrain.errors import InputError, InputWarning, did_you_mean

UNLIKE = 20  # times the median size of the columns: larger ones may be no genes
LONG = 2  # columns of numbers at most that a table of one row per sample and gene has: a value, and its error
REMARKS = "!", "#"  # begin the lines around the table of a series matrix of GEO, and remarks of programs
NOT_THERE = {"na", "nan", "n/a", "#n/a", "null", "none", "-", "."}  # how tables write a value that is missing
WITH_UNIT = re.compile(r"[a-z_]*[-+]?[\d.]+ ?[a-z]+|[a-z_]+[-+]?[\d.]+", re.IGNORECASE)  # 30min, 2 h, t30


def read_text(path, genes, layout, sheet):
    """Return genes, and times (T,) and values (T, k) of the trajectories of a text file; `sheet`: of its samples."""
    head = first_row(path)
    if head[0].startswith(REMARKS):
        raise InputError(
            f"{path}: begins with lines that are no rows ({head[0][:20]}): take all that begin with {head[0][0]} away"
            + " (grep -v '^!'), and give the times of the samples in a sheet (expression.samples)" * (head[0][0] == "!")
        )
    if sheet is None and _begins_blocks(head):
        if genes is None:
            raise InputError(f"{path}: holds blocks without names of genes: give the file of names (expression.genes)")
        genes, found = _read_blocks(path, genes)
    else:
        genes, found = _read_samples(path, genes, layout, sheet)
    if layout.any_order or sheet is not None:
        found = in_order(found)
    for number, (times, values) in enumerate(found, start=1):
        _check(path, number, times, values, genes, layout)
    return genes, found


def _begins_blocks(head: list[str]) -> bool:
    """Return whether a first row holds two whole numbers alone; more may be the times of samples in the columns."""
    numbers, rest = head[:2], {cell.lower() for cell in head[2:]}
    return len(numbers) == 2 and all(map(str.isdigit, numbers)) and rest <= {"", *NOT_THERE}


def _read_blocks(path, genes):
    cells = read_numbers(path)
    for column in cells:
        if (bad := as_numbers(cells[column])[1]).size:
            cell = bad.iloc[0]
            raise InputError(f"{path}: not a table of numbers: row {bad.index[0]} holds '{cell}'{about_comma(cell)}")
    table = cells.to_numpy(float)
    count, trajectories = int(table[0, 0]), int(table[0, 1])
    genes = gene_names(genes, count=count)
    if count != len(genes):
        raise InputError(f"{path}: holds {count} genes, but {len(genes)} gene names are given")
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
        if np.isfinite(block[:, known:]).any():
            raise InputError(f"{path}: trajectory {len(found) + 1} has values after its last time")
        found.append((block[-1, :known].copy(), block[:-1, :known].T.copy()))
    return genes, found


def _read_samples(path, genes, layout, sheet):
    """Return genes, and times and values of the trajectories, of a table of one row per sample."""
    if layout.layer is not None:
        raise InputError(f"{path}: expression.layer is for cells (.h5ad); a table has no layers")
    named, clocks = layout.labels or (TRAJECTORY,), layout.clocks
    if sheet is None:
        table = read_table(path, text=(*named, *layout.metadata))
        labels = [name for name in named if name in table.columns]
        _check_columns(path, table, labels, layout)
    else:
        table, labels = joined(path, sheet, layout)
    found = [column for column in table.columns if column not in (*labels, *clocks, *layout.metadata)]
    if len(found) <= LONG and sheet is None:
        _refuse_long(path, (*labels, *layout.metadata))
    wanted = None if genes is None else gene_names(genes, found)
    _check_labels(path, found, set(wanted or ()))
    genes = found if wanted is None else wanted
    check_genes(path, genes, found, "columns")
    times = [_numbers(path, table, clock, layout) for clock in clocks]
    values = np.column_stack([_numbers(path, table, gene, layout) for gene in genes])
    alone = not labels and len(clocks) == 1 and sheet is None
    parts = _parts(path, table, times[0], genes, values) if alone else None
    trained = trajectories(path, times, equal(path, table[labels]) if labels else parts, values)
    if np.isfinite(values).all():  # else it is refused
        _warn_of_unlike_columns(path, genes, trained)
    return genes, trained


def _check_labels(path, columns, wanted) -> None:
    """Raise InputError if a column is named like times or labels of rows, unless it is among the wanted genes.

    Read as a gene, or left out, it would silently join trajectories wherever their times go on rising.
    """
    others = [name for name in columns if name not in wanted]
    _refuse_long(path, others)
    for name in others:
        if is_label(name):
            raise InputError(
                f"{path}: the column '{name}' is hardly a gene: name it under expression.trajectory if it tells "
                "trajectories or replicates apart, under expression.time, or under expression.metadata (genes of that "
                "name must be listed under expression.genes)"
            )


def _refuse_long(path, columns) -> None:
    """Raise InputError if a column has the name of columns that hold names of genes."""
    if found := [name for name in columns if names_genes(name)]:
        raise InputError(
            f"{path}: the column '{found[0]}' names genes, so the table has a row per sample and gene: make it one row "
            f"per sample and one column per gene (pandas: table.pivot(index=[...], columns='{found[0]}', "
            "values=...).reset_index(), with the columns of times and replicates as index)"
        )


def _check_columns(path, table, labels, layout) -> None:
    """Raise InputError unless a tidy table has the columns that its layout names, and every row its trajectory."""
    for key, name in (*product(["trajectory"], layout.labels), *product(["metadata"], layout.metadata)):
        if name not in table.columns:
            raise InputError(f"{path}: no column '{name}', which expression.{key} names; it has {some(table.columns)}")
    if lacking := [clock for clock in layout.clocks if clock not in table.columns]:
        raise InputError(
            f"{path}: no column '{lacking[0]}'{did_you_mean(lacking[0], table.columns)}: a table has one row per "
            "sample, with a column of times (named by expression.time), one of trajectories and one per gene (one with "
            "genes in its rows, or without times, needs a sheet of its samples with their times: expression.samples); "
            f"it has {some(table.columns)}{about_separator(table.columns)}"
        )
    refuse_repeated(path, [name for name in table.columns if name in (*labels, *layout.clocks)])
    if table.empty:
        raise InputError(f"{path}: no rows")
    for label in labels:
        if (rows := table.index[table[label].isna()]).size:
            raise InputError(f"{path}: row {rows[0]}: a row without the name of its trajectory ('{label}')")


def _warn_of_unlike_columns(path, genes, found) -> None:
    """Warn of columns of a table that are unlike the others, which may be no genes."""
    blocks = [values for _, values in found]
    low, high = bounds(blocks)
    size, moves = np.maximum(-low, high), high > low
    whole = moves & np.all([(values == np.rint(values)).all(axis=0) for values in blocks], axis=0)
    still = moves & np.all([np.ptp(values, axis=0) == 0 for values in blocks], axis=0)
    large = (size > UNLIKE * np.median(size)) & (size > 1) & (np.median(size) > 0)
    for apart, what in (
        (whole, "hold whole numbers alone"),
        (large, f"are over {UNLIKE} times as large"),
        (still, "change between trajectories alone"),
    ):
        if apart.any() and not apart[moves].all():
            names = [str(gene) for gene, one in zip(genes, apart, strict=True) if one]
            warnings.warn(
                f"{path}: {len(names)} of {len(genes)} genes {what}, unlike the others: {some(names)}; name columns "
                "that are no genes (expression.metadata)",
                InputWarning,
                stacklevel=4,
            )


def _parts(path, table, times, genes, values) -> np.ndarray | None:
    """Return the part (rows,) of a table that each row belongs to, None if there is one.

    A part ends at an empty line after which the times do not go on, as in the time series of DREAM, or where the same
    rising times begin again, if all parts have these.
    """
    parts = np.cumsum([0, *((np.diff(table.index) > 1) & (np.diff(times) <= 0))])
    how = "between empty lines"
    if not parts[-1]:
        parts, how = _repeats(times), f"as the times {times.min():g} to {times.max():g} are repeated"
        _refuse_labels_among(path, parts, genes, values)
    if not parts[-1]:
        return None
    warnings.warn(f"{path}: has {parts[-1] + 1} trajectories, {how}", InputWarning, stacklevel=4)
    return parts


def _refuse_labels_among(path, parts, genes, values) -> None:
    """Raise InputError if a gene changes only between the parts (rows,), as a label of trajectories does."""
    ranges = [np.ptp(values[parts == part], axis=0) for part in range(parts[-1] + 1)]
    still = ~np.any(ranges, axis=0) & (np.ptp(values, axis=0) > 0)
    if parts[-1] and still.any():
        raise InputError(
            f"{path}: the times are repeated, and '{genes[still.argmax()]}' changes between these repeats alone: name "
            "it under expression.trajectory if it tells trajectories apart, or under expression.metadata (if it is a "
            "gene, put an empty line between trajectories)"
        )


def _repeats(times) -> np.ndarray:
    """Return which repeat of the first rising times each row is in; 0 for all rows unless all are such repeats."""
    falls = np.flatnonzero(np.diff(times) <= 0)
    length = falls[0] + 1 if len(falls) else len(times)
    if length < 2 or len(times) % length or (times.reshape(-1, length) != times[:length]).any():
        return np.zeros(len(times), dtype=int)
    return np.arange(len(times)) // length


def _numbers(path, table, column, layout) -> np.ndarray:
    """Return the numbers (rows,) of a column of a tidy table; InputError names the first cell that is no number."""
    numbers, other = as_numbers(table[column])
    is_time, lineages = column in layout.clocks, len(layout.clocks) > 1
    if is_time and lineages:
        other = other[~other.isin(["NA", "NaN", "nan"])]  # a cell that is not in this lineage
    where = f"the time ('{column}')" if is_time else f"gene '{column}'"
    if other.size:
        cell = other.iloc[0]
        raise InputError(f"{path}: {_place(other.index[0])}: {where}: '{cell}' is not a number{_note(cell, is_time)}")
    bad = np.isinf(numbers) if lineages else ~np.isfinite(numbers)
    if is_time and bad.any():
        raise InputError(
            f"{path}: {_place(table.index[bad][0])}: a row without a finite time ('{column}'): leave it out, or name "
            "the columns of all lineages in a list (expression.time)"
        )
    return numbers


def _note(cell, is_time: bool) -> str:
    """Return what to do about a cell that is no number, for a message."""
    text = str(cell)
    if note := about_comma(cell):
        return note
    if text.lower() in NOT_THERE:
        return " (a missing value: fill it in, or leave out the gene or the row)"
    if is_time and WITH_UNIT.fullmatch(text):
        return " (write numbers alone, and their unit under expression.time_unit)"
    return "" if is_time else " (if the column is no gene, name it under expression.metadata)"


def _place(index) -> str:
    """Return what a row is called in messages: its number, or the name of its sample."""
    return f"row {index}" if isinstance(index, int | np.integer) else f"sample '{index}'"


def _check(path, number, times, values, genes, layout) -> None:
    """Raise InputError unless the times of a trajectory increase and it has a value for every gene at each of them.

    Times that are averaged need not increase.
    """
    if len(times) < 2:
        hint = " (if its name is that of a sample, name the column under expression.metadata)" if layout.labels else ""
        raise InputError(f"{path}: trajectory {number} has {len(times)} times, a transition needs two{hint}")
    if not layout.any_order and not (later := rises(times)).all():
        at = int(np.argmin(later))
        tied = not rises(-times)[at]
        change = "average rows of equal times (expression.bins: times)" if tied else "sort the rows of a trajectory"
        raise InputError(
            f"{path}: times of trajectory {number} must increase, but {times[at]:g} is followed by {times[at + 1]:g}: "
            f"{change}, or name the column of trajectories or replicates (expression.trajectory), or the columns that "
            "tell them apart together ([treatment, replicate])" + ", or put an empty line between them" * (not tied)
        )
    if not np.isfinite(values).all():
        row, gene = np.argwhere(~np.isfinite(values))[0]
        raise InputError(
            f"{path}: trajectory {number} has no value for gene '{genes[gene]}' at time {times[row]:g}: fill it in, or "
            "leave out the gene or the row"
        )
