"""Effect matrix, sparsity and co-regulation of a trained vector field.

`weights` maps the names of one model's matrices to arrays; `chains` names the matrices of a path
from input to output, once per branch: (("w_s", "u_s"), ("w_p", "u_p")) for PHOENIX, (("w1", "w2"),) for a perceptron
of two layers. The first matrix of a chain is (m, k), the last (k, m), for k genes and m hidden units. `v` (k,) are the
multipliers of the genes, in fields that have them.
"""

from functools import reduce

import numpy as np

ROWS = 1024  # targets at a time, a multiple of 8: the products of all would take gigabytes with many genes


def effect_matrix(weights, chains) -> np.ndarray:
    """Return the (k, k) effects [target, regulator]: relu(v) times the sum over chains of the product of matrices.

    Zero, exactly, where no path of non-zero weights leads from the regulator to the target.
    Source: Hossain et al. 2024 (NeurIPS), appendix B.5, and the DASH code; for other fields by analogy.
    """
    total = sum(reduce(lambda product, name: weights[name] @ product, chain[1:], weights[chain[0]]) for chain in chains)
    return total * np.where(dead(weights), 0, weights["v"])[:, None] if "v" in weights else total


def names_behind(chains, weights) -> list[str]:
    """Return the names of the weights behind the effects: the matrices of the chains, and `v` if it is among them."""
    return [*dict.fromkeys(str(name) for chain in chains for name in chain), *(["v"] if "v" in weights else [])]


def edge_bits(support, chains) -> np.ndarray:
    """Return where the effects are not zero: the bits (`numpy.packbits`) of the (k, k) pairs [target, regulator].

    support: which weights of each name are not zero; of `v`, which are above zero.
    """
    reached = {name: part.astype(np.float32) for name, part in support.items()}
    branches = []
    for *before, last in chains:  # nothing before: a field of one matrix, from gene to gene
        matrices = [reached[name] for name in before]
        branches.append((reached[last], reduce(lambda product, matrix: matrix @ product, matrices) if before else None))
    bits = []
    for begin in range(0, len(branches[0][0]), ROWS):
        targets = slice(begin, begin + ROWS)
        paths = [last[targets] if product is None else last[targets] @ product for last, product in branches]
        found = sum(paths) > 0
        if "v" in support:
            found &= support["v"][targets, None]
        bits.append(np.packbits(found))
    return np.concatenate(bits)


def dead(weights):
    """Return which genes (..., k) never change, for their multiplier `v` (..., k), array or tensor, is not positive."""
    return weights["v"] <= 0


def relative_effects(effects) -> np.ndarray:
    """Return |effects| divided by their sum over the regulators of each target; 0 for a target without regulators."""
    size = np.abs(effects)
    total = size.sum(axis=1, keepdims=True)
    return np.divide(size, total, out=size, where=total > 0)


def sparsity(weights, chains) -> float:
    """Return the fraction of exact zeros in the matrices, with the last weights of dead genes as zeros.

    Source: the released DASH code; this is the sparsity the paper reports.
    """
    if "v" not in weights:
        return mask_sparsity(weights, chains)
    alive = ~dead(weights)[:, None]
    return mask_sparsity({**weights, **{chain[-1]: weights[chain[-1]] * alive for chain in chains}}, chains)


def mask_sparsity(weights, chains) -> float:
    """Return the fraction of exact zeros in the matrices: what pruning alone removed."""
    matrices = [np.asarray(weights[name]) for chain in chains for name in chain]
    return sum(np.count_nonzero(matrix == 0) for matrix in matrices) / sum(matrix.size for matrix in matrices)


def dead_genes(weights) -> float:
    """Return the number of dead genes; NaN without multipliers."""
    return int(np.count_nonzero(dead(weights))) if "v" in weights else np.nan


def mean_out_degree(network) -> float:
    """Return the mean number of targets per gene of a (k, k) network [target, regulator]."""
    return np.count_nonzero(network) / len(network)


def shared_units(weights, chains, genes) -> np.ndarray:
    """Return the (n, n) Gram matrix of first-layer weights: how strongly pairs of `genes` act on the same units.

    It is the sum over chains of |W|'|W|, with W the columns of `genes` in the first matrix of the chain.
    Source: Hossain et al., arXiv 2403.04805v1, who compare it with the numbers of common targets in the prior.
    """
    first = np.concatenate([np.abs(np.asarray(weights[chain[0]])[:, genes]) for chain in chains])
    return first.T @ first
