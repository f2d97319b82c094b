"""Over-representation of the regulators that pruning kept in gene sets: the hypergeometric test."""

import numpy as np
import pandas as pd
from scipy.stats import hypergeom


def overrepresentation(matrix, kept: np.ndarray) -> pd.DataFrame:
    """Return kept, ora_odds and ora_p_value of every set, a row of `matrix` (sets, k).

    kept (k,) of bool: which genes are regulators of the model. ora_odds: odds ratio of a gene of the set to be one
    against a gene outside it, every count raised by 1/2 (Haldane 1956), so that it is finite. ora_p_value: one-sided
    probability of as many or more (Fisher's exact test). For a model that keeps every gene all p are 1.
    """
    size, total, sizes = len(kept), int(kept.sum()), matrix.sum(axis=1)
    inside = matrix @ kept.astype(float)
    outside = total - inside
    odds = (inside + 0.5) * (size - sizes - outside + 0.5) / ((sizes - inside + 0.5) * (outside + 0.5))
    p_value = hypergeom.sf(inside - 1, size, total, sizes)
    return pd.DataFrame({"kept": inside.astype(int), "ora_odds": odds, "ora_p_value": p_value})
