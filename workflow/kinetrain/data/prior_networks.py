"""Prior knowledge of a network: corrupted on purpose, and which regulators share targets."""

import numpy as np

from kinetrain.errors import InputError
from kinetrain.files import load_arrays


def load_presence(path, genes) -> np.ndarray:
    """Return where the prior of a file has edges: (k, k) booleans [target, regulator], of exactly these genes.

    Raises
    ------
    InputError
        If the file is missing or holds other genes, or the same in another order.
    """
    arrays = load_arrays(path, ["prior", "genes"])
    if list(arrays["genes"]) != list(genes):
        raise InputError(f"{path}: its genes, or their order, are not those of the data")
    return arrays["prior"] != 0


def corrupt(prior, fraction: float, seed: int) -> np.ndarray:
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
    random = np.random.default_rng([seed, 74])
    prior = np.asarray(prior, dtype=float)
    genes = len(prior)
    edges = np.flatnonzero(prior)
    moved = random.choice(edges, size=int(np.floor(len(edges) * fraction + 1e-9)), replace=False)
    taken = np.union1d(edges, np.arange(genes) * (genes + 1))  # positions in the matrix, the diagonal among them
    free = genes * genes - len(taken)
    if len(moved) > free:
        raise InputError(f"corruption {fraction:g} would move {len(moved)} edges, only {free} pairs of genes are free")
    drawn = random.choice(free, size=len(moved), replace=False)
    # The i-th free position is i plus the number of taken ones before it: a list of all free ones would be large.
    places = drawn + np.searchsorted(taken - np.arange(len(taken)), drawn, side="right")
    corrupted = prior.copy()
    corrupted.flat[moved] = 0
    corrupted.flat[places] = prior.flat[moved]
    return corrupted


def coregulation(prior) -> np.ndarray:
    """Return the (k, k) numbers of common targets of two regulators; the diagonal holds their out-degrees.

    `prior` is (k, k) [target, regulator], so this is |P|'|P| for a prior of zeros and ones; real priors carry weights
    and random signs, of which only the presence of an edge is used.
    Source: Hossain et al. 2024 (NeurIPS), DASH code.
    """
    present = np.asarray(prior) != 0
    regulators = np.flatnonzero(present.any(axis=0))  # few of the genes: all others share no target
    columns = present[:, regulators].astype(float)
    shared = np.zeros(present.shape)
    shared[np.ix_(regulators, regulators)] = columns.T @ columns
    return shared


def coregulation_from_interactions(interactions, threshold: float) -> np.ndarray:
    """Return the (k, k) binary co-regulation matrix of protein interaction scores in 0..1.

    Symmetric also where only one triangle is given; 1 where the score exceeds `threshold`, and on the diagonal of
    every gene that occurs in `interactions`.
    Source: threshold 0.6 in Hossain et al. 2024; symmetry and diagonal are a choice of ours, as the published code
    uses the lower triangle with its scores.
    """
    scores = np.asarray(interactions)
    above = scores > threshold
    binary = (above | above.T).astype(float)
    np.fill_diagonal(binary, (scores > 0).any(axis=0) | (scores > 0).any(axis=1))
    return binary
