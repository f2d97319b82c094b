"""Whole trajectories are solved from their first measured point, in the time of the data, and stand beside the data."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torchdiffeq import odeint

from kinetrain import tables
from kinetrain.data.expression import Expression, Split, prepare
from kinetrain.errors import InputError
from kinetrain.files import save_arrays
from kinetrain.neural.fields import mlp, phoenix
from kinetrain.neural.trajectories import shown_genes, shown_trajectories, trajectory_rows

HIDDEN = 5


def models(expression, field=phoenix, seeds=(0, 1, 2)) -> dict:
    starts = [field.initialise(seed, len(expression.genes), HIDDEN) for seed in seeds]
    return {name: np.stack([one[name] for one in starts]).astype(np.float32) for name in starts[0]}


def solved(field, parameters, model: int, start, times) -> np.ndarray:
    """Return the states (T, k) by the solver of torchdiffeq, in the time of the model."""
    own = {name: torch.from_numpy(part[[model]]).double() for name, part in parameters.items()}
    path = odeint(lambda _, state: field.derivative(own, state), start, times, rtol=1e-9, atol=1e-11, method="dopri8")
    return path[:, 0, 0].numpy()


@pytest.mark.parametrize("field", [phoenix, mlp])
def test_a_course_is_the_solution_from_the_first_measured_point_alone(expression, field):
    scaled = replace(expression, times=expression.times / 2.5, time_unit="h", time_scale=2.5)
    parameters = models(expression, field)
    table = trajectory_rows(field, parameters, scaled)
    assert table["trajectory"].unique().tolist() == shown_trajectories(expression)
    assert (table["time_unit"] == "h").all() and (table[["models", "seeds"]] == 3).all().all()
    genes = expression.genes[shown_genes(expression)]
    assert table["gene"].unique().tolist() == genes.tolist()
    for number, own in table.groupby("trajectory"):
        assert own["time"].max() == 7 and own.groupby("gene")["time"].nunique().eq(50).all()
        start = torch.from_numpy(expression.values[number, 0])[None, None]
        for gene, course in own.groupby("gene"):
            times, place = torch.from_numpy(course["time"].to_numpy() / 2.5), list(expression.genes).index(gene)
            paths = np.array([solved(field, parameters, model, start, times)[:, place] for model in range(3)])
            for column, of_models in (("predicted", np.median), ("low", np.min), ("high", np.max)):
                np.testing.assert_allclose(course[column], of_models(paths, axis=0), rtol=1e-4, atol=1e-5)
            measured = course.dropna(subset="measured")
            assert measured["time"].tolist() == [0, 2, 3, 7]
            np.testing.assert_array_equal(measured["measured"], expression.values[number, :, place])
            assert measured["split"].tolist() == ["", "test", "test", "test"]


def test_later_measurements_do_not_enter_a_prediction(expression):
    parameters, changed = models(expression), expression.values.copy()
    changed[shown_trajectories(expression), 1:] += 0.3
    first, second = (
        trajectory_rows(phoenix, parameters, replace(expression, values=one)) for one in (expression.values, changed)
    )
    np.testing.assert_array_equal(first["predicted"], second["predicted"])
    assert (first["measured"] != second["measured"])[first["split"] == "test"].all()


def test_models_that_failed_or_run_away_are_counted_and_do_not_pass_for_predictions(expression):
    parameters = models(expression, mlp)
    parameters["w1"][0] = np.nan  # the training failed
    for name in ("w1", "w2"):
        parameters[name][1] = 30  # grows without bounds
    table = trajectory_rows(mlp, parameters, expression)
    ends = table.groupby(["trajectory", "gene"]).last()
    assert (table["seeds"] == 3).all() and (ends["models"] == 1).all()
    left = trajectory_rows(mlp, {name: part[2:] for name, part in parameters.items()}, expression)
    np.testing.assert_array_equal(ends["predicted"], left.groupby(["trajectory", "gene"]).last()["predicted"])
    none = trajectory_rows(mlp, {name: part[:1] for name, part in parameters.items()}, expression)
    assert none["predicted"].isna().all() and (none["models"] == 0).all() and none["measured"].notna().any()


def test_genes_are_those_that_vary_most_in_training_whatever_they_do_elsewhere():
    times = np.tile([0.0, 1, 2, 3], (4, 1))
    values = np.zeros((4, 4, 3))
    values[..., 0] = 100.0 * np.arange(4)[:, None]  # between trajectories alone
    values[:, :, 1] = [0, 1, 0, 1]
    values[:, :, 2] = [0, 0.5, 0, 0.5]
    transitions = np.array([(r, i) for r in range(4) for i in range(3)])
    split = np.repeat(["train", "train", "validation", "test"], 3)
    values[2:, :, 2] = [0, 50, 0, 50]  # held out
    data = Expression(np.array(list("abc")), values, times, transitions, split, "time")
    assert shown_genes(data).tolist() == [1, 2, 0] and shown_genes(data, 1).tolist() == [1]
    assert shown_trajectories(data) == [3]
    assert shown_trajectories(replace(data, split=np.where(split == "test", "train", split))) == [2]


def test_of_one_trajectory_the_whole_is_shown_with_the_split_of_every_point():
    times = np.array([[0.1, 0.4, 0.7, 1.3, 9.0, 9.3]])
    values = np.random.default_rng(0).random((1, 6, 3))
    options = Split(validation=(1,), test_fraction=0.3, longest_interval=1)
    data = prepare(list("abc"), (values, times), None, options, "pseudotime")
    table = trajectory_rows(phoenix, models(data), data).query("gene == 'a' and measured.notna()")
    assert table["time"].tolist() == times[0].tolist()  # without a trace of rescaling
    splits = dict(zip(data.transitions[:, 1], data.split, strict=True))
    assert table["split"].tolist() == ["", *(splits.get(place, "") for place in range(5))]
    assert "test" in set(table["split"]) and table["split"].iloc[4] == ""  # the long interval is left out


def test_trajectories_of_different_length_are_padded_and_replicates_stand_apart():
    values, times = np.full((4, 60, 2), np.nan), np.full((4, 60), np.nan)
    for number, points in enumerate((3, 60, 4, 60)):
        times[number, :points] = np.arange(points)
        values[number, :points] = np.random.default_rng(number % 2).random((points, 2))
    data = prepare(list("ab"), (values[:2], times[:2]), (values[2:] + 1, times[2:]), Split(validation=(1,)), "h")
    table = trajectory_rows(phoenix, models(data), data)
    assert table["trajectory"].unique().tolist() == [2, 3] and table["predicted"].notna().all()
    rows = table.groupby(["trajectory", "gene"])["time"]
    assert rows.max().loc[2].tolist() == [3, 3] and rows.size().loc[3].tolist() == [60, 60]  # many: none in between
    assert not table.duplicated(list(tables.TABLES["trajectories"].key[4:])).any()


def test_the_command_writes_the_table_and_refuses_models_of_other_genes(call, tmp_path, expression):
    expression.save(tmp_path / "e.npz")
    same = {"seeds": np.arange(3), "field": np.array("phoenix"), "chains": np.array(phoenix.chains({}))}
    level = {"dataset": "toy", "method": "dash", "noise": 0.1, "prior_corruption": 0.0}
    pd.DataFrame([level | {"seed": seed} for seed in range(3)]).to_csv(tmp_path / "r.tsv", sep="\t", index=False)
    paths = [f"--{name}={tmp_path}/{name[0]}" for name in ("expression", "model", "runs", "output")]
    paths = [path + (".tsv" if path[-1] in "ro" else ".npz") for path in paths]
    save_arrays(tmp_path / "m.npz", genes=expression.genes, **same, **models(expression))
    call("predict_trajectories", *paths)
    table = tables.load("trajectories", tmp_path / "o.tsv")
    assert tables.name_of(table.columns) == "trajectories"
    assert table[list(level)].drop_duplicates().to_dict("records") == [level]
    save_arrays(tmp_path / "m.npz", genes=expression.genes[::-1], **same, **models(expression))
    with pytest.raises(InputError, match=r"m\.npz: its genes are not those of"):
        call("predict_trajectories", *paths)
