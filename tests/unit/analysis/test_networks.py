"""Priors, gold standards, effect matrices and edge scores."""

import tracemalloc
import zipfile

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from kinetrain.data import prior_networks
from kinetrain.data.genes import read_gene_names
from kinetrain.data.networks import edge_table, sparse_edges, sparse_matrix
from kinetrain.errors import InputError
from kinetrain.networks import controls, effects, packed
from kinetrain.networks.metrics.edges import support_scores
from kinetrain.networks.metrics.ranking import ranking_scores
from kinetrain.networks.scores import edge_scores

DASH = "QuackenbushLab/DASH/2365bd1f4654b63bbc399700dd6897c32c029e2a"
PHOENIX = "QuackenbushLab/phoenix/b18317663aada933fa26402df6aad86d042bd13b"
YEASTRACT = (
    "flatironinstitute/inferelator/5fd992e9ac22bd11f9df0d8ed352aa7d86e0866c/data/yeast/YEASTRACT_20190713_BOTH.tsv"
)


def simulated_prior(mirror, corruption: float, genes: int = 350) -> np.ndarray:
    """The SIM350 or SIM690 network of which `corruption` was moved; the files are named by half of it."""
    folder = mirror / DASH / "ground_truth_simulator/clean_data"
    path = folder / f"edge_prior_matrix_simu_{genes}_noise_{corruption / 2}.csv"
    return sparse_matrix(path, [f"g{index}" for index in range(genes)])[0].toarray()


@pytest.mark.parametrize(("corruption", "expected"), [(0.05, 0.9753), (0.1, 0.9498), (0.2, 0.8995)])
def test_corrupted_prior_used_as_prediction_has_the_known_accuracy(mirror, corruption, expected):
    truth, prior = simulated_prior(mirror, 0.0), simulated_prior(mirror, corruption)
    scores = edge_scores(prior, truth, prior)
    assert scores["balanced_accuracy"] == pytest.approx(expected, abs=5e-5)
    assert (scores["recall_outside_prior"], scores["wrong_prior_kept"]) == (0, 1)
    assert scores["balanced_accuracy_outside_prior"] == 0.5


def test_our_corruption_of_the_simulated_network_agrees_with_the_published_files(mirror):
    truth = simulated_prior(mirror, 0.0)
    ours = prior_networks.corrupt(truth, 0.05, seed=1).toarray()
    moved = np.count_nonzero((truth != 0) & (ours == 0))
    assert moved == 27
    assert edge_scores(ours, truth, ours)["balanced_accuracy"] == pytest.approx(0.9753, abs=1e-4)


@pytest.mark.parametrize(
    ("genes", "counts", "expected"),
    [(350, (97, 277), (0.8921, 0.8631, 0.6048)), (690, (133, 593), (0.9181, 0.9045, 0.5704))],
)
def test_knowing_regulators_and_targets_alone_gives_the_known_accuracies(mirror, genes, counts, expected):
    truth = simulated_prior(mirror, 0.0, genes)
    assert ((truth != 0).any(axis=0).sum(), (truth != 0).any(axis=1).sum()) == counts
    accuracies = [
        edge_scores(network, truth, truth)["balanced_accuracy"] for network in controls.informed(truth).values()
    ]
    assert accuracies == pytest.approx(expected, abs=5e-5)


def test_knowing_the_regulators_of_all_breast_cancer_genes_is_nearly_perfect(mirror):
    data = mirror / DASH / "breast_cancer_data/clean_data"
    genes = read_gene_names(data / "desmedt_gene_names_11165.csv")
    edges = pd.read_csv(data / "otter_chip_val_clean.csv").drop_duplicates()
    place = {gene: index for index, gene in enumerate(genes)}
    edges = edges[edges["from"].isin(place) & edges["to"].isin(place)]
    assert (len(edges), edges["from"].nunique(), edges["to"].nunique()) == (226514, 61, 10714)
    interacting = pd.read_csv(data / "PPI_matrix_desmedt_11165.csv", header=None)[[0, 1]].stack().unique() - 1
    truth, everything = np.zeros((len(genes), len(genes)), dtype=bool), np.zeros(len(genes), dtype=bool)
    truth[edges["to"].map(place), edges["from"].map(place)] = True
    everything[interacting] = True
    for regulators, count, expected in ((truth.any(axis=0), 61, 0.9982), (everything, 986, 0.9567)):
        predicted = np.broadcast_to(regulators, truth.shape)
        assert regulators.sum() == count
        scores = support_scores(predicted, truth, truth)
        assert scores["true_positive_rate"] == 1
        assert scores["balanced_accuracy"] == pytest.approx(expected, abs=5e-5)


def test_the_stored_unpruned_model_has_the_known_scores(mirror):
    folder = mirror / DASH / "ode_net/code/output/_holder_model_to_prune"
    if not folder.is_dir():
        pytest.skip("the mirror lacks the weights of the published unpruned model (_holder_model_to_prune)")
    layers = {"w_s": "sums", "w_p": "prods", "u_s": "alpha_comb_sums", "u_p": "alpha_comb_prods"}
    weights = {name: matrix_of(folder / f"best_val_model_{file}.pt") for name, file in layers.items()}
    weights["v"] = stored(folder / "best_val_model_gene_multipliers.pt", 350)
    truth, chains = simulated_prior(mirror, 0.0), (("w_s", "u_s"), ("w_p", "u_p"))
    effect = effects.effect_matrix(weights, chains)
    scores = edge_scores(effects.relative_effects(effect), truth, truth)
    assert effects.dead_genes(weights) == 66
    assert effects.sparsity(weights, chains) == pytest.approx(0.0943, abs=5e-5)
    assert effects.mean_out_degree(effect) == pytest.approx(284.0, abs=0.05)
    names = ["balanced_accuracy", "true_positive_rate", "true_negative_rate", "auroc", "balanced_accuracy_best"]
    expected = [0.5892, 0.9891, 0.1894, 0.9897, 0.9847]
    assert [scores[name] for name in names] == pytest.approx(expected, abs=5e-5)


def stored(path, size: int) -> np.ndarray:
    """The first float32 storage of exactly `size` numbers in an archive of PyTorch, read without unpickling."""
    with zipfile.ZipFile(path) as archive:
        blocks = [archive.read(name) for name in archive.namelist() if "/data/" in name]
    return next(np.frombuffer(block, dtype="<f4") for block in blocks if len(block) == 4 * size)


def matrix_of(path) -> np.ndarray:
    """The weights [output, input] of a linear layer between 350 genes and 40 hidden units."""
    return stored(path, 350 * 40).reshape((350, 40) if "alpha" in path.name else (40, 350))


def test_coregulation_counts_common_targets_of_regulators(mirror):
    truth = simulated_prior(mirror, 0.0)
    common = prior_networks.coregulation(truth).toarray()
    assert np.array_equal(common, common.T)
    assert np.array_equal(np.diag(common), (truth != 0).sum(axis=0))  # columns are regulators


def test_coregulation_of_a_small_network_by_hand():
    prior = np.zeros((3, 3))
    prior[2, 0] = 1  # gene 0 and gene 1 both regulate gene 2, gene 1 also itself
    prior[2, 1] = -1
    prior[1, 1] = 1
    assert np.array_equal(prior_networks.coregulation(prior).toarray(), [[1, 1, 0], [1, 2, 0], [0, 0, 0]])


def test_breast_cancer_prior_against_chip(mirror):
    data = mirror / PHOENIX / "breast_cancer_data/clean_data"
    genes = read_gene_names(data / "desmedt_gene_names_500.csv")
    prior = sparse_matrix(data / "edge_prior_matrix_desmedt_500.csv", genes)[0].toarray()
    truth, left_out = sparse_edges(
        mirror / DASH / "breast_cancer_data/clean_data/otter_chip_val_clean.csv", genes, restrict=True
    )
    scores = edge_scores(prior, truth.toarray(), prior)
    assert np.count_nonzero(prior) == 7732
    assert left_out > 200_000
    assert scores["auroc"] == pytest.approx(0.824, abs=1e-3)
    assert scores["auroc_within_regulators"] == pytest.approx(0.597, abs=1e-3)


def test_interactions_of_all_genes_are_cut_to_the_genes_of_the_data_set(mirror):
    data = mirror / DASH / "breast_cancer_data/clean_data"
    genes = read_gene_names(mirror / PHOENIX / "breast_cancer_data/clean_data/desmedt_gene_names_500.csv")
    all_genes = read_gene_names(data / "desmedt_gene_names_11165.csv")
    scores, left_out = sparse_matrix(data / "PPI_matrix_desmedt_11165.csv", genes, all_genes)
    binary = prior_networks.coregulation_from_interactions(scores, 0.6).toarray()
    assert left_out > 0 and len(binary) == 500
    assert np.array_equal(binary, binary.T)
    assert set(np.unique(binary)) == {0.0, 1.0}


def test_yeast_gold_standard_is_read_with_regulators_in_its_columns(mirror):
    genes = read_gene_names(mirror / PHOENIX / "pramila_yeast_data/clean_data/pramila3551_gene_names.csv")
    truth = sparse_matrix(mirror / YEASTRACT, genes, restrict=True)[0].toarray()
    edges = edge_table(truth, genes)
    assert len(edges) == 4735
    assert edges["regulator"].nunique() == 94  # the other way round, thousands of genes would regulate


def test_corruption_keeps_number_and_values_of_the_edges_and_depends_on_the_seed():
    random = np.random.default_rng(3)
    prior = np.where(random.random((30, 30)) < 0.1, random.choice([-1.0, 1.0], (30, 30)), 0)
    first, again, other = (prior_networks.corrupt(prior, 0.4, seed).toarray() for seed in (1, 1, 2))
    moved = int(np.count_nonzero(prior) * 0.4)
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert np.count_nonzero((prior != 0) & (first == 0)) == moved
    assert np.array_equal(np.sort(first[first != 0]), np.sort(prior[prior != 0]))
    assert np.array_equal(prior_networks.corrupt(prior, 0, 1).toarray(), prior)
    with pytest.raises(InputError, match="would move 6 edges, only 0 pairs"):
        prior_networks.corrupt(np.ones((3, 3)) - np.diag([1, 1, 1]), 1, 1)


PHOENIX_CHAINS = (("w_s", "u_s"), ("w_p", "u_p"))


def test_effects_follow_the_paths_from_regulator_to_target():
    weights = {name: np.zeros((2, 3)) for name in ("w_s", "w_p")} | {name: np.zeros((3, 2)) for name in ("u_s", "u_p")}
    weights["w_s"][0, 2], weights["u_s"][1, 0] = 2.0, 3.0  # gene 2 -> hidden unit 0 -> gene 1
    weights["w_p"][1, 0], weights["u_p"][2, 1] = -1.0, 1.0  # gene 0 -> hidden unit 1 -> gene 2, a gene that is dead
    weights["v"] = np.array([1.0, 0.5, -1.0])
    effect = effects.effect_matrix(weights, PHOENIX_CHAINS)
    assert np.argwhere(effect).tolist() == [[1, 2]]
    assert effect[1, 2] == 3.0
    assert effects.sparsity(weights, PHOENIX_CHAINS) == 21 / 24  # the weight behind the dead gene counts as zero
    assert effects.mask_sparsity(weights, PHOENIX_CHAINS) == 20 / 24
    assert effects.dead_genes(weights) == 1
    assert effects.mean_out_degree(effect) == 1 / 3


def test_a_deep_perceptron_without_multipliers_has_effects_through_all_its_layers():
    weights = {"w1": np.zeros((2, 3)), "w2": np.zeros((4, 2)), "w3": np.zeros((3, 4))}
    weights["w1"][0, 2], weights["w2"][3, 0], weights["w3"][1, 3], weights["w3"][0, 1] = 2.0, 3.0, -1.0, 5.0
    effect = effects.effect_matrix(weights, (("w1", "w2", "w3"),))
    assert effect[1, 2] == -6.0 and np.count_nonzero(effect) == 1
    assert effects.sparsity(weights, (("w1", "w2", "w3"),)) == 22 / 26
    assert np.isnan(effects.dead_genes(weights))


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_the_network_of_a_support_is_where_its_effects_are_not_zero(layers):
    random = np.random.default_rng(layers)
    genes, sizes = 1100, [1100, *[40] * (layers - 1), 1100]
    chain = tuple(f"w{layer}" for layer in range(layers))
    weights = {
        name: random.random((below, above)) * (random.random((below, above)) < 0.02)
        for name, above, below in zip(chain, sizes, sizes[1:], strict=False)
    }
    weights["v"] = random.normal(size=genes)
    support = {name: weights[name] > 0 for name in effects.names_behind([chain], weights)}
    kept = packed.unpack(packed.pack(support), {name: part.shape for name, part in support.items()})
    found = np.unpackbits(effects.edge_bits(kept, [chain]), count=genes**2).reshape(genes, genes)
    assert 0 < found.mean() < 1 and (found == (effects.effect_matrix(weights, [chain]) != 0)).all()


def test_regulators_share_units_where_both_have_weights():
    weights = {"w_s": np.array([[1.0, -2.0, 0.0]]), "w_p": np.array([[0.0, 1.0, 1.0]])}
    assert effects.shared_units(weights, PHOENIX_CHAINS, [0, 1, 2]).tolist() == [[1, 2, 0], [2, 5, 1], [0, 1, 1]]
    assert effects.shared_units(weights, PHOENIX_CHAINS, [2, 0]).tolist() == [[1, 0], [0, 1]]


def test_relative_effects_of_a_target_sum_to_one():
    relative = effects.relative_effects(np.array([[1.0, -3.0], [0.0, 0.0]]))
    assert relative.tolist() == [[0.25, 0.75], [0.0, 0.0]]


def test_balanced_accuracy_by_hand_counts_the_diagonal():
    truth = np.array([[0, 1], [0, 0]])
    predicted = np.array([[0.5, -1e-300], [0.0, 0.0]])
    scores = edge_scores(predicted, truth, truth)
    assert scores["true_positive_rate"] == 1
    assert scores["true_negative_rate"] == pytest.approx(2 / 3)
    assert scores["balanced_accuracy"] == pytest.approx(5 / 6)
    assert scores["precision"] == 0.5


def test_scores_outside_the_prior_and_within_regulators_by_hand():
    truth = np.array([[0, 1, 0], [1, 0, 0], [0, 1, 0]])  # genes 0 and 1 regulate
    prior = np.array([[0, 1, 0], [0, 0, 0], [0, 0, 1]])  # one true edge, one wrong, two of the three missing
    predicted = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1]])
    scores = edge_scores(predicted, truth, prior)
    assert scores["recall_outside_prior"] == 1 / 2
    assert scores["balanced_accuracy_outside_prior"] == (1 / 2 + 1) / 2
    assert scores["wrong_prior_kept"] == 1
    assert scores["balanced_accuracy_within_regulators"] == (2 / 3 + 1) / 2
    perfect = edge_scores(predicted, truth, truth)
    assert np.isnan(perfect["recall_outside_prior"]) and np.isnan(perfect["wrong_prior_kept"])


@pytest.mark.parametrize("decimals", [1, 6])
def test_rankings_agree_with_scikit_learn_also_with_ties(decimals):
    random = np.random.default_rng(decimals)
    truth = random.random((40, 40)) < 0.06
    strength = np.round((random.random((40, 40)) + truth).clip(max=1.5), decimals) * (random.random((40, 40)) < 0.6)
    scores = ranking_scores(strength, truth)
    false_rate, true_rate, _ = roc_curve(truth.ravel(), strength.ravel())
    assert scores["auroc"] == pytest.approx(roc_auc_score(truth.ravel(), strength.ravel()))
    assert scores["auprc"] == pytest.approx(average_precision_score(truth.ravel(), strength.ravel()))
    assert scores["balanced_accuracy_best"] == pytest.approx((1 + (true_rate - false_rate).max()) / 2)


def test_precision_among_the_first_is_that_of_a_random_order_of_ties():
    truth = np.array([[1, 0, 1, 0]], dtype=bool)
    assert ranking_scores(np.array([[3.0, 2.0, 1.0, 0.0]]), truth)["precision_at_edges"] == 1 / 2
    assert ranking_scores(np.array([[3.0, 1.0, 1.0, 1.0]]), truth)["precision_at_edges"] == pytest.approx(2 / 3)
    assert ranking_scores(np.zeros((1, 4)), truth)["precision_at_edges"] == 1 / 2
    assert ranking_scores(np.array([[3.0, 2.0, 1.0, 0.0]]), truth)["precision_at_100"] == 1 / 2


def test_no_scores_where_the_gold_standard_is_empty():
    scores = edge_scores(np.ones((2, 2)), np.zeros((2, 2)), np.zeros((2, 2)))
    assert np.isnan(scores["auroc"]) and np.isnan(scores["balanced_accuracy"])


def test_a_genome_is_scored_in_few_calls_and_little_memory(calls_of):
    random = np.random.default_rng(0)
    shape = 3551, 3551
    truth, prior = (random.random(shape, dtype=np.float32) < 4e-3 for _ in range(2))
    strength = random.random(shape, dtype=np.float32)
    tracemalloc.start()
    calls, _ = calls_of(edge_scores, strength, truth, prior)
    assert calls < 5_000
    assert tracemalloc.get_traced_memory()[1] < 400e6
    tracemalloc.stop()


def test_a_network_without_strengths_is_scored_in_little_more_memory_than_it_has():
    random = np.random.default_rng(0)
    truth, prior, network = (random.random((2000, 2000), dtype=np.float32) < 4e-3 for _ in range(3))
    tracemalloc.start()
    edge_scores(network, truth, prior)
    assert tracemalloc.get_traced_memory()[1] < 2.5 * network.nbytes
    tracemalloc.stop()


def test_persistence_is_judged_on_test_pairs_only():
    values = np.array([[[0.0, 0.0], [1.0, 3.0], [1.0, 3.0]]])
    transitions, split = np.array([[0, 0], [0, 1]]), np.array(["test", "train"])
    assert controls.persistence_error(values, transitions, split) == 5.0


def test_a_probe_of_several_genes_gets_the_edges_of_each(tmp_path):
    path = tmp_path / "edges.csv"
    path.write_text("from,to\nA,C\nB,C\nC,D\n")
    network, _ = sparse_edges(path, ["A /// B", "C", "D", "A"])
    assert np.argwhere(network.toarray()).tolist() == [[1, 0], [1, 3], [2, 1]]


def test_signs_and_weights_multiply(tmp_path):
    path = tmp_path / "edges.tsv"
    path.write_text("regulator\ttarget\tsign\tweight\nA\tB\t-1\t0.5\n")
    network, _ = sparse_edges(path, ["A", "B"])
    assert network[1, 0] == -0.5


def test_three_layouts_of_a_matrix_hold_the_same_network(tmp_path):
    dense, triplets, labelled = (tmp_path / name for name in ("dense.csv", "triplets.csv", "labelled.tsv"))
    dense.write_text("0,0,-1,0\n0,0,0,0\n0,0,0,0\n0,0,0,1\n")  # A represses C, D activates itself
    triplets.write_text("1;3;-1\n4;4;1\n")
    labelled.write_text("name\tA\tD\nB\t0\t0\nC\t-1\t0\nD\t0\t1\n")
    genes = ["A", "B", "C", "D"]
    networks = [sparse_matrix(path, genes)[0].toarray() for path in (dense, triplets, labelled)]
    assert np.argwhere(networks[0]).tolist() == [[2, 0], [3, 3]] and networks[0][2, 0] == -1
    assert np.array_equal(networks[0], networks[1]) and np.array_equal(networks[0], networks[2])


def test_unknown_genes_in_a_prior_are_named_with_their_file(tmp_path):
    path = tmp_path / "prior.tsv"
    path.write_text("regulator\ttarget\nA\tB\nA\tX1\nX2\tB\n")
    with pytest.raises(InputError, match=r"prior\.tsv: 2 genes are not in the expression data: X1, X2"):
        sparse_edges(path, ["A", "B"])
    network, left_out = sparse_edges(path, ["A", "B"], restrict=True)
    assert network.nnz == 1 and left_out == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("regulator,aim\nA,B\n", "no column 'target'"),
        ("regulator,target\nA,\n", "row 2 has no target"),
        ("regulator,target,weight\nA,B,much\n", "not finite numbers, the first is 'much'"),
        ("regulator,target\nX,Y\n", "none of its edges joins two genes"),
        ("regulator,target\n", "no edge between genes"),
        ("regulator,target,weight\nA,B,0\n", "no edge between genes"),
        ("", "the file is empty"),
    ],
)
def test_wrong_edge_lists_say_what_is_wrong(tmp_path, text, message):
    path = tmp_path / "prior.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        sparse_edges(path, ["A", "B"], restrict=True)
    assert "prior.csv" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0,1\n0,0\n", "2 x 2 numbers, expected 4 x 4"),
        ("0,1,0,0\n0,0,0,0\n0,nan,0,0\n0,0,0,0\n", "1 values are not finite numbers"),
        ("1,9,1\n", "whole numbers from 1 to 4"),
        ("1,2,0\n", "no edge between genes"),
        ("name,A,X\nB,0,1\nC,0,0\nX,0,0\n", "no edge between genes"),
    ],
)
def test_wrong_matrices_say_what_is_wrong(tmp_path, text, message):
    path = tmp_path / "matrix.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        sparse_matrix(path, ["A", "B", "C", "D"], restrict=True)


def test_gene_names_are_the_first_column_and_each_stands_there_once(tmp_path):
    path = tmp_path / "genes.csv"
    path.write_text('"x","name"\n"YAL040C","CLN3"\n"NA","X"\n')
    assert read_gene_names(path) == ["YAL040C", "NA"]
    for text, message in (
        ("gene\nA\nB\nA\n", "gene 'A' is named more than once"),
        ("gene\n", "no gene names"),
        ("", "the file is empty"),
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
    prior, _ = sparse_edges(folder / "motif_prior.csv", genes, restrict=True)
    assert prior.nnz == 51254
    assert len(np.unique(prior.indices)) == 65
