"""Fits begin where a table of the user's own or a former run says, and what is wrong in these is refused."""

import numpy as np
import pandas as pd
import pytest

from kinetrain import tables
from kinetrain.errors import InputError
from kinetrain.mechanistic.given_starts import estimated_parameters, files_of, read_starts
from kinetrain.options import read_options
from kinetrain.training import full_batch, minibatch_fits
from kinetrain.training.options import FullBatchOptions, MinibatchOptions
from kinetrain.training.starts import starting_point

PARAMETERS = pd.DataFrame(
    {"parameterScale": ["log10", "lin"], "lowerBound": [1e-3, -5.0], "upperBound": [1e3, 5.0]}, index=["k1", "k2"]
)


def write(folder, text):
    (folder / "starts.tsv").write_text(text)
    return folder / "starts.tsv"


def test_a_table_holds_starts_on_the_linear_scale_in_any_order_of_columns(tmp_path):
    points = read_starts(write(tmp_path, "k2\tk1\n0.5\t100\n-5\t0.001\n"), PARAMETERS, 3)
    np.testing.assert_allclose(points, [[2.0, 0.5], [-3.0, -5.0]])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("k1\n1\n", "no column 'k2', which is estimated"),
        ("k1\tk2\tk3\n1\t1\t1\n", "the column 'k3' is not estimated"),
        ("k1\tk2\n1\t1\n1\tnan\n", "row 3, column 'k2': 'nan' is no number"),
        ("k1\tk2\n1\tinf\n", "row 2, column 'k2': a finite number is needed"),
        ("k1\tk2\n\t1\n", "row 2, column 'k1': a finite number is needed"),
        ("k1\tk2\n1\tsmall\n", "row 2, column 'k2': 'small' is no number"),
        ("k1\tk2\n1\t1\n0\t1\n", "row 3, column 'k1': 0 is below the lower bound 0.001"),
        ("k1\tk2\n1\t1\n1\t5.1\n", "row 3, column 'k2': 5.1 is above the upper bound 5"),
        ("k1\tk2\n1\t1\n1\t1\n1\t1\n", "it has 3 rows; `starts` is 2"),
        ("k1\tk2\n", "it has 0 rows; a row per start is needed"),
        ("k1\tk2\tk1\n1\t1\t1\n", "the column 'k1' is named more than once"),
    ],
)
def test_a_wrong_table_is_refused_with_row_and_column(tmp_path, text, said):
    with pytest.raises(InputError, match=said) as refused:
        read_starts(write(tmp_path, text), PARAMETERS, 2)
    assert "starts.tsv" in str(refused.value)


@pytest.fixture
def former(tmp_path):
    """A function that writes the fits of a former run, from the worst to the best, and returns their file."""

    def made(points, names=("k2", "k1")):
        fits = [{"start": i, "objective": 9.0 - i, "schedule": "-", "status": "finished"} for i in range(len(points))]
        tables.save("fits", tables.frame("fits", fits), tmp_path / "fides.tsv")
        np.savez(tmp_path / "fides.parameters.npz", names=np.array(names), last=points, best=points, averaged=points)
        return tmp_path / "fides.parameters.npz"

    return made


def test_a_former_run_is_continued_from_its_best_fits(former):
    path = former(np.array([[0.1, 1.0], [0.2, 2.0], [0.3, 3.0]]))
    np.testing.assert_allclose(read_starts(path, PARAMETERS, 2), [[3.0, 0.3], [2.0, 0.2]])
    assert files_of(path) == [str(path), str(path.parent / "fides.tsv")]


def test_a_former_run_of_another_problem_is_refused(former):
    with pytest.raises(InputError, match="no parameter 'k1', which is estimated"):
        read_starts(former(np.ones((1, 2)), ("k2", "k9")), PARAMETERS, 2)
    with pytest.raises(InputError, match=r"parameter 'k2': 7 is above the upper bound 5"):
        read_starts(former(np.array([[7.0, 1.0]])), PARAMETERS, 2)


def test_the_estimated_parameters_of_a_file_are_those_of_the_problem(egf_yaml):
    table = estimated_parameters(egf_yaml)
    assert "k_turnover" in table.index and table.loc["k_turnover"].tolist() == ["log10", 1e-8, 1e8]


def test_fits_begin_at_given_starts_and_a_checkpoint_of_others_is_not_taken(quadratic, tmp_path, capsys):
    problem, options = quadratic(), FullBatchOptions(epochs=1)
    given = np.array([[1.0, 2.0]])
    assert starting_point(problem, 0, 0, given).tolist() == [1.0, 2.0]
    assert np.array_equal(starting_point(problem, 0, 1, given), starting_point(problem, 0, 1))
    _, trace, _ = full_batch.fit_starts(problem, "toy", 0, "l_bfgs_b", 2, options, tmp_path, given=given)
    begin = trace[trace["cost"] == trace.groupby("start")["cost"].transform("min")]["objective"]
    assert begin.iloc[0] <= problem.value(given[0], np.arange(4))
    assert "(1 of 2 starts are done)\nstart 1: finished, " in capsys.readouterr().err
    problem.evaluations.clear()
    full_batch.fit_starts(problem, "toy", 0, "l_bfgs_b", 1, options, tmp_path, given=given + 1)
    assert problem.evaluations[0][1:3] == (2.0, 3.0)


def test_mini_batches_begin_there_too(quadratic, tmp_path):
    problem = quadratic()
    settings = {"epochs": 2, "optimizer": {"rule": "adam_balanced"}, "batch_size": "full"}
    settings |= {"schedule": {"name": "S", "start": 0.1, "end": 0.01}, "safeguard": {"name": "off", "rescue": 0}}
    options = read_options(MinibatchOptions, settings)
    minibatch_fits.fit_starts(problem, "toy", 0, "adam_balanced", 1, options, tmp_path, np.array([[3.0, -3.0]]))
    assert problem.evaluations[0][1:3] == (3.0, -3.0)
