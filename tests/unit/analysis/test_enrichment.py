"""Gene sets and their tests."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest

from kinetrain.data.gene_sets import membership, read_gene_sets
from kinetrain.data.genes import read_gene_names, split_names
from kinetrain.enrichment import pathways, permutation, tail
from kinetrain.enrichment.tail import counted_probability, tail_probability
from kinetrain.errors import InputError, InputWarning

GENES = [f"g{index:03d}" for index in range(300)]


def made_influence() -> pd.Series:
    return pd.Series(np.random.default_rng(5).gamma(1.0, size=len(GENES)), index=GENES)


def made_sets() -> dict[str, list[str]]:
    """60 overlapping sets that together name every gene."""
    random = np.random.default_rng(6)
    sets = {f"set {size}": list(random.choice(GENES, size, replace=False)) for size in range(5, 64)}
    return sets | {"all": GENES}


def made_table(influence: pd.Series, seeds: int = 1) -> pd.DataFrame:
    """Every seed with this influence; the 60 most influential genes have targets."""
    targets = (influence.rank(ascending=False) <= 60).astype(int)
    one = pd.DataFrame({"gene": influence.index, "influence": influence.to_numpy(), "targets": targets.to_numpy()})
    return pd.concat([one.assign(seed=seed) for seed in range(seeds)], ignore_index=True)


def scored(influence, sets, permutations=999, seed=1) -> pd.DataFrame:
    return pathways.test_gene_sets(made_table(influence), sets, permutations, 5, seed).set_index("pathway")


def test_permutation_z_agrees_with_its_closed_form():
    table = scored(made_influence(), made_sets(), 4000).drop(index="all")
    _, matrix = membership({name: made_sets()[name] for name in table.index}, GENES, 5)
    expected = permutation.closed_form_z(matrix, made_influence().to_frame())[:, 0]
    assert np.corrcoef(expected, table["z"])[0, 1] > 0.999
    assert np.abs(expected - table["z"]).max() < 0.15


def test_a_set_of_all_genes_never_stands_out():
    found = scored(made_influence(), made_sets(), 200).loc["all"]
    assert found["z"] == 0 and found["fold"] == pytest.approx(1)
    assert (found[["p_value", "p_tail", "ora_p_value", "control_p_tail", "control_ora_p_value"]] == 1).all()


def test_the_set_of_the_most_influential_genes_passes_bonferroni_and_permuted_labels_do_not():
    influence = made_influence()
    sets = made_sets() | {"top": list(influence.nlargest(20).index)}
    table = scored(influence, sets)
    found = table.iloc[0]
    assert found.name == "top" and found["p_value"] == 1 / 1000
    assert found["p_tail"] == pytest.approx(1 / math.comb(300, 20))  # no other 20 genes have as much influence
    assert (found[["p_bonferroni", "gsea_p_bonferroni", "ora_p_bonferroni"]] < 1e-6).all()
    assert found["fold"] > 2 and found["gsea_nes"] > 1.5 and found["kept"] == 20 and found["ora_odds"] > 50
    assert (found[["control_p_tail", "control_gsea_p_value", "control_ora_p_value"]] > 0.001).all()
    assert (table["p_bh"] <= table["p_bonferroni"] + 1e-12).all()


def test_the_same_seed_gives_the_same_table():
    first, again, other = (scored(made_influence(), made_sets(), 300, seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not first["z"].equals(other["z"])


def test_p_values_of_random_sets_are_uniform_in_every_test():
    random = np.random.default_rng(8)
    sets = {f"random {index}": list(random.choice(GENES, 20, replace=False)) for index in range(400)}
    table = scored(made_influence(), sets)
    for name in ("p_value", "p_tail", "control_p_tail", "gsea_p_value", "control_gsea_p_value"):
        assert abs((table[name] < 0.1).mean() - 0.1) < 0.06, name
    assert (table["ora_p_value"] < 0.1).mean() < 0.16  # whole numbers: not more than uniform


@pytest.mark.parametrize("kind", ["exponential", "log-normal", "mostly zero"])
def test_the_tail_is_that_of_a_million_permutations(kind):
    random = np.random.default_rng(4)
    values = {
        "exponential": random.exponential(size=60),
        "log-normal": random.lognormal(0, 1.5, size=60),
        "mostly zero": np.where(random.random(60) < 0.7, 0, random.exponential(size=60)),
    }[kind]
    drawn = [np.argpartition(random.random((50_000, 60), dtype=np.float32), 8, axis=1)[:, :8] for _ in range(20)]
    null = np.sort(np.concatenate([values[places].sum(axis=1) for places in drawn]))
    for exceeding in (1000, 100, 30):
        approximate = tail_probability(values, 8, null[-exceeding])
        assert 0.6 < approximate * 1e6 / exceeding < 1.6


@pytest.mark.parametrize("regulators", [1, 3, 5])
def test_the_highest_sum_is_as_likely_as_the_draws_that_have_it(regulators):
    values = np.zeros(350)  # of genes without targets
    values[:regulators] = np.random.default_rng(7).exponential(size=regulators)
    draws = math.comb(350 - regulators, 5 - regulators)
    assert tail_probability(values, 5, values.sum()) * math.comb(350, 5) == pytest.approx(draws)


def test_the_tail_agrees_with_all_subsets_down_to_the_rarest():
    values = np.random.default_rng(3).gamma(1.0, size=20)
    sums = np.sort([sum(chosen) for chosen in itertools.combinations(values, 6)])
    for exceeding in (1, 5, 50, 500, 5000):
        ratio = tail_probability(values, 6, sums[-exceeding]) * len(sums) / exceeding
        assert 0.5 < ratio < 2
    assert tail_probability(values, 6, sums[-1]) * len(sums) == pytest.approx(1)


@pytest.mark.parametrize("regulators", [2, 3, 5, 9])
@pytest.mark.parametrize(("genes", "size"), [(30, 4), (12, 9)])
def test_the_p_value_of_few_regulators_is_that_of_all_draws(regulators, genes, size):
    values = np.zeros(genes)
    values[:regulators] = np.random.default_rng(regulators).exponential(size=regulators)
    sums = np.array([sum(drawn) for drawn in itertools.combinations(values, size)])
    for score in np.unique(sums.round(12)):
        right = (sums >= score - 1e-9).mean()
        assert counted_probability(values, size, score) == pytest.approx(right)


def test_a_set_with_two_of_three_regulators_is_as_likely_as_any_draw_of_two():
    influence, members = np.zeros(500), np.zeros((1, 500))
    influence[:3] = members[0, :2] = members[0, 10:18] = 1  # a set of ten genes
    found = permutation.permutation_test(members, influence, 999, seed=1)
    right = (3 * math.comb(497, 8) + math.comb(497, 7)) / math.comb(500, 10)
    assert found["p_tail"][0] == pytest.approx(right)  # 0.0011, where the saddlepoint says 0.0002


@pytest.mark.parametrize(("genes", "size"), [(3000, 40), (22, 8), (300, 2)])
def test_sums_on_a_grid_are_those_of_all_subsets_and_never_fewer(monkeypatch, genes, size):
    """The saddlepoint is off by 2 for the draws of 40 from 3,000 genes that reach what a single regulator has."""
    values = np.zeros(genes)
    values[:22] = np.random.default_rng(5).exponential(size=22)
    highest = np.sort(values)[-size:].sum()
    scores = [highest, values.max(), *np.linspace(0.2, 0.8, 6) * highest]
    on_grid = np.array([counted_probability(values, size, score) for score in scores])
    monkeypatch.setattr(tail, "MOST_SUBSETS", 22)
    right = np.array([counted_probability(values, size, score) for score in scores])
    assert (on_grid >= right * (1 - 1e-9)).all() and (on_grid <= right * 1.03).all()


def test_many_regulators_are_left_to_the_saddlepoint():
    values = np.random.default_rng(2).exponential(size=80)
    assert counted_probability(values, 8, values[:8].sum()) is None
    assert counted_probability(np.append(-values[:30], np.zeros(50)), 8, -0.1) is None


def test_genes_without_influence_are_ranked_at_random_and_no_set_of_them_stands_out():
    influence = made_influence().where(np.arange(300) < 30, 0.0)
    sets = {"none": GENES[30:60], "last": GENES[270:], "first": GENES[:30]}
    table = scored(influence, sets)
    assert table.loc["first", "gsea_p_value"] < 1e-10
    assert (table.loc[["none", "last"], "gsea_p_value"] > 0.05).all()


def test_stability_is_the_share_of_seeds_with_the_set_among_the_top():
    influence = made_influence()
    top, low = influence.nlargest(20).index, influence.nsmallest(20).index
    table = pd.concat([made_table(influence, seeds=3), made_table(-influence + influence.max()).assign(seed=3)])
    sets = made_sets() | {"top": list(top), "low": list(low)}
    found = pathways.test_gene_sets(table, sets, 50, 5, seed=1).set_index("pathway")
    assert found.loc["top", "top_share"] == 0.75 and found.loc["low", "top_share"] == 0.25


def test_a_model_that_keeps_every_gene_says_nothing_about_regulators():
    table = made_table(made_influence()).assign(targets=7)
    found = pathways.test_gene_sets(table, made_sets(), 50, 5, seed=1)
    assert (found["ora_p_value"] == 1).all()


def test_a_model_that_diverges_is_shown_as_failed_without_numbers():
    table = pathways.test_gene_sets(made_table(made_influence() * np.nan), made_sets(), 100, 5, seed=1)
    assert (table["status"] == "failed").all() and list(table) == ["pathway", "genes", "models", "status"]


def test_influence_is_given_to_each_gene_of_a_probe():
    table = pd.DataFrame(
        {"seed": [0, 1, 0, 1], "gene": ["A /// B", "A /// B", "B", "B"], "influence": [1.0, 3.0, 4.0, 8.0]}
    )
    influence = permutation.single_genes(table, "influence")
    assert influence.loc["A"].tolist() == [1, 3] and influence.loc["B"].tolist() == [2.5, 5.5]


def test_a_seed_that_diverged_for_some_gene_counts_for_none():
    table = pd.DataFrame({"seed": [0, 0, 1, 1], "gene": ["A", "B"] * 2, "influence": [1.0, 2.0, 100.0, np.nan]})
    influence = permutation.single_genes(table, "influence")
    assert influence[0].tolist() == [1, 2] and influence[1].isna().all()


def test_sets_with_too_few_genes_are_not_tested():
    names, matrix = membership({"small": ["A", "X"], "large": ["A", "B", "B"]}, ["A", "B"], minimum_genes=2)
    assert names == ["large"]
    assert matrix.toarray().tolist() == [[1, 1]]


def test_gene_sets_without_overlap_are_an_error():
    with pytest.raises(InputError, match="no gene set has 5 or more of the genes"):
        scored(made_influence(), {"human": ["TP53", "MYC"]})


def test_gmt_is_read(tmp_path):
    path = tmp_path / "sets.gmt"
    path.write_text("Cell cycle\thttp://x\tA\tB\n\nApoptosis\t\tC\n")
    assert read_gene_sets(path) == {"Cell cycle": ["A", "B"], "Apoptosis": ["C"]}


def test_gene_sets_without_descriptions_are_told(tmp_path):
    path = tmp_path / "sets.gmt"
    path.write_text("Cell cycle\tA\tB\tC\nApoptosis\tC\tA\n")
    with pytest.warns(InputWarning, match="the second field of 2 or more lines, such as 'A', is a gene of the sets"):
        assert read_gene_sets(path) == {"Cell cycle": ["B", "C"], "Apoptosis": ["A"]}
    path.write_text("Cell cycle\tA\tB\tC\nApoptosis\tC\tB\n")  # A is a member of no other set
    with pytest.warns(InputWarning, match="the second field of 1 or more lines, such as 'C'"):
        read_gene_sets(path)


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
