"""Checks of the edges of a network: what no method and no comparison can use. They need no SciPy, as `make check`."""

import numpy as np
import pandas as pd

from kinetrain.data.genes import gene_positions
from kinetrain.data.network_files import is_number, read_edge_list, read_labelled_matrix, report_unknown, within
from kinetrain.data.text import first_row
from kinetrain.errors import InputError

LEAST, LARGEST = 1e-9, 1e9  # sizes of weights: methods take products of them, some in single precision


def check_network(network: dict, genes, role: str) -> None:
    """Raise InputError if a network cannot be used with the genes; a matrix without names is not checked.

    network: the keys edges or matrix, rows, restrict, threshold, as in a configuration. role: `prior`, `truth` or
    `coregulation`.
    """
    path, restrict = network.get("edges") or network["matrix"], network["restrict"]
    positions = gene_positions(genes)
    if "edges" in network:
        edges = read_edge_list(path, genes)
        edges = edges[within(path, edges, genes, restrict)]
    elif not is_number(first_row(path)[0]):
        numbers, targets, regulators = read_labelled_matrix(path, network.get("rows"))
        nothing_left = any(positions.keys().isdisjoint(names) for names in (targets, regulators))
        report_unknown(path, [*targets, *regulators], genes, restrict, nothing_left)
        rows, columns = np.nonzero(numbers)
        names = {"target": np.array(targets)[rows], "regulator": np.array(regulators)[columns]}
        edges = pd.DataFrame({**names, "value": numbers[rows, columns]})
        edges = edges[edges["target"].isin(positions) & edges["regulator"].isin(positions)]
    else:
        return
    edges = _of_probes(edges, positions)
    check_any(path, len(edges))
    if role == "coregulation":
        check_scores(edges["value"].to_numpy(), path)
    else:
        edges = edges[edges["value"].abs() > network["threshold"]]
        check_threshold(path, len(edges), network["threshold"])
    check_weights(path, edges["value"].to_numpy())
    if role == "truth":
        check_not_full(path, edges["regulator"], edges["target"], len(genes))


def _of_probes(edges, positions) -> pd.DataFrame:
    """Return the edges other than 0 by positions of genes instead of names, and of each pair the largest in size."""
    places = {end: edges[end].map(positions.get) for end in ("regulator", "target")}
    if any((column.str.len() > 1).any() for column in places.values()):
        edges = edges.assign(**places).explode("regulator").explode("target")
    else:
        edges = edges.assign(**{end: column.str[0] for end, column in places.items()})
    edges = edges[edges["value"] != 0].sort_values("value", key=np.abs)
    return edges.drop_duplicates(["regulator", "target"], keep="last")


def check_any(path, count: int) -> None:
    """Raise InputError if there is no edge: nothing can be learned from it or compared with it."""
    if not count:
        raise InputError(f"{path}: no edge between genes of the expression data (no entry other than 0)")


def check_threshold(path, count: int, threshold: float) -> None:
    """Raise InputError if a threshold leaves no edge."""
    if not count:
        raise InputError(f"{path}: no edge between genes of the data set is above {threshold:g}")


def check_weights(path, values) -> None:
    """Raise InputError if the weight of an edge is too large or too small for products of them."""
    sizes = np.abs(values)
    if (bad := sizes[(sizes < LEAST) | (sizes > LARGEST)]).size:
        raise InputError(
            f"{path}: {bad[0]:g} is no weight of an edge, which is {LEAST:g} to {LARGEST:g} in size: scale the "
            "weights, or leave small ones out (threshold)"
        )


def check_scores(values, path=None) -> None:
    """Raise InputError if a score of an interaction is outside 0 to 1, as those of STRING are, of up to 1000."""
    if (other := values[(values < 0) | (values > 1)]).size:
        where = f"{path}: " if path else ""
        raise InputError(
            f"{where}{other[0]:g} is no score of an interaction, which is 0 to 1 (divide those of STRING by 1000)"
        )


def check_not_full(path, regulators, targets, genes: int) -> None:
    """Raise InputError if the edges of a gold standard are all pairs of different genes."""
    if (regulators != targets).sum() == genes * (genes - 1) > 2:
        raise InputError(
            f"{path}: every pair of genes is an edge, so no prediction can be wrong: leave out weak ones (threshold)"
        )
