"""Permutation test of gene sets: more influence than expected by chance."""

import numpy as np
import pandas as pd

from kinetrain.data.genes import split_names
from kinetrain.enrichment.tail import counted_probability, tail_probability
from kinetrain.seeds import PERMUTATIONS, generator

BLOCK = 200  # permutations held in memory at once
RARE = 10  # null scores that must reach a score for their share to be its p-value (Knijnenburg et al. 2009)


def single_genes(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return a column of the influence table for every single gene and seed, (genes, seeds).

    Probes of several genes ("A /// B") count for each of them, and a gene with several probes gets their mean. A seed
    that lacks the influence of some gene counts for none (NaN): genes averaged over different models could not be
    compared. Source: Hossain et al. 2024 (NeurIPS), appendix B.8; whole seeds only are a choice of ours.
    """
    complete = table["influence"].notna().groupby(table["seed"]).transform("all")
    named = table.assign(gene=table["gene"].astype(str).map(split_names), value=table[column].where(complete))
    return named.explode("gene").pivot_table("value", "gene", "seed", aggfunc="mean", dropna=False, sort=True)


def permutation_test(matrix, influence: np.ndarray, permutations: int, seed: int) -> pd.DataFrame:
    """Return score, fold, z, p_value and p_tail of every set, a row of `matrix` (sets, k), by the `influence` (k,).

    The score of a set is the summed influence of its genes. Its null distribution comes from permuting the influence
    over all genes. p_value = (1 + null scores at or above the score) / (1 + permutations), so it is never 0. p_tail is
    the same, but where fewer than `RARE` null scores reach the score it is the share of all permutations: counted
    where few genes have an influence of their own, else by a saddlepoint approximation. fold: mean influence of the
    genes of the set over that of all genes.

    Source: Hossain et al. 2024 (NeurIPS), appendix B.8; the +1 in the p-value and the tail are choices of ours.
    """
    score = matrix @ influence
    mean, deviation, exceeded = _null(matrix, influence, score, permutations, seed)
    p_value = (1 + exceeded) / (1 + permutations)
    sizes = matrix.sum(axis=1).astype(int)
    p_tail = p_value.copy()
    for place in np.flatnonzero((exceeded < RARE) & (score > sizes * influence.mean())):
        asked = influence, sizes[place], score[place]
        counted = counted_probability(*asked)
        p_tail[place] = min(tail_probability(*asked), RARE / permutations) if counted is None else counted
    return pd.DataFrame(
        {
            "score": score,
            "fold": np.divide(score, sizes * influence.mean(), out=np.ones_like(score), where=influence.mean() > 0),
            "z": np.divide(score - mean, deviation, out=np.zeros_like(score), where=deviation > 1e-12 * np.abs(mean)),
            "p_value": p_value,
            "p_tail": p_tail,
        }
    )


def closed_form_z(matrix, influence: pd.DataFrame) -> np.ndarray:
    """Return the z (sets, seeds) of the permutation test for the influence (k, seeds), without any permutation."""
    values = influence.to_numpy(float)
    sizes, count = matrix.sum(axis=1)[:, None], len(values)
    deviation = values.std(axis=0, ddof=1) * np.sqrt(sizes * (count - sizes) / count)
    difference = matrix @ values - sizes * values.mean(axis=0)
    return np.divide(difference, deviation, out=np.zeros_like(difference), where=deviation > 0)


def _null(matrix, values, score, permutations, seed) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean and standard deviation of the permuted scores of each set, and how many reach its score."""
    random = generator(seed, PERMUTATIONS)
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
