"""Networks from edge lists and matrices on disk, for the genes of one expression data set."""

import numpy as np
import pandas as pd

from kinetrain.data.genes import gene_positions, read_gene_names
from kinetrain.data.text import first_line, separator
from kinetrain.errors import InputError

REGULATOR = ("regulator", "from", "reg")  # the names that published edge lists use, ours first
TARGET = ("target", "to", "aff")
WEIGHT = ("weight", "prior_weight")


def read_network(
    genes, edges=None, matrix=None, matrix_genes=None, restrict: bool = False, threshold: float = 0.0
) -> tuple[np.ndarray, int]:
    """Return what `read_edges` gives for the file `edges`, or `read_matrix` for `matrix`, whichever is given.

    matrix_genes : file of the gene names of a matrix that covers other genes, or None.
    threshold : entries whose size is at most this are no edges.
    """
    if edges:
        network, left_out = read_edges(edges, genes, restrict)
    else:
        network, left_out = read_matrix(
            matrix, genes, read_gene_names(matrix_genes) if matrix_genes else None, restrict
        )
    if threshold > 0:
        network[np.abs(network) <= threshold] = 0
        if not network.any():
            raise InputError(f"{edges or matrix}: no edge between genes of the data set is above {threshold:g}")
    return network, left_out


def read_edges(path, genes, restrict: bool = False) -> tuple[np.ndarray, int]:
    """Return the (k, k) network [target, regulator] of an edge list, and how many of its edges were left out.

    Parameters
    ----------
    path : table with a header and the columns regulator (or from, reg), target (or to, aff) and, where they are
        known, sign (+1 or -1) and weight (or prior_weight). The value of an edge is sign x weight, each 1 if absent.
    genes : the k gene names. An edge of A counts for every probe that names A, also "A /// B".
    restrict : leave out edges of genes that are not among `genes`; otherwise such genes are an error.

    Raises
    ------
    InputError
        Missing file or column, a value that is not a number, unknown genes, no edge left.
    """
    table = pd.read_csv(path, sep=separator(path), skipinitialspace=True)
    regulators, targets = (_names(path, table, options) for options in (REGULATOR, TARGET))
    values = _edge_values(path, table)
    positions = gene_positions(genes)
    known = regulators.isin(positions) & targets.isin(positions)
    if not known.all():
        _report_unknown(
            path, pd.concat([regulators, targets]), positions, genes, restrict, nothing_left=not known.any()
        )
    network = np.zeros((len(genes), len(genes)))
    for regulator, target, value in zip(regulators[known], targets[known], values[known], strict=True):
        network[np.ix_(positions[target], positions[regulator])] = value
    return _with_edges(path, network), int((~known).sum())


def read_matrix(path, genes, matrix_genes=None, restrict: bool = False) -> tuple[np.ndarray, int]:
    """Return the (k, k) network [target, regulator] of a matrix on disk, and how many of its edges were left out.

    Three layouts are known, all with tab, semicolon or comma as separator:

    - numbers only, [regulator row, target column], as PHOENIX and DASH store their priors;
    - triplets row, column, value with 1-based positions in that same order (a sparse matrix);
    - labelled, targets in the rows and regulators in the columns, as the Inferelator stores its gold standards.

    Parameters
    ----------
    genes : the k gene names wanted.
    matrix_genes : the names that belong to the rows and columns of an unlabelled matrix; `genes` if None.
        Genes that are not wanted are left out.
    restrict : leave out rows and columns of a labelled matrix that are not among `genes`; otherwise an error.

    Raises
    ------
    InputError
        Missing file, wrong shape, a cell that is not a number, unknown genes, no edge left.
    """
    if _is_number(first_line(path).split(separator(path))[0]):
        if matrix_genes is None:
            return _with_edges(path, _unlabelled(path, list(genes)).T), 0
        matrix = _unlabelled(path, list(matrix_genes)).T
        return _select(path, matrix, matrix_genes, matrix_genes, genes, restrict=True)
    table = pd.read_csv(path, sep=separator(path), index_col=0)
    matrix = _numbers(path, table)
    return _select(path, matrix, list(map(str, table.index)), list(table.columns), genes, restrict)


def edge_table(network, genes) -> pd.DataFrame:
    """Return the edges of a (k, k) network [target, regulator] as a table: regulator, target, sign."""
    regulators, targets = np.nonzero(np.asarray(network).T)
    names = np.asarray(genes)
    sign = np.sign(network[targets, regulators]).astype(int)
    return pd.DataFrame({"regulator": names[regulators], "target": names[targets], "sign": sign})


def _names(path, table, options) -> pd.Series:
    column = next((name for name in options if name in table.columns), None)
    if column is None:
        raise InputError(
            f"{path}: no column '{options[0]}' (or {', '.join(options[1:])}); it has {', '.join(table.columns)}"
        )
    names = table[column]
    if names.isna().any():
        raise InputError(f"{path}: row {int(np.flatnonzero(names.isna())[0]) + 2} has no {options[0]}")
    return names.astype(str).str.strip()


def _edge_values(path, table) -> np.ndarray:
    values = np.ones(len(table))
    for column in ("sign", *WEIGHT):
        if column in table.columns:
            values *= _numbers(path, table[[column]])[:, 0]
    return values


def _numbers(path, table) -> np.ndarray:
    """Return the cells of a table as floats; InputError names the first that is no finite number."""
    numbers = table.apply(pd.to_numeric, errors="coerce").to_numpy(float)
    bad = np.argwhere(~np.isfinite(numbers))
    if len(bad):
        row, column = bad[0]
        raise InputError(
            f"{path}: {len(bad)} values are not finite numbers, the first is {table.iat[row, column]!r} in data row "
            f"{row + 1}, column {table.columns[column]}"
        )
    return numbers


def _unlabelled(path, names) -> np.ndarray:
    """Return the matrix [regulator, target] of a file that holds numbers only, in full or as triplets."""
    cells = _numbers(path, pd.read_csv(path, sep=separator(path), header=None))
    size = len(names)
    if cells.shape == (size, size):
        return cells
    if cells.shape[1] != 3:
        raise InputError(
            f"{path}: {cells.shape[0]} x {cells.shape[1]} numbers, expected {size} x {size} (one row and column per "
            f"gene) or three columns (row, column, value)"
        )
    places = cells[:, :2].astype(int)
    if (places != cells[:, :2]).any() or places.min() < 1 or places.max() > size:
        raise InputError(f"{path}: the first two of three columns must be whole numbers from 1 to {size} (the genes)")
    matrix = np.zeros((size, size))
    matrix[places[:, 0] - 1, places[:, 1] - 1] = cells[:, 2]
    return matrix


def _select(path, matrix, targets, regulators, genes, restrict) -> tuple[np.ndarray, int]:
    """Return the part [target, regulator] of a named matrix that belongs to `genes`, and the edges left out."""
    positions = gene_positions(genes)
    positions |= {
        gene: [index] for index, gene in enumerate(genes)
    }  # a row that names the probe itself is that probe's
    rows, columns = (
        [index for index, name in enumerate(names) if name in positions] for names in (targets, regulators)
    )
    kept = matrix[np.ix_(rows, columns)]
    if len(rows) < len(targets) or len(columns) < len(regulators):
        nothing_left = not rows or not columns
        _report_unknown(path, pd.Series([*targets, *regulators]), positions, genes, restrict, nothing_left)
    network = np.zeros((len(genes), len(genes)))
    for row, column in np.argwhere(kept):
        place = np.ix_(positions[targets[rows[row]]], positions[regulators[columns[column]]])
        network[place] = kept[row, column]
    return _with_edges(path, network), int(np.count_nonzero(matrix) - np.count_nonzero(kept))


def _with_edges(path, network) -> np.ndarray:
    """Return the network; InputError if it has no edge, as nothing can be learned from it or compared with it."""
    if not network.any():
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
            f"{' ...' if len(unknown) > 5 else ''} (correct the names, or leave such edges out with --restrict)"
        )


def _is_number(text: str) -> bool:
    try:
        float(text.strip().strip('"'))
    except ValueError:
        return False
    return True
