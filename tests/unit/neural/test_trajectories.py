"""Expression files are read in both layouts, cut into transitions, and refused where they are wrong."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinetrain.data.expression import (
    Split,
    all_transitions,
    endpoints,
    load_expression,
    prepare,
    split_transitions,
)
from kinetrain.data.expression_files import read_trajectories
from kinetrain.data.genes import read_gene_names
from kinetrain.data.options import Layout, Preparation
from kinetrain.errors import InputError, InputWarning

GENES = np.array(["A", "B"])
BLOCKS = "2,2,\n1,2,3\n4,5,6\n0,1,3\n7,8,\n9,10,\n0,2,\n"
TIDY = "trajectory,time,B,A\nx,0,4,1\nx,1,5,2\nx,3,6,3\ny,0,9,7\ny,2,10,8\n"


@pytest.fixture
def write(tmp_path):
    def write(text, name="data.csv"):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def test_both_layouts_hold_the_same_trajectories(write):
    blocks = read_trajectories(write(BLOCKS), GENES)
    tidy = read_trajectories(write(TIDY), GENES)
    tabbed = read_trajectories(write(TIDY.replace(",", "\t"), "data.tsv"), GENES)
    for genes, values, times in (blocks, tidy, tabbed):
        assert genes.tolist() == ["A", "B"]
        assert np.array_equal(times, [[0, 1, 3], [0, 2, np.nan]], equal_nan=True)
        assert np.array_equal(values[1], [[7, 9], [8, 10], [np.nan, np.nan]], equal_nan=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BLOCKS.replace("5", ""), "no value for gene 'B' at time 1"),
        (BLOCKS.replace("0,1,3", "0,3,1"), "times of trajectory 1 must increase, but 3 is followed by 1"),
        (BLOCKS.replace("0,1,3", "0,1,1"), "must increase, but 1 is followed by 1"),
        (BLOCKS.replace("0,1,3", "0,,3"), "trajectory 1 lacks a time"),
        (BLOCKS.replace("2,2,", "3,2,", 1), "holds 3 genes, but 2 gene names"),
        (BLOCKS.replace("2,2,", "2,3,", 1), "3 trajectories of 2 genes"),
        (BLOCKS.replace("5", "five"), "not a table of numbers"),
        (TIDY.replace("5", ""), "no value for gene 'B' at time 1"),
        (TIDY.replace("x,3", "x,1"), "must increase"),
        (TIDY.replace("B,A", "B,C"), "1 genes of 2 are not among its columns: A; it has B, C"),
        (TIDY.replace("time", "hour"), "no column 'time'"),
        (TIDY.replace("5", "five"), "gene 'B': 'five' is not a number"),
        (TIDY.replace("y,2", ",2"), "a row without the name of its trajectory"),
        (TIDY.splitlines()[0], "no rows"),
        ("2,0\n", "holds no trajectory"),
        ("", "the file is empty"),
    ],
)
def test_a_wrong_file_is_refused_with_its_name_and_place(write, text, message):
    with pytest.raises(InputError, match=message) as caught:
        read_trajectories(write(text), GENES)
    assert "data.csv" in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nothing\.csv: no such expression file"):
        read_trajectories(tmp_path / "nothing.csv", GENES)


def test_a_tidy_table_names_its_genes_and_may_name_its_columns_otherwise(write):
    genes, values, times = read_trajectories(write(TIDY))
    assert genes.tolist() == ["B", "A"] and values[0, 0].tolist() == [4, 1]
    text = TIDY.replace("trajectory", "cell line").replace("time", "hours")
    same = read_trajectories(write(text), None, Layout(time="hours", trajectory="cell line"))
    assert np.array_equal(same[1], values, equal_nan=True) and np.array_equal(same[2], times, equal_nan=True)
    with pytest.raises(InputError, match=r"no column 'line', which expression\.trajectory names"):
        read_trajectories(write(text), None, Layout(time="hours", trajectory="line"))


def test_a_table_without_trajectories_is_one_trajectory(write):
    genes, values, times = read_trajectories(write("time,A,B\n0,1,4\n1,2,5\n"))
    assert genes.tolist() == ["A", "B"] and values.tolist() == [[[1, 4], [2, 5]]] and times.tolist() == [[0, 1]]


def test_blocks_need_a_file_of_names(write):
    with pytest.raises(InputError, match=r"data\.csv: holds blocks without names of genes.*expression\.genes"):
        read_trajectories(write(BLOCKS))


def test_bins_are_means_of_points_and_of_their_times(write):
    text = "time,A\n" + "".join(f"{time},{time * time}\n" for time in (0, 1, 2, 4, 6))
    _, values, times = read_trajectories(write(text), None, Layout(bins=2))
    assert np.allclose(times, [[1, 5]]) and np.allclose(values[0, :, 0], [5 / 3, 26])
    with pytest.raises(InputError, match="trajectory 1 has 5 points, fewer than bins 6"):
        read_trajectories(write(text), None, Layout(bins=6))
    with pytest.raises(ValueError, match="bins = 1: 1 is less than the minimum of 2"):
        Layout(bins=1)


def test_transitions_stay_inside_a_trajectory_and_leave_out_long_intervals():
    times = np.array([[0, 1, 3], [0, 2, np.nan]])
    assert all_transitions(times).tolist() == [[0, 0], [0, 1], [1, 0]]
    assert all_transitions(times, longest=1).tolist() == [[0, 0]]


def test_whole_trajectories_are_set_apart_where_there_are_many():
    transitions = all_transitions(np.tile([0.0, 1, 2], (50, 1)))
    split = split_transitions(transitions, {"validation": 0.1, "test": 0.06}, seed=0)
    by_trajectory = [set(split[transitions[:, 0] == one]) for one in range(50)]
    assert all(len(one) == 1 for one in by_trajectory)
    assert [by_trajectory.count({name}) for name in ("train", "validation", "test")] == [42, 5, 3]
    assert (split == split_transitions(transitions, {"validation": 0.1, "test": 0.06}, seed=0)).all()


def test_single_transitions_are_set_apart_where_there_is_one_trajectory():
    transitions = all_transitions(np.arange(24.0)[None])
    split = split_transitions(transitions, {"validation": 0.13}, seed=0)
    assert (split == "validation").sum() == 3 and (split == "train").sum() == 20


def test_trajectories_for_validation_may_be_named():
    transitions = all_transitions(np.tile([0.0, 1, 2], (10, 1)))
    split = split_transitions(transitions, {"validation": 0.5, "test": 0.1}, 0, validation=(3, 7))
    assert set(transitions[split == "validation", 0]) == {3, 7}
    assert (split == "test").sum() == 2 and (split == "train").sum() == 14
    one = split_transitions(all_transitions(np.arange(5.0)[None]), {"validation": 0.5}, 0, validation=(0,))
    assert one.tolist() == ["validation", "train", "train", "train"]
    with pytest.raises(InputError, match="validation names 12, but the trajectories that can be used are 0 to 9"):
        split_transitions(transitions, {"validation": 0.5}, 0, validation=(12,))
    with pytest.raises(InputError, match=r"too few to hold out validation \[0, 1\]"):
        split_transitions(transitions[:4], {"validation": 0.5}, 0, validation=(0, 1))


def test_too_few_transitions_name_the_keys(write):
    train = read_trajectories(write(BLOCKS), GENES)[1:]
    with pytest.raises(InputError, match=r"0 trajectories .* longest_interval.* validation_fraction 0\.13"):
        prepare(GENES, train, None, Split(longest_interval=0.5))
    with pytest.raises(InputError, match=r"validation_fraction 0\.4 and test_fraction 0\.4"):
        prepare(GENES, train, None, Split(validation_fraction=0.4, test_fraction=0.4))


def test_a_prepared_file_is_read_back(write, tmp_path):
    train = read_trajectories(write(BLOCKS), GENES)[1:]
    test = read_trajectories(write("2,1\n1,2\n3,4\n0,9\n"), GENES)[1:]
    prepare(GENES, train, test, Split(validation_fraction=0.4), "min").save(tmp_path / "e.npz")
    expression = load_expression(tmp_path / "e.npz")
    assert expression.values.shape == (3, 3, 2) and expression.time_unit == "min"
    start, end, duration = endpoints(expression, expression.values, expression.of("test"))
    assert (start.tolist(), end.tolist(), duration.tolist()) == ([[1, 3]], [[2, 4]], [4.5])
    assert expression.time_scale == 2  # the median of the intervals 1, 2 and 2 of the training file


@settings(deadline=None, max_examples=25)
@given(st.floats(1e-3, 1e5), st.lists(st.floats(0.1, 10), min_size=3, max_size=8))
def test_the_unit_of_time_makes_no_difference_and_can_be_undone(unit, intervals):
    times = np.cumsum([0.0, *intervals])[None]
    values = np.zeros((1, times.shape[1], 2))
    one, other = (prepare(GENES, (values, clock), None, Split()) for clock in (times, unit * times))
    assert np.allclose(other.times, one.times, rtol=1e-9)
    lengths = np.diff(other.times)
    assert max(np.median(lengths), lengths.max() / 2) == pytest.approx(1)
    assert np.allclose(other.times * other.time_scale, unit * times, rtol=1e-9)
    as_it_is = prepare(GENES, (values, unit * times), None, Split(rescale_time=False))
    assert (as_it_is.times == unit * times).all() and as_it_is.time_scale == 1


def test_noise_is_one_draw_per_value_and_seed(write):
    expression = prepare(GENES, read_trajectories(write(BLOCKS), GENES)[1:], None, Split(validation_fraction=0.4))
    one, same, other = expression.noisy(0.1, 0), expression.noisy(0.1, 0), expression.noisy(0.1, 1)
    assert np.array_equal(one, same, equal_nan=True) and not np.array_equal(one, other, equal_nan=True)
    _, end, _ = endpoints(expression, one, np.array([[0, 0]]))
    start, _, _ = endpoints(expression, one, np.array([[0, 1]]))
    assert (end == start).all()
    assert np.array_equal(expression.noisy(0.0, 0), expression.values, equal_nan=True)


def test_the_breast_cancer_file_is_used_without_the_gap_its_test_points_left(mirror):
    folder = mirror / "QuackenbushLab/phoenix/b18317663aada933fa26402df6aad86d042bd13b/breast_cancer_data/clean_data"
    genes = read_gene_names(folder / "desmedt_gene_names_500.csv")
    train = read_trajectories(folder / "desmedt_500genes_1sample_178T.csv", genes)[1:]
    test = read_trajectories(folder / "desmedt_500genes_1TESTsample_8middleT.csv", genes)[1:]
    expression = prepare(genes, train, test, Split(validation_fraction=0.05, longest_interval=0.04))
    assert len(expression.of("test")) == 7
    assert len(expression.of("train")) + len(expression.of("validation")) == 176
    assert endpoints(expression, expression.values, expression.transitions)[2].max() * expression.time_scale < 0.006


def test_the_bone_marrow_file_is_split_as_published(mirror):
    folder = mirror / "QuackenbushLab/DASH/2365bd1f4654b63bbc399700dd6897c32c029e2a/hema_data/clean_data"
    genes = read_gene_names(folder / "hema_gene_names_529.csv")
    train, test = (
        read_trajectories(folder / f"hema_B_529genes_{name}.csv", genes)[1:] for name in ("2samples", "3testsamples")
    )
    expression = prepare(genes, train, test, Split(validation=(0,)))
    lengths = endpoints(expression, expression.values, expression.of("train"))[2]
    assert lengths.max() == pytest.approx(2)  # in units of the median interval 133, over which models diverge
    assert len(expression.of("validation")) == 481 and len(expression.of("train")) == 167
    assert len(expression.of("test")) == 390 + 1004 + 47


def test_both_yeast_replicates_are_read(mirror):
    folder = mirror / "QuackenbushLab/phoenix/b18317663aada933fa26402df6aad86d042bd13b/pramila_yeast_data/clean_data"
    genes = read_gene_names(folder / "pramila500_gene_names.csv")
    train, test = (
        read_trajectories(folder / f"pramila_500genes_{name}_24T.csv", genes)[1:] for name in ("1sample", "1VALsample")
    )
    expression = prepare(np.array(genes), train, test, Preparation())
    assert genes[0] == "YAL004W" and expression.values.shape == (2, 24, 500)
    assert [len(expression.of(split)) for split in ("train", "validation", "test")] == [20, 3, 23]


def test_a_trajectory_of_the_test_that_was_trained_on_is_reported():
    times, values = np.array([[0.0, 1.0, 2.0]] * 3), np.random.default_rng(0).random((3, 3, len(GENES)))
    longer = [
        np.pad(part[2:], [(0, 0), (0, 1)] + [(0, 0)] * (part.ndim - 2), constant_values=np.nan)
        for part in (values, times)
    ]
    with pytest.warns(InputWarning, match=r"trajectory 1 of the test \(1 of 1 in all\) is a training trajectory too"):
        prepare(GENES, (values, times), longer, Split(validation_fraction=0.4))
