"""Prior networks: corruption on purpose, and co-regulation (regulators that share targets)."""

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from kinetrain.data.network_checks import check_scores
from kinetrain.errors import InputError
from kinetrain.files import load_arrays, save_arrays
from kinetrain.seeds import CORRUPTION, generator

MATRICES = ("prior", "coregulation")
PARTS = ("data", "indices", "indptr")  # of a sparse matrix


def save_prior(path, prior, coregulation, genes) -> None:
    """Write a prior and its co-regulation, (k, k) each, as sparse matrices: of 11,165 genes a full one takes 1 GB."""
    matrices = {name: sparse.csr_array(matrix) for name, matrix in zip(MATRICES, (prior, coregulation), strict=True)}
    arrays = {f"{name}_{part}": getattr(matrix, part) for name, matrix in matrices.items() for part in PARTS}
    save_arrays(path, genes=np.asarray(genes), **arrays)


def load_prior(path, genes) -> dict[str, sparse.csr_array]:
    """Return the matrices `prior` and `coregulation` of a file, (k, k) [target, regulator], of exactly these genes.

    Raises
    ------
    InputError
        If the file is missing or holds other genes, or the same in another order.
    """
    arrays = load_arrays(path, [f"{name}_{part}" for name in MATRICES for part in PARTS] + ["genes"])
    if list(arrays["genes"]) != list(genes):
        raise InputError(f"{path}: its genes, or their order, are not those of the expression data")
    shape = (len(genes), len(genes))
    return {name: sparse.csr_array(tuple(arrays[f"{name}_{part}"] for part in PARTS), shape=shape) for name in MATRICES}


class Presences(Sequence):
    """Where the priors of files have edges: (k, k) booleans [target, regulator], of exactly these genes.

    A full matrix is made when it is asked for: of 11,165 genes each has 125 MB.
    """

    def __init__(self, paths, genes):
        self.priors = [load_prior(path, genes)["prior"].astype(bool) for path in paths]

    def __len__(self):
        return len(self.priors)

    def __getitem__(self, place):
        return self.priors[place].toarray()


def corrupt(prior, fraction: float, seed: int) -> sparse.csr_array:
    """Return a (k, k) prior [target, regulator] with floor(fraction x edges) of its edges moved elsewhere.

    Every chosen edge keeps its value and goes to a new pair of distinct genes, drawn uniformly among the pairs that
    are not edges of `prior`, without replacement: so the number of edges stays and each moved edge is wrong.

    Raises
    ------
    InputError
        If there are more edges to move than free pairs.

    Source: PHOENIX (Hossain et al. 2024, Genome Biology) for the procedure; drawing among free pairs only is a choice
    of ours, which agrees with the published corrupted priors (27 of 550 edges moved at 5 %).
    """
    random = generator(seed, CORRUPTION)
    prior = sparse.csr_array(prior, dtype=float).tocoo()
    genes = prior.shape[0]
    edges, values = prior.row.astype(np.int64) * genes + prior.col, prior.data
    order = np.argsort(edges)
    edges, values = edges[order], values[order]
    moved = random.choice(edges, size=int(np.floor(len(edges) * fraction + 1e-9)), replace=False)
    taken = np.union1d(edges, np.arange(genes) * (genes + 1))  # positions in the matrix, the diagonal among them
    free = genes * genes - len(taken)
    if len(moved) > free:
        raise InputError(f"corruption {fraction:g} would move {len(moved)} edges, only {free} pairs of genes are free")
    drawn = random.choice(free, size=len(moved), replace=False)
    # The i-th free position is i plus the number of taken ones before it: a list of all free ones would be large.
    places = drawn + np.searchsorted(taken - np.arange(len(taken)), drawn, side="right")
    edges[np.searchsorted(edges, moved)] = places
    return sparse.csr_array((values, (edges // genes, edges % genes)), shape=prior.shape)


def coregulation(prior) -> sparse.csr_array:
    """Return the (k, k) numbers of common targets of two regulators; the diagonal holds their out-degrees.

    `prior` is (k, k) [target, regulator], so this is |P|'|P| for a prior of zeros and ones; real priors carry weights
    and random signs, of which only the presence of an edge is used.
    Source: Hossain et al. 2024 (NeurIPS), DASH code.
    """
    present = sparse.csr_array(sparse.csr_array(prior) != 0, dtype=float)
    shared = sparse.csr_array(present.T @ present)
    shared.sort_indices()
    return shared


def coregulation_from_interactions(interactions, threshold: float) -> sparse.csr_array:
    """Return the (k, k) binary co-regulation matrix of protein interaction scores in 0..1.

    Symmetric also where only one triangle is given; 1 where the score exceeds `threshold`, and on the diagonal of
    every gene that occurs in `interactions`. Other scores are an InputError: of those of STRING, which go up to 1000,
    every one would exceed the threshold.
    Source: threshold 0.6 in Hossain et al. 2024; symmetry and diagonal are a choice of ours, as the published code
    uses the lower triangle with its scores.
    """
    scores = sparse.csr_array(interactions).tocoo()
    check_scores(scores.data)
    above = (scores.data > threshold) & (scores.row != scores.col)
    occurs = np.zeros(scores.shape[0], dtype=bool)
    occurs[scores.row[scores.data > 0]] = occurs[scores.col[scores.data > 0]] = True
    gene = np.flatnonzero(occurs)
    rows = np.concatenate([scores.row[above], scores.col[above], gene])
    columns = np.concatenate([scores.col[above], scores.row[above], gene])
    binary = sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=scores.shape)  # adds what is named twice
    binary.data[:] = 1
    return binary
