"""Starts that a problem evaluates together end where each of them ends alone, resumed or not, at the same cost."""

import runpy
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kinetrain.mechanistic.kernel.problem import KernelProblem
from kinetrain.options import read_options
from kinetrain.training import minibatch_fits, starts
from kinetrain.training.options import MinibatchOptions
from kinetrain.training.requests import Request, complete_all

toy = runpy.run_path(str(Path(__file__).with_name("toy_fit.py")))
MEASURED = ["cpu_seconds", "wall_seconds", "peak_memory_mb"]


class Together(toy["Valley"]):
    """The curved valley, which evaluates several points at once."""

    def __init__(self, **options):
        super().__init__(**options)
        self.sizes = []

    def values(self, thetas, batches):
        return np.array([self.value(*one) for one in zip(thetas, batches, strict=True)])

    def values_and_gradients(self, thetas, batches):
        self.sizes.append(len(thetas))
        found = [self.value_and_gradient(*one) for one in zip(thetas, batches, strict=True)]
        return np.array([value for value, _ in found]), np.array([gradient for _, gradient in found])


class Alone:
    """A problem that does not show that it can evaluate several points at once."""

    def __init__(self, problem):
        self._problem = problem

    def __getattr__(self, name):
        if name in ("values", "values_and_gradients"):
            raise AttributeError(name)
        return getattr(self._problem, name)


def assert_same_results(first, second):
    for name, expected, found in zip(("fits", "trace"), first, second, strict=False):
        pd.testing.assert_frame_equal(
            expected.drop(columns=MEASURED, errors="ignore"), found.drop(columns=MEASURED, errors="ignore"), obj=name
        )
    for name in ("names", "last", "best", "averaged"):
        np.testing.assert_array_equal(first[2][name], second[2][name])


def fit(problem, kind, folder, **changes):
    schedule = {"name": "S", "start": 0.1, "end": 0.01, "shape": "logarithmic"}
    settings = {"epochs": 20, "seed": 3, "schedule": schedule, "batch_size": 2, **toy["KINDS"][kind], **changes}
    return minibatch_fits.fit_starts(problem, "toy", 0, kind, 3, read_options(MinibatchOptions, settings), folder)


@pytest.mark.parametrize("kind", ["rule", "corrected", "published", "hybrid"])
def test_starts_side_by_side_end_where_they_end_alone(kind, tmp_path):
    together = Together()
    assert_same_results(fit(toy["Valley"](), kind, tmp_path / "alone"), fit(together, kind, tmp_path / "together"))
    assert max(together.sizes) == 3


def test_starts_run_one_after_another_where_the_settings_say_so(tmp_path):
    alone = Together()
    assert_same_results(
        fit(toy["Valley"](), "rule", tmp_path / "1"), fit(alone, "rule", tmp_path / "2", side_by_side=False)
    )
    assert not alone.sizes  # no evaluation of several points


@pytest.mark.parametrize("kind", ["rule", "published", "hybrid"])
def test_a_stopped_fit_of_starts_side_by_side_goes_on_to_the_same_result(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(starts, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    whole = Together()
    expected = fit(whole, kind, tmp_path / "whole")
    for lives in (whole.gradients // 3, whole.gradients // 2):
        with pytest.raises(KeyboardInterrupt):
            fit(Together(lives=lives), kind, tmp_path / "stopped")
    last = Together()
    assert_same_results(expected, fit(last, kind, tmp_path / "stopped"))
    assert 0 < last.gradients < 0.4 * whole.gradients  # nothing is done twice


@pytest.mark.parametrize(
    "changes", [{"batch_size": 1}, {"batch_size": 4, "safeguard": {"name": "s", "line_search": 2}}]
)
def test_the_kernels_starts_side_by_side_are_those_alone_to_the_last_bit(changes, egf_yaml, tmp_path):
    kernel = KernelProblem(egf_yaml)
    changes = {"epochs": 3, **changes}
    alone = fit(Alone(kernel), "rule", tmp_path / "alone", **changes)
    assert_same_results(alone, fit(kernel, "rule", tmp_path / "together", **changes))
    assert (alone[0]["status"] == "finished").all() and (alone[0]["engine"] == kernel.engine).all()


def test_what_is_spent_together_is_shared_by_conditions(monkeypatch):
    class Slow(Together):
        def values_and_gradients(self, thetas, batches):
            clock[0] += 8.0
            return super().values_and_gradients(thetas, batches)

    def steps(count, conditions):
        begin = clock[0]
        for _ in range(count):
            answer = yield Request(1, np.zeros(2), conditions)
            clock[0] += 0.25  # its own
        return answer.cpu_seconds, answer.seconds, begin

    clock = [0.0]
    for name in ("monotonic", "process_time"):
        monkeypatch.setattr(time, name, lambda: clock[0])
    ended = {
        name: (result, seconds)
        for name, result, seconds in complete_all(Slow(), {"one": steps(2, [0]), "three": steps(2, [0, 1, 2])})
    }
    assert ended == {"one": ((2.0, 2.0, 0.0), 4.5), "three": ((6.0, 6.0, 0.0), 12.5)}
    assert sum(seconds for _, seconds in ended.values()) == clock[0]
