"""The benchmark of the objective runs on the embedded problem, and its variants compute the same."""

import json
import subprocess
import sys

import kernel_rows
import mechanistic as benchmark
import numpy as np
import pytest

from kinetrain.mechanistic.kernel.problem import KernelProblem
from kinetrain.mechanistic.petab_problem import PetabProblem
from kinetrain.mechanistic.solver_options import SolverOptions, safe_options


@pytest.fixture(scope="module")
def egf(egf_yaml, egf_model):
    """The embedded problem, solved with adjoint sensitivities."""
    return PetabProblem(egf_yaml, egf_model, SolverOptions("adjoint"))


@pytest.mark.parametrize("order", ["value", "gradient"])
@pytest.mark.parametrize("size", [1, 6])
def test_all_variants_compute_the_same(egf, order, size):
    variants = benchmark.evaluators(egf, order, size, benchmark.pypesto_objective(egf) if size == 6 else None)
    rows = benchmark.compare(variants, 2, egf.n_conditions)
    assert [row["variant"] for row in rows] == ["bare", "objective", "pypesto"][: len(variants)]
    assert all(row["deviation"] < 1e-12 and row["seconds"] > 0 for row in rows)


def test_the_objective_is_not_slower_than_bare_amici(egf):
    rows = benchmark.compare(benchmark.evaluators(egf, "gradient", 1), 15, egf.n_conditions)
    assert rows[1]["ratio"] > 0.8


def test_gradients_are_compared_with_values_and_with_the_defaults_of_amici(egf):
    (row,) = benchmark.against_value(egf, 3)
    assert row["ratio"] > 1
    defaults, states, ours = benchmark.against_defaults(egf, 3)
    assert (defaults["variant"], ours["variant"]) == ("amici-defaults", "objective")
    assert np.isfinite(ours["seconds"]) and states["seconds"] > 0


def test_a_thousand_conditions_are_set_up(egf, egf_yaml, egf_model):
    (row,) = benchmark.set_up(egf_yaml, egf_model, egf)
    assert row["seconds"] < 10


def test_a_process_of_its_own_reports_its_memory_and_speed(root, tmp_path, egf_yaml, egf_model):
    solver = tmp_path / "solver.json"
    chosen = {name: value for name, value in vars(safe_options(19)).items() if name not in ("priors", "trials")}
    solver.write_text(json.dumps({"chosen": chosen}))
    command = [sys.executable, root / "benchmarks/mechanistic.py", "--once", egf_yaml, egf_model, solver, "objective"]
    answer = subprocess.run([*command, "--seconds", "0.2"], check=True, capture_output=True, text=True).stdout
    memory, speed = map(float, answer.split())
    assert 50 < memory < 500
    assert speed > 1


def test_problems_that_are_not_there_are_left_out_and_named(tmp_path):
    said = []
    assert benchmark.find("Fujita_SciSignal2010", None, said.append) is None
    assert benchmark.find("Fujita_SciSignal2010", tmp_path, said.append) is None
    assert len(said) == 2 and all("Fujita" in text and "left out" in text for text in said)
    assert benchmark.find("egf_akt", None, said.append).is_file()


def test_the_kernel_is_compared_with_amici_with_its_accuracy_and_what_it_reaches_of_the_core(
    egf, egf_yaml, monkeypatch
):
    monkeypatch.setattr(kernel_rows, "matrix_peak", lambda kind: 100.0)
    kernel = KernelProblem(egf_yaml)
    rows = kernel_rows.compared(egf, kernel, egf_yaml, 3, "6 conditions")
    for row in rows:
        assert row["deviation"] < (1e-6 if row["work"].startswith("value") else 1e-4)
        if row["variant"] != "objective":
            assert 20 < row["steps"] < 500 and 0 < row["percent_of_peak"] < 100
    assert {"objective", "kernel"} <= {row["variant"] for row in rows}
    *_, together = kernel_rows.starts_in_lanes(egf, kernel, 3)
    assert together["variant"] == "kernel-lanes-over-starts" and together["seconds"] > 0
    amici, ours = kernel_rows.robustness(egf, kernel, 3)
    assert (ours["failures"], ours["wrong"], amici["wrong"]) == (0, 0, 0)
