"""The tests of gene sets, with their stability over seeds and a negative control."""

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from kinetrain.data.gene_sets import membership
from kinetrain.enrichment.overrepresentation import overrepresentation
from kinetrain.enrichment.permutation import closed_form_z, permutation_test, single_genes
from kinetrain.enrichment.prerank import prerank
from kinetrain.errors import InputError
from kinetrain.seeds import CONTROL, generator

TOP = 20  # the sets with the highest z, as in Hossain et al. 2024; a tenth of all where that is fewer
CONTROLLED = ("z", "p_tail", "gsea_p_value", "ora_p_value")  # what is computed with permuted labels too
BONFERRONI = {"p_tail": "p_bonferroni", "gsea_p_value": "gsea_p_bonferroni", "ora_p_value": "ora_p_bonferroni"}


def test_gene_sets(table: pd.DataFrame, sets: dict, permutations: int, minimum_genes: int, seed: int) -> pd.DataFrame:
    """Return one row per gene set with at least `minimum_genes` measured genes, the highest z first.

    table: seed, gene, influence, targets. Columns: those of the result table `pathways` but what names the model.
    All tests are of the mean influence over the seeds and of the regulators that more than half of the models keep,
    over the genes that occur in some set; corrections count the sets tested. The negative control gives the genes the
    influence and the targets of one another, by one permutation drawn from `seed`. Seeds that diverged count for
    nothing; where all did, every set is `failed`, without numbers.

    Raises
    ------
    InputError
        If no set has `minimum_genes` of the genes.
    """
    influence, targets = single_genes(table, "influence"), single_genes(table, "targets")
    members = {gene for genes in sets.values() for gene in genes}
    influence = influence[influence.index.isin(members)]
    targets = targets.loc[influence.index]
    names, matrix = membership(sets, influence.index, minimum_genes)
    if not names:
        raise InputError(
            f"no gene set has {minimum_genes} or more of the genes with an influence "
            f"({len(influence)} of them occur in any of the {len(sets)} sets)"
        )
    whole = influence.dropna(axis=1)
    start = pd.DataFrame({"pathway": names, "genes": matrix.sum(axis=1).astype(int), "models": whole.shape[1]})
    if whole.empty:
        return start.assign(status="failed")
    values = whole.mean(axis=1).to_numpy()
    kept = (targets[whole.columns] > 0).mean(axis=1).to_numpy() > 0.5
    tests = _tests(matrix, values, kept, permutations, seed)
    shuffled = generator(seed, CONTROL).permutation(len(values))
    control = _tests(matrix, values[shuffled], kept[shuffled], permutations, seed + 1)
    found = pd.concat([start, tests, control[list(CONTROLLED)].add_prefix("control_")], axis=1)
    found["top_share"] = _top_share(closed_form_z(matrix, whole))
    found = found.assign(
        **{new: multipletests(found[name], method="bonferroni")[1] for name, new in BONFERRONI.items()}
    )
    found["p_bh"] = multipletests(found["p_tail"], method="fdr_bh")[1]
    return found.assign(status="finished").sort_values(["z", "pathway"], ascending=[False, True], ignore_index=True)


def _tests(matrix, values, kept, permutations, seed) -> pd.DataFrame:
    """Return the columns of all three tests of every set."""
    parts = (
        permutation_test(matrix, values, permutations, seed),
        prerank(matrix, values, seed),
        overrepresentation(matrix, kept),
    )
    return pd.concat(parts, axis=1)


def _top_share(z: np.ndarray) -> np.ndarray:
    """Return for every set the share of the seeds, columns of `z`, in which it is among the top ones, with z > 0."""
    count = max(1, min(TOP, len(z) // 10))
    among = np.zeros(z.shape)
    np.put_along_axis(among, np.argsort(-z, axis=0, kind="stable")[:count], 1, axis=0)
    return (among * (z > 0)).mean(axis=1)
