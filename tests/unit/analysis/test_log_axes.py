"""Labels of logarithmic axes are two to six, and none lies on another, whatever range an axis has."""

from itertools import pairwise

import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from kinetrain.figures import adam_comparison
from kinetrain.figures.style import new_figure, save, use_style

RANGES = [
    (1, 2),
    (1.02, 1.05),
    (12, 110),
    (0.9, 9.5),
    (2, 99),
    (1.1, 999),
    (3e-6, 8e-6),
    (2e-6, 9e-4),
    (1e-9, 1e9),
    (40, 4e5),
]


def drawn(figure, path):
    """Return the labels that are shown of both axes of a figure that was saved, and their boxes, in order."""
    save(figure, [path])
    renderer = FigureCanvasAgg(figure).get_renderer()
    found = []
    for axis in (figure.axes[0].xaxis, figure.axes[0].yaxis):
        low, high = sorted(axis.get_view_interval())
        shown = [tick for minor in (False, True) for tick in _ticks(axis, minor) if low <= tick.get_loc() <= high]
        labels = [tick.label1 for tick in sorted(shown, key=lambda tick: tick.get_loc()) if tick.label1.get_text()]
        found.append(([one.get_text() for one in labels], [one.get_window_extent(renderer) for one in labels]))
    return found


def _ticks(axis, minor: bool):
    return axis.get_minor_ticks() if minor else axis.get_major_ticks()


@pytest.mark.parametrize(("low", "high"), RANGES)
def test_labels_of_logarithmic_axes_do_not_overlap(tmp_path, low, high):
    with use_style():
        figure = new_figure(2.3, 1.9)
        axis = figure.subplots()
        axis.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high), xlabel="cost", ylabel="value")
        for texts, boxes in drawn(figure, tmp_path / "figure.png"):
            assert (3 if low >= 1e-3 and high <= 1e4 else 2) <= len(texts) == len(set(texts)) <= 6
            assert not any(first.overlaps(second) for first, second in pairwise(boxes))


def test_marks_that_a_figure_has_chosen_stay(tmp_path):
    with use_style():
        figure = new_figure(2.3, 1.9)
        axis = figure.subplots()
        axis.set(xscale="log", xlim=(1, 100), yscale="log", ylim=(1, 100))
        axis.minorticks_off()
        axis.set_xticks([2, 50], ["dense", "sparse"])
        (horizontal, _), (vertical, _) = drawn(figure, tmp_path / "figure.png")
    assert horizontal == ["dense", "sparse"] and vertical == ["1", "10", "100"]


def test_failures_of_both_adams_stand_above_their_curves(tmp_path):
    settings = pd.DataFrame({"optimizer": ["adam_standard", "adam_balanced"]}).assign(
        problem="p", schedule="S1", size=5, safeguard="off", failed=0, runs=4
    )
    rows = [settings.assign(place=place, excess=5.0, low=4.0, high=6.0) for place in (0.1, 0.2)]
    with use_style():
        figure = adam_comparison.draw(pd.concat(rows))
        save(figure, [tmp_path / "figure.png"])
        axis, renderer = figure.axes[0], FigureCanvasAgg(figure).get_renderer()
        (note,) = axis.texts
        box = note.get_window_extent(renderer)
        assert note.get_text() == "Adam (standard): 0 of 4 failed\nAdam (balanced): 0 of 4 failed"
        assert not box.overlaps(axis.get_window_extent(renderer))
        assert box.y1 <= axis._left_title.get_window_extent(renderer).y0
