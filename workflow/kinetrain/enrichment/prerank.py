"""Enrichment of sets in ranked genes (Subramanian et al. 2005), by gseapy's port of fgsea (Korotkevich et al. 2021)."""

import numpy as np
import pandas as pd

from kinetrain.seeds import EQUAL_INFLUENCES, generator

NULL = 1000  # random sets by which enrichment scores are normalised
SMALLEST = 1e-50  # p-value down to which sampling goes on


def prerank(matrix, influence: np.ndarray, seed: int) -> pd.DataFrame:
    """Return gsea_nes and gsea_p_value of every set, a row of `matrix` (sets, k), given the `influence` (k,).

    The p-value is that of enrichment among the most influential genes, estimated by multilevel splitting so that it can
    be far below one over the number of random sets; it is 1 where the least influential are enriched. Genes count by
    their rank: with influences themselves a set of genes without any target has no weight at all, at which gseapy
    panics. Equal influences are ranked at random: gseapy would take them in the order of the table.
    """
    import gseapy

    order = generator(seed, EQUAL_INFLUENCES).permutation(len(influence))
    ranks = np.empty(len(influence))
    ranks[order[np.argsort(influence[order], kind="stable")]] = np.arange(1, len(influence) + 1) / len(influence)
    names = np.arange(len(influence)).astype(str)  # numbers, as gseapy changes letters of genes to capitals
    matrix = matrix.tocsr()
    sets = {str(row): list(names[matrix[[row]].indices]) for row in range(matrix.shape[0])}
    result = gseapy.prerank(
        pd.Series(ranks, index=names),
        sets,
        min_size=1,
        max_size=len(names),
        permutation_num=NULL,
        method="multilevel",
        eps=SMALLEST,
        seed=seed,
        threads=1,
        outdir=None,
        no_plot=True,
    ).res2d.set_index("Term")
    rows = result.reindex([str(row) for row in range(len(sets))])
    score = rows["NES"].to_numpy(float)
    return pd.DataFrame({"gsea_nes": score, "gsea_p_value": np.where(score > 0, rows["NOM p-val"].to_numpy(float), 1)})
