"""Intervals, quantiles and corrections that figures and findings share."""

import numpy as np
import pandas as pd
import pytest
from made_results import INF

from kinetrain.evaluation import scores
from kinetrain.evaluation.statistics import (
    POSITIVE,
    SHARE,
    hierarchical_weights,
    judge,
    mean_interval,
    mean_over_blocks,
    median_over_blocks,
    quantiles_over_blocks,
    wilson_interval,
)


def test_the_hierarchical_mean_gives_every_problem_and_replicate_the_same_weight():
    blocks = pd.DataFrame([("P", 0, 0), ("P", 0, 1), ("P", 1, 0), ("Q", 0, 0)], columns=scores.BLOCK)
    weights, draws = hierarchical_weights(blocks)
    assert weights.tolist() == [0.125, 0.125, 0.25, 0.5]
    assert np.allclose(draws.sum(axis=1), 1)
    assert mean_over_blocks(blocks, [8.0, 8.0, 4.0, 2.0])[0] == 4.0


def test_equal_values_have_an_interval_of_exactly_their_mean():
    """By rounding the mean was beside its interval, and a figure with error bars could not be drawn."""
    blocks = pd.DataFrame([("P", 0, start) for start in range(30)], columns=scores.BLOCK)
    for value in (0.945151515151515, 0.1, 1 / 3):
        assert mean_over_blocks(blocks, [value] * 30) == (value, value, value)


def test_starts_on_the_same_data_narrow_the_interval_less_than_new_data_do():
    same = pd.DataFrame(
        [("P", replicate, start) for replicate in range(3) for start in range(30)], columns=scores.BLOCK
    )
    values = same["replicate"] + np.random.default_rng(0).normal(scale=0.01, size=len(same))
    _, low, high = mean_over_blocks(same, values)
    assert low < 0.1 and high > 1.9
    flat = same.assign(start=range(len(same)), replicate=0)
    _, low, high = mean_over_blocks(flat, values)
    assert 0.7 < low < 1 < high < 1.3


def test_the_interval_of_the_median_holds_it_and_shrinks_with_more_values():
    values = np.random.default_rng(1).normal(size=400)
    blocks = pd.DataFrame({"problem": "P", "replicate": 0, "start": range(400)})
    median, low, high = median_over_blocks(blocks, values)
    assert low < median == np.median(values) < high
    few = median_over_blocks(blocks[:20], values[:20])
    assert few[2] - few[1] > high - low
    assert median_over_blocks(blocks[:3], [1.0, INF, INF])[0] == INF


def test_quantiles_are_those_of_the_sorted_values():
    blocks = pd.DataFrame({"problem": "P", "replicate": 0, "start": range(4)})
    assert quantiles_over_blocks(blocks, [4, 1, 3, 2], [0.125, 0.375, 0.5, 0.875])[:, 0].tolist() == [1, 2, 2.5, 4]


def test_the_interval_of_a_rate_is_wilsons():
    assert wilson_interval(0, 10) == pytest.approx((0, 0.2775328))
    assert np.isnan(wilson_interval(0, 0)).all()


def test_the_interval_of_a_mean_is_that_of_student():
    mean, low, high = mean_interval([1.0, 2.0, 3.0, np.nan])
    assert mean == 2 and high - mean == pytest.approx(4.302653 / np.sqrt(3)) and low == 4 - high
    assert mean_interval([5.0])[0] == 5 and np.isnan(mean_interval([5.0])[1:]).all()
    assert np.isnan(mean_interval([])).all()
    infinite = mean_interval([0.1, np.inf, np.nan], scale=POSITIVE)
    assert infinite[0] == np.inf and np.isnan(infinite[1:]).all()


@pytest.mark.parametrize("values", [[0.99, 1.0], [0.0, 0.001, 0.3], [0.5, 0.6, 0.7], [0.0, 1.0]])
def test_the_interval_of_a_share_stays_between_nothing_and_all(values):
    mean, low, high = mean_interval(values, scale=SHARE)
    assert 0 <= low < mean < high <= 1
    plain, mirrored = mean_interval(values), mean_interval([1 - value for value in values], scale=SHARE)
    assert mean == plain[0] and (1 - mirrored[2], 1 - mirrored[1]) == pytest.approx((low, high))


def test_an_interval_on_another_scale_is_that_of_student_where_the_ends_are_far():
    shares, errors = np.array([0.5, 0.501, 0.502]), np.array([3.0, 3.001, 3.002])
    assert mean_interval(shares, scale=SHARE) == pytest.approx(mean_interval(shares), abs=1e-5)
    assert mean_interval(errors, scale=POSITIVE) == pytest.approx(mean_interval(errors), abs=1e-5)
    mean, low, high = mean_interval([0.1, 2.0], scale=POSITIVE)
    assert 0 < low < mean < high and low * high == pytest.approx(mean**2)
    assert mean_interval([1.0] * 6, scale=SHARE) == (1, 1, 1)
    assert np.isnan(mean_interval([0.5], scale=SHARE)[1:]).all()


@pytest.mark.parametrize("scale", [None, SHARE])
def test_a_few_equal_values_have_no_interval_and_decide_nothing(scale):
    for number in (1, 2, 5):
        mean, low, high = mean_interval([0.3 - 0.1, *[0.2] * (number - 1)], scale=scale)  # equal but for rounding
        assert mean == pytest.approx(0.2) and np.isnan([low, high]).all()
        assert judge((mean, low, high), 1) == judge((mean, low, high), -1) == "undecided"
    assert judge(mean_interval([0.2] * 6, scale=scale), 1) == "better"  # as a sign test would
    assert np.isfinite(mean_interval([0.2, 0.2 + 1e-6], scale=scale)).all()


def test_a_bootstrap_of_a_few_blocks_has_no_interval():
    for number, known in ((1, False), (2, False), (5, False), (6, True)):
        blocks = pd.DataFrame({"problem": "P", "replicate": 0, "start": range(number)})
        for found in (mean_over_blocks(blocks, [2.0] * number), median_over_blocks(blocks, [2.0] * number)):
            assert found[0] == pytest.approx(2) and np.isfinite(found[1:]).all() == known


def test_a_share_above_one_is_an_error_of_ours():
    with pytest.raises(ValueError, match="beyond the scale 0 to 1"):
        mean_interval([50.0, 60.0], scale=SHARE)
