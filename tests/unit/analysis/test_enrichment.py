"""Gene sets and the permutation test."""

import numpy as np
import pandas as pd
import pytest

from kinetrain.data.gene_sets import membership, read_gene_sets
from kinetrain.data.genes import read_gene_names, split_names
from kinetrain.enrichment import permutation
from kinetrain.errors import InputError

GENES = [f"g{index:03d}" for index in range(300)]


def made_influence() -> pd.Series:
    return pd.Series(np.random.default_rng(5).gamma(1.0, size=len(GENES)), index=GENES)


def made_sets() -> dict[str, list[str]]:
    """60 overlapping sets that together name every gene."""
    random = np.random.default_rng(6)
    sets = {f"set {size}": list(random.choice(GENES, size, replace=False)) for size in range(5, 64)}
    return sets | {"all": GENES}


def test_permutation_z_agrees_with_its_closed_form():
    influence, sets = made_influence(), made_sets()
    table = permutation.test_gene_sets(influence, sets, permutations=4000, minimum_genes=5, seed=1).set_index("pathway")
    table = table.drop(index="all")
    count, variance = len(influence), influence.var(ddof=1)
    k = table["genes"]
    expected = (table["score"] - k * influence.mean()) / np.sqrt(variance * k * (count - k) / count)
    assert np.corrcoef(expected, table["z"])[0, 1] > 0.999
    assert np.abs(expected - table["z"]).max() < 0.15


def test_a_set_of_all_genes_never_stands_out():
    table = permutation.test_gene_sets(made_influence(), made_sets(), 200, 5, seed=1).set_index("pathway")
    assert table.loc["all", "z"] == 0
    assert table.loc["all", "p_value"] == 1


def test_the_set_of_the_most_influential_genes_is_found_and_p_is_never_zero():
    influence = made_influence()
    sets = made_sets() | {"top": list(influence.nlargest(20).index)}
    table = permutation.test_gene_sets(influence, sets, 999, 5, seed=1)
    assert table.loc[0, "pathway"] == "top"
    assert table.loc[0, "p_value"] == 1 / 1000
    assert table.loc[0, "p_bonferroni"] == pytest.approx(len(sets) / 1000)
    assert (table["p_bh"] <= table["p_bonferroni"] + 1e-12).all()


def test_the_same_seed_gives_the_same_table():
    first, again, other = (
        permutation.test_gene_sets(made_influence(), made_sets(), 300, 5, seed) for seed in (1, 1, 2)
    )
    pd.testing.assert_frame_equal(first, again)
    assert not first["z"].equals(other["z"])


def test_p_values_of_random_sets_are_uniform():
    random = np.random.default_rng(8)
    sets = {f"random {index}": list(random.choice(GENES, 20, replace=False)) for index in range(400)}
    p_values = permutation.test_gene_sets(made_influence(), sets, 999, 5, seed=1)["p_value"]
    assert abs((p_values < 0.1).mean() - 0.1) < 0.06


def test_a_model_that_diverges_is_shown_as_failed_without_numbers():
    table = permutation.test_gene_sets(made_influence() * np.nan, made_sets(), 100, 5, seed=1)
    assert (table["status"] == "failed").all() and table[["score", "z", "p_value"]].isna().all(axis=None)


def test_influence_is_averaged_over_seeds_and_then_given_to_each_gene_of_a_probe():
    table = pd.DataFrame(
        {"seed": [0, 1, 0, 1], "gene": ["A /// B", "A /// B", "B", "B"], "influence": [1.0, 3.0, 4.0, 8.0]}
    )
    influence = permutation.gene_influence(table)
    assert influence.to_dict() == {"A": 2.0, "B": 4.0}


def test_a_seed_that_diverged_for_some_gene_counts_for_none():
    table = pd.DataFrame({"seed": [0, 0, 1, 1], "gene": ["A", "B"] * 2, "influence": [1.0, 2.0, 100.0, np.nan]})
    assert permutation.gene_influence(table).to_dict() == {"A": 1.0, "B": 2.0}
    assert permutation.gene_influence(table[table["seed"] == 1]).isna().all()


def test_sets_with_too_few_genes_are_not_tested():
    names, matrix = membership({"small": ["A", "X"], "large": ["A", "B", "B"]}, ["A", "B"], minimum_genes=2)
    assert names == ["large"]
    assert matrix.toarray().tolist() == [[1, 1]]


def test_gene_sets_without_overlap_are_an_error():
    with pytest.raises(InputError, match="no gene set has 5 or more of the genes"):
        permutation.test_gene_sets(made_influence(), {"human": ["TP53", "MYC"]}, 10, 5, 0)


def test_gmt_is_read(tmp_path):
    path = tmp_path / "sets.gmt"
    path.write_text("Cell cycle\thttp://x\tA\tB\n\nApoptosis\t\tC\n")
    assert read_gene_sets(path) == {"Cell cycle": ["A", "B"], "Apoptosis": ["C"]}


def test_a_line_that_is_no_gene_set_is_named(tmp_path):
    path = tmp_path / "sets.gmt"
    path.write_text("Cell cycle\thttp://x\tA\nApoptosis C D\n")
    with pytest.raises(InputError, match=r"sets\.gmt: line 2 has 1 tab-separated fields"):
        read_gene_sets(path)


def test_go_slim_holds_processes_of_yeast_genes(mirror):
    sets = read_gene_sets(next(mirror.glob("Bio724D/*/*/data/go_slim_mapping.tab")))
    assert "biological process" not in sets and "other" not in sets
    assert len(sets) == 132
    folder = next(mirror.glob("QuackenbushLab/phoenix/b18*/pramila_yeast_data/clean_data"))
    genes = set(read_gene_names(folder / "pramila3551_gene_names.csv"))
    assert len(genes & {gene for members in sets.values() for gene in members}) == 2717


def test_reactome_covers_the_breast_cancer_genes(mirror):
    folder = next(mirror.glob("QuackenbushLab/phoenix/b18*/breast_cancer_data/clean_data"))
    genes = {part for name in read_gene_names(folder / "desmedt_gene_names_500.csv") for part in split_names(name)}
    sets = read_gene_sets(next(mirror.glob("ohoelske/*/*/ReactomePathways.gmt")))
    assert len(sets) == 2512
    assert (len(genes & {gene for members in sets.values() for gene in members}), len(genes)) == (345, 518)
