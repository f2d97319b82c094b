"""Fits keep to their budget, share their starts, and survive being killed without a trace in their results."""

import os
import runpy
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kinetrain.errors import InputError
from kinetrain.files import load_arrays
from kinetrain.mechanistic.petab_problem import PetabProblem
from kinetrain.options import read_options
from kinetrain.problem import StartingBox
from kinetrain.tables import TABLES
from kinetrain.training import full_batch, minibatch_fits, starts
from kinetrain.training.optimizers import fides, fides_switched, known_optimizers
from kinetrain.training.options import FullBatchOptions, MinibatchOptions
from kinetrain.training.starts import starting_point

TOY = str(Path(__file__).with_name("toy_fit.py"))
toy = runpy.run_path(TOY)
MEASURED = ["cpu_seconds", "wall_seconds", "peak_memory_mb"]
SCHEDULE = {"name": "S", "start": 0.3, "end": 0.01, "shape": "logarithmic"}
BATCHED = {"optimizer": {"rule": "adam_balanced"}, "schedule": SCHEDULE, "batch_size": 2}


def assert_same_results(first, second):
    for table in ("fits.tsv", "trace.tsv"):
        expected, found = (
            pd.read_csv(folder / table, sep="\t", dtype=str).drop(columns=MEASURED, errors="ignore")
            for folder in (first, second)
        )
        assert expected.to_csv() == found.to_csv()
    expected, found = (load_arrays(folder / "parameters.npz") for folder in (first, second))
    for name in ("names", "last", "best", "averaged"):
        np.testing.assert_array_equal(expected[name], found[name])


def kind_or_skip(kind):
    pytest.importorskip({"torch": "torch", "ipopt": "cyipopt"}.get(kind, "numpy"), exc_type=ImportError)
    return kind


@pytest.mark.parametrize("kind", ["rule", "corrected", "published", "torch", "hybrid", "fides", "l_bfgs_b", "ipopt"])
def test_a_stopped_fit_goes_on_to_the_same_result(kind, tmp_path, monkeypatch):
    kind_or_skip(kind)
    monkeypatch.setattr(starts, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    valley = toy["Valley"]()
    toy["fit"](kind, whole / "checkpoint", whole, valley)
    table = pd.read_csv(whole / "fits.tsv", sep="\t")
    assert (table["cost"] <= 40 * 6 * 4.0).all() and (table["status"] == "finished").all()
    for lives in (valley.gradients // 5, valley.gradients // 2):  # stopped twice, in different starts
        with pytest.raises(KeyboardInterrupt):
            toy["fit"](kind, stopped / "checkpoint", stopped, toy["Valley"](lives=lives))
    last = toy["Valley"]()
    toy["fit"](kind, stopped / "checkpoint", stopped, last)
    assert 0 < last.gradients < 0.6 * valley.gradients  # nothing is done twice
    assert_same_results(whole, stopped)


def test_a_killed_fit_goes_on_to_the_same_result(tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    killed.mkdir()
    process = subprocess.Popen(
        [sys.executable, TOY, "rule", str(killed / "checkpoint"), str(killed), "0.02"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        start_new_session=True,
    )
    state = killed / "checkpoint" / "start-0.checkpoint"
    while not state.is_file() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert state.is_file() and not (killed / "fits.tsv").exists()
    toy["fit"]("rule", whole / "checkpoint", whole, toy["Valley"]())
    toy["fit"]("rule", killed / "checkpoint", killed, toy["Valley"]())
    assert_same_results(whole, killed)


@pytest.mark.parametrize("optimizer", known_optimizers())
def test_full_batch_optimizers_find_the_minimum_within_the_budget(quadratic, optimizer, tmp_path):
    kind_or_skip(optimizer)
    problem = quadratic()
    options = read_options(FullBatchOptions, {"epochs": 50, "seed": 1})
    fits, trace, parameters = full_batch.fit_starts(problem, "toy", 0, optimizer, 3, options, tmp_path)
    lowest = problem.value(problem.centres.mean(axis=0), np.arange(4))
    np.testing.assert_allclose(parameters["best"], np.tile(problem.centres.mean(axis=0), (3, 1)), atol=1e-3)
    np.testing.assert_allclose(fits["objective"], lowest, rtol=1e-6)
    assert list(fits.columns) == TABLES["fits"].names() and list(trace.columns) == TABLES["traces"].names()
    assert (fits["status"] == "finished").all() and (fits["schedule"] == "-").all() and (fits["batch_size"] == 4).all()
    assert (fits["gradient_solves"] <= 50 * 4).all()


@pytest.mark.parametrize("optimizer", known_optimizers())
def test_a_used_budget_ends_a_run_with_its_best_point(quadratic, optimizer, tmp_path):
    kind_or_skip(optimizer)
    problem = quadratic()
    options = read_options(FullBatchOptions, {"epochs": 2, "seed": 1})
    fits, trace, _ = full_batch.fit_starts(problem, "toy", 0, optimizer, 1, options, tmp_path)
    values = [4 * mean for _, _, _, mean in problem.evaluations]
    assert fits.loc[0, "status"] == "finished" and fits.loc[0, "message"] == "budget used"
    assert 4 < fits.loc[0, "cost"] <= 2 * 4 and fits.loc[0, "objective"] <= min(values)
    assert trace["objective"].is_monotonic_decreasing and (trace["cost"] <= 8).all()


def test_fides_pays_for_the_information_at_its_own_cost(quadratic, tmp_path):
    class Informed(quadratic):
        gradient_weight, information_weight = 2.0, 5.0

        def value_gradient_and_information(self, theta, conditions):
            return *self.value_and_gradient(theta, conditions), len(conditions) * np.diag(self.weights)

    options = read_options(FullBatchOptions, {"epochs": 40, "seed": 1})
    fits = {
        name: full_batch.fit_starts(Informed(), "toy", 0, name, 1, options, tmp_path / name)[0].loc[0]
        for name in ("fides", "l_bfgs_b")
    }
    assert fits["fides"]["cost"] == 5 * fits["fides"]["gradient_solves"] <= 40 * 4 * 2
    assert fits["l_bfgs_b"]["cost"] == 2 * fits["l_bfgs_b"]["gradient_solves"]
    plain = full_batch.fit_starts(quadratic(), "toy", 0, "fides", 1, options, tmp_path / "plain")[0].loc[0]
    assert fits["fides"]["gradient_solves"] < plain["gradient_solves"]  # with the curvature it needs fewer steps


def informed(quadratic):
    """The problem with its Fisher information, which costs as much as five gradients and notes where it was asked."""

    class Informed(quadratic):
        gradient_weight, information_weight = 1.0, 5.0

        def value_gradient_and_information(self, theta, conditions):
            asked.append(theta)
            return *self.value_and_gradient(theta, conditions), len(conditions) * np.diag(self.weights)

    asked: list = []
    return Informed(), asked


def test_fides_goes_by_information_at_first_or_never(quadratic, tmp_path, monkeypatch):
    monkeypatch.setattr(fides_switched, "FIRST", 2)
    options = read_options(FullBatchOptions, {"epochs": 200, "seed": 1})
    for name, few in (("fides_bfgs", 0), ("fides_switched", 3)):
        problem, asked = informed(quadratic)
        row = full_batch.fit_starts(problem, "toy", 0, name, 1, options, tmp_path / name)[0].loc[0]
        assert len(asked) == few < len(problem.evaluations)
        assert row["cost"] == row["gradient_solves"] + 4 * few * 4
        assert row["objective"] == pytest.approx(problem.value(problem.centres.mean(axis=0), np.arange(4)))


def test_fides_does_not_fill_the_log_with_what_its_steps_cannot_compute():
    def evaluate(x, order):
        assert np.isnan(np.array([np.inf, 1.0]).dot(np.zeros(2)))
        return float(x @ x), 2 * x

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fides.minimize(evaluate, np.ones(2), np.full(2, -5.0), np.full(2, 5.0), False)


class Wells(StartingBox):
    """One condition with a deep well at 4 and shallow ones elsewhere, in which a local search ends."""

    names, n_conditions, checksum, engine = ("x",), 1, "wells", "formula"
    n_measurements = 1
    gradient_weight, information_weight, relaxed_solves = 1.0, None, 0
    lower, upper, nominal = np.full(1, -10.0), np.full(1, 10.0), np.zeros(1)
    start_lower, start_upper = lower, upper
    start_quantiles = {}  # noqa: RUF012

    def __init__(self, lives=np.inf):
        self.lives, self.gradients = lives, 0

    def value(self, theta, conditions):
        return float((theta[0] - 4) ** 2 / 50 - np.cos(np.pi * (theta[0] - 4))) if theta[0] > -5 else np.inf

    def value_and_gradient(self, theta, conditions):
        self.gradients += 1
        if self.gradients > self.lives:
            raise KeyboardInterrupt
        slope = (theta[0] - 4) / 25 + np.pi * np.sin(np.pi * (theta[0] - 4))
        return self.value(theta, conditions), np.array([slope if theta[0] > -5 else np.nan])


@pytest.mark.parametrize("optimizer", ["fides", "l_bfgs_b"])
def test_with_restarts_a_fit_searches_on_until_its_budget_is_used(optimizer, tmp_path):
    def fits(folder, problem=None, **settings):
        options = read_options(FullBatchOptions, {"seed": 1, **settings})
        return full_batch.fit_starts(problem or Wells(), "toy", 0, optimizer, 6, options, tmp_path / folder)

    alone, (many, trace, parameters) = fits("alone", epochs=400)[0], fits("many", epochs=400, restarts=True)
    assert (alone["cost"] < 100).all() and (alone["objective"] > -0.99).any() and (alone["status"] == "failed").any()
    assert (many["cost"] == 400).all() and many["message"].str.fullmatch(r"budget used, \d+ searches").all()
    np.testing.assert_allclose(many["objective"], -1, atol=1e-6)
    np.testing.assert_allclose(parameters["best"], 4, atol=1e-3)
    assert (many["status"] == "finished").all()  # a search that cannot begin is not the end of the fit
    begin = trace.groupby("start")["objective"].first()
    assert begin.equals(fits("few", epochs=2, restarts=True)[1].groupby("start")["objective"].first())
    again = fits("again", epochs=400, restarts=True)[0]
    pd.testing.assert_frame_equal(*(table.drop(columns=MEASURED) for table in (many, again)))


def test_a_stopped_fit_with_restarts_goes_on_to_the_same_result(tmp_path, monkeypatch):
    monkeypatch.setattr(starts, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    options = read_options(FullBatchOptions, {"epochs": 90, "seed": 1, "restarts": True})

    def fit(problem, folder):
        return full_batch.fit_starts(problem, "toy", 0, "l_bfgs_b", 1, options, tmp_path / folder)[0]

    whole, last = fit(Wells(), "whole"), Wells()
    with pytest.raises(KeyboardInterrupt):
        fit(Wells(lives=60), "stopped")
    resumed = fit(last, "stopped")
    assert last.gradients <= 31  # nothing is done twice
    pd.testing.assert_frame_equal(*(table.drop(columns=MEASURED) for table in (whole, resumed)))


def test_a_budget_that_pays_for_few_informations_is_spent_on_gradients(quadratic, tmp_path):
    class Dear(quadratic):
        gradient_weight, information_weight = 2.0, 20.0

    options = read_options(FullBatchOptions, {"epochs": 99, "seed": 1})
    row = full_batch.fit_starts(Dear(), "toy", 0, "fides", 1, options, tmp_path)[0].loc[0]
    assert row["cost"] == 2 * row["gradient_solves"] and row["status"] == "finished"
    assert full_batch.takes_information("fides", Dear(), 100) and not full_batch.takes_information("fides", Dear(), 99)


def test_the_trace_of_a_long_run_begins_at_its_start(quadratic, tmp_path):
    problem = quadratic()
    options = read_options(FullBatchOptions, {"epochs": 100, "seed": 1})
    _, trace, _ = full_batch.fit_starts(problem, "toy", 0, "fides", 1, options, tmp_path)
    start = problem.value(starting_point(problem, 1, 0), np.arange(4))
    assert (trace.loc[0, "gradient_solves"], trace.loc[0, "objective"]) == (4, pytest.approx(start))
    assert len(trace) <= 22


def test_a_start_that_cannot_be_evaluated_stays_a_failed_row(quadratic, tmp_path):
    problem = quadratic(wall=lambda x: True)
    full = read_options(FullBatchOptions, {"epochs": 2})
    batched = read_options(MinibatchOptions, {"epochs": 2, **BATCHED})
    for number, fits in enumerate(
        (
            full_batch.fit_starts(problem, "toy", 0, "fides", 2, full, tmp_path / "full")[0],
            minibatch_fits.fit_starts(problem, "toy", 0, "adam_balanced", 2, batched, tmp_path / "batched")[0],
        )
    ):
        assert (fits["status"] == "failed").all() and np.isinf(fits["objective"]).all(), number
        assert list(fits["start"]) == [0, 1] and (fits["gradient_solves"] > 0).all()


def test_mini_batches_larger_than_the_problem_are_full_batches_and_say_so(quadratic, tmp_path):
    found = []
    for size in (5, "full"):
        options = read_options(MinibatchOptions, {"epochs": 3, **BATCHED, "batch_size": size})
        with warnings.catch_warnings(record=True) as reported:
            warnings.simplefilter("always")
            found.append(minibatch_fits.fit_starts(quadratic(), "toy", 0, "sgd", 1, options, tmp_path / str(size)))
        said = "toy: batch_size is 5, but there are only 4 conditions: full batches are taken"
        assert [str(one.message) for one in reported] == ([said] if size == 5 else [])
    (large, trace, points), (full, same_trace, same_points) = found
    assert large["batch_size"].tolist() == full["batch_size"].tolist() == [4]
    assert large["objective"].equals(full["objective"]) and trace["objective"].equals(same_trace["objective"])
    assert np.array_equal(points["last"], same_points["last"])


def test_a_run_whose_last_iterate_cannot_be_simulated_has_failed_at_its_whole_cost(quadratic, tmp_path):
    problem = quadratic()
    problem.wall = lambda x: len(problem.evaluations) >= 2 * 2  # all batches of both epochs succeed, then nothing does
    options = read_options(MinibatchOptions, {"epochs": 2, **BATCHED})
    fits, _, points = minibatch_fits.fit_starts(problem, "toy", 0, "adam_balanced", 1, options, tmp_path)
    assert fits.loc[0, ["status", "objective", "cost", "epochs"]].tolist() == ["failed", np.inf, 8, 2]
    assert fits.loc[0, "message"] == "the last iterate cannot be simulated" and np.isnan(points["last"]).all()
    assert fits.loc[0, "best_objective"] < np.inf


def test_starts_are_the_same_for_all_optimizers_and_lie_in_the_box(quadratic):
    problem = quadratic()
    starts = np.array([starting_point(problem, 5, number) for number in range(200)])
    np.testing.assert_array_equal(starts[7], starting_point(problem, 5, 7))
    assert (np.abs(starts) <= 5).all() and np.abs(starts.mean(axis=0)).max() < 0.7
    assert len(np.unique(starts, axis=0)) == 200


def test_changed_settings_do_not_continue_an_old_checkpoint(quadratic, tmp_path):
    results = []
    for epochs in (3, 6):
        options = read_options(MinibatchOptions, {"epochs": epochs, **BATCHED})
        fits, _, _ = minibatch_fits.fit_starts(quadratic(), "toy", 0, "adam_balanced", 1, options, tmp_path)
        results.append((fits.loc[0, "epochs"], fits.loc[0, "gradient_solves"]))
    assert results == [(3, 12), (6, 24)]


def test_mini_batches_and_fides_improve_the_embedded_problem(egf_yaml, egf_model, tmp_path):
    problem = PetabProblem(egf_yaml, egf_model)
    batched = read_options(MinibatchOptions, {"epochs": 4, "seed": 1, **BATCHED})
    full = read_options(FullBatchOptions, {"epochs": 12, "seed": 1})
    adam, trace, arrived = minibatch_fits.fit_starts(problem, "egf", 0, "adam_balanced", 1, batched, tmp_path / "adam")
    fides, best, _ = full_batch.fit_starts(problem, "egf", 0, "fides", 1, full, tmp_path / "fides")
    assert adam.loc[0, "gradient_solves"] == 4 * 6 and 11 * 6 < fides.loc[0, "gradient_solves"] <= 12 * 6
    assert trace.loc[0, "objective"] == pytest.approx(best.loc[0, "objective"])  # the same start
    assert adam.loc[0, "objective"] == trace["objective"].iloc[-1] < trace.loc[0, "objective"]
    assert fides.loc[0, "objective"] < best.loc[0, "objective"]
    everything = np.arange(6)
    assert problem.value(arrived["last"][0], everything) == adam.loc[0, "objective"]
    assert problem.value(arrived["best"][0], everything) == adam.loc[0, "best_objective"]
    assert problem.value(arrived["averaged"][0], everything) == adam.loc[0, "averaged_objective"]


@pytest.mark.parametrize(
    "changes",
    [
        {"safeguard": {"name": "s", "line_search": 3}},
        {"safeguard": {"name": "s", "line_search": 3, "variant": "corrected"}},
        {"batch_size": "full"},
        {"optimizer": {"rule": "sgd", "then": "fides", "share": 0.9}},
        {},
    ],
)
def test_every_kind_of_fit_uses_its_budget_up_and_is_traced_along_it(changes, tmp_path):
    valley = toy["Valley"]()
    options = read_options(MinibatchOptions, {"epochs": 40, "seed": 3, **BATCHED, **changes})
    fits, trace, points = minibatch_fits.fit_starts(valley, "toy", 0, "some", 1, options, tmp_path)
    budget, row = 40 * 6 * 4.0, fits.loc[0]
    assert row["cost"] == row["value_solves"] + 4 * row["gradient_solves"] == pytest.approx(budget, abs=6 * 4)
    assert row["cost"] <= budget and (row["value_solves"] > 0) == ("safeguard" in changes)
    assert row["best_objective"] <= row["objective"] == trace["objective"].iloc[-1]
    assert 10 <= len(trace) <= 22 and trace["cost"].is_monotonic_increasing
    assert trace["cost"].iloc[0] == 0 and trace["cost"].iloc[-1] == row["cost"]
    assert (np.diff(np.log(trace["cost"].iloc[1:])) < 1.5).all()  # closer together at the beginning
    assert row["batch_size"] == (6 if "batch_size" in changes else 2)
    assert valley.value(points["last"][0], range(6)) == row["objective"]
    assert np.isnan(row["averaged_objective"]) == ("optimizer" in changes)


def test_a_schedule_of_few_epochs_ends_a_run_or_hands_a_hybrid_over(tmp_path):
    spent = {}
    for then in (None, "l_bfgs_b"):
        changes = {"schedule": {**SCHEDULE, "epochs": 3}, "optimizer": {"rule": "adam_balanced", "then": then}}
        options = read_options(MinibatchOptions, {"epochs": 40, "seed": 3, **BATCHED, **changes})
        fits, trace, _ = minibatch_fits.fit_starts(toy["Valley"](), "toy", 0, "h", 1, options, tmp_path / str(then))
        spent[then] = fits.loc[0, "gradient_solves"], trace["gradient_solves"].tolist()
    assert spent[None][0] == 3 * 6 < spent["l_bfgs_b"][0] and 3 * 6 in spent["l_bfgs_b"][1]


def test_a_control_sees_a_fixed_part_of_the_conditions_before_it_goes_on_with_all(tmp_path):
    asked = []

    class Watched(toy["Valley"]):
        def value_and_gradient(self, theta, conditions):
            asked.append(tuple(sorted(conditions)))
            return super().value_and_gradient(theta, conditions)

    optimizer = {"rule": "adam_balanced", "then": "l_bfgs_b", "subset": 0.4}
    changes = {"schedule": {**SCHEDULE, "epochs": 4}, "optimizer": optimizer, "batch_size": "full"}
    options = read_options(MinibatchOptions, {"epochs": 40, "seed": 3, **BATCHED, **changes})
    minibatch_fits.fit_starts(Watched(), "toy", 0, "h", 2, options, tmp_path)
    first = [one for one in asked if len(one) == 3]
    assert len(first) == 2 * 4 * 6 // 3 and len(set(first)) == 2  # of each start the same three of six
    assert set(asked) - set(first) == {tuple(range(6))}
    with pytest.raises(InputError, match="'subset' is for a hybrid"):
        read_options(MinibatchOptions, {"epochs": 4, **BATCHED, "optimizer": {"rule": "sgd", "subset": 0.4}})


def test_a_hybrid_beats_its_first_part(tmp_path):
    objectives = {}
    for then in (None, "fides"):
        optimizer = {"rule": "adam_balanced", "then": then, "share": 0.2}
        options = read_options(MinibatchOptions, {"epochs": 40, "seed": 3, **BATCHED, "optimizer": optimizer})
        fits, _, _ = minibatch_fits.fit_starts(toy["Valley"](), "toy", 0, "h", 1, options, tmp_path / str(then))
        objectives[then] = fits.loc[0, "objective"]
    assert objectives["fides"] < 1e-3 * objectives[None]
