"""The benchmark of the neural arm compares equal work: all variants make the same updates."""

import subprocess

import measures
import neural as benchmark
import numpy as np
import pytest


@pytest.mark.parametrize("left", [1.0, 0.1])
def test_all_variants_make_the_same_updates(left):
    work = benchmark.Work(20, 3, (0.4, 0.2, 0.8), published=True, left=left)
    rows = benchmark.measure("tiny", work, 2)
    assert rows["variant"][0] == "published"
    assert ("fused-sparse" in rows["variant"]) == (left < 1)
    assert rows["ratio"][0] == 1
    assert np.all(rows["deviation"] < 1e-3)
    columns = ["work", "variant", "seconds", "ratio", "deviation", "peak_memory_mb"]
    assert list(rows)[:6] == columns


def test_an_mlp_makes_the_same_updates_by_autograd_by_hand_and_compiled():
    rows = benchmark.measure("tiny", benchmark.Work(20, 6, (0.4, 0.2, 0.8), field="mlp"), 2)
    assert rows["variant"] == ["torch-rk4-autograd", "torch-rk4", "fused"]
    assert np.all(rows["deviation"] < 1e-5)


def test_the_peak_is_measured_without_what_holds_a_library_back(monkeypatch):
    given = {}

    def run(command, env, **more):
        given.update(env)
        return subprocess.CompletedProcess(command, 0, stdout="150.5\n")

    monkeypatch.setenv("OPENBLAS_CORETYPE", "Prescott")
    monkeypatch.setenv("OPENBLAS_L2_SIZE", "1024")
    monkeypatch.setattr(measures.subprocess, "run", run)
    assert measures.matrix_peak("float32") == 150.5
    assert given["OMP_NUM_THREADS"] == "1" and not {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"} & set(given)


def test_products_count_what_is_multiplied():
    work = benchmark.WORKS["SIM350 update"]
    assert benchmark.products(work, "torch-rk4") == pytest.approx(4 * benchmark.STEPS * 4 * 24 * 350 * 40 * 1e-9)
    assert benchmark.products(work, "fused") == pytest.approx(27 / 32 * benchmark.products(work, "torch-rk4"))


def test_a_whole_run_is_the_same_by_both_integrators():
    rows = benchmark.training_run(genes=20, hidden=3, trajectories=15, epochs=4)
    assert rows["variant"] == ["torch-rk4", "fused"] and rows["updates"] == 4 * 14
    assert rows["deviation"][1] < 0.05
