"""Readers of networks, edge lists and matrices, for the genes of one expression data set."""

import warnings

import numpy as np
import pandas as pd
from scipy import sparse

from kinetrain.data.genes import gene_names, gene_positions, warn_of_dates
from kinetrain.data.text import (
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
REGULATOR = ("regulator", "tf", "gene1", "source", "from", "reg")
TARGET = ("target", "gene", "gene2", "to", "aff")
WEIGHT = ("weight", "edge", "score", "importance", "confidence", "prior_weight")
SIGN = "sign"
NEGATIVE = {"-", "\N{MINUS SIGN}", "repression", "represses", "repressor", "inhibition", "inhibits", "negative", "down"}
LEAST, LARGEST = 1e-9, 1e9  # sizes of weights: methods take products of them, some in single precision
SIGNS = {"+": "1", "-": "-1", "\N{MINUS SIGN}": "-1"}


def read_network(
    genes, edges=None, matrix=None, matrix_genes=None, restrict: bool = False, threshold: float = 0.0
) -> tuple[sparse.csr_array, int]:
    """Return what `sparse_edges` gives for the file `edges`, or `sparse_matrix` for `matrix`, whichever is given.

    matrix_genes : file of the gene names of a matrix that covers other genes, or None.
    threshold : entries whose size is at most this are no edges.
    """
    if edges:
        network, left_out = sparse_edges(edges, genes, restrict)
    else:
        network, left_out = sparse_matrix(matrix, genes, matrix_genes, restrict)
    if threshold > 0:
        network.data[np.abs(network.data) <= threshold] = 0
        network.eliminate_zeros()
        if not network.nnz:
            raise InputError(f"{edges or matrix}: no edge between genes of the data set is above {threshold:g}")
    sizes = np.abs(network.data)
    if (bad := sizes[(sizes < LEAST) | (sizes > LARGEST)]).size:
        raise InputError(
            f"{edges or matrix}: {bad[0]:g} is no weight of an edge, which is {LEAST:g} to {LARGEST:g} in size: scale "
            "the weights, or leave small ones out (threshold)"
        )
    return network, left_out


def read_edges(path, genes, restrict: bool = False) -> tuple[np.ndarray, int]:
    """Return what `sparse_edges` does, with the network as a full matrix."""
    network, left_out = sparse_edges(path, genes, restrict)
    return network.toarray(), left_out


def read_signs(path, genes) -> np.ndarray:
    """Return the signs (k, k) of the edges of a list as small integers, 0 where there is none; see `sparse_edges`."""
    network, _ = sparse_edges(path, genes)
    network.data = np.sign(network.data)
    return network.astype(np.int8).toarray()


def sparse_edges(path, genes, restrict: bool = False) -> tuple[sparse.csr_array, int]:
    """Return the (k, k) network [target, regulator] of an edge list, and how many of its edges were left out.

    Parameters
    ----------
    path : table with the columns regulator and target and, where they are known, weight and sign (+1 or -1, + or -);
        each may have another of the names above. The value of an edge is sign x weight, each 1 if absent; 0 is no
        edge. Other columns must be text, which is not read. Without a header, three columns are taken as regulator,
        target and edge if all of the third are 0 or 1, as in the gold standards of DREAM.
    genes : the k gene names. An edge of A counts for every probe that names A, also "A /// B". Where a pair of probes
        has several values, the largest in size counts (of +1 and -1, +1).
    restrict : leave out edges of genes that are not among `genes`; otherwise such genes are an error.

    Raises
    ------
    InputError
        Missing file or column, a column of numbers of another name, a value that is not a number, unknown genes, no
        edge left.
    """
    table = _edge_list(path)
    regulators, targets = (_names(path, table, names) for names in (REGULATOR, TARGET))
    warn_of_dates(path, [*regulators, *targets])
    values = _edge_values(path, table)
    _warn_of_repeated(path, pd.DataFrame({"regulator": regulators, "target": targets, "value": values}))
    positions = gene_positions(genes)
    known = (regulators.isin(positions) & targets.isin(positions)).to_numpy()
    if not known.all():
        _report_unknown(
            path, pd.concat([regulators, targets]), positions, genes, restrict, nothing_left=not known.any()
        )
    network = _placed(regulators[known], targets[known], values[known], positions, len(genes))
    return _with_edges(path, network), int((~known).sum())


def sparse_matrix(path, genes, matrix_genes=None, restrict: bool = False) -> tuple[sparse.csr_array, int]:
    """Return the (k, k) network [target, regulator] of a matrix on disk, and how many of its edges were left out.

    Three layouts are known, all with tab, semicolon or comma as separator:

    - numbers only, [regulator row, target column], as PHOENIX and DASH store their priors;
    - triplets row, column, value with 1-based positions in that same order (a sparse matrix);
    - labelled, targets in the rows and regulators in the columns, as the Inferelator stores its gold standards.

    Parameters
    ----------
    genes : the k gene names wanted.
    matrix_genes : the names that belong to the rows and columns of an unlabelled matrix, or the path of a file of
        them; `genes` if None. Genes that are not wanted are left out.
    restrict : leave out rows and columns of a labelled matrix that are not among `genes`; otherwise an error.

    Raises
    ------
    InputError
        Missing file, wrong shape, a cell that is not a number, unknown genes, no edge left.
    """
    if _is_number(first_row(path)[0]):
        cells = read_numbers(path)
        if matrix_genes is None:
            return _with_edges(path, sparse.csr_array(_unlabelled(path, cells, list(genes)).T)), 0
        names = gene_names(matrix_genes, genes, len(cells) if len(cells) == cells.shape[1] else None)
        return _select(path, _unlabelled(path, cells, names).T, names, names, genes, restrict=True)
    table = read_table(path, row_labels=True)
    words = {name.lower() for name, kind in table.dtypes.items() if not pd.api.types.is_numeric_dtype(kind)}
    if words & set(REGULATOR) and words & set(TARGET):
        raise InputError(f"{path}: is an edge list, no matrix: give it as `edges`")
    if table.shape[1] < 2:
        raise InputError(f"{path}: has a single column, no matrix{about_separator(table.columns)}")
    rows, columns = table.iloc[:, 0], list(table.columns[1:])
    if rows.isna().any():
        raise InputError(f"{path}: row {rows.index[rows.isna()][0]} has no name in its first column")
    refuse_repeated(path, rows, "the row")
    refuse_repeated(path, columns)
    warn_of_dates(path, [*rows, *columns])
    return _select(path, finite_numbers(path, table.iloc[:, 1:]), rows.tolist(), columns, genes, restrict)


def edge_table(network, genes) -> pd.DataFrame:
    """Return the edges of a (k, k) network [target, regulator] as a table: regulator, target, sign."""
    by_regulator = sparse.csr_array(sparse.csr_array(network).T)
    by_regulator.sort_indices()
    regulators, targets = by_regulator.nonzero()
    names = np.asarray(genes)
    sign = np.sign(by_regulator.data[by_regulator.data != 0]).astype(int)
    return pd.DataFrame({"regulator": names[regulators], "target": names[targets], "sign": sign})


def _edge_list(path) -> pd.DataFrame:
    """Return an edge list with its columns in small letters, as text; InputError unless it has those that it needs."""
    header = first_row(path)
    if len(header) == 3 and header[2] in ("0", "1", "0.0", "1.0") and not any(map(_is_number, header[:2])):
        table = read_numbers(path)
        if table.shape[1] == 3 and set(table[2]) <= {0, 1}:
            warnings.warn(f"{path}: has no header, read as regulator, target, edge", InputWarning, stacklevel=3)
            return table.set_axis(["regulator", "target", "edge"], axis=1)
    table = read_table(path, text=None)
    refuse_repeated(path, map(str.lower, table.columns))
    for names in (REGULATOR, TARGET):
        present = [column for column in table.columns if column.lower() in names]
        if len(present) > 1:
            raise InputError(f"{path}: the columns {', '.join(present)} all name the {names[0]}: leave one of them")
        if not present:
            raise InputError(
                f"{path}: no column '{names[0]}' (or {', '.join(names[1:])}); it has {', '.join(table.columns[:8])}"
                f"{about_separator(table.columns)}"
            )
    table = table.rename(columns=str.lower)
    if SIGN not in table and "type" in table and table["type"].isin(SIGNS).all():  # as in BEELINE
        table = table.rename(columns={"type": SIGN})
    return table


def _names(path, table, options) -> pd.Series:
    names = table[next(name for name in options if name in table.columns)]
    if names.isna().any():
        raise InputError(f"{path}: row {names.index[names.isna()][0]} has no {options[0]}")
    return names


def _edge_values(path, table) -> np.ndarray:
    """Return sign x weight (rows,) of an edge list; InputError where it is not certain which numbers these are."""
    if SIGN in table:
        table = table.assign(sign=table[SIGN].replace(SIGNS))
    others = [as_numbers(table[column])[1] for column in table.columns]
    words = {column: len(wrong) == table[column].notna().sum() for column, wrong in zip(table, others, strict=True)}
    unknown = [name for name in table if name not in (*REGULATOR, *TARGET, *WEIGHT, SIGN) and not words[name]]
    if unknown:
        raise InputError(
            f"{path}: the column '{unknown[0]}' holds numbers of unknown meaning: name it weight if edges of weight 0 "
            "are no edges, or leave it out"
        )
    for name in table.columns.difference([*REGULATOR, *TARGET, *WEIGHT, SIGN]) if SIGN not in table else ():
        said = set(table[name].dropna().str.lower())
        found = sorted(said & NEGATIVE - (set() if "+" in said else SIGNS.keys()))  # a lone - may mean nothing
        if found:
            raise InputError(
                f"{path}: the column '{name}' holds negative signs ({', '.join(found)}): name it sign, with + and - "
                "alone, or leave it out, and all signs are +"
            )
    weights = [name for name in WEIGHT if name in table]
    weights = [name for name in weights if not words[name]] or weights[:1]
    if len(weights) > 1:
        raise InputError(f"{path}: the columns {', '.join(weights)} could all be the weight: leave one of them")
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


def _warn_of_repeated(path, edges) -> None:
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


def _placed(regulators, targets, values, positions, size: int) -> sparse.csr_array:
    """Return the (k, k) network [target, regulator] of named edges, for all probes of their genes."""
    edges = [
        (target, regulator, value)
        for names_target, names_regulator, value in zip(targets, regulators, values, strict=True)
        for target in positions[names_target]
        for regulator in positions[names_regulator]
    ]
    rows, columns, numbers = (np.array(part) for part in zip(*edges, strict=True)) if edges else ([], [], [])
    return _at_places(rows, columns, numbers, size)


def _at_places(rows, columns, values, size: int) -> sparse.csr_array:
    """Return the (size, size) matrix of entries; of several at one place the largest in size counts (of +1 and -1, +1).

    Zeros are no entries.
    """
    values = np.asarray(values, dtype=float)
    order = _least_first(values)[::-1]
    places = (np.asarray(rows, dtype=np.int64) * size + np.asarray(columns, dtype=np.int64))[order]
    places, first = np.unique(places, return_index=True)
    kept = values[order][first]
    places, kept = places[kept != 0], kept[kept != 0]
    return sparse.csr_array((kept, (places // size, places % size)), shape=(size, size))


def _least_first(values) -> np.ndarray:
    """Return the order of values by size, negative ones before positive ones of equal size."""
    return np.lexsort((values, np.abs(values)))


def _unlabelled(path, cells, names) -> sparse.csr_array:
    """Return the matrix [regulator, target] of a table of numbers only, in full or as triplets."""
    cells, rows, size = finite_numbers(path, cells), cells.index, len(names)
    places = cells[:, :2]
    are_places = cells.shape[1] == 3 and ((places == np.rint(places)) & (places >= 1) & (places <= size)).all()
    if cells.shape == (size, size):
        if are_places:
            raise InputError(
                f"{path}: could be a matrix of three genes, or three triplets row, column, value: give it as an edge "
                "list, or the matrix with the names of its rows and columns"
            )
        return sparse.csr_array(cells)
    if cells.shape[1] != 3:
        raise InputError(
            f"{path}: {cells.shape[0]} x {cells.shape[1]} numbers, expected {size} x {size} (one row and column per "
            f"gene) or three columns (row, column, value)"
        )
    if not are_places:
        raise InputError(f"{path}: the first two of three columns must be whole numbers from 1 to {size} (the genes)")
    _warn_of_repeated(path, pd.DataFrame(places, columns=["regulator", "target"], index=rows).assign(value=cells[:, 2]))
    places = places.astype(int) - 1
    return _at_places(places[:, 0], places[:, 1], cells[:, 2], size)


def _select(path, matrix, targets, regulators, genes, restrict) -> tuple[sparse.csr_array, int]:
    """Return the part [target, regulator] of a named matrix that belongs to `genes`, and the edges left out."""
    positions = gene_positions(genes)
    positions |= {
        gene: [index] for index, gene in enumerate(genes)
    }  # a row that names the probe itself is that probe's
    rows, columns = (
        [index for index, name in enumerate(names) if name in positions] for names in (targets, regulators)
    )
    matrix = sparse.csr_array(matrix)
    kept = matrix[rows][:, columns]
    if len(rows) < len(targets) or len(columns) < len(regulators):
        nothing_left = not rows or not columns
        _report_unknown(path, pd.Series([*targets, *regulators]), positions, genes, restrict, nothing_left)
    kept = kept.tocoo()
    names = np.array(regulators)[columns][kept.col], np.array(targets)[rows][kept.row]
    network = _placed(*names, kept.data, positions, len(genes))
    return _with_edges(path, network), int(matrix.nnz - kept.nnz)


def _with_edges(path, network) -> sparse.csr_array:
    """Return the network; InputError if it has no edge, as nothing can be learned from it or compared with it."""
    if not network.nnz:
        raise InputError(f"{path}: no edge between genes of the expression data (no entry other than 0)")
    return network


def _report_unknown(path, names, positions, genes, restrict, nothing_left) -> None:
    """Raise InputError unless genes that the data set lacks are to be left out and something remains."""
    unknown = sorted(set(names) - set(positions))
    if nothing_left:
        raise InputError(
            f"{path}: none of its edges joins two genes of the expression data "
            f"(it names {', '.join(unknown[:3])}; the expression data {', '.join(list(genes)[:3])})"
        )
    if not restrict:
        raise InputError(
            f"{path}: {len(unknown)} genes are not in the expression data: {', '.join(unknown[:5])}"
            f"{' ...' if len(unknown) > 5 else ''} (correct the names, or leave such edges out: restrict: true)"
        )


def _is_number(text: str) -> bool:
    try:
        float(text.strip().strip('"'))
    except ValueError:
        return False
    return True
