"""Masks and schedules of pruning for any sizes: what is left, what never comes back, and when."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinetrain.pruning.events import PruningSchedule, prune

FRACTIONS = st.floats(0, 0.99)


@st.composite
def masks(draw):
    """Return a mask, scores with ties, and a fraction to prune."""
    shape = draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    cells = math.prod(shape)
    mask = np.reshape(draw(st.lists(st.booleans(), min_size=cells, max_size=cells)), shape)
    scores = np.reshape(draw(st.lists(st.sampled_from([0.0, 0.1, 0.5, 2.0]), min_size=cells, max_size=cells)), shape)
    return mask, scores, draw(FRACTIONS)


@settings(deadline=None, max_examples=100)
@given(case=masks(), seed=st.integers(0, 99))
def test_a_mask_loses_the_lowest_scores_in_the_number_asked_for_and_never_grows(case, seed):
    mask, scores, fraction = case
    before = mask.copy()
    after = prune(mask, scores, fraction, np.random.default_rng(seed))
    assert np.array_equal(mask, before) and after.shape == mask.shape
    gone = mask & ~after
    assert not (after & ~mask).any() and gone.sum() == round(fraction * mask.sum())
    if gone.any() and after.any():
        assert scores[gone].max() <= scores[after].min()


@settings(deadline=None, max_examples=50)
@given(case=masks(), seed=st.integers(0, 99), factor=st.floats(0.01, 100))
def test_a_mask_depends_on_the_order_of_the_scores_alone(case, seed, factor):
    mask, scores, fraction = case
    first, scaled = (prune(mask, some, fraction, np.random.default_rng(seed)) for some in (scores, factor * scores))
    assert np.array_equal(first, scaled)


@st.composite
def schedules(draw):
    """Return a schedule and the number of epochs of a training."""
    epochs = draw(st.integers(2, 60))
    first = draw(st.integers(1, epochs))
    return PruningSchedule(first, draw(FRACTIONS), draw(st.integers(1, 15)), draw(FRACTIONS)), epochs


@settings(deadline=None, max_examples=100)
@given(planned=schedules())
def test_a_schedule_begins_at_its_first_epoch_and_spares_the_last(planned):
    schedule, epochs = planned
    due = {epoch: schedule.due(epoch, epochs) for epoch in range(1, epochs + 1)}
    assert due[schedule.first_epoch] == schedule.first_fraction
    assert all(due[epoch] == 0 for epoch in range(1, schedule.first_epoch))
    later = {epoch for epoch in range(schedule.first_epoch + 1, epochs) if epoch % schedule.every == 0}
    assert all(
        due[epoch] == (schedule.fraction if epoch in later else 0) for epoch in due if epoch > schedule.first_epoch
    )


@settings(deadline=None, max_examples=50)
@given(planned=schedules(), seed=st.integers(0, 9))
def test_the_total_of_a_schedule_is_what_its_masks_lose_up_to_rounding(planned, seed):
    schedule, epochs = planned
    rng = np.random.default_rng(seed)
    mask, scores, events = np.ones((40, 50), dtype=bool), rng.random((40, 50)), 0
    for epoch in range(1, epochs + 1):
        events += schedule.due(epoch, epochs) > 0
        mask = prune(mask, scores, schedule.due(epoch, epochs), rng)
    assert 0 <= schedule.total(epochs) <= 1
    assert 1 - mask.mean() == pytest.approx(schedule.total(epochs), abs=0.5 * events / mask.size + 1e-12)
