"""What a trained PHOENIX model says about its genes: the effect matrix and how sparse it is.

Weights have the shapes w (m, k), u (k, m), v (k,), for k genes and m hidden units; _s and _p are the two branches.
"""

import numpy as np


def effect_matrix(w_s, w_p, u_s, u_p, v) -> np.ndarray:
    """Return the (k, k) effects [target, regulator]: relu(v) (U_S W_S + U_P W_P).

    Zero, exactly, where no path of non-zero weights leads from the regulator to the target.
    Source: Hossain et al. 2024 (NeurIPS), appendix B.5, and the DASH code.
    """
    w_s, w_p, u_s, u_p, v = (np.asarray(array, dtype=float) for array in (w_s, w_p, u_s, u_p, v))
    return np.maximum(v, 0)[:, None] * (u_s @ w_s + u_p @ w_p)


def relative_effects(effects) -> np.ndarray:
    """Return |effects| divided by their sum over the regulators of each target; 0 for a target without regulators."""
    size = np.abs(effects)
    total = size.sum(axis=1, keepdims=True)
    return np.divide(size, total, out=np.zeros_like(size), where=total > 0)


def sparsity(w_s, w_p, u_s, u_p, v) -> float:
    """Return the fraction of exact zeros among the 4 m k weights, counting those behind a dead gene (v <= 0) as zero.

    Source: the released DASH code; this is the sparsity the paper reports.
    """
    alive = np.asarray(v)[:, None] > 0
    return mask_sparsity(w_s, w_p, u_s * alive, u_p * alive)


def mask_sparsity(w_s, w_p, u_s, u_p) -> float:
    """Return the fraction of exact zeros among the 4 m k weights: what pruning alone removed."""
    zeros = sum(np.count_nonzero(np.asarray(weights) == 0) for weights in (w_s, w_p, u_s, u_p))
    return zeros / sum(np.size(weights) for weights in (w_s, w_p, u_s, u_p))


def mean_out_degree(network) -> float:
    """Return the mean number of targets per gene of a (k, k) network [target, regulator]."""
    return np.count_nonzero(network) / len(network)
