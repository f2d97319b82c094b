"""Measured time courses stand beside those that are simulated, in the panels that the problem asks for."""

import shutil

import numpy as np
import pandas as pd
import pytest
import yaml

from kinetrain import tables
from kinetrain.errors import InputError, InputWarning
from kinetrain.mechanistic.condition_labels import labels_by_inputs, labels_of_version_1
from kinetrain.mechanistic.kernel.problem import KernelProblem
from kinetrain.mechanistic.petab_files import gather, read_description, visualization_files
from kinetrain.mechanistic.petab_problem import PetabProblem
from kinetrain.mechanistic.petab_reader import read_petab
from kinetrain.mechanistic.time_courses import time_courses
from kinetrain.mechanistic.visualization import MOST_CURVES


@pytest.fixture(scope="module")
def egf(egf_yaml, egf_model):
    return PetabProblem(egf_yaml, egf_model)


@pytest.fixture
def with_plots(egf_yaml, tmp_path):
    """A function that writes a copy of the problem with this visualization table, and returns its YAML."""
    folder = shutil.copytree(egf_yaml.parent, tmp_path / "copy")

    def write(text):
        description = yaml.safe_load(egf_yaml.read_text())
        description["problems"][0]["visualization_files"] = ["plots.tsv"]
        (folder / "problem.yaml").write_text(yaml.safe_dump(description))
        measured = pd.read_csv(folder / "measurements.tsv", sep="\t")
        measured["datasetId"] = measured["observableId"] + "_" + measured["simulationConditionId"]
        measured.to_csv(folder / "measurements.tsv", sep="\t", index=False)
        (folder / "plots.tsv").write_text(text)
        return folder / "problem.yaml"

    return write


def test_every_engine_simulates_between_the_measured_times(egf, egf_yaml):
    kernel, theta = KernelProblem(egf_yaml), egf.nominal
    plain, finer = egf.simulate(theta, [2])[0], egf.simulate(theta, [2], between=37)[0]
    own = kernel.simulate(theta, [2], between=37)[0]
    assert np.array_equal(finer.ts, own.ts) and np.isin(np.linspace(0, 3600, 37), finer.ts).all()
    np.testing.assert_allclose(own.y, finer.y, rtol=1e-4, atol=1e-6)
    at = np.searchsorted(finer.ts, plain.ts)
    np.testing.assert_allclose(finer.y[at], plain.y, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(finer.sigmay[at], plain.sigmay)
    assert finer.llh == pytest.approx(plain.llh, rel=1e-5)


def test_without_a_visualization_table_observables_are_shown_in_their_first_conditions(egf, egf_yaml):
    table = time_courses(egf, egf_yaml, egf.nominal + 0.1)
    assert list(dict.fromkeys(table["panel"])) == ["pEGFR_total", "pAKT_total", "pS6_total"]
    assert table.groupby("panel")["condition"].nunique().tolist() == [MOST_CURVES["default"]] * 3
    assert (table["curves"] == 6).all() and (table["panels"] == 3).all()
    assert (
        table["label"].iloc[0] == "0.1 ng/ml EGF from 0 to 3600 s" and table["title"].iloc[0] != table["panel"].iloc[0]
    )
    measured = table[table["measurement"].notna()]
    assert len(measured) == 3 * 4 * 8 and measured["noise"].gt(0).all()
    # the true parameters of these data fit them better than others
    errors = [((measured["measurement"] - measured[name]) ** 2).sum() for name in ("fitted", "nominal")]
    assert errors[1] < errors[0]
    assert table.groupby(["panel", "condition"])["time"].apply(lambda time: time.is_monotonic_increasing).all()
    tables.check("courses", table.assign(problem="egf", replicate=0), "courses")


def test_the_visualization_table_decides_panels_labels_and_axes(egf_model, with_plots):
    path = with_plots(
        "plotId\tplotName\tdatasetId\tyValues\txLabel\tyLabel\tlegendEntry\tyScale\txOffset\n"
        "p1\tAKT\tpAKT_total_step_1\tpAKT_total\tTime [s]\tAU\t1 ng\tlog10\t-60\n"
        "p1\tAKT\tpAKT_total_step_3\tpAKT_total\tTime [s]\tAU\t3 ng\tlog10\t-60\n"
        "p2\t\t\tpS6_total\t\t\t\tlin\t\n"
    )
    problem = PetabProblem(path, egf_model)
    table = time_courses(problem, path, problem.nominal)
    first = table[table["panel"] == "p1"]
    assert set(first["label"]) == {"1 ng", "3 ng"} and set(first["condition"]) == {"step_1", "step_3"}
    assert first[["title", "x_label", "y_label", "y_scale"]].iloc[0].tolist() == ["AKT", "Time [s]", "AU", "log"]
    assert (first["x_offset"] == -60).all() and (first["y_offset"] == 0).all()
    second = table[table["panel"] == "p2"]
    assert (second["curves"] == 6).all() and second["label"].nunique() == 6
    assert second["label"].iloc[0].startswith("pS6_total, ")


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ({"c0": {"EGF": 0.12345, "end": 600.0}, "c1": {"EGF": 3.0, "end": 600.0}}, ["EGF 0.123", "EGF 3"]),
        ({"c0": {"end": 2893.514}, "c1": {"end": 1.5e7}}, ["end 2890", "end 1.5e+07"]),
        ({"a": {"x": 1, "y": "k1"}, "b": {"x": 2, "y": "k2"}}, ["x 1, y k1", "x 2, y k2"]),
        ({"a": {"x": 1.0}, "b": {"x": float("nan")}}, ["x 1", "b"]),
        ({"a": {"x": 1}, "b": {"x": 1}}, ["a", "b"]),
        ({"a": {"x": 1.00001}, "b": {"x": 1.00002}, "c": {"x": 2}}, ["a", "b", "x 2"]),
        ({"a": dict.fromkeys("wxyz", 1), "b": dict.fromkeys("wxyz", 2)}, ["a", "b"]),
    ],
)
def test_conditions_without_names_are_told_apart_by_their_inputs(values, labels):
    assert list(labels_by_inputs(values).values()) == labels


def test_names_of_the_condition_table_come_first(egf_yaml):
    problem = read_petab(egf_yaml)
    assert labels_of_version_1(problem)["step_1"] == "1 ng/ml EGF from 0 to 3600 s"
    problem.condition_df = problem.condition_df.drop(columns="conditionName")
    assert labels_of_version_1(problem)["step_1"] == "EGF_0 1"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("plotId\tplotTypeSimulation\tyValues\np\tBarPlot\tpAKT_total\n", "1 of 1 rows ask for other plots"),
        ("plotId\tyValues\np\tno_such\n", "1 of 1 rows fit no measurements"),
        ("plotId\tyValues\n\tpAKT_total\n", "1 of 1 rows have no plotId"),
        ("plotId\tyValues\txOffset\np\tpAKT_total\tten\n", "xOffset must be numbers"),
        ("", "the file is empty"),
    ],
)
def test_what_a_visualization_table_asks_for_in_vain_is_said(egf_model, with_plots, text, said):
    path = with_plots(text)
    problem = PetabProblem(path, egf_model)
    with pytest.warns(InputWarning, match=said):
        table = time_courses(problem, path, problem.nominal)
    assert table["panel"].nunique() == 3


def test_visualization_files_travel_with_the_problem_and_lie_in_its_folder(with_plots, tmp_path):
    path = with_plots("plotId\tyValues\np\tpAKT_total\n")
    assert visualization_files(path, read_description(path)) == [path.parent / "plots.tsv"]
    gather(path, tmp_path / "gathered")
    assert (tmp_path / "gathered/plots.tsv").is_file()
    description = yaml.safe_load(path.read_text())
    description["problems"][0]["visualization_files"] = ["../outside.tsv"]
    assert visualization_files(path, description) == []  # it is not there, and not needed
    (tmp_path / "outside.tsv").write_text("plotId\n")
    with pytest.raises(InputError, match=r"outside\.tsv', which is outside its folder"):
        visualization_files(path, description)


def test_replicates_have_their_own_noise_and_failed_simulations_have_no_line(egf, egf_yaml, egf_model, with_plots):
    path = with_plots("plotId\tyValues\tdatasetId\np\tpAKT_total\tpAKT_total_step_1\n")
    file = path.parent / "measurements.tsv"
    measured = pd.read_csv(file, sep="\t")
    again = measured[measured["datasetId"] == "pAKT_total_step_1"].assign(noiseParameters=0.5)
    pd.concat([measured, again]).to_csv(file, sep="\t", index=False)
    problem = PetabProblem(path, egf_model)
    table = time_courses(problem, path, np.full(len(problem.names), 400.0))
    assert table["fitted"].isna().all() and table["nominal"].notna().all()
    table = time_courses(problem, path, problem.nominal)
    points = table[table["measurement"].notna()]
    assert len(points) == 16 and sorted(points["noise"])[8:] == [0.5] * 8 and (points["noise"] < 0.5).sum() == 8


def test_measured_data_have_the_panels_of_their_authors(compiled_collection):
    path, model = compiled_collection("Boehm_JProteomeRes2014")
    problem = PetabProblem(path, model)
    table = time_courses(problem, path, problem.nominal)
    assert list(dict.fromkeys(table["label"])) == ["pSTAT5A", "pSTAT5B", "rSTAT5A"]
    assert table["measurement"].notna().sum() == problem.n_measurements == 48
    np.testing.assert_array_equal(table["fitted"], table["nominal"])
