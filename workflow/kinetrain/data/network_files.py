"""Readers of network files as tables: edge lists and labelled matrices, as other programs write them."""

import re
import warnings

import numpy as np
import pandas as pd

from kinetrain.data.genes import about_alike, alike, gene_positions, warn_of_dates
from kinetrain.data.text import (
    UNNAMED,
    about_separator,
    as_numbers,
    finite_numbers,
    first_row,
    read_numbers,
    read_table,
    refuse_repeated,
)
from kinetrain.errors import InputError, InputWarning

# The names that published edge lists use, in capitals or not; ours first.
REGULATOR = ("regulator", "tf", "gene1", "source", "from", "reg", "regulatorygene", "tf_name")
TARGET = ("target", "gene", "gene2", "to", "aff", "targetgene", "target_gene")
WEIGHT = ("weight", "edge", "score", "importance", "confidence", "prior_weight")
SIGN = "sign"
# How text columns say that a regulator represses its target: repressor, inhibitory, down-regulates quantity, --|
NEGATIVE = re.compile(
    "[-\N{MINUS SIGN}]|-+[|1]|[|]-+|(repress|inhib|suppress|silenc|negativ)\\w*|neg|down([-_ ]?regulat.*)?",
    re.IGNORECASE,
)
ABBREVIATED = {"a", "act", "i", "inh", "r", "rep"}  # of activator, inhibitor and repressor, if a column has no others
SIGNS = {"+": "1", "-": "-1", "\N{MINUS SIGN}": "-1"}
TRUTHS = {"true", "false", "yes", "no"}
EDGE = re.compile(r"[01](\.0)?|-1(\.0)?")  # the third column of a gold standard of DREAM


def read_edge_list(path, genes=()) -> pd.DataFrame:
    """Return the edges of a list as a table: regulator, target, value; its index holds rows as a spreadsheet counts.

    Columns may have any of the names above. The value of an edge is sign x weight, each 1 if absent; other columns
    must be text, which is not read. Without a header, three columns are taken as regulator, target and edge if all of
    the third are 0, 1 or -1, or + or -, as in the gold standards of DREAM. genes: those of the data, by which a list
    without any header is recognised.

    Raises
    ------
    InputError
        Missing file or column, a column of numbers of another name, a value that is not a number.
    """
    table = _with_columns(path, genes)
    regulators, targets = (_names(path, table, names) for names in (REGULATOR, TARGET))
    warn_of_dates(path, [*regulators, *targets])
    edges = pd.DataFrame({"regulator": regulators, "target": targets, "value": _values(path, table)})
    warn_of_repeated(path, edges)
    return edges


def read_labelled_matrix(path, rows=None) -> tuple[np.ndarray, list[str], list[str]]:
    """Return the numbers [target, regulator] of a matrix with names of rows and columns, its targets and regulators.

    rows : what the rows are, `regulators` or `targets`. None takes targets where there are more rows than columns, as
        there are more targets than regulators; which way a symmetric matrix is read makes no difference.

    Raises
    ------
    InputError
        A cell that is not a number, a name that is missing or stands twice, an edge list, rows that may be either.
    """
    header, table = first_row(path), read_table(path, row_labels=True)
    words = {name.lower() for name, kind in table.dtypes.items() if not pd.api.types.is_numeric_dtype(kind)}
    if words & set(REGULATOR) and words & set(TARGET):
        raise InputError(f"{path}: is an edge list, no matrix: give it as `edges`")
    if table.shape[1] < 2:
        raise InputError(f"{path}: has a single column, no matrix{about_separator(table.columns)}")
    labels, columns = table.iloc[:, 0], list(table.columns[1:])
    if len(header) == len(table) == table.shape[1] and all(map(is_number, labels.dropna())):
        raise InputError(f"{path}: names its columns alone: name its rows too, or leave the header out")
    if all(map(is_number, columns)) and not all(map(is_number, labels.dropna())):
        raise InputError(f"{path}: names its rows alone: name its columns too, or leave the names out")
    if labels.isna().any():
        raise InputError(f"{path}: row {labels.index[labels.isna()][0]} has no name in its first column")
    refuse_repeated(path, labels, "the row")
    refuse_repeated(path, columns)
    warn_of_dates(path, [*labels, *columns])
    numbers, names = finite_numbers(path, table.iloc[:, 1:]), labels.tolist()
    if rows is None and len(names) <= len(columns) and not _is_symmetric(numbers, names, columns):
        raise InputError(
            f"{path}: {len(names)} rows ({', '.join(names[:3])}) and {len(columns)} columns "
            f"({', '.join(columns[:3])}) do not tell which of them are regulators: say it, `rows: regulators` or "
            "`rows: targets`"
        )
    return (numbers.T, columns, names) if rows == "regulators" else (numbers, names, columns)


def within(path, edges: pd.DataFrame, genes, restrict: bool) -> np.ndarray:
    """Return which edges (rows,) of a list join two of the genes; others are reported, see `report_unknown`."""
    positions = gene_positions(genes)
    known = (edges["regulator"].isin(positions) & edges["target"].isin(positions)).to_numpy()
    if not known.all():
        names = [*edges["regulator"], *edges["target"]]
        report_unknown(path, names, genes, restrict, nothing_left=not known.any())
    return known


def report_unknown(path, names, genes, restrict: bool, nothing_left: bool) -> None:
    """Raise InputError unless genes that the data set lacks are to be left out and something remains.

    Those that are left out are reported where they may be genes of the data set under another spelling.
    """
    unknown = sorted(set(names) - gene_positions(genes).keys())
    hint = about_alike(alike(unknown, genes))
    if nothing_left:
        raise InputError(
            f"{path}: none of its edges joins two genes of the expression data "
            f"(it names {', '.join(unknown[:3])}; the expression data {', '.join(list(genes)[:3])}){hint}"
        )
    if unknown and not restrict:
        raise InputError(
            f"{path}: {len(unknown)} genes are not in the expression data: {', '.join(unknown[:5])}"
            f"{' ...' if len(unknown) > 5 else ''} (correct the names, or leave such edges out: restrict: true){hint}"
        )
    if hint:
        warnings.warn(f"{path}: edges of genes that the data lack are left out{hint}", InputWarning, stacklevel=3)


def warn_of_repeated(path, edges) -> None:
    """Warn of edges that an edge list names more than once."""
    repeated = edges[edges.duplicated(["regulator", "target"])]
    if len(repeated):
        first = f"{repeated['regulator'].iloc[0]} to {repeated['target'].iloc[0]}"
        differ = len(edges.drop_duplicates()) - len(edges.drop_duplicates(["regulator", "target"]))
        warnings.warn(
            f"{path}: {len(repeated)} edges are named before ({differ} with another value), the first is {first} in "
            f"row {repeated.index[0]}; of each the value of the largest size counts",
            InputWarning,
            stacklevel=3,
        )


def is_number(text: str) -> bool:
    """Return whether a cell of text holds a number."""
    try:
        float(text.strip().strip('"'))
    except ValueError:
        return False
    return True


def _is_symmetric(numbers, names, columns) -> bool:
    return len(names) == len(columns) and names == columns and bool((numbers == numbers.T).all())


def _with_columns(path, genes) -> pd.DataFrame:
    """Return an edge list with its columns in small letters, as text; InputError unless it has those that it needs."""
    header = first_row(path)
    headless = _headless(path, header)
    if headless is not None:
        return headless
    if UNNAMED.fullmatch(header[0]) and not {name.lower() for name in header} & {*REGULATOR, *TARGET}:
        raise InputError(f"{path}: names rows and columns, so it is a matrix, no edge list: give it as `matrix`")
    table = read_table(path, text=None)
    refuse_repeated(path, map(str.lower, table.columns))
    for names in (REGULATOR, TARGET):
        present = [column for column in table.columns if column.lower() in names]
        if len(present) > 1:
            raise InputError(f"{path}: the columns {', '.join(present)} all name the {names[0]}: leave one of them")
        if not present:
            no_header = " (its first line names genes: put a header above it)" * (len({*header} & {*genes}) > 1)
            raise InputError(
                f"{path}: no column '{names[0]}' (or {', '.join(names[1:])}); it has {', '.join(table.columns[:8])}"
                f"{no_header}{about_separator(table.columns)}"
            )
    table = table.rename(columns=str.lower)
    if SIGN not in table and "type" in table and table["type"].isin(SIGNS).all():  # as in BEELINE
        table = table.rename(columns={"type": SIGN})
    return table


def _headless(path, header) -> pd.DataFrame | None:
    """Return an edge list of three columns without a header, None if it is none."""
    if len(header) != 3 or any(map(is_number, header[:2])) or not (EDGE.fullmatch(header[2]) or header[2] in SIGNS):
        return None
    table = read_numbers(path)
    if table.shape[1] != 3:
        return None
    third = next((name for name, values in (("edge", {0, 1, -1}), (SIGN, SIGNS)) if set(table[2]) <= {*values}), None)
    if third:
        warnings.warn(f"{path}: has no header, read as regulator, target, {third}", InputWarning, stacklevel=4)
    return table.set_axis(["regulator", "target", third], axis=1) if third else None


def _names(path, table, options) -> pd.Series:
    names = table[next(name for name in options if name in table.columns)]
    if names.isna().any():
        raise InputError(f"{path}: row {names.index[names.isna()][0]} has no {options[0]}")
    return names


def _values(path, table) -> np.ndarray:
    """Return sign x weight (rows,) of an edge list; InputError where it is not certain which numbers these are."""
    if SIGN in table:
        table = table.assign(sign=table[SIGN].replace(SIGNS))
    weights = _weight_columns(path, table)
    values = np.ones(len(table))
    for name in (*weights, *({SIGN} & set(table))):
        numbers = finite_numbers(path, table[[name]])[:, 0]
        if name != SIGN and SIGN in table and (bad := np.flatnonzero(numbers < 0)).size:
            raise InputError(
                f"{path}: row {table.index[bad[0]]}: the weight {numbers[bad[0]]:g} has a sign, and there is a column "
                "'sign' besides: leave the column out, or give weights without signs"
            )
        if name == SIGN and (bad := np.flatnonzero(np.abs(numbers) != 1)).size:
            raise InputError(f"{path}: row {table.index[bad[0]]}: the sign is {numbers[bad[0]]:g}, expected 1 or -1")
        values *= numbers
    return values


def _weight_columns(path, table) -> list[str]:
    """Return the name of the column of weights, none where there is none; InputError where others may be numbers."""
    others = [as_numbers(table[column])[1] for column in table.columns]
    words = {column: len(wrong) == table[column].notna().sum() for column, wrong in zip(table, others, strict=True)}
    for name in table.columns.difference([*REGULATOR, *TARGET, *WEIGHT, SIGN], sort=False):
        _check_unread(path, table, name, words[name])
    weights = [name for name in WEIGHT if name in table]
    weights = [name for name in weights if not words[name]] or weights[:1]
    if len(weights) > 1:
        raise InputError(f"{path}: the columns {', '.join(weights)} could all be the weight: leave one of them")
    return weights


def _check_unread(path, table, name, is_text: bool) -> None:
    """Raise InputError if a column that is not read may hold weights or, where there is no other of them, signs."""
    if not is_text:
        raise InputError(
            f"{path}: the column '{name}' holds numbers of unknown meaning: name it weight if edges of weight 0 "
            "are no edges, sign if it holds 1 and -1, or leave it out"
        )
    cells = set(table[name].dropna().str.lower())
    if cells & TRUTHS:
        raise InputError(
            f"{path}: the column '{name}' holds truth values of unknown meaning: give a column weight with 1 and 0 "
            "if it says what is an edge, a column sign with 1 and -1 if it tells activation, or leave it out"
        )
    if SIGN in table:
        return
    alone = set() if {"+", "+-"} & cells else SIGNS.keys()  # a lone - may mean nothing
    found = sorted(cell for cell in cells - alone if NEGATIVE.fullmatch(cell))
    if cells <= ABBREVIATED:
        found = sorted(cells - {"a", "act"})
    if found:
        raise InputError(
            f"{path}: the column '{name}' holds negative signs ({', '.join(found)}): name it sign, with + and - "
            "alone, or leave it out, and all signs are +"
        )
