"""Cells with a pseudotime become trajectories, and unusable files are refused with what is missing."""

import h5py
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData, settings
from scipy import sparse

from kinetrain.data.expression_files import read_trajectories
from kinetrain.data.options import Layout
from kinetrain.errors import InputError

settings.allow_write_nullable_strings = True
PSEUDOTIME = Layout(time="pseudotime")
LINEAGES = Layout(time="pseudotime", trajectory="lineage")


@pytest.fixture
def write(tmp_path):
    """Write six cells of three genes, changed by a function, and return the path."""

    def write(change=lambda cells: None):
        obs = pd.DataFrame(
            {"pseudotime": [0.2, 0.0, 0.2, 0.5, 0.1, 0.4], "lineage": pd.Categorical(list("aaabbb"))},
            index=[f"cell{number}" for number in range(6)],
        )
        values = np.arange(18.0).reshape(6, 3)
        cells = AnnData(sparse.csr_matrix(values), obs=obs, var=pd.DataFrame(index=["A", "B", "C"]))
        cells.layers["scaled"] = values / 17
        change(cells)
        cells.write_h5ad(tmp_path / "cells.h5ad")
        return tmp_path / "cells.h5ad"

    return write


def test_cells_are_ordered_by_pseudotime_and_averaged_where_it_is_equal(write):
    genes, values, times = read_trajectories(write(), None, LINEAGES)
    assert genes.tolist() == ["A", "B", "C"]
    assert np.array_equal(times, [[0, 0.2, np.nan], [0.1, 0.4, 0.5]], equal_nan=True)
    assert values[0, :2].tolist() == [[3, 4, 5], [3, 4, 5]]  # the mean of the cells 0 and 2 is cell 1
    assert values[1].tolist() == [[12, 13, 14], [15, 16, 17], [9, 10, 11]]


def test_without_trajectories_all_cells_are_one(write):
    _, values, times = read_trajectories(write(), None, PSEUDOTIME)
    assert times.tolist() == [[0, 0.1, 0.2, 0.4, 0.5]] and values.shape == (1, 5, 3)


def test_genes_are_chosen_and_a_layer_may_be_read(write):
    genes, values, _ = read_trajectories(write(), ["C", "A"], Layout(time="pseudotime", layer="scaled"))
    assert genes.tolist() == ["C", "A"] and np.allclose(values[0, 0], [5 / 17, 3 / 17])


def test_bins_average_cells_before_equal_times(write):
    _, values, times = read_trajectories(write(), None, Layout(time="pseudotime", bins=2))
    assert np.allclose(times, [[0.1, (0.2 + 0.4 + 0.5) / 3]])
    assert np.allclose(values[0, :, 0], [(3 + 12 + 0) / 3, (6 + 15 + 9) / 3])


def test_each_column_of_pseudotimes_is_a_lineage_of_the_cells_that_have_a_time_in_it(write):
    def lineages(cells):
        cells.obs["first"] = [0.2, 0.0, 0.2, np.nan, 0.1, np.nan]
        cells.obs["second"] = [np.nan, 0.0, np.nan, 0.5, np.nan, np.nan]

    _, values, times = read_trajectories(write(lineages), None, Layout(time=("first", "second")))
    assert np.array_equal(times, [[0, 0.1, 0.2], [0, 0.5, np.nan]], equal_nan=True)
    assert values[0].tolist() == [[3, 4, 5], [12, 13, 14], [3, 4, 5]]
    assert values[1, :2].tolist() == [[3, 4, 5], [9, 10, 11]]


def infinite(cells):
    cells.obs.loc["cell3", "pseudotime"] = np.inf


def unnamed(cells):
    cells.obs.loc["cell3", "lineage"] = np.nan


def twice(cells):
    cells.var_names = ["A", "B", "A"]


def unknown(cells):
    cells.X[2, 1] = np.nan


def nothing(cells):
    del cells.X


def nameless(cells):
    cells.var_names = ["A", "", "C"]


def truths(cells):
    cells.X = cells.X.toarray() > 5


def truth_times(cells):
    cells.obs["pseudotime"] = [True, False] * 3


@pytest.mark.parametrize(
    ("change", "genes", "layout", "message"),
    [
        (nameless, None, PSEUDOTIME, "gene 2 among its var_names has no name"),
        (truths, None, PSEUDOTIME, "holds truth values, no expression"),
        (truth_times, None, PSEUDOTIME, r"'pseudotime' \(expression.time\) is no finite number for 6 of 6 cells"),
        (
            infinite,
            None,
            PSEUDOTIME,
            r"'pseudotime' .* is no finite number for 1 of 6 .* 'cell3' \(inf\): write numbers",
        ),
        (unnamed, None, LINEAGES, r"cell 'cell3' has no trajectory \('lineage'\)"),
        (twice, None, PSEUDOTIME, "gene 'A' is named more than once"),
        (unknown, None, PSEUDOTIME, "cell 'cell2' has no finite value for gene 'B'"),
        (nothing, None, PSEUDOTIME, r"has no matrix X: name one of its layers \(expression.layer\)"),
        (None, ["A", "D"], PSEUDOTIME, "1 genes of 2 are not among its var_names: D; it has A, B, C"),
        (None, None, Layout(), "expression.time is 'time', but the columns of obs are pseudotime, lineage"),
        (None, None, Layout("pseudotime", "batch"), "expression.trajectory is 'batch', but"),
        (None, None, Layout("pseudotime", layer="raw"), "expression.layer is 'raw', but the layers are scaled"),
        (None, None, Layout("pseudotime", bins=7), "trajectory 1 has 6 points, fewer than bins 7"),
    ],
)
def test_what_is_wrong_is_named_with_the_file_and_the_key(write, change, genes, layout, message):
    path = write(change) if change else write()
    with pytest.raises(InputError, match=message) as caught:
        read_trajectories(path, genes, layout)
    assert "cells.h5ad" in str(caught.value)


def test_an_hdf5_file_of_something_else_is_refused(tmp_path):
    with h5py.File(tmp_path / "cells.h5ad", "w") as file:
        file["a"] = 1
    with pytest.raises(InputError, match=r"cells\.h5ad: not an AnnData file \([^\n]*\)$"):
        read_trajectories(tmp_path / "cells.h5ad")


def test_a_file_that_is_no_anndata_is_refused(tmp_path):
    (tmp_path / "cells.h5ad").write_text("trajectory,time,A\n")
    with pytest.raises(InputError, match=r"cells\.h5ad: not an AnnData file"):
        read_trajectories(tmp_path / "cells.h5ad")
