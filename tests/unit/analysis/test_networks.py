"""Priors, gold standards, effect matrices and edge scores."""

import numpy as np
import pytest

from kinetrain.errors import InputError
from kinetrain.networks import controls, effects, priors
from kinetrain.networks.edges import edge_table, read_edges, read_matrix
from kinetrain.networks.genes import read_gene_names
from kinetrain.networks.scores import edge_scores

DASH = "QuackenbushLab/DASH/2365bd1f4654b63bbc399700dd6897c32c029e2a"
PHOENIX = "QuackenbushLab/phoenix/b18317663aada933fa26402df6aad86d042bd13b"
YEASTRACT = (
    "flatironinstitute/inferelator/5fd992e9ac22bd11f9df0d8ed352aa7d86e0866c/data/yeast/YEASTRACT_20190713_BOTH.tsv"
)
GENES_350 = [f"g{index}" for index in range(350)]


def simulated_prior(mirror, corruption: float) -> np.ndarray:
    """The SIM350 network of which `corruption` was moved; the files are named by half of it."""
    return read_matrix(
        mirror / DASH / f"ground_truth_simulator/clean_data/edge_prior_matrix_simu_350_noise_{corruption / 2}.csv",
        GENES_350,
    )[0]


@pytest.mark.parametrize(("corruption", "expected"), [(0.05, 0.9753), (0.1, 0.9498), (0.2, 0.8995)])
def test_corrupted_prior_used_as_prediction_has_the_known_accuracy(mirror, corruption, expected):
    truth = simulated_prior(mirror, 0.0)
    scores = edge_scores(simulated_prior(mirror, corruption), truth)
    assert scores["balanced_accuracy"] == pytest.approx(expected, abs=5e-5)


def test_our_corruption_of_the_simulated_network_agrees_with_the_published_files(mirror):
    truth = simulated_prior(mirror, 0.0)
    ours = priors.corrupt(truth, 0.05, seed=1)
    moved = np.count_nonzero((truth != 0) & (ours == 0))
    assert moved == 27
    assert edge_scores(ours, truth)["balanced_accuracy"] == pytest.approx(0.9753, abs=1e-4)


def test_knowing_the_97_regulators_alone_gives_an_accuracy_of_086(mirror):
    truth = simulated_prior(mirror, 0.0)
    assert np.count_nonzero((truth != 0).any(axis=0)) == 97
    assert edge_scores(controls.true_regulators_everywhere(truth), truth)["balanced_accuracy"] == pytest.approx(
        0.8631, abs=5e-5
    )


def test_coregulation_counts_common_targets_of_regulators(mirror):
    truth = simulated_prior(mirror, 0.0)
    common = priors.coregulation(truth)
    assert np.array_equal(common, common.T)
    assert np.array_equal(np.diag(common), (truth != 0).sum(axis=0))  # columns are regulators


def test_coregulation_of_a_small_network_by_hand():
    prior = np.zeros((3, 3))
    prior[2, 0] = 1  # gene 0 and gene 1 both regulate gene 2, gene 1 also itself
    prior[2, 1] = -1
    prior[1, 1] = 1
    assert np.array_equal(priors.coregulation(prior), [[1, 1, 0], [1, 2, 0], [0, 0, 0]])


def test_breast_cancer_prior_against_chip(mirror):
    data = mirror / PHOENIX / "breast_cancer_data/clean_data"
    genes = read_gene_names(data / "desmedt_gene_names_500.csv")
    prior, _ = read_matrix(data / "edge_prior_matrix_desmedt_500.csv", genes)
    truth, left_out = read_edges(
        mirror / DASH / "breast_cancer_data/clean_data/otter_chip_val_clean.csv", genes, restrict=True
    )
    scores = edge_scores(prior, truth)
    assert np.count_nonzero(prior) == 7732
    assert left_out > 200_000
    assert scores["auroc"] == pytest.approx(0.824, abs=1e-3)
    assert scores["auroc_assayed"] == pytest.approx(0.597, abs=1e-3)


def test_interactions_of_all_genes_are_cut_to_the_genes_of_the_data_set(mirror):
    data = mirror / DASH / "breast_cancer_data/clean_data"
    genes = read_gene_names(mirror / PHOENIX / "breast_cancer_data/clean_data/desmedt_gene_names_500.csv")
    all_genes = read_gene_names(data / "desmedt_gene_names_11165.csv")
    scores, left_out = read_matrix(data / "PPI_matrix_desmedt_11165.csv", genes, all_genes)
    binary = priors.coregulation_from_interactions(scores, 0.6)
    assert left_out > 0 and len(binary) == 500
    assert np.array_equal(binary, binary.T)
    assert set(np.unique(binary)) == {0.0, 1.0}


def test_yeast_gold_standard_is_read_with_regulators_in_its_columns(mirror):
    genes = read_gene_names(mirror / PHOENIX / "pramila_yeast_data/clean_data/pramila3551_gene_names.csv")
    truth, _ = read_matrix(mirror / YEASTRACT, genes, restrict=True)
    edges = edge_table(truth, genes)
    assert len(edges) == 4735
    assert edges["regulator"].nunique() == 94  # the other way round, thousands of genes would regulate


def test_corruption_keeps_number_and_values_of_the_edges_and_depends_on_the_seed():
    random = np.random.default_rng(3)
    prior = np.where(random.random((30, 30)) < 0.1, random.choice([-1.0, 1.0], (30, 30)), 0)
    first, again, other = (priors.corrupt(prior, 0.4, seed) for seed in (1, 1, 2))
    moved = int(np.count_nonzero(prior) * 0.4)
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert np.count_nonzero((prior != 0) & (first == 0)) == moved
    assert np.array_equal(np.sort(first[first != 0]), np.sort(prior[prior != 0]))
    assert np.array_equal(priors.corrupt(prior, 0, 1), prior)
    with pytest.raises(InputError, match="would move 6 edges, only 0 pairs"):
        priors.corrupt(np.ones((3, 3)) - np.diag([1, 1, 1]), 1, 1)


def test_effects_follow_the_paths_from_regulator_to_target():
    w_s, w_p, u_s, u_p = np.zeros((2, 3)), np.zeros((2, 3)), np.zeros((3, 2)), np.zeros((3, 2))
    w_s[0, 2], u_s[1, 0] = 2.0, 3.0  # gene 2 -> hidden unit 0 -> gene 1
    w_p[1, 0], u_p[2, 1] = -1.0, 1.0  # gene 0 -> hidden unit 1 -> gene 2, a gene that is dead
    v = np.array([1.0, 0.5, -1.0])
    effect = effects.effect_matrix(w_s, w_p, u_s, u_p, v)
    assert np.argwhere(effect).tolist() == [[1, 2]]
    assert effect[1, 2] == 3.0
    assert effects.sparsity(w_s, w_p, u_s, u_p, v) == 21 / 24  # the weight behind the dead gene counts as zero
    assert effects.mask_sparsity(w_s, w_p, u_s, u_p) == 20 / 24
    assert effects.mean_out_degree(effect) == 1 / 3


def test_relative_effects_of_a_target_sum_to_one():
    relative = effects.relative_effects(np.array([[1.0, -3.0], [0.0, 0.0]]))
    assert relative.tolist() == [[0.25, 0.75], [0.0, 0.0]]


def test_balanced_accuracy_by_hand_counts_the_diagonal():
    truth = np.array([[0, 1], [0, 0]])
    predicted = np.array([[0.5, -1e-300], [0.0, 0.0]])
    scores = edge_scores(predicted, truth)
    assert scores["true_positive_rate"] == 1
    assert scores["true_negative_rate"] == pytest.approx(2 / 3)
    assert scores["balanced_accuracy"] == pytest.approx(5 / 6)


def test_no_scores_without_a_gold_standard():
    assert np.isnan(edge_scores(np.ones((2, 2)), np.zeros((2, 2)))["auroc"])


def test_persistence_is_judged_on_test_pairs_only():
    values = np.array([[[0.0, 0.0], [1.0, 3.0], [1.0, 3.0]]])
    transitions, split = np.array([[0, 0], [0, 1]]), np.array(["test", "train"])
    assert controls.persistence_error(values, transitions, split) == 5.0


def test_a_probe_of_several_genes_gets_the_edges_of_each(tmp_path):
    path = tmp_path / "edges.csv"
    path.write_text("from,to\nA,C\nB,C\nC,D\n")
    network, _ = read_edges(path, ["A /// B", "C", "D", "A"])
    assert np.argwhere(network).tolist() == [[1, 0], [1, 3], [2, 1]]


def test_signs_and_weights_multiply(tmp_path):
    path = tmp_path / "edges.tsv"
    path.write_text("regulator\ttarget\tsign\tweight\nA\tB\t-1\t0.5\n")
    network, _ = read_edges(path, ["A", "B"])
    assert network[1, 0] == -0.5


def test_three_layouts_of_a_matrix_hold_the_same_network(tmp_path):
    dense, triplets, labelled = (tmp_path / name for name in ("dense.csv", "triplets.csv", "labelled.tsv"))
    dense.write_text("0,0,-1,0\n0,0,0,0\n0,0,0,0\n0,0,0,1\n")  # A represses C, D activates itself
    triplets.write_text("1;3;-1\n4;4;1\n")
    labelled.write_text("name\tA\tD\nC\t-1\t0\nD\t0\t1\n")
    genes = ["A", "B", "C", "D"]
    networks = [read_matrix(path, genes)[0] for path in (dense, triplets, labelled)]
    assert np.argwhere(networks[0]).tolist() == [[2, 0], [3, 3]] and networks[0][2, 0] == -1
    assert np.array_equal(networks[0], networks[1]) and np.array_equal(networks[0], networks[2])


def test_unknown_genes_in_a_prior_are_named_with_their_file(tmp_path):
    path = tmp_path / "prior.tsv"
    path.write_text("regulator\ttarget\nA\tB\nA\tX1\nX2\tB\n")
    with pytest.raises(InputError, match=r"prior\.tsv: 2 genes are not in the expression data: X1, X2"):
        read_edges(path, ["A", "B"])
    network, left_out = read_edges(path, ["A", "B"], restrict=True)
    assert np.count_nonzero(network) == 1 and left_out == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("regulator,gene\nA,B\n", "no column 'target'"),
        ("regulator,target\nA,\n", "row 2 has no target"),
        ("regulator,target,weight\nA,B,much\n", "not finite numbers, the first is 'much'"),
        ("regulator,target\nX,Y\n", "none of its edges joins two genes"),
        ("regulator,target\n", "no edge between genes"),
        ("regulator,target,weight\nA,B,0\n", "no edge between genes"),
        ("", "first line is empty"),
    ],
)
def test_wrong_edge_lists_say_what_is_wrong(tmp_path, text, message):
    path = tmp_path / "prior.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        read_edges(path, ["A", "B"], restrict=True)
    assert "prior.csv" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0,1\n0,0\n", "2 x 2 numbers, expected 4 x 4"),
        ("0,1,0,0\n0,0,0,0\n0,nan,0,0\n0,0,0,0\n", "1 values are not finite numbers"),
        ("1,9,1\n", "whole numbers from 1 to 4"),
        ("1,2,0\n", "no edge between genes"),
        ("name,A,X\nB,0,1\n", "no edge between genes"),
    ],
)
def test_wrong_matrices_say_what_is_wrong(tmp_path, text, message):
    path = tmp_path / "matrix.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_matrix(path, ["A", "B", "C", "D"], restrict=True)


def test_gene_names_are_the_first_column_and_each_stands_there_once(tmp_path):
    path = tmp_path / "genes.csv"
    path.write_text('"x","name"\n"YAL040C","CLN3"\n"NA","X"\n')
    assert read_gene_names(path) == ["YAL040C", "NA"]
    for text, message in (
        ("gene\nA\nB\nA\n", "gene 'A' is named more than once"),
        ("gene\n", "no gene names"),
        ("", "first line is empty"),
        ("gene,x\nA,1\n,2\n", "row 3 has no gene name"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=rf"genes\.csv: .*{message}"):
            read_gene_names(path)
    with pytest.raises(InputError, match=r"nothing\.csv: no such file"):
        read_gene_names(tmp_path / "nothing.csv")


def test_yeast_motif_prior_is_rebuilt_from_its_edge_list(mirror):
    folder = mirror / PHOENIX / "pramila_yeast_data/clean_data"
    genes = read_gene_names(folder / "pramila3551_gene_names.csv")
    prior, _ = read_edges(folder / "motif_prior.csv", genes, restrict=True)
    assert np.count_nonzero(prior) == 51254
    assert np.count_nonzero((prior != 0).any(axis=0)) == 65
