"""Wrong input is refused in one line that names the file and what is missing."""

import json
import multiprocessing
import os
import re
import shutil
import subprocess
import sys
import time

import pandas as pd
import pytest

from kinetrain.errors import InputError
from kinetrain.mechanistic import compiled_model
from kinetrain.mechanistic.compiled_model import compile_model
from kinetrain.mechanistic.petab_files import gather
from kinetrain.mechanistic.petab_problem import PetabProblem
from kinetrain.mechanistic.petab_reader import read_petab
from kinetrain.mechanistic.solver_options import SolverOptions


@pytest.fixture
def problem(egf_yaml, tmp_path):
    """A copy of the embedded problem that a test may spoil."""
    for file in egf_yaml.parent.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path / "problem.yaml"


def test_a_missing_yaml_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nothing\.yaml: no such PEtab file"):
        read_petab(tmp_path / "nothing.yaml")


@pytest.mark.parametrize(
    "name", ["conditions.tsv", "measurements.tsv", "observables.tsv", "parameters.tsv", "model.xml"]
)
def test_a_missing_table_is_named(problem, name):
    (problem.parent / name).unlink()
    with pytest.raises(InputError, match=f"names the table {name}, but"):
        read_petab(problem)


@pytest.mark.parametrize(
    "key", ["condition_files", "measurement_files", "observable_files", "sbml_files", "parameter_file"]
)
def test_a_yaml_without_a_table_is_refused(problem, key):
    lines = [line for line in problem.read_text().splitlines() if key not in line]
    text = "\n".join(lines)
    problem.write_text(text.replace("    condition_files", "  - condition_files") if key == "sbml_files" else text)
    with pytest.raises(InputError, match=f"no key '{key}'"):
        read_petab(problem)


def test_files_that_lie_anywhere_are_gathered(problem, tmp_path):
    conditions, measurements = tmp_path / "a" / "table.tsv", tmp_path / "b" / "table.tsv"
    (tmp_path / "yaml").mkdir()
    for name, moved in (("conditions", conditions), ("measurements", measurements)):
        moved.parent.mkdir()
        (tmp_path / f"{name}.tsv").rename(moved)
    text = (
        problem.read_text()
        .replace("conditions.tsv", "../a/table.tsv")
        .replace("[measurements.tsv]", f"[{measurements}]")
    )
    text = re.sub(r"(parameters.tsv|observables.tsv|model.xml)", r"../\1", text)
    (tmp_path / "yaml" / "mine.yaml").write_text(text)
    with pytest.raises(InputError, match="which is outside its folder"):
        read_petab(tmp_path / "yaml" / "mine.yaml")
    gather(tmp_path / "yaml" / "mine.yaml", tmp_path / "together")
    read = read_petab(tmp_path / "together" / "problem.yaml")
    assert len(read.condition_df) == 6 and len(read.measurement_df) == 144


def test_errors_of_the_linter_are_passed_on(problem):
    table = pd.read_csv(problem.parent / "measurements.tsv", sep="\t")
    table.loc[0, "simulationConditionId"] = "nowhere"
    table.to_csv(problem.parent / "measurements.tsv", sep="\t", index=False)
    with pytest.raises(InputError, match="nowhere"):
        read_petab(problem)


@pytest.mark.parametrize(
    ("table", "before", "after", "message"),
    [
        ("problem.yaml", "format_version: 1", "format_version: 3.0.0", "'format_version' is 3.0.0"),
        ("problem.yaml", "format_version: 1", "format_version: 2.0.0", "no key 'model_files' (PEtab version 2)"),
        ("problem.yaml", "problems:", "problems: {}\nother:", "no key 'problems'"),
        ("problem.yaml", "problems:", "problems: [egf]\nother:", "'problems' must be a list of one problem"),
        ("problem.yaml", "[conditions.tsv]", "conditions.tsv", "'condition_files' must be a list"),
        ("problem.yaml", "parameters.tsv", "3", "'parameter_file' must be a file name, got 3"),
        ("parameters.tsv", "estimate", "fitted", "parameter table: no column 'estimate'"),
        ("parameters.tsv", "0.001479614562719", "inf", "nominalValue of row 'k_turnover' is 'inf'; a finite number"),
        ("parameters.tsv", "0.001479614562719", "-1", "nominalValue of 'k_turnover' is -1"),
        ("parameters.tsv", "1e-08", "0", "lowerBound of 'k_turnover' is 0"),
        ("parameters.tsv", "1e-08", "low", "lowerBound of row 'k_turnover' is 'low'"),
        ("measurements.tsv", "0.0124804", "high", "measurement table: measurement of row '3' is 'high'"),
        ("measurements.tsv", "\t0\t", "\t-5\t", "measurement table: time of row '2' is -5; simulations begin at 0"),
        ("measurements.tsv", "0.0661667", "-1", "noiseParameters in row 2 is -1"),
        ("measurements.tsv", "0.0661667", "", "Mismatch of noise parameter overrides"),
        ("measurements.tsv", "pEGFR_total", "pERK", "pERK"),
    ],
)
def test_a_wrong_entry_is_named_in_one_line(problem, table, before, after, message):
    file = problem.parent / table
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after, 1))
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        read_petab(problem)
    assert str(problem) in str(caught.value) and "\n" not in str(caught.value)


def test_starting_points_beyond_the_bounds_are_refused(problem, egf_model):
    table = problem.parent / "parameters.tsv"
    table.write_text(table.read_text().replace("-4.5;-0.5", "9;10", 1))
    with pytest.raises(InputError, match="initializationPriorParameters of 'k_turnover' are out of bounds"):
        PetabProblem(problem, egf_model)


def test_starting_points_without_numbers_lie_within_the_bounds(problem, egf_model):
    table = problem.parent / "parameters.tsv"
    table.write_text(table.read_text().replace("-4.5;-0.5", "", 1))
    read = PetabProblem(problem, egf_model)
    assert (read.start_lower[0], read.start_upper[0]) == (read.lower[0], read.upper[0])


def test_a_prior_without_numbers_is_refused(problem, egf_model):
    table = pd.read_csv(problem.parent / "parameters.tsv", sep="\t")
    table.loc[0, "objectivePriorType"], table["objectivePriorParameters"] = "normal", None
    table.to_csv(problem.parent / "parameters.tsv", sep="\t", index=False)
    with pytest.raises(InputError, match="objectivePriorParameters"):
        PetabProblem(problem, egf_model, SolverOptions(priors=True))


def test_a_truth_without_an_objective_is_named(problem, egf_model, root, tmp_path):
    (tmp_path / "truth.json").write_text("{}")
    command = [sys.executable, root / "workflow/scripts/nominal.py", "--problem", problem, "--model", egf_model]
    command += ["--name", "egf", "--truth", tmp_path / "truth.json", "--output", tmp_path / "nominal.tsv"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "truth.json: not a truth.json of artificial_data.py" in done.stderr


@pytest.mark.parametrize("name", ["compiled.json", "checksums.json", "kinetrain_model.py", "_kinetrain_model*.so"])
def test_a_damaged_compiled_model_says_what_to_run_and_is_placed_anew(problem, egf_model, tmp_path, name):
    folder = tmp_path / "model"
    shutil.copytree(egf_model, folder)
    file = next(folder.rglob(name))
    for content in (b"", file.read_bytes()[:-1]):  # a library that is cut short would kill the process
        file.write_bytes(content)
        with pytest.raises(InputError, match=r"no compiled model, or one that was damaged.*run compile_model\.py"):
            PetabProblem(problem, folder)
        assert not compile_model(problem, folder)["compiled"]  # it is still whole in the user's cache
    PetabProblem(problem, folder)


def test_a_problem_without_compiled_model_says_what_to_run(problem, tmp_path):
    with pytest.raises(InputError, match=r"no compiled model.*compile_model\.py"):
        PetabProblem(problem, tmp_path / "nothing")


def test_a_model_of_other_equations_is_refused(problem, egf_model):
    sbml = problem.parent / "model.xml"
    sbml.write_text(sbml.read_text().replace('value="68190"', 'value="68191"'))
    with pytest.raises(InputError, match="its sbml differ"):
        PetabProblem(problem, egf_model)


def test_names_of_observables_count_as_they_are_compiled(problem):
    prints = [compiled_model.fingerprint(problem, read_petab(problem))]
    table = problem.parent / "observables.tsv"
    table.write_text(table.read_text().replace("phosphorylated AKT", "AKT with phosphate"))
    prints.append(compiled_model.fingerprint(problem, read_petab(problem)))
    assert [key for key in prints[0] if prints[0][key] != prints[1][key]] == ["observables"]


def test_the_model_counts_whatever_its_file_is_called(problem):
    sbml, prints = problem.parent / "model.xml", []
    problem.write_text(problem.read_text().replace("model.xml", "model.txt"))
    for value in ("68190", "68191"):
        (problem.parent / "model.txt").write_text(sbml.read_text().replace('value="68190"', f'value="{value}"'))
        prints.append(compiled_model.fingerprint(problem, read_petab(problem)))
    assert prints[0]["sbml"] != prints[1]["sbml"]


def test_a_model_with_other_observables_is_refused(problem, egf_model):
    observables = problem.parent / "observables.tsv"
    observables.write_text(observables.read_text().replace("scale_ps6 * pS6", "scale_ps6 * (pS6 + pAKT_S6)"))
    with pytest.raises(InputError, match="its observables differ"):
        PetabProblem(problem, egf_model)


def test_a_compiled_model_is_not_compiled_again(egf_yaml, egf_model):
    before = (egf_model / "compiled.json").stat().st_mtime_ns
    assert not compile_model(egf_yaml, egf_model)["compiled"]
    assert (egf_model / "compiled.json").stat().st_mtime_ns == before
    assert set(json.loads((egf_model / "compiled.json").read_text())) == {"model", "amici", "sha256"}


def test_problems_of_the_same_model_are_compiled_once(problem, egf_model, tmp_path):
    table = problem.parent / "conditions.tsv"
    table.write_text(table.read_text().replace("step_0_1\t0.1 ng/ml EGF from 0 to 3600 s\t0.1", "step_0_1\t\t0.2"))
    assert not compile_model(problem, tmp_path / "model")["compiled"]
    assert PetabProblem(problem, tmp_path / "model").condition_names[0] == "step_0_1"


def fake_generation(path, problem, folder):
    """Write what AMICI would, and note that it was asked."""
    with (path.parent / "calls").open("a") as calls:
        calls.write("called\n")
    time.sleep(0.3)
    module = folder / compiled_model.MODEL
    module.mkdir(parents=True)
    for name in ("__init__.py", f"_{compiled_model.MODEL}.so", f"{compiled_model.MODEL}.a"):
        (module / name).write_text("")


def test_processes_that_compile_the_same_model_share_the_work(problem, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(compiled_model, "_generate", fake_generation)
    folders = [tmp_path / f"model{number}" for number in range(3)]
    processes = [multiprocessing.get_context("fork").Process(target=compile_model, args=(problem, f)) for f in folders]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert (tmp_path / "calls").read_text() == "called\n"
    shutil.rmtree(tmp_path / "cache")
    assert [compile_model(problem, folder)["compiled"] for folder in folders] == [False] * 3
    names = sorted(file.name for file in (folders[0] / "module" / compiled_model.MODEL).iterdir())
    assert names == ["__init__.py", f"_{compiled_model.MODEL}.so"]


@pytest.mark.parametrize("variable", ["CXX", "AMICI_CXXFLAGS", "LDFLAGS", "CMAKE_BUILD_TYPE"])
def test_another_compiler_or_other_flags_compile_again(problem, tmp_path, monkeypatch, variable):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(compiled_model, "_generate", fake_generation)
    compile_model(problem, tmp_path / "first")
    monkeypatch.setenv(variable, "/bin/echo" if variable == "CXX" else "-O1")
    assert compile_model(problem, tmp_path / "second")["compiled"]


def test_a_missing_tool_is_named_with_how_to_install_it(problem, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(InputError, match=r"C\+\+ compiler is needed.*apt install"):
        compile_model(problem, tmp_path / "model")
