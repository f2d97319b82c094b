"""Which gene sets hold more influence than chance gives them: the permutation test."""

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from kinetrain.data.gene_sets import membership
from kinetrain.data.genes import split_names
from kinetrain.errors import InputError

BLOCK = 200  # permutations held in memory at once


def gene_influence(table: pd.DataFrame) -> pd.Series:
    """Return one influence per single gene, from a table of seed, gene, influence.

    Averaged over the seeds first; probes of several genes ("A /// B") then count for each of them, and a gene with
    several probes gets their mean. A seed that lacks the influence of some gene counts for none: genes averaged over
    different models could not be compared. Source: Hossain et al. 2024 (NeurIPS), appendix B.8; whole seeds only are
    a choice of ours.
    """
    complete = table["influence"].notna().groupby(table["seed"]).transform("all")
    probes = table["influence"].where(complete).groupby(table["gene"].astype(str)).mean().reset_index()
    single = probes.assign(gene=probes["gene"].map(split_names)).explode("gene")
    return single.groupby("gene", sort=True)["influence"].mean()


def test_gene_sets(influence: pd.Series, sets: dict, permutations: int, minimum_genes: int, seed: int) -> pd.DataFrame:
    """Return the table pathway, genes, score, z, p_value, p_bonferroni, p_bh, status, the highest z first.

    The score of a set is the summed influence of its genes. Its null distribution comes from permuting the influence
    over all genes that occur in some set. p_value = (1 + null scores at or above the score) / (1 + permutations), so
    it is never 0; the corrections count the sets that were tested. An influence that is not finite (the model
    diverged) makes every set `failed`, without numbers.

    Raises
    ------
    InputError
        If no set has `minimum_genes` of the genes.
    Source: Hossain et al. 2024 (NeurIPS), appendix B.8; the +1 in the p-value, Benjamini-Hochberg beside Bonferroni
    and the correction for the tested sets only are choices of ours.
    """
    members = {gene for genes in sets.values() for gene in genes}
    influence = influence[influence.index.isin(members)]
    names, matrix = membership(sets, influence.index, minimum_genes)
    if not names:
        raise InputError(
            f"no gene set has {minimum_genes} or more of the genes with an influence "
            f"({len(influence)} of them occur in any of the {len(sets)} sets)"
        )
    values = influence.to_numpy(float)
    if not np.isfinite(values).all():
        numbers = dict.fromkeys(["score", "z", "p_value", "p_bonferroni", "p_bh"], np.nan)
        return pd.DataFrame({"pathway": names, "genes": matrix.sum(axis=1).astype(int), **numbers, "status": "failed"})
    score = matrix @ values
    mean, deviation, exceeded = _null(matrix, values, score, permutations, seed)
    p_value = (1 + exceeded) / (1 + permutations)
    table = pd.DataFrame(
        {
            "pathway": names,
            "genes": matrix.sum(axis=1).astype(int),
            "score": score,
            "z": np.divide(score - mean, deviation, out=np.zeros_like(score), where=deviation > 1e-12 * np.abs(mean)),
            "p_value": p_value,
            "p_bonferroni": multipletests(p_value, method="bonferroni")[1],
            "p_bh": multipletests(p_value, method="fdr_bh")[1],
            "status": "finished",
        }
    )
    return table.sort_values(["z", "pathway"], ascending=[False, True], ignore_index=True)


def _null(matrix, values, score, permutations, seed) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean and standard deviation of the permuted scores of each set, and how many reach its score."""
    random = np.random.default_rng([seed, 58])
    total, squares, exceeded = np.zeros(len(score)), np.zeros(len(score)), np.zeros(len(score), dtype=int)
    expected = matrix.sum(axis=1) * values.mean()  # subtracted first: keeps the variance exact
    for start in range(0, permutations, BLOCK):
        size = min(BLOCK, permutations - start)
        shuffled = random.permuted(np.tile(values, (size, 1)), axis=1)
        null = matrix @ shuffled.T
        # the same sum added up in another order may differ in the last digit and must still count as reached
        exceeded += (null >= score[:, None] - 1e-9 * np.abs(score[:, None])).sum(axis=1)
        null -= expected[:, None]
        total += null.sum(axis=1)
        squares += (null**2).sum(axis=1)
    variance = np.maximum(squares / permutations - (total / permutations) ** 2, 0)
    return expected + total / permutations, np.sqrt(variance), exceeded
