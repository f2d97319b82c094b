"""Wrong input is told in one line that names the file and what is missing."""

import json
import os

import pandas as pd
import pytest

from kinetrain.errors import InputError
from kinetrain.problems.compiled import compile_model
from kinetrain.problems.petab_problem import PetabProblem
from kinetrain.problems.petab_tables import read_petab


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


def test_errors_of_the_linter_are_passed_on(problem):
    table = pd.read_csv(problem.parent / "measurements.tsv", sep="\t")
    table.loc[0, "simulationConditionId"] = "nowhere"
    table.to_csv(problem.parent / "measurements.tsv", sep="\t", index=False)
    with pytest.raises(InputError, match="nowhere"):
        read_petab(problem)


def test_a_problem_without_compiled_model_says_what_to_run(problem, tmp_path):
    with pytest.raises(InputError, match=r"compiled.json is missing.*compile_model.py"):
        PetabProblem(problem, tmp_path / "nothing")


def test_a_model_of_other_equations_is_refused(problem, egf_model):
    sbml = problem.parent / "model.xml"
    sbml.write_text(sbml.read_text().replace('value="68190"', 'value="68191"'))
    with pytest.raises(InputError, match="its sbml differ"):
        PetabProblem(problem, egf_model)


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


def test_a_missing_tool_is_named_with_how_to_install_it(problem, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(InputError, match=r"no C\+\+ compiler.*apt install"):
        compile_model(problem, tmp_path / "model")
