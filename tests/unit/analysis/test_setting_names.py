"""Schedules are called by their learning rates in figures and sentences."""

import pandas as pd

from kinetrain.evaluation.setting_names import schedule_names, with_rates
from kinetrain.tables import FULL_BATCH


def test_schedules_are_called_by_as_much_as_tells_them_apart():
    short = {"S1": {"start": 1.0, "end": 0.001, "epochs": None}, "E5": {"start": 0.03, "end": 0.001, "epochs": 5}}
    assert schedule_names(short) == {"S1": "rate 1", "E5": "rate 0.03, 5 epochs"}
    ends = {"a": {"start": 1.0, "end": 0.1, "shape": "linear"}, "b": {"start": 1.0, "end": 0.001, "shape": "linear"}}
    assert schedule_names(ends) == {"a": "rate 1, linear, to 0.1", "b": "rate 1, linear, to 0.001"}


def test_schedules_that_nothing_tells_apart_and_unknown_ones_keep_their_names():
    assert schedule_names({"a": {"start": 1.0}, "b": {"start": 1.0}}) == {}
    fits = pd.DataFrame({"schedule": ["S1", "other", FULL_BATCH]})
    named = with_rates(fits, {"schedules": {"S1": {"start": 0.3}, "other": {"end": 0.1}}})
    assert named["schedule"].tolist() == ["rate 0.3", "other", FULL_BATCH]
