"""Ensembles predict their own conditions, and held-out groups after one look at a control."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import petab.v1 as petab
import pytest

from kinetrain import tables
from kinetrain.errors import InputError
from kinetrain.mechanistic.artificial_data import make_artificial
from kinetrain.mechanistic.artificial_options import ArtificialOptions
from kinetrain.mechanistic.petab_problem import PetabProblem
from kinetrain.mechanistic.predictions import groups_of, predict
from kinetrain.mechanistic.template import write_template
from kinetrain.options import read_options
from kinetrain.training.starts import best_members

SETTINGS = {
    "conditions": 12,
    "times": [300, 900],
    "noise": 0.01,
    "protocols": [{"inputs": {"EGF_0": {"log10_uniform": [-1.5, 1.5]}}}],
    "groups": {
        "count": 4,
        "test": 1,
        "inputs": {"pAKT": {"uniform": [0, 0.01]}},
        "control": {"EGF_0": 10},
    },
}


@pytest.fixture(scope="module")
def grouped(egf_yaml, compiled_model, tmp_path_factory):
    """A folder with artificial data of four groups, one held out; the model's folder; both problems; the truth."""
    folder = tmp_path_factory.mktemp("grouped")
    options = read_options(ArtificialOptions, SETTINGS)
    write_template(egf_yaml, options, folder / "template")
    template = folder / "template/problem.yaml"
    model = compiled_model(template)
    truth = make_artificial(template, model, 0, options, folder)
    return folder, model, *(PetabProblem(folder / name, model) for name in ("problem.yaml", "test.yaml")), truth


def test_the_truth_predicts_measurements_up_to_their_noise(grouped):
    _, _, train, test, truth = grouped
    table = predict(train, test, train.names, np.array([train.nominal, train.nominal]))
    residuals = (table["mean"] - table["measurement"]) / table["noise"]
    assert table["set"].value_counts().to_dict() == {"train": 9 * 6, "test": 2 * 6}
    assert set(table["group"]) == {"g00", "g01", "g02", "g03"}
    assert residuals[table["set"] == "train"].std() == pytest.approx(1, abs=0.3)
    assert residuals[table["set"] == "test"].abs().max() < 5  # its scaling comes from six measurements of the control
    assert table["noise"].iloc[0] == pytest.approx(truth["noise"][table["observable"].iloc[0]])
    assert (table["sd"] == 0).all() and (table["member0"] == table["mean"]).all()


def test_the_control_is_not_scored_and_what_is_fitted_needs_none(grouped):
    _, _, train, test, _ = grouped
    table = predict(train, test, train.names, np.array([train.nominal]))
    assert test.condition_names[0] not in set(table["condition"]) and train.condition_names[0] in set(
        table["condition"]
    )
    assert predict(train, None, train.names, np.array([train.nominal]))["set"].eq("train").all()
    with pytest.raises(InputError, match="'k_turnover', which was not fitted"):
        predict(train, test, train.names[1:], np.array([train.nominal[1:]]))


def test_a_member_that_cannot_be_simulated_is_left_out_of_the_mean(grouped):
    _, _, train, _, _ = grouped
    table = predict(train, None, train.names, np.array([train.nominal, np.full(len(train.names), 400.0)]))
    assert table["member1"].isna().all() and (table["mean"] == table["member0"]).all()


def test_groups_are_conditions_with_a_scaling_of_their_own(grouped, egf_yaml):
    _, _, train, _, _ = grouped
    group, scaling = groups_of({"train": train.petab.measurement_df})["train"]
    assert list(dict.fromkeys(scaling)) == ["scaling_g00", "scaling_g01", "scaling_g02"] and group[0] == "g00"
    plain = petab.Problem.from_yaml(str(egf_yaml)).measurement_df
    group, scaling = groups_of({"train": plain})["train"]
    assert list(group) == list(plain["simulationConditionId"]) and set(scaling) == {""}
    # a scaling that all conditions have is one of the observable, not of a group
    overrides = [f"scale_a;{name}" for name in ("scaling_x", "scaling_x", "scaling_y")]
    table = pd.DataFrame({"simulationConditionId": ["c0", "c1", "c2"], "observableParameters": overrides})
    assert list(groups_of({"train": table[:2], "test": table[2:]})["test"][0]) == ["y"]
    # a number is no scaling that a group could have of its own
    table["observableParameters"] = ["scale_a;1.0", "scale_a;1.0", "scale_a;2.5"]
    assert set(groups_of({"train": table})["train"][1]) == {""}


def test_the_best_fits_are_the_ensemble():
    fits = pd.DataFrame({"start": [0, 1, 2, 3], "objective": [3.0, 1.0, np.inf, 2.0], "schedule": "S1"})
    arrays = {"last": np.arange(4.0)[:, None], "best": 10 + np.arange(4.0)[:, None]}
    assert best_members(fits, arrays, 2)[:, 0].tolist() == [1, 3]
    assert best_members(fits, arrays, 10)[:, 0].tolist() == [1, 3, 0]
    assert best_members(fits.assign(schedule="-"), arrays, 1)[:, 0].tolist() == [11]


def test_the_command_writes_one_row_per_measurement(grouped, root, tmp_path):
    folder, model, train, _, _ = grouped
    run = {"problem": "egf", "optimizer": "adam", "schedule": "S", "batch_size": 2, "safeguard": "off", "replicate": 0}
    tables.save("fits", tables.frame("fits", [run | {"start": 0, "objective": 1.0}]), tmp_path / "fits.tsv")
    found = np.array([train.nominal])
    np.savez(tmp_path / "parameters.npz", names=np.array(train.names), last=found, best=found, averaged=found)
    command = [sys.executable, root / "workflow/scripts/predict.py", "--problem", folder / "problem.yaml"]
    command += ["--test", folder / "test.yaml", "--model", model, "--fits", tmp_path / "fits.tsv", "--ensemble", "10"]
    command += ["--parameters", tmp_path / "parameters.npz", "--settings", json.dumps({"max_steps": 5000})]
    subprocess.run([*map(str, command), "--output", str(tmp_path / "predictions.tsv")], check=True)
    table = pd.read_csv(tmp_path / "predictions.tsv", sep="\t")
    assert tuple(table.columns[:6]) == tables.FIT and len(table) == 11 * 6 and table["sd"].isna().all()
