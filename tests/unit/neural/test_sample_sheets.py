"""Tables of genes and samples become trajectories by a sheet of the samples, however both are laid out."""

import numpy as np
import pandas as pd
import pytest

from kinetrain.data.expression_files import read_trajectories
from kinetrain.data.options import EACH_TIME, Layout
from kinetrain.errors import InputError, InputWarning

GENES = ["TP53", "HLA-A", "Nkx2 5"]
TIMES = [0.0, 30.0, 60.0, 240.0]
BY_REPLICATE = Layout(trajectory="replicate")


@pytest.fixture
def values() -> np.ndarray:
    """Expression of three replicates, four times and three genes."""
    return np.random.default_rng(5).random((3, 4, 3)).round(4)


@pytest.fixture
def sheet() -> pd.DataFrame:
    """The samples of three replicates at four times."""
    pairs = [(f"ctrl_t{time:g}_rep{replicate}", time, replicate) for replicate in (1, 2, 3) for time in TIMES]
    return pd.DataFrame(pairs, columns=["sample", "time", "replicate"])


@pytest.fixture
def matrix(values, sheet) -> pd.DataFrame:
    """The expression with genes in the rows and samples in the columns."""
    return pd.DataFrame(values.reshape(12, 3).T, index=pd.Index(GENES, name="gene"), columns=sheet["sample"].tolist())


@pytest.fixture
def read(tmp_path):
    """A function that writes expression and sheet, and reads them."""

    def read(expression, sheet, layout=BY_REPLICATE, genes=None):
        for name, content in (("data.csv", expression), ("samples.csv", sheet)):
            text = content if isinstance(content, str) else content.to_csv(index=False)
            (tmp_path / name).write_text(text)
        return read_trajectories(tmp_path / "data.csv", genes, layout, tmp_path / "samples.csv")

    return read


def in_rows(matrix):
    return matrix.to_csv()


def in_rows_by_r(matrix):
    return matrix.to_csv().removeprefix("gene,")


def in_columns(matrix):
    return matrix.T.to_csv()


def shuffled(matrix):
    return matrix.sample(frac=1, axis=1, random_state=4).to_csv(sep="\t")


@pytest.mark.parametrize("written", [in_rows, in_rows_by_r, in_columns, shuffled])
def test_either_genes_or_samples_are_in_the_rows_and_samples_have_any_order(read, matrix, sheet, values, written):
    genes, found, times = read(written(matrix), sheet)
    assert genes.tolist() == GENES and np.array_equal(found, values) and times.tolist() == [TIMES] * 3
    _, found, times = read(written(matrix), sheet.sample(frac=1, random_state=2).sort_values("replicate"))
    assert np.array_equal(found, values) and times.tolist() == [TIMES] * 3


def test_the_sheet_gives_trajectories_their_order_and_may_have_more_columns_and_samples(read, matrix, sheet, values):
    sheet = sheet.assign(title=sheet["sample"].str.upper(), batch=1, hours=sheet["time"] / 60)[::-1]
    _, found, _ = read(in_rows(matrix), sheet)
    assert np.array_equal(found, values[::-1])
    with pytest.warns(InputWarning, match=r"lacks 1 of the 12 samples of .*samples\.csv: ctrl_t30_rep2"):
        _, found, times = read(in_rows(matrix.drop(columns="ctrl_t30_rep2")), sheet)
    assert times[1, :3].tolist() == [0, 60, 240] and np.array_equal(found[1, :3], values[1, [0, 2, 3]])


def test_rows_and_columns_that_are_no_samples_are_named_as_metadata(read, matrix, sheet, values):
    counted = matrix.reset_index()
    counted.insert(1, "Chr", "chr1")
    counted.insert(2, "Length", 1000)
    with pytest.raises(InputError, match=r"2 of its columns are no samples of .*: Chr, Length; .*expression\.metadata"):
        read(counted, sheet)
    named = Layout(trajectory="replicate", metadata=("Chr", "Length"))
    assert np.array_equal(read(counted, sheet, named)[1], values)


@pytest.mark.parametrize("name", ["time", "replicate", "lot"])
def test_a_gene_that_is_called_like_a_column_of_the_sheet_is_refused(read, matrix, sheet, name):
    layout = Layout(trajectory="replicate", metadata=("lot",))
    with pytest.raises(InputError, match=f"the gene '{name}' is called like a column of .*: rename the column"):
        read(in_rows(matrix.rename(index={"TP53": name})), sheet.assign(lot=1), layout)


def test_genes_may_be_chosen(read, matrix, sheet, values):
    with pytest.warns(InputWarning, match="1 columns are not among the genes that were asked for: TP53"):
        genes, found, _ = read(in_rows(matrix), sheet, genes=["Nkx2 5", "HLA-A"])
    assert genes.tolist() == ["Nkx2 5", "HLA-A"] and np.array_equal(found, values[:, :, [2, 1]])


@pytest.mark.parametrize("missing", ["", "NA"])
def test_lineages_of_cells_in_any_order_are_trajectories_with_the_means_of_equal_times(read, missing):
    """As BEELINE stores them; cells of the trunk have a time in both lineages, which is reported."""
    random = np.random.default_rng(3)
    cells = [f"E{number}" for number in range(40)]
    expression = pd.DataFrame(random.random((3, 40)), GENES, cells)
    clocks = pd.DataFrame(random.random((40, 2)).round(1), cells, ["PseudoTime1", "PseudoTime2"])
    clocks.iloc[25:, 0] = clocks.iloc[:15, 1] = None
    layout = Layout(time=("PseudoTime1", "PseudoTime2"))
    with pytest.warns(InputWarning, match="10 of 40 rows have a time in several lineages: what is held out"):
        sheet = clocks.sample(frac=1, random_state=1).to_csv(na_rep=missing)
        _, values, times = read(expression.to_csv(), sheet, layout)
    for lineage, clock in enumerate(clocks):
        means = expression.T.groupby(clocks[clock]).mean()
        assert np.array_equal(times[lineage, : len(means)], means.index)
        assert np.allclose(values[lineage, : len(means)], means) and np.isnan(times[lineage, len(means) :]).all()
    with pytest.raises(InputError, match=r"'PseudoTime2' has several values .*in the list expression.time if it has"):
        read(expression.to_csv(), clocks.to_csv(), Layout(time="PseudoTime1"))
    with pytest.raises(InputError, match=r"sample 'E\d+': a row without a finite time .*all lineages in a list"):
        read(expression.to_csv(), clocks.to_csv(), Layout(time="PseudoTime1", metadata=("PseudoTime2",)))


def test_replicates_are_told_apart_or_averaged_on_demand(read, matrix, sheet, values):
    with pytest.raises(InputError, match=r"samples\.csv: 'replicate' has several values \(1, 2, 3\) among the samples"):
        read(in_rows(matrix), sheet, Layout())
    left_out = Layout(metadata=("replicate",))
    with pytest.raises(InputError, match=r"average rows of equal times \(expression\.bins: times\)"):
        read(in_rows(matrix), sheet, left_out)
    _, found, times = read(in_rows(matrix), sheet, Layout(metadata=("replicate",), bins=EACH_TIME))
    assert np.allclose(found, values.mean(axis=0)) and times.tolist() == [TIMES]


def test_a_column_that_tells_trajectories_apart_where_no_times_are_equal_is_named(read, matrix, sheet):
    """Without the name their samples would be one trajectory, without a warning."""
    apart = sheet.assign(time=range(12)).rename(columns={"replicate": "strain"})
    with pytest.raises(InputError, match="'strain' has several values"):
        read(in_rows(matrix), apart, Layout())
    assert read(in_rows(matrix), apart, Layout(metadata=("strain",)))[1].shape == (1, 12, 3)
    assert read(in_rows(matrix), apart, Layout(trajectory="strain"))[1].shape == (3, 4, 3)


def test_cells_of_anndata_have_no_sheet(tmp_path):
    (tmp_path / "cells.h5ad").write_text("")
    with pytest.raises(InputError, match=r"columns of obs hold what is known of its cells: leave expression\.samples"):
        read_trajectories(tmp_path / "cells.h5ad", samples=tmp_path / "samples.csv")
