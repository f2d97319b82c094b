"""Priors of many genes are corrupted, counted and stored within little memory and without changing a value."""

import sys
import tracemalloc

import numpy as np
import pytest
from scipy import sparse

from kinetrain.data import prior_networks
from kinetrain.data.networks import read_network
from kinetrain.errors import InputError
from kinetrain.files import save_arrays

EDGES = "regulator\ttarget\tweight\nA\tB\t0.5\nB\tC\t-0.2\nC\tA\t0.1\n"


@pytest.fixture
def edges(tmp_path):
    (tmp_path / "edges.tsv").write_text(EDGES)
    return tmp_path / "edges.tsv"


def test_moved_edges_fall_on_free_pairs_and_only_there():
    prior = np.array([[0, 1, -1], [0.5, 0, 0], [0, 0, 0]])
    for seed in range(20):
        corrupted = prior_networks.corrupt(prior, 1, seed).toarray()
        assert not corrupted[prior != 0].any() and not np.diag(corrupted).any()
        assert sorted(corrupted[corrupted != 0]) == [-1, 0.5, 1]


def test_each_free_pair_is_drawn_about_as_often():
    prior = np.zeros((4, 4))
    prior[0, 1] = 1
    hits = sum(prior_networks.corrupt(prior, 1, seed).toarray() for seed in range(2200))
    free = (prior == 0) & ~np.eye(4, dtype=bool)
    assert (hits[free] > 150).all() and (hits[free] < 250).all() and hits[~free].sum() == 0


def test_coregulation_is_the_product_of_the_prior_with_itself():
    prior = np.random.default_rng(0).choice([0, 0, 0, 1, -0.5], (40, 40))
    present = (prior != 0).astype(float)
    assert (prior_networks.coregulation(prior).toarray() == present.T @ present).all()


def test_thousands_of_genes_take_the_memory_of_their_edges():
    genes = 1500
    prior = sparse.lil_array((genes, genes))
    prior[:, :20] = 1
    prior = prior.tocsr()
    tracemalloc.start()
    try:
        prior_networks.coregulation(prior_networks.corrupt(prior, 0.1, 0))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < genes * genes * 8 / 4


def test_values_up_to_the_threshold_are_no_edges(edges):
    network, _ = read_network(["A", "B", "C"], edges=edges, threshold=0.1)
    assert network.nnz == 2 and network[2, 1] == -0.2
    with pytest.raises(InputError, match=r"edges\.tsv: no edge between genes of the data set is above 0\.5"):
        read_network(["A", "B", "C"], edges=edges, threshold=0.5)


def test_a_stored_prior_is_read_as_it_was_with_all_digits(monkeypatch, root, tmp_path, edges):
    monkeypatch.syspath_prepend(str(root / "workflow/scripts"))
    save_arrays(tmp_path / "e.npz", genes=np.array(["A", "B", "C"]))
    arguments = [f"--genes={tmp_path}/e.npz", f"--edges={edges}", f"--output={tmp_path}/p.npz"]
    monkeypatch.setattr(sys, "argv", ["build_prior", *arguments])
    __import__("build_prior").main()
    stored = prior_networks.load_prior(tmp_path / "p.npz", ["A", "B", "C"])
    assert stored["prior"].toarray().tolist() == [[0, 0, 0.1], [0.5, 0, 0], [0, -0.2, 0]]
    assert stored["coregulation"].toarray().tolist() == np.eye(3).tolist()
    with pytest.raises(InputError, match=r"p\.npz: its genes, or their order"):
        prior_networks.load_prior(tmp_path / "p.npz", ["A", "C", "B"])
