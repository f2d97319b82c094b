"""The published networks are those whose trajectories were published; files that cannot be read are refused."""

import numpy as np
import pytest

from kinetrain.data.expression_files import read_trajectories
from kinetrain.data.networks import sparse_matrix
from kinetrain.errors import InputError
from kinetrain.simulation.gene_network import draw_initial_states, simulate
from kinetrain.simulation.options import PublishedSimulation
from kinetrain.simulation.published_network import parse, read_network

DASH = "QuackenbushLab/DASH/2365bd1f4654b63bbc399700dd6897c32c029e2a/ground_truth_simulator/clean_data"
PHOENIX = "QuackenbushLab/phoenix/b18317663aada933fa26402df6aad86d042bd13b/ground_truth_simulator/clean_data"
FILES = {
    350: (f"{PHOENIX}/gene_names_350.csv", f"{PHOENIX}/edge_properties_G350.csv", (1.01, 1.7)),
    690: (f"{DASH}/gene_names.csv", f"{DASH}/edge_properties.csv", (1.39, 1.8)),
}
EQUATION = "(({}) * 1 - 1 * C) / 1"
EFFECTS = {"A": "1 * fAct(A, 0.5, 1.5e0)", "not B": "(1 - 1 * fAct(B, 0.4, 1.6))"}
BOTH = " * ".join(EFFECTS.values())


@pytest.fixture(scope="module", params=[350, 690])
def published(request, mirror):
    """The number of genes, the network, and its published trajectories with their times."""
    names, edges, exponents = FILES[request.param]
    formulas = mirror / DASH / "ode_system_functions.csv"
    network = read_network(mirror / names, mirror / edges, formulas, exponents)
    path = mirror / DASH / f"simu_{request.param}genes_10samples_for_testing.csv"
    return request.param, network, *read_trajectories(path, network.genes)[1:]


def test_the_published_trajectories_are_those_of_the_network(published):
    _, network, values, times = published
    assert np.abs(simulate(network, values[:, 0], times[0]) - values).max() < 2e-6


def test_the_published_truth_is_the_network(published, mirror):
    size, network, _, _ = published
    truth = sparse_matrix(mirror / DASH / f"edge_prior_matrix_simu_{size}_noise_0.0.csv", network.genes.tolist())[
        0
    ].toarray()
    found = np.zeros_like(truth)
    found[network.target, network.regulator] = network.sign
    assert (found == truth).all()


def test_the_counts_are_the_published_ones(published):
    size, network, values, _ = published
    sizes = len(set(network.regulator)), len(set(network.target)), (network.sign > 0).sum(), (network.sign < 0).sum()
    assert network.inputs.sum() == (73 if size == 350 else 97)
    assert sizes == ((97, 277, 374, 176) if size == 350 else (133, 593, 860, 222))
    assert (network.inputs == (np.ptp(values, axis=1) == 0).all(axis=0)).all()
    persistence = ((values[:, 1:] - values[:, :-1]) ** 2).mean()
    assert np.isclose(persistence, 0.02060 if size == 350 else 0.01969, atol=5e-6)


def test_the_order_of_the_genes_is_that_of_the_data(published):
    size, network, _, _ = published
    place = network.genes.tolist().index("SIN3")
    assert place == (90 if size == 350 else 122) and not network.inputs[place]
    assert network.inputs[: network.inputs.sum()].all()


def test_trajectories_of_our_own_look_like_the_published_ones(published):
    size, network, published_values, times = published
    values = simulate(network, draw_initial_states(network, 20, seed=1), times[0])
    assert values.min() >= 0 and values.max() <= 1
    assert ((np.ptp(values, axis=1) == 0).all(axis=0) == network.inputs).all()
    assert abs(values.mean() - published_values.mean()) < 0.03
    persistence = ((values[:, 1:] - values[:, :-1]) ** 2).mean()
    assert abs(persistence - (0.0208 if size == 350 else 0.0197)) < 0.003


@pytest.fixture
def files(tmp_path):
    """A network of three genes, C = A AND NOT B, as three files that a test may change."""

    def files(formula=BOTH, edges="A,C,TRUE,0.5,1.39\nB,C,FALSE,0.4,1.8\n", names="A\nB\nC\n"):
        (tmp_path / "names.csv").write_text("x\n" + names.replace("A", "A_input"))
        (tmp_path / "edges.csv").write_text("from,to,activation,EC50,n\n" + edges)
        equations = [("A", "input gene"), ("B", "input gene"), ("C", EQUATION.format(formula))]
        text = "".join(f'"{gene}","{equation}"\n' for gene, equation in equations)
        (tmp_path / "equations.csv").write_text("node,eqn\n" + text)
        return tmp_path / "names.csv", tmp_path / "edges.csv", tmp_path / "equations.csv"

    return files


def test_exponents_are_stretched_and_effects_come_from_the_table(files):
    network = read_network(*files(), exponents=(1.0, 2.0))
    assert np.allclose(network.exponent, [1, 2]) and network.half.tolist() == [0.5, 0.4]
    assert network.genes.tolist() == ["A", "B", "C"] and network.rules == (None, None, ("and", (0, 1)))


def test_or_is_known_by_its_formula_and_edges_that_are_missing_are_left_out(files):
    a, b = EFFECTS.values()
    either = f"({a} + {b} - {a} * {b})"
    assert read_network(*files(either)).rules[2] == ("or", (0, 1))
    assert read_network(*files(f"{either} * fAct(D, 0.5, 1.5)")).rules[2] == ("or", (0, 1))
    assert read_network(*files(either, edges="B,C,FALSE,0.4,1.8\n")).rules == (None, None, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"formula": "1 * fAct(A, 0.5, 1.5)"}, "equations.csv: gene 'C': the formula lacks the regulator B"),
        ({"formula": "fAct(A, 1, 1) * fAct(B, 1, 1)"}, "the regulator B activates in one file and represses"),
        ({"formula": "fAct(A, 1, 1) + fAct(B, 1, 1)"}, "holds what is neither AND nor OR"),
        ({"formula": "fAct(A, 1, 1"}, "cannot read the formula: expected"),
        ({"formula": "__import__('os')"}, "cannot read the formula: expected \\), found"),
        ({"edges": "A,C,TRUE,0.5\n"}, "edges.csv: row 2 has no value in the column 'n'"),
        ({"edges": "A,D,TRUE,0.5,1.4\n"}, "edges.csv: names genes that .*names.csv does not have: D"),
        ({"edges": "A,B,TRUE,0.5,1.4\n"}, "gene 'B': no formula, though"),
    ],
)
def test_files_that_do_not_fit_are_refused(files, change, message):
    with pytest.raises(InputError, match=message):
        read_network(*files(**change))


def test_a_formula_is_read_by_the_rules_of_arithmetic():
    assert parse("1 * a * 2 + b / 1 - (c - 3e-1)", "here") == (
        "-",
        ("+", ("*", "a", 2.0), "b"),
        ("-", "c", 0.3),
    )


def test_impossible_exponents_are_refused():
    with pytest.raises(ValueError, match="exponents: must be above 0, the smaller first"):
        PublishedSimulation(exponents=(1.7, 1.01))
