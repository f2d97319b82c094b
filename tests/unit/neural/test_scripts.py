"""The commands write what the next stage reads, and the same seed gives the same bytes."""

import json

import numpy as np
import pandas as pd
import pytest

from kinetrain import tables
from kinetrain.errors import InputError, InputWarning
from kinetrain.files import save_arrays
from kinetrain.neural.fields import phoenix

SMALL = {"genes": 14, "regulators": 6, "inputs": 3, "modules": 2, "trajectories": 10}


def simulate(call, folder, **settings):
    outputs = [f"--expression={folder}/e.npz", f"--truth={folder}/truth.tsv", f"--gene-sets={folder}/sets.gmt"]
    call("simulate_expression", *outputs, "--settings", json.dumps({**SMALL, **settings}))
    return [(folder / name).read_bytes() for name in ("e.npz", "truth.tsv", "sets.gmt")]


def test_the_same_seed_simulates_the_same_bytes(call, tmp_path):
    for name in "abc":
        (tmp_path / name).mkdir()
    one, same = simulate(call, tmp_path / "a"), simulate(call, tmp_path / "b")
    assert one == same
    assert all(left != right for left, right in zip(one, simulate(call, tmp_path / "c", seed=2), strict=True))
    truth = pd.read_csv(tmp_path / "a/truth.tsv", sep="\t")
    assert list(truth.columns) == ["regulator", "target", "sign"]
    sets = [line.split("\t") for line in (tmp_path / "a/sets.gmt").read_text().splitlines()]
    assert [row[0] for row in sets[:4]] == ["module_1", "module_2", "planted_hubs", "decoy_1"] and len(sets) == 43
    assert sorted(gene for row in sets[:2] for gene in row[2:]) == sorted(f"G{one:02}" for one in range(1, 15))


def test_wrong_simulation_settings_are_refused(call, tmp_path):
    with pytest.raises(InputError, match="inputs 7 > regulators 6; give at most that"):
        simulate(call, tmp_path, inputs=7)
    with pytest.raises(InputError, match="unknown key 'gens'"):
        simulate(call, tmp_path, gens=7)


def test_measured_expression_without_usable_transitions_names_the_file(call, tmp_path):
    (tmp_path / "genes.csv").write_text("gene\nA\nB\n")
    for name, step in (("train", 1), ("test", 5)):
        rows = [f"{one},{step * at},{at},{-at}" for one in range(5) for at in range(3)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["trajectory,time,A,B", *rows]))
    paths = [f"--{name}={tmp_path}/{name}.csv" for name in ("train", "test", "genes")]
    paths.append(f"--expression={tmp_path}/e.npz")
    with pytest.raises(InputError, match=r"test\.csv: all transitions are longer than longest_interval 2"):
        call("prepare_expression", *paths, "--settings", '{"longest_interval": 2}')
    with pytest.raises(InputError, match=r"train\.csv: 0 trajectories"):
        call("prepare_expression", *paths, "--settings", '{"longest_interval": 0.5}')
    call("prepare_expression", *paths)
    assert np.load(tmp_path / "e.npz")["genes"].tolist() == ["A", "B"]
    (tmp_path / "genes.csv").write_text("A\nB\n")
    with pytest.warns(InputWarning, match=r"genes\.csv: has no header, its first gene is 'A'"):
        call("prepare_expression", *paths)
    assert np.load(tmp_path / "e.npz")["genes"].tolist() == ["A", "B"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["--noise=nan", "--seeds=0"], "--noise nan: must be at least 0"),
        (["--seeds", "0", "0"], "--seeds 0 0: must be different"),
        (["--seeds=-1"], "--seeds -1: must be different whole numbers from 0"),
    ],
)
def test_impossible_noise_and_seeds_are_refused(call, capsys, wrong, message):
    names = ("expression", "dataset", "method", "checkpoint", "model", "runs", "history", "path")
    with pytest.raises(SystemExit):
        call("train_neural_ode", *(f"--{name}=x" for name in names), *wrong)
    assert message in capsys.readouterr().err


def test_influences_are_a_table_of_seeds_and_genes_empty_for_failed_models(call, tmp_path):
    simulate(call, tmp_path)
    genes = np.load(tmp_path / "e.npz")["genes"]
    start = phoenix.initialise(0, len(genes), 20)
    model = {name: np.stack([part, part * np.nan]).astype(np.float32) for name, part in start.items()}
    chains = phoenix.chains(phoenix.shapes(len(genes), 20))
    named = {"seeds": np.array([3, 4]), "field": np.array("phoenix"), "chains": np.array(chains)}
    save_arrays(tmp_path / "m.npz", genes=genes, **named, **model)
    paths = [f"--model={tmp_path}/m.npz", f"--expression={tmp_path}/e.npz", f"--output={tmp_path}/i.tsv"]
    call("influence", *paths, "--settings", '{"vectors": 3}')
    table = pd.read_csv(tmp_path / "i.tsv", sep="\t")
    assert list(table.columns) == ["seed", "gene", "influence", "targets"]
    assert list(table.gene) == 2 * list(genes)
    assert (table.influence[table.seed == 3] >= 0).all() and table.influence[table.seed == 4].isna().all()
    save_arrays(tmp_path / "m.npz", genes=genes[::-1], **named, **model)
    with pytest.raises(InputError, match=r"m\.npz: its genes are not those of"):
        call("influence", *paths)


def test_a_fold_that_was_broken_off_is_not_mixed_with_one_of_other_settings(call, tmp_path, monkeypatch):
    simulate(call, tmp_path)
    fold = ["tune", f"--expression={tmp_path}/e.npz", "--dataset=small", "--method=dst", "--seed=0", "--fold=0"]
    fold += [f"--checkpoint={tmp_path}/parts", f"--output={tmp_path}/fold.tsv"]

    def tune(alphas, epochs):
        settings = {"integrator": "rk4", "hidden": 3, "epochs": epochs, "pruning": {"first_epoch": 1}}
        call(*fold, "--settings", json.dumps(settings), "--tuning", json.dumps({"grid": {"alpha": alphas}}))
        return pd.read_csv(tmp_path / "fold.tsv", sep="\t").drop(columns="cpu_seconds")

    whole = tune([0.0, 0.01], 2)
    for alphas, epochs in (([0.02, 0.03], 2), ([0.0, 0.01], 3), ([0.0, 0.01], 2)):
        with monkeypatch.context() as broken:  # before it takes the checkpoint away
            broken.setattr("shutil.rmtree", lambda *arguments, **options: None)
            found = tune(alphas, epochs)
    assert list(found.setting) == ['{"alpha": 0.0}', '{"alpha": 0.01}'] and found.equals(whole)
    began = len(list((tmp_path / "parts").glob("*.finished")))
    assert found.equals(tune([0.0, 0.01], 2)) and began == 6  # nothing was trained again
    assert not (tmp_path / "parts").exists()
    chosen = [f"--chosen={tmp_path}/chosen.json", f"--table={tmp_path}/folds.tsv"]
    call("choose_settings", f"{tmp_path}/fold.tsv", "--tuning", json.dumps({"grid": {"alpha": [0.0, 0.01]}}), *chosen)
    table = tables.load("tuning", tmp_path / "folds.tsv")
    assert table["chosen"].sum() == 1 and (tmp_path / "chosen.json").read_text().strip() in set(found.setting)
