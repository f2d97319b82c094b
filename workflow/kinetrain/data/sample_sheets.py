"""Sheets of samples: tables with the times and labels of the samples of a table of expression that has none.

So are matrices of genes and samples stored (counts of RNA-seq, series matrices of GEO, cells of BEELINE).
"""

import warnings
from itertools import product

import pandas as pd

from kinetrain.data.samples import TRAJECTORY, some
from kinetrain.data.text import read_table, refuse_repeated
from kinetrain.errors import InputError, InputWarning, did_you_mean


def joined(path, sheet, layout) -> tuple[pd.DataFrame, list[str]]:
    """Return a table of times, labels and genes, with a row per sample of the `sheet`, and the columns of labels.

    The first column of the sheet names the samples, which are the columns or the rows of the table at `path`; its
    index holds their names. Columns of `layout.metadata` are left out of both.

    Raises
    ------
    InputError
        If a sample of the table is not in the sheet, samples are named twice, a column that the layout names is
        missing, or a column that it does not name may be a label of trajectories.
    """
    samples = _samples(sheet, layout)
    values = _by_sample(path, sheet, samples.index, layout.metadata)
    labels = [name for name in layout.labels or (TRAJECTORY,) if name in samples]
    samples = samples.loc[[name for name in samples.index if name in values.index]]
    known = samples[[*layout.clocks, *labels]]
    for label in labels:
        if (lacking := known.index[known[label].isna()]).size:
            raise InputError(f"{sheet}: sample '{lacking[0]}' has no trajectory ('{label}')")
    _refuse_other_labels(sheet, samples, labels, layout)
    if shared := [name for name in values if name in (*known, *layout.metadata)]:
        raise InputError(f"{path}: the gene '{shared[0]}' is called like a column of {sheet}: rename the column")
    return pd.concat([known, values.loc[known.index]], axis=1), labels


def _samples(sheet, layout) -> pd.DataFrame:
    """Return the sheet with its samples as index; InputError unless it has the columns that the layout names."""
    table = read_table(sheet, text=(*(layout.labels or (TRAJECTORY,)), *layout.metadata), row_labels=True)
    names, table = table.iloc[:, 0], table.iloc[:, 1:]
    refuse_repeated(sheet, table.columns)
    for key, column in (*product(["time"], layout.clocks), *product(["trajectory"], layout.labels)):
        if column not in table:
            raise InputError(
                f"{sheet}: no column '{column}'{did_you_mean(column, table.columns)} (expression.{key}) beside the "
                f"names of samples in its first; it has {some(table.columns)}"
            )
    if names.isna().any():
        raise InputError(f"{sheet}: row {names.index[names.isna()][0]} has no name of a sample in its first column")
    refuse_repeated(sheet, names, "the sample")
    return table.set_index(pd.Index(names, name=None))


def _by_sample(path, sheet, samples, metadata) -> pd.DataFrame:
    """Return the table of expression with a row per sample and a column per gene, whichever way it is stored."""
    table = read_table(path, row_labels=True)
    names = table.iloc[:, 0]
    if names.isna().any():
        raise InputError(f"{path}: row {names.index[names.isna()][0]} has no name in its first column")
    table = table.iloc[:, 1:].set_index(pd.Index(names, name=None))
    known = set(samples)
    in_columns, in_rows = known & set(table.columns), known & set(table.index)
    if bool(in_columns) == bool(in_rows):
        where = "both among its columns and among its rows" if in_rows else "neither among its columns nor its rows"
        raise InputError(
            f"{path}: the samples of {sheet} ({some(samples)}) are {where} (columns {some(table.columns)}; rows "
            f"{some(table.index)})"
        )
    table = table.T if in_columns else table
    unknown = [name for name in table.index if name not in known and name not in metadata]
    if unknown:
        raise InputError(
            f"{path}: {len(unknown)} of its {'columns' if in_columns else 'rows'} are no samples of {sheet}: "
            f"{some(unknown)}; add them there, or name those that are no samples under expression.metadata"
        )
    table = table.loc[[name for name in table.index if name in known]]
    refuse_repeated(path, table.index, "the sample")
    if lacking := [name for name in samples if name not in table.index]:
        warnings.warn(
            f"{path}: lacks {len(lacking)} of the {len(samples)} samples of {sheet}: {some(lacking)}",
            InputWarning,
            stacklevel=5,
        )
    return table.infer_objects()


def _refuse_other_labels(sheet, samples, labels, layout) -> None:
    """Raise InputError if a column that the layout does not name labels trajectories: they would be joined.

    It may if, within a trajectory, it takes several values at several times each.
    """
    others = [name for name in samples if name not in (*layout.clocks, *labels, *layout.metadata)]
    groups = samples.groupby([samples[label].astype(str) for label in labels]) if labels else [("", samples)]
    for (_, own), clock, name in product(groups, layout.clocks, others):
        times = own[[clock, name]].dropna().groupby(name)[clock].nunique()
        if (times > 1).sum() > 1:
            values = some(times.index[times > 1])
            raise InputError(
                f"{sheet}: '{name}' has several values ({values}) among the samples of one trajectory: name it under "
                "expression.trajectory if it tells trajectories or replicates apart, in the list expression.time if it "
                "has the times of a lineage, else under expression.metadata"
            )
