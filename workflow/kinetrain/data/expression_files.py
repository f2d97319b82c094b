"""Readers of expression over time: blocks of numbers, tidy tables, and cells with a pseudotime (AnnData)."""

import warnings
from itertools import product
from pathlib import Path

import numpy as np

from kinetrain.data.genes import gene_names, is_label, warn_of_dates
from kinetrain.data.options import Layout
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

TRAJECTORY = "trajectory"  # column of a tidy table unless another is named
LARGEST = 100  # no logarithm of a measured quantity is as large
MOST = 1e9  # of any measured quantity: models compute with squares, some in single precision
LATEST = 1e15  # beyond it times that differ by 1 are hardly told apart
UNLIKE = 20  # times the median size of the columns: larger ones may be no genes


def read_trajectories(path, genes=None, layout: Layout = Layout()):
    """Return genes (k,), values (R, T, k) and times (R, T) from a file in one of three layouts.

    Blocks: a line `k, R`, then for each trajectory k lines of one gene over time and one line of times. Tidy: a table
    with a column of times, a column of trajectories and one per gene. Cells: an AnnData file
    (.h5ad) with a pseudotime among its observations; cells at the same time of a trajectory become their mean.

    With `layout.bins`, the points of every trajectory are put, in the order of their times, into that many groups as
    equal in size as can be, and each group becomes its mean, times included.

    Parameters
    ----------
    genes : the names of the genes in the order wanted, or the path of a file of names. None takes those that the file
        of expression names, in its order. Of tables and cells they may be a selection.

    Raises
    ------
    InputError
        If the file lacks one of `genes`, a value is missing before the end of a trajectory, times do not increase, or
        the values are on no scale that a model can be trained on.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: no such expression file")
    reader = _read_cells if str(path).endswith(".h5ad") else _read_text
    genes, trajectories = reader(path, genes, layout)
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
    low, high = _bounds(values for _, values in trajectories)
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


def _bounds(blocks) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and the highest value of every gene (k,) in blocks of values (T, k)."""
    low, high = zip(*((values.min(axis=0), values.max(axis=0)) for values in blocks), strict=True)
    return np.min(low, axis=0), np.max(high, axis=0)


def _warn_of_unlike_columns(path, genes, trajectories) -> None:
    """Warn of columns of a table that are unlike the others, which may be no genes."""
    blocks = [values for _, values in trajectories]
    low, high = _bounds(blocks)
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
                f"{path}: {len(names)} of {len(genes)} genes {what}, unlike the others: {_some(names)}; name columns "
                "that are no genes (expression.metadata)",
                InputWarning,
                stacklevel=4,
            )


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
    if (size := np.abs(times).max()) > LATEST:
        raise InputError(f"{path}: trajectory {number} has a time of {size:g}, above {LATEST:g}: take another unit")
    return times, values


# --- text ---


def _read_text(path, genes, layout):
    head = first_row(path)
    if len(head) > 1 and head[0].isdigit() and head[1].isdigit():
        if genes is None:
            raise InputError(f"{path}: holds blocks without names of genes: give the file of names (expression.genes)")
        genes, trajectories = _read_blocks(path, genes)
    else:
        genes, trajectories = _read_tidy(path, genes, layout)
    if layout.any_order:
        orders = (np.argsort(times, kind="stable") for times, _ in trajectories)
        trajectories = [(one[0][order], one[1][order]) for one, order in zip(trajectories, orders, strict=True)]
    for number, (times, values) in enumerate(trajectories, start=1):
        _check(path, number, times, values, genes, layout)
    return genes, trajectories


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


def _read_tidy(path, genes, layout):
    if layout.layer is not None:
        raise InputError(f"{path}: expression.layer is for cells (.h5ad); a table has no layers")
    named, clocks = layout.labels or (TRAJECTORY,), layout.clocks
    table = read_table(path, text=(*named, *layout.metadata))
    labels = [name for name in named if name in table.columns]
    _check_columns(path, table, labels, layout)
    found = [column for column in table.columns if column not in (*labels, *clocks, *layout.metadata)]
    wanted = None if genes is None else gene_names(genes, found)
    _check_labels(path, found, set(wanted or ()))
    genes = found if wanted is None else wanted
    _check_genes(path, genes, found, "columns")
    times = [_numbers(path, table, clock, layout) for clock in clocks]
    values = np.column_stack([_numbers(path, table, gene, layout) for gene in genes])
    parts = _parts(path, table, times[0]) if not labels and len(clocks) == 1 else None
    found = _trajectories(path, times, _equal(table[labels]) if labels else parts, values)
    if np.isfinite(values).all():  # else it is refused
        _warn_of_unlike_columns(path, genes, found)
    return genes, found


def _check_labels(path, columns, wanted) -> None:
    """Raise InputError of a column named like times or labels of rows, unless it is among the genes that are wanted.

    Taken for a gene, or left out, it would join trajectories without a word wherever their times go on rising.
    """
    if found := [name for name in columns if name not in wanted and is_label(name)]:
        raise InputError(
            f"{path}: the column '{found[0]}' is hardly a gene: name it under expression.trajectory if it tells "
            "trajectories or replicates apart, under expression.time, or under expression.metadata (genes of that name "
            "must be listed under expression.genes)"
        )


def _check_columns(path, table, labels, layout) -> None:
    """Raise InputError unless a tidy table has the columns that its layout names, and every row its trajectory."""
    for key, name in (*product(["trajectory"], layout.labels), *product(["metadata"], layout.metadata)):
        if name not in table.columns:
            raise InputError(f"{path}: no column '{name}', which expression.{key} names; it has {_some(table.columns)}")
    if lacking := [clock for clock in layout.clocks if clock not in table.columns]:
        raise InputError(
            f"{path}: no column '{lacking[0]}'{did_you_mean(lacking[0], table.columns)}: a table has one row per "
            "sample, with a column of times (named by expression.time), one of trajectories and one per gene (one with "
            f"genes in its rows must be transposed); it has {_some(table.columns)}{about_separator(table.columns)}"
        )
    refuse_repeated(path, [name for name in table.columns if name in (*labels, *layout.clocks)])
    if table.empty:
        raise InputError(f"{path}: no rows")
    for label in labels:
        if (rows := table.index[table[label].isna()]).size:
            raise InputError(f"{path}: row {rows[0]}: a row without the name of its trajectory ('{label}')")


def _check_genes(path, genes, found, kind: str) -> None:
    """Raise InputError unless each of the `genes` is once among those `found`; warn of others that are left out."""
    wanted, known = set(genes), set(found)
    if missing := sorted(wanted - known):
        raise InputError(
            f"{path}: {len(missing)} genes of {len(genes)} are not among its {kind}: {', '.join(missing[:5])}; "
            f"it has {_some(found)}"
        )
    refuse_repeated(path, [name for name in found if name in wanted], "gene")
    if "" in genes:
        raise InputError(f"{path}: gene {list(genes).index('') + 1} among its {kind} has no name")
    if broken := [name for name in genes if not str(name).isprintable()]:
        raise InputError(f"{path}: the gene {str(broken[0])!r} has a line end or a tab in its name")
    if not genes:
        raise InputError(f"{path}: has no gene among its {kind}")
    warn_of_dates(path, genes)
    if kind == "columns" and (left_out := [name for name in found if name not in wanted]):
        what = f"{len(left_out)} columns are not among the genes that were asked for: {_some(left_out)}"
        warnings.warn(f"{path}: {what}", InputWarning, stacklevel=4)


def _parts(path, table, times) -> np.ndarray | None:
    """Return the part (rows,) of a table that each row belongs to, None if there is one.

    A part ends at an empty line after which the times do not go on, as in the time series of DREAM.
    """
    parts = np.cumsum([0, *((np.diff(table.index) > 1) & (np.diff(times) <= 0))])
    if not parts[-1]:
        return None
    warnings.warn(f"{path}: has {parts[-1] + 1} trajectories, between empty lines", InputWarning, stacklevel=4)
    return parts


def _equal(labels) -> np.ndarray:
    """Return a number (rows,) that is the same in rows with the same text in each of the columns of labels."""
    text = labels.astype(str).apply(lambda column: column.str.strip())
    return text.groupby(list(text), sort=False).ngroup().to_numpy()


def _trajectories(path, clocks, labels, values) -> list:
    """Return times (T,) and values (T, k) of the trajectories: one per clock (rows,) and label, in the order of rows.

    Rows without a time on a clock have no part in its trajectories; a clock without any time is an InputError.
    """
    for number, clock in enumerate(clocks, start=1):
        if not np.isfinite(clock).any():
            raise InputError(f"{path}: column {number} of those that expression.time names holds no time at all")
    labels = np.zeros(len(values)) if labels is None else labels
    rows = [
        (clock, np.flatnonzero((labels == one) & np.isfinite(clock)))
        for clock in clocks
        for one in dict.fromkeys(labels)
    ]
    return [(clock[own], values[own]) for clock, own in rows if len(own)]


def _numbers(path, table, column, layout) -> np.ndarray:
    """Return the numbers (rows,) of a column of a tidy table; InputError names the first cell that is no number."""
    numbers, other = as_numbers(table[column])
    is_time, lineages = column in layout.clocks, len(layout.clocks) > 1
    if is_time and lineages:
        other = other[~other.isin(["NA", "NaN", "nan"])]  # a cell that is not in this lineage
    where = f"the time ('{column}')" if is_time else f"gene '{column}'"
    if other.size:
        about_metadata = "" if is_time else " (if the column is no gene, name it under expression.metadata)"
        note = about_comma(other.iloc[0]) or about_metadata
        raise InputError(f"{path}: row {other.index[0]}: {where}: '{other.iloc[0]}' is not a number{note}")
    bad = np.isinf(numbers) if lineages else ~np.isfinite(numbers)
    if is_time and bad.any():
        raise InputError(
            f"{path}: row {table.index[bad][0]}: a row without a finite time ('{column}'): leave it out, or name the "
            "columns of all lineages in a list (expression.time)"
        )
    return numbers


def _some(names) -> str:
    """Return the names, or the first of many."""
    names = [str(name) for name in names]
    return ", ".join(names[:8]) + (f" ... ({len(names)} in all)" if len(names) > 8 else "")


def _check(path, number, times, values, genes, layout) -> None:
    """Raise InputError unless the times of a trajectory increase and it has a value for every gene at each of them.

    Times that are averaged need not increase.
    """
    if len(times) < 2:
        raise InputError(f"{path}: trajectory {number} has {len(times)} times, a transition needs two")
    if not layout.any_order and (np.diff(times) <= 0).any():
        at = int(np.argmax(np.diff(times) <= 0))
        raise InputError(
            f"{path}: times of trajectory {number} must increase, but {times[at]:g} is followed by {times[at + 1]:g}: "
            "name the column of trajectories or replicates (expression.trajectory), or the columns that tell them "
            "apart together ([treatment, replicate]), or average rows in the order of time (expression.bins)"
        )
    if not np.isfinite(values).all():
        row, gene = np.argwhere(~np.isfinite(values))[0]
        raise InputError(
            f"{path}: trajectory {number} has no value for gene '{genes[gene]}' at time {times[row]:g}: fill it in, or "
            "leave out the gene or the row"
        )


# --- cells ---


def _read_cells(path, genes, layout):
    from anndata import read_h5ad  # takes a second, and only these files need it

    try:
        cells = read_h5ad(path)
    except Exception as error:  # of other HDF5 files anndata raises what happens to go wrong
        reason = str(error).partition("\n")[0]
        raise InputError(f"{path}: not an AnnData file ({reason or type(error).__name__})") from None
    for key, column in (*product(["time"], layout.clocks), *product(["trajectory"], layout.labels)):
        if column not in cells.obs.columns:
            columns = ", ".join(map(str, cells.obs.columns)) or "none"
            raise InputError(f"{path}: expression.{key} is '{column}', but the columns of obs are {columns}")
    if layout.layer is not None and layout.layer not in cells.layers:
        layers = ", ".join(cells.layers) or "none"
        raise InputError(f"{path}: expression.layer is '{layout.layer}', but the layers are {layers}")
    if layout.layer is None and cells.X is None:
        raise InputError(f"{path}: has no matrix X: name one of its layers (expression.layer)")
    if layout.metadata:
        raise InputError(f"{path}: expression.metadata is for tables; what is no gene stands in obs, leave it out")
    names = cells.var_names.astype(str).str.strip()
    genes = names.tolist() if genes is None else gene_names(genes, set(names))
    _check_genes(path, genes, names.tolist(), "var_names")
    times = [_pseudotime(path, cells, clock, len(layout.clocks) > 1) for clock in layout.clocks]
    place = {name: index for index, name in enumerate(names)}
    values = (cells.X if layout.layer is None else cells.layers[layout.layer])[:, [place[gene] for gene in genes]]
    if values.dtype.kind == "b":
        raise InputError(f"{path}: holds truth values, no expression")
    values = np.asarray(values.toarray() if hasattr(values, "toarray") else values, float)
    if not np.isfinite(values).all():
        cell, gene = np.argwhere(~np.isfinite(values))[0]
        raise InputError(f"{path}: cell '{cells.obs_names[cell]}' has no finite value for gene '{genes[gene]}'")
    labels = [*layout.labels] or [name for name in (TRAJECTORY,) if name in cells.obs.columns]
    for label in labels:
        if (lacking := cells.obs[label].isna()).any():
            raise InputError(f"{path}: cell '{cells.obs_names[lacking][0]}' has no trajectory ('{label}')")
    found = _trajectories(path, times, _equal(cells.obs[labels]) if labels else None, values)
    orders = (np.argsort(clock, kind="stable") for clock, _ in found)
    return genes, [(one[0][order], one[1][order]) for one, order in zip(found, orders, strict=True)]


def _pseudotime(path, cells, column, lineages: bool) -> np.ndarray:
    """Return the times (cells,) in a column of the observations; InputError unless all are finite numbers.

    Where there are several `lineages`, cells may have no time in this one.
    """
    given = cells.obs[column].astype(object)
    times = as_numbers(given)[0]
    unknown = np.flatnonzero(~np.isfinite(times) & ~(lineages & given.isna().to_numpy()))
    if len(unknown):
        raise InputError(
            f"{path}: '{column}' (expression.time) is no finite number for {len(unknown)} of {len(times)} cells, "
            f"the first is '{cells.obs_names[unknown[0]]}': leave them out, or name the columns of all lineages in a "
            "list"
        )
    return times
