"""Readers of networks, edge lists and matrices, for the genes of one expression data set."""

import numpy as np
import pandas as pd
from scipy import sparse

from kinetrain.data.genes import gene_names, gene_positions
from kinetrain.data.network_checks import check_any, check_threshold, check_weights
from kinetrain.data.network_files import (
    is_number,
    read_edge_list,
    read_labelled_matrix,
    report_unknown,
    warn_of_repeated,
    within,
)
from kinetrain.data.text import finite_numbers, first_row, read_numbers
from kinetrain.errors import InputError


def read_network(
    genes, edges=None, matrix=None, matrix_genes=None, restrict: bool = False, threshold: float = 0.0, rows=None
) -> tuple[sparse.csr_array, int]:
    """Return what `sparse_edges` gives for the file `edges`, or `sparse_matrix` for `matrix`, whichever is given.

    matrix_genes : file of the gene names of a matrix that covers other genes, or None.
    rows : what the rows of a matrix are, see `sparse_matrix`.
    threshold : entries whose size is at most this are no edges.
    """
    if edges:
        network, left_out = sparse_edges(edges, genes, restrict)
    else:
        network, left_out = sparse_matrix(matrix, genes, matrix_genes, restrict, rows)
    if threshold > 0:
        network.data[np.abs(network.data) <= threshold] = 0
        network.eliminate_zeros()
        check_threshold(edges or matrix, network.nnz, threshold)
    check_weights(edges or matrix, network.data)
    return network, left_out


def read_signs(path, genes) -> np.ndarray:
    """Return the signs (k, k) [target, regulator] of an `edge_table` of these genes on disk, 0 where there is no edge.

    A gene is the one of this full name alone: edges of A were given to the probes "A /// B" when the table was made.
    """
    edges = read_edge_list(path, genes)
    place = {gene: index for index, gene in enumerate(genes)}
    ends = edges[["target", "regulator"]]
    if unknown := sorted({*ends.to_numpy().flat} - place.keys()):
        raise InputError(f"{path}: {len(unknown)} genes are not those of the data: {', '.join(unknown[:5])}")
    signs = np.zeros((len(place), len(place)), np.int8)
    signs[tuple(ends.map(place.get).to_numpy(int).T)] = np.sign(edges["value"])
    return signs


def sparse_edges(path, genes, restrict: bool = False) -> tuple[sparse.csr_array, int]:
    """Return the (k, k) network [target, regulator] of an edge list, and how many of its edges were left out.

    Parameters
    ----------
    path : an edge list, see `read_edge_list`; 0 is no edge.
    genes : the k gene names. An edge of A counts for every probe that names A, also "A /// B". Where a pair of probes
        has several values, the largest in size counts (of +1 and -1, +1).
    restrict : leave out edges of genes that are not among `genes`; otherwise such genes are an error.

    Raises
    ------
    InputError
        Missing file or column, a column of numbers of another name, a value that is not a number, unknown genes, no
        edge left.
    """
    edges = read_edge_list(path, genes)
    known = within(path, edges, genes, restrict)
    ends = edges["regulator"][known], edges["target"][known]
    network = _placed(*ends, edges["value"][known], gene_positions(genes), len(genes))
    check_any(path, network.nnz)
    return network, int((~known).sum())


def sparse_matrix(path, genes, matrix_genes=None, restrict: bool = False, rows=None) -> tuple[sparse.csr_array, int]:
    """Return the (k, k) network [target, regulator] of a matrix on disk, and how many of its edges were left out.

    Three layouts are known, all with tab, semicolon or comma as separator:

    - numbers only, [regulator row, target column], as PHOENIX and DASH store their priors;
    - triplets row, column, value with 1-based positions in that same order (a sparse matrix);
    - labelled, see `read_labelled_matrix`.

    Parameters
    ----------
    genes : the k gene names wanted.
    matrix_genes : the names that belong to the rows and columns of an unlabelled matrix, or the path of a file of
        them; `genes` if None. Genes that are not wanted are left out.
    rows : `regulators` or `targets`, where they are not what they are above.
    restrict : leave out rows and columns of a labelled matrix that are not among `genes`; otherwise an error.

    Raises
    ------
    InputError
        Missing file, wrong shape, a cell that is not a number, unknown genes, no edge left.
    """
    if not is_number(first_row(path)[0]):
        return _select(path, *read_labelled_matrix(path, rows), genes, restrict)
    cells = read_numbers(path)
    if matrix_genes is None:
        network = _unlabelled(path, cells, list(genes))
        network = sparse.csr_array(network if rows == "targets" else network.T)
        check_any(path, network.nnz)
        return network, 0
    names = gene_names(matrix_genes, genes, len(cells) if len(cells) == cells.shape[1] else None)
    network = _unlabelled(path, cells, names)
    return _select(path, network if rows == "targets" else network.T, names, names, genes, restrict=True)


def edge_table(network, genes) -> pd.DataFrame:
    """Return the edges of a (k, k) network [target, regulator] as a table: regulator, target, sign."""
    by_regulator = sparse.csr_array(sparse.csr_array(network).T)
    by_regulator.sort_indices()
    regulators, targets = by_regulator.nonzero()
    names = np.asarray(genes)
    sign = np.sign(by_regulator.data[by_regulator.data != 0]).astype(int)
    return pd.DataFrame({"regulator": names[regulators], "target": names[targets], "sign": sign})


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
    warn_of_repeated(path, pd.DataFrame(places, columns=["regulator", "target"], index=rows).assign(value=cells[:, 2]))
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
        report_unknown(path, [*targets, *regulators], genes, restrict, nothing_left)
    kept = kept.tocoo()
    names = np.array(regulators)[columns][kept.col], np.array(targets)[rows][kept.row]
    network = _placed(*names, kept.data, positions, len(genes))
    check_any(path, network.nnz)
    return network, int(matrix.nnz - kept.nnz)
