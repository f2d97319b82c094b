"""The kernel solves what it supports if it agrees with AMICI; otherwise AMICI does, and it is said why."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from kinetrain.cache import cache_folder
from kinetrain.compiler import runnable
from kinetrain.errors import InputError
from kinetrain.mechanistic import engines, kernel_choice, solver_choice
from kinetrain.mechanistic.kernel import build
from kinetrain.mechanistic.kernel.graph import KernelUnsupportedError
from kinetrain.mechanistic.kernel.problem import KernelProblem
from kinetrain.mechanistic.petab_problem import PetabProblem
from kinetrain.mechanistic.solver_measures import evaluate, least_forward_work, work_of
from kinetrain.mechanistic.solver_options import KERNEL, SolverOptions, merged


@pytest.fixture
def amici_is_chosen(monkeypatch):
    """The measurement of AMICI's settings, which takes its time, is left out."""
    monkeypatch.setattr(solver_choice, "choose", lambda path, folder, options: {"chosen": {"engine": options.engine}})


def test_auto_takes_the_kernel_which_later_steps_open(egf_yaml, egf_model, tmp_path):
    choice = engines.choose(egf_yaml, egf_model)
    assert choice["engine"] == "kernel" and choice["accurate"]
    assert choice["check"]["compared"] == kernel_choice.POINTS
    assert json.loads(json.dumps(choice, allow_nan=False)) == choice
    file = tmp_path / "solver.json"
    file.write_text(json.dumps(choice))
    kernel = engines.open_problem(egf_yaml, egf_model, merged(SolverOptions(), file))
    amici = engines.open_problem(egf_yaml, egf_model, merged(SolverOptions(engine="amici"), file))
    assert kernel.engine.startswith("kernel-") and amici.engine == "amici"
    theta = egf_theta(kernel)
    assert kernel.value(theta, range(6)) == pytest.approx(amici.value(theta, range(6)), rel=1e-5)


def egf_theta(problem):
    return problem.nominal + np.random.default_rng(3).normal(0, 0.1, len(problem.names))


def test_what_is_pinned_is_kept_and_one_tolerance_is_measured(egf_yaml, egf_model):
    pinned = SolverOptions(engine="kernel", relative_tolerance=1e-3, gradient_weight=4.0)
    choice = engines.choose(egf_yaml, egf_model, pinned)
    assert [row["relative_tolerance"] for row in choice["candidates"]] == [1e-3]
    assert choice["chosen"]["gradient_weight"] == 4.0 and not choice["accurate"]


def test_large_models_take_the_loosest_absolute_tolerance_that_is_accurate(egf_yaml, egf_model, monkeypatch):
    monkeypatch.setattr(kernel_choice, "LARGEST_STRAIGHT", 0)
    monkeypatch.setattr(kernel_choice, "LOOSE", (1e3, 1e-6, 1e-12))
    rows = engines.choose(egf_yaml, egf_model, SolverOptions(engine="kernel"))["candidates"]
    assert [row["absolute_tolerance"] for row in rows] == [1e3, 1e-6]
    assert rows[1]["error"] <= kernel_choice.LOOSE_ACCURACY < rows[0]["error"]
    monkeypatch.setattr(kernel_choice, "LOOSE_STARTS", 0)  # as where no random start can be solved
    (row,) = engines.choose(egf_yaml, egf_model, SolverOptions(engine="kernel"))["candidates"]
    assert row["absolute_tolerance"] == KERNEL["absolute_tolerance"]
    pinned = SolverOptions(engine="kernel", absolute_tolerance=1e-14)
    choice = engines.choose(egf_yaml, egf_model, pinned)
    assert choice["chosen"]["absolute_tolerance"] == 1e-14 == choice["candidates"][0]["absolute_tolerance"]


def test_conditions_side_by_side_have_the_gradients_of_each_alone(egf_yaml):
    kernel = KernelProblem(egf_yaml)
    values, gradients = evaluate(kernel, kernel.nominal, [4, 0, 2])
    for k, value, gradient in zip([4, 0, 2], values, gradients, strict=True):
        alone, slope = kernel.value_and_gradient(kernel.nominal, [k])
        assert value == pytest.approx(alone) and gradient == pytest.approx(slope, abs=1e-9 * np.abs(gradient).max())


def test_without_a_choice_amici_solves(egf_yaml, egf_model):
    assert engines.open_problem(egf_yaml, egf_model).engine == "amici"
    assert engines.open_problem(egf_yaml, egf_model, SolverOptions(engine="auto")).engine == "amici"


def spoiled(right, condition, factor):
    def value_and_gradient(self, theta, conditions):
        value, gradient = right(self, theta, conditions)
        return value, gradient * np.where(condition in conditions, factor, 1.0)

    return value_and_gradient


@pytest.mark.parametrize("fault", ["gradient", "value", "failure", "batch"])
def test_a_kernel_that_is_wrong_is_not_taken(fault, egf_yaml, egf_model, amici_is_chosen, monkeypatch):
    right = KernelProblem.value_and_gradient

    def wrong(self, theta, conditions):
        value, gradient = right(self, theta, conditions)
        if fault == "batch":
            return value, gradient * (1 + 1e-6 * (len(conditions) > 1))
        changes = {"gradient": (0, 1e-3 * np.abs(gradient).max()), "value": (1e-5 * value, 0), "failure": (np.inf, 0)}
        more, slope = changes[fault]
        return value + more, gradient + np.eye(len(gradient))[3] * slope

    monkeypatch.setattr(KernelProblem, "value_and_gradient", wrong)
    choice = engines.choose(egf_yaml, egf_model)
    assert choice["engine"] == choice["chosen"]["engine"] == "amici"
    assert ("batch" if fault == "batch" else "condition 'step_0_1'") in choice["reason"]
    with pytest.raises(InputError, match=r"engine: amici"):
        engines.choose(egf_yaml, egf_model, SolverOptions(engine="kernel"))


def test_an_error_of_amici_is_not_blamed_on_the_kernel(egf_yaml, egf_model, monkeypatch):
    right = PetabProblem.value_gradient_and_information

    def wrong(self, theta, conditions):
        value, gradient, information = right(self, theta, conditions)
        return value, 1.1 * gradient, information

    monkeypatch.setattr(PetabProblem, "value_gradient_and_information", wrong)
    choice = engines.choose(egf_yaml, egf_model)
    assert choice["engine"] == "kernel" and choice["check"]["amici_wrong"] > 0


def test_a_value_of_amici_that_is_too_loose_is_not_blamed_on_the_kernel(egf_yaml, egf_model, monkeypatch):
    right = PetabProblem.value

    def loose(self, theta, conditions):
        return right(self, theta, conditions) * (1 + 1e-4 * (self.options.relative_tolerance > 1e-12))

    monkeypatch.setattr(PetabProblem, "value", loose)
    choice = engines.choose(egf_yaml, egf_model)
    assert choice["engine"] == "kernel" and choice["check"]["amici_wrong"] > 0
    assert choice["check"]["largest_errors"]["value"] < 1e-6


def test_large_models_are_checked_by_differences(egf_yaml, egf_model, monkeypatch):
    monkeypatch.setattr(kernel_choice, "WORK", 1.0)
    check = engines.choose(egf_yaml, egf_model)["check"]
    assert "differences" in check["reference"] and check["compared"] == check["kinds_of_conditions"]
    right = KernelProblem.value_and_gradient
    monkeypatch.setattr(KernelProblem, "value_and_gradient", spoiled(right, 0, 1 + 1e-3))
    with pytest.raises(InputError, match="condition 'step_0_1'"):
        engines.choose(egf_yaml, egf_model, SolverOptions(engine="kernel"))


def test_steps_of_forward_sensitivities_are_not_counted_where_they_are_too_much_work(egf_yaml, egf_model, monkeypatch):
    asked = []

    def counted(problem, theta, conditions, method=None):
        asked.append(method)
        return work_of(problem, theta, conditions, method)

    monkeypatch.setattr(kernel_choice, "work_of", counted)
    kernel, amici = KernelProblem(egf_yaml), PetabProblem(egf_yaml, egf_model)
    few = kernel_choice.KernelCheck(kernel, amici, egf_yaml)
    assert asked == [None, "forward"] and "forward" in few.record()["reference"]
    asked.clear()
    monkeypatch.setattr(kernel_choice, "WORK", 1.0)
    kernel_choice.KernelCheck(kernel, amici, egf_yaml)
    assert asked == [None]
    value, forward = (work_of(amici, amici.nominal, [0], method)[0] for method in (None, "forward"))
    assert value < least_forward_work(value, len(amici.names)) <= forward


def test_an_unsupported_model_is_amicis(egf_yaml, egf_model, amici_is_chosen, monkeypatch):
    def unsupported(*_):
        raise KernelUnsupportedError("the kinetics kernel does not support delays")

    monkeypatch.setattr(kernel_choice, "KernelProblem", unsupported)
    assert engines.choose(egf_yaml, egf_model)["reason"] == "the kinetics kernel does not support delays"
    with pytest.raises(InputError, match="does not support delays; with 'engine: auto'"):
        engines.choose(egf_yaml, egf_model, SolverOptions(engine="kernel"))


def test_without_a_compiler_amici_takes_over(egf_yaml, egf_model, amici_is_chosen, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # no kernel is there yet
    monkeypatch.setattr(build, "load", build.load.__wrapped__)
    monkeypatch.setenv("CXX", "no-such-compiler")
    choice = engines.choose(egf_yaml, egf_model)
    assert choice["engine"] == "amici" and "'no-such-compiler' is not there" in choice["reason"]


def test_damaged_kernels_are_made_anew(egf_yaml, egf_model, monkeypatch, tmp_path, capsys):
    right, kept = KernelProblem(egf_yaml), cache_folder() / "kernels"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(build, "load", build.load.__wrapped__)
    copy = cache_folder() / "kernels"
    copy.mkdir()
    for entry in kept.glob(f"{right.kernel}*"):
        (shutil.copytree if entry.is_dir() else shutil.copy)(entry, copy / entry.name)
    KernelProblem(egf_yaml)  # finds the kernel, and keeps what it knows of the problem
    problem = next((copy / "problems").iterdir())
    library = build.library_file(right.kernel, runnable()[0])
    capsys.readouterr()
    for damaged in (problem, copy / right.kernel / "facts.json", library):
        beginning = damaged.read_bytes()[:100]
        damaged.unlink()  # the library is loaded here: cut short in place it would end this process
        damaged.write_bytes(beginning)
    again = KernelProblem(egf_yaml)
    assert again.value(right.nominal, [0]) == right.value(right.nominal, [0])
    assert capsys.readouterr().err.count(" damaged") == 3


def test_where_a_kernel_cannot_be_loaded_amici_takes_over(egf_yaml, egf_model, amici_is_chosen, monkeypatch):
    def refuse(path):
        raise OSError(f"{path}: failed to map segment from shared object")

    monkeypatch.setattr(build, "load", build.load.__wrapped__)
    monkeypatch.setattr(build.ctypes, "PyDLL", refuse)
    choice = engines.choose(egf_yaml, egf_model)
    assert choice["engine"] == "amici" and "cannot be loaded" in choice["reason"]
    assert "XDG_CACHE_HOME" in choice["reason"]


def test_trials_are_amicis(egf_yaml, egf_model, amici_is_chosen):
    assert "trials" in engines.choose(egf_yaml, egf_model, SolverOptions(trials=3))["reason"]
    with pytest.raises(ValueError, match="trials"):
        SolverOptions(trials=3, engine="kernel")


def test_a_fit_with_a_kernel_that_is_there_imports_neither_amici_nor_petab(root, egf_yaml, egf_model, tmp_path):
    KernelProblem(egf_yaml)
    settings = {
        "epochs": 2,
        "engine": "kernel",
        "optimizer": {"rule": "adam_balanced"},
        "schedule": {"name": "S", "start": 0.1, "end": 0.01},
        "batch_size": 1,
    }
    arguments = ["--problem", egf_yaml, "--model", egf_model, "--name", "egf", "--optimizer", "adam", "--starts", "2"]
    arguments += ["--settings", json.dumps(settings), "--checkpoint", tmp_path / "checkpoint"]
    for name, suffix in (("output", "fits.tsv"), ("trace", "trace.tsv"), ("parameters", "parameters.npz")):
        arguments += [f"--{name}", tmp_path / suffix]
    command = [sys.executable, "-X", "importtime", root / "workflow/scripts/fit.py", *arguments]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=environment, check=True)
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "numpy" in imported and not imported & {"amici", "petab", "sympy", "pypesto", "torch"}
    assert "\tkernel-" in (tmp_path / "fits.tsv").read_text()
