"""The commands turn files of published networks and of cells into what training reads."""

import json

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData, settings

from kinetrain.data.expression import load_expression

settings.allow_write_nullable_strings = True


@pytest.fixture
def network(tmp_path) -> list[str]:
    """A network of four genes, A AND NOT B acting on C and C on D, as the options that give its files."""
    files = {
        "genes": "x\nA_input\nB_input\nC\nD\n",
        "edges": "from,to,activation,EC50,n\nA,C,TRUE,0.5,1.4\nB,C,FALSE,0.4,1.8\nC,D,TRUE,0.5,1.5\n",
        "equations": "node,eqn\nA,input gene\nB,input gene\n"
        'C,"((fAct(A, 0.5, 1.4) * (1 - 1 * fAct(B, 0.4, 1.8))) * 1 - 1 * C) / 1"\n'
        'D,"((fAct(C, 0.5, 1.5)) * 1 - 1 * D) / 1"\n',
        "test": "4,1\n" + "0.5,0.5\n" * 2 + "0.5,0.6\n" * 2 + "0,1\n",
    }
    for name, text in files.items():
        (tmp_path / f"{name}.csv").write_text(text)
    return [f"--{name}={tmp_path}/{name}.csv" for name in files]


def test_a_published_network_makes_trajectories_and_takes_its_test_file(call, tmp_path, network, capsys):
    outputs = [f"--expression={tmp_path}/e.npz", f"--truth={tmp_path}/truth.tsv"]
    options = json.dumps({"trajectories": 6, "validation": [1, 4], "seed": 5})
    call("simulate_expression", *network, *outputs, "--settings", options)
    assert "4 genes, 2 inputs, 3 regulators, 3 edges; 6 trajectories simulated with seed 5" in capsys.readouterr().out
    expression = load_expression(tmp_path / "e.npz")
    assert set(expression.of("validation")[:, 0]) == {1, 4} and expression.of("test").tolist() == [[6, 0]]
    assert expression.values.shape == (7, 5, 4) and len(expression.of("train")) == 16
    truth = pd.read_csv(tmp_path / "truth.tsv", sep="\t")
    assert truth.to_numpy().tolist() == [["A", "C", 1], ["B", "C", -1], ["C", "D", 1]]


def test_published_trajectories_may_take_the_place_of_simulated_ones(call, tmp_path, network):
    (tmp_path / "train.csv").write_text("4,3\n" + ("0.5,0.6\n" * 4 + "0,1\n") * 3)
    outputs = [f"--expression={tmp_path}/e.npz", f"--truth={tmp_path}/truth.tsv", f"--train={tmp_path}/train.csv"]
    call("simulate_expression", *network, *outputs, "--settings", '{"validation": [2]}')
    expression = load_expression(tmp_path / "e.npz")
    assert expression.values.shape == (4, 2, 4) and expression.of("validation").tolist() == [[2, 0]]


@pytest.mark.parametrize(
    ("left_out", "message"), [(1, "needs all three"), (None, "a published network has neither modules")]
)
def test_options_that_do_not_go_together_are_refused(call, tmp_path, network, capsys, left_out, message):
    given = [option for index, option in enumerate(network) if index != left_out]
    outputs = [f"--{name}={tmp_path}/x" for name in ("expression", "truth", "gene-sets")]
    with pytest.raises(SystemExit):
        call("simulate_expression", *given, *outputs)
    assert message in capsys.readouterr().err


def test_cells_become_expression(call, tmp_path, capsys):
    generator = np.random.default_rng(0)
    obs = pd.DataFrame({"dpt": generator.random(60), "lineage": np.repeat(["a", "b", "c"], 20)})
    cells = AnnData(generator.random((60, 5)), obs=obs, var=pd.DataFrame(index=list("ABCDE")))
    cells.write_h5ad(tmp_path / "cells.h5ad")
    paths = [f"--train={tmp_path}/cells.h5ad", f"--test={tmp_path}/cells.h5ad", f"--expression={tmp_path}/e.npz"]
    options = {"time": "dpt", "trajectory": "lineage", "bins": 10, "validation": [2], "time_unit": "pseudotime"}
    call("prepare_expression", *paths, "--settings", json.dumps(options))
    said = capsys.readouterr().out
    assert said == "5 genes (A to E), 6 trajectories; transitions: 18 for train, 9 for validation, 27 for test\n"
    expression = load_expression(tmp_path / "e.npz")
    assert expression.genes.tolist() == list("ABCDE") and expression.time_unit == "pseudotime"
    assert np.allclose(expression.values[0].mean(axis=0), cells.X[:20].mean(axis=0))
