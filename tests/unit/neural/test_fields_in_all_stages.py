"""Every vector field goes through every stage: training, scores, effects, path, whole trajectories, influence."""

import json

import numpy as np
import pandas as pd
import pytest

from kinetrain.files import load_table, save_arrays
from kinetrain.neural.fields import known_fields

CASES = [(field, hidden) for field in known_fields() for hidden in ([5, [5, 4]] if field == "mlp" else [5])]
NETWORK = {"genes": 14, "regulators": 6, "inputs": 3, "modules": 2, "trajectories": 10}
TRAINING = {"integrator": "rk4", "epochs": 3, "steps": 2, "pruning": {"first_epoch": 1, "first_fraction": 0.5}}


@pytest.mark.parametrize("method", ["unpruned", "sparseflow", "dash"])
@pytest.mark.parametrize(("field", "hidden"), CASES)
def test_a_field_is_trained_scored_and_measured(call, tmp_path, field, method, hidden):
    own = {"lambdas": [0.5] * (1 + np.size(hidden))} if method == "dash" else {}
    paths = {name: tmp_path / name for name in ("e.npz", "truth.tsv", "sets.gmt", "prior.npz", "m.npz", "path.npz")}
    call(
        "simulate_expression",
        *(f"--expression={paths['e.npz']}", f"--truth={paths['truth.tsv']}", f"--gene-sets={paths['sets.gmt']}"),
        *("--settings", json.dumps(NETWORK)),
    )
    call("build_prior", f"--genes={paths['e.npz']}", f"--edges={paths['truth.tsv']}", f"--output={paths['prior.npz']}")
    of_model = [f"--model={paths['m.npz']}", f"--runs={tmp_path}/runs.tsv", f"--path={paths['path.npz']}"]
    call(
        "train_neural_ode",
        *(f"--expression={paths['e.npz']}", f"--prior={paths['prior.npz']}", "--dataset=d", f"--method={method}"),
        *(f"--checkpoint={tmp_path}/parts", f"--history={tmp_path}/history.tsv", *of_model, "--seeds", "0", "1"),
        *("--settings", json.dumps({**TRAINING, "model": field, "hidden": hidden, "method": own})),
    )
    tables = {name: f"--{name}={tmp_path}/{name}.tsv" for name in ("output", "path-scores", "effects", "coregulation")}
    call(
        "score_network",
        *of_model,
        "--prior",
        *2 * [paths["prior.npz"]],
        f"--truth={paths['truth.tsv']}",
        *tables.values(),
    )
    assert load_table(tmp_path / "output.tsv")["balanced_accuracy"].notna().all()
    assert len(load_table(tmp_path / "effects.tsv")) and len(load_table(tmp_path / "path-scores.tsv"))
    courses = [f"--expression={paths['e.npz']}", f"--output={tmp_path}/trajectories.tsv"]
    call("predict_trajectories", *of_model[:2], *courses)
    assert (load_table(tmp_path / "trajectories.tsv")["models"] == 2).all()
    influence = [f"--model={paths['m.npz']}", f"--expression={paths['e.npz']}", f"--output={tmp_path}/influence.tsv"]
    for initial in ("observed", "published"):
        call("influence", *influence, "--settings", json.dumps({"vectors": 3, "initial": initial}))
        table = pd.read_csv(tmp_path / "influence.tsv", sep="\t")
        assert len(table) == 2 * NETWORK["genes"] and (table["influence"] >= 0).all()


def test_the_influence_of_a_linear_field_is_what_it_passes_on(call, tmp_path):
    """dg/dt = W g - g with W[1, 0] = 1 alone: gene 0 moves gene 1, and nothing else moves."""
    genes, times = np.array(["a", "b", "c"]), np.tile(np.arange(3.0), (3, 1))
    transitions = np.array([(trajectory, step) for trajectory in range(3) for step in range(2)])
    split = np.array(["train", "validation", "test"])[transitions[:, 0]]
    values = np.random.default_rng(0).random((3, 3, 3))
    named = {"genes": genes, "values": values, "times": times, "transitions": transitions, "split": split}
    save_arrays(tmp_path / "e.npz", **named, time_unit=np.array("h"), time_scale=np.array(1.0))
    w1, w2 = np.zeros((1, 3, 3)), np.eye(3)[None]
    w1[0, 1, 0] = 1
    zero = {"b1": np.zeros((1, 3)), "b2": np.zeros((1, 3))}
    layers = {name: part.astype(np.float32) for name, part in {"w1": w1, "w2": w2, **zero}.items()}
    named = {"genes": genes, "seeds": np.array([0]), "field": np.array("mlp"), "chains": np.array([["w1", "w2"]])}
    save_arrays(tmp_path / "m.npz", **named, **layers)
    call("influence", f"--model={tmp_path}/m.npz", f"--expression={tmp_path}/e.npz", f"--output={tmp_path}/i.tsv")
    influence = load_table(tmp_path / "i.tsv")["influence"]
    assert influence[0] > 0.01 and influence[1] == influence[2] == 0
