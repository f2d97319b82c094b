"""Expression as other people have it is read, or refused with what to change; nothing that is no gene becomes one."""

import gzip
import json

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData, settings
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from kinetrain.data.expression import load_expression
from kinetrain.data.expression_files import READERS, read_trajectories
from kinetrain.data.measured import read_expression
from kinetrain.data.options import Layout, Preparation
from kinetrain.errors import InputError, InputWarning

settings.allow_write_nullable_strings = True
GENES = ["TP53", "MYC", "KLF1"]
PLAIN = Layout()


def frame(trajectories=3, times=4) -> pd.DataFrame:
    """A tidy table of trajectories of three genes with values between 0 and 1."""
    rows = trajectories * times
    table = pd.DataFrame(np.random.default_rng(0).random((rows, 3)).round(4), columns=GENES)
    table.insert(0, "time", np.tile(2.0 * np.arange(times), trajectories))
    table.insert(0, "trajectory", np.repeat([f"s{number}" for number in range(trajectories)], times))
    return table


@pytest.fixture
def write(tmp_path):
    """Write text or a table under a name and return its path."""

    def write(content, name="data.csv", **options):
        path = tmp_path / name
        if isinstance(content, pd.DataFrame):
            content.to_csv(path, index=False, **options)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def same(path, layout=PLAIN, genes=None) -> bool:
    """Return whether a file is read as the tidy table it was written from."""
    table = frame()
    found, values, times = read_trajectories(path, genes, layout)
    expected = table[GENES].to_numpy().reshape(3, 4, 3)
    return found.tolist() == GENES and np.allclose(values, expected) and (times == [0, 2, 4, 6]).all()


def text(**options) -> str:
    return frame().to_csv(index=False, **options)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (text(), "plain.txt"),
        (text().replace("\n", "\r\n"), "windows.csv"),
        (text(sep="\t"), "tabs.csv"),
        (text(), "commas.tsv"),
        (text(sep=";"), "semicolons.csv"),
        (gzip.compress(text().encode()), "packed.csv.gz"),
        (gzip.compress(text().encode()), "packed.csv"),
        (text().encode("utf-8-sig"), "mark.csv"),
        (text(sep="\t").encode("utf-16"), "excel.txt"),
        (text(quoting=1), "quotes.csv"),
        (text().replace(",MYC,", ", MYC ,").replace("s1,", "s1 ,"), "blanks.csv"),
        (text() + "\n\n", "empty_lines.csv"),
    ],
)
def test_a_table_is_read_in_every_layout(write, content, name):
    assert same(write(content, name))


def test_decimal_commas_and_latin_1_are_read_and_reported(write):
    with pytest.warns(InputWarning, match="4 columns have decimal commas, read as points"):
        assert same(write(text(sep=";", decimal=",")))
    with pytest.warns(InputWarning, match="read as Latin-1"):
        genes, _, _ = read_trajectories(write(text().replace("MYC", "Bäcker").encode("latin-1")))
    assert genes.tolist() == ["TP53", "Bäcker", "KLF1"]


def test_points_beside_decimal_commas_are_refused_as_they_may_stand_between_thousands(write):
    table = frame().assign(time=["0", "1.440", "2.880", "4.320"] * 3)
    with pytest.raises(InputError, match="3 columns have decimal commas, but column 2 has points, which"):
        read_trajectories(write(table, sep=";", decimal=","))
    with pytest.warns(InputWarning, match="3 columns have decimal commas"):
        assert same(write(text(sep=";", decimal=",").replace(",0;", ";")))
    with pytest.raises(InputError, match=r"'1,200' is not a number \(write nothing between thousands, and a decimal p"):
        read_trajectories(write(replaced("MYC", "1,200")))


def blocks(separator=",", end="\n", padding="") -> str:
    rows = [f"3{separator}3{padding}"]
    for _, own in frame().groupby("trajectory"):
        rows += [separator.join(map(str, own[column])) for column in [*GENES, "time"]]
    return end.join(rows) + end


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (blocks(), "short_first_line.csv"),
        (blocks(padding=",,").encode("utf-8-sig"), "mark.csv"),
        (gzip.compress(blocks("\t").encode()), "packed.tsv.gz"),
        (blocks(";", "\r\n"), "semicolons.csv"),
    ],
)
def test_blocks_are_read_in_every_layout(write, content, name):
    assert same(write(content, name), genes=GENES)


def test_a_file_of_names_keeps_its_first_gene_with_and_without_a_header(write):
    with pytest.warns(InputWarning, match=r"names\.txt: has no header, its first gene is 'TP53'"):
        assert same(write(blocks()), genes=write("TP53\nMYC\nKLF1\n", "names.txt"))
    with pytest.warns(InputWarning, match="its first gene is 'TP53'"):
        assert same(write(text()), genes=str(write("TP53\nMYC\nKLF1\n", "names.txt")))
    assert same(write(blocks()), genes=write("gene\nTP53\nMYC\nKLF1\n", "names.txt"))


def test_the_first_line_of_a_file_of_names_is_no_gene_without_a_word(write):
    with pytest.warns(
        InputWarning, match=r"names\.txt: its first line, 'TNF', is taken for the header, not for a gene"
    ):
        assert same(write(text()), genes=write("TNF\nTP53\nMYC\nKLF1\n", "names.txt"))


def test_columns_that_are_no_genes_are_named_and_left_out(write):
    table = frame().assign(lot=1, tag="d7")
    assert same(write(table), Layout(metadata=("lot", "tag")))
    with pytest.raises(InputError, match=r"row 2: gene 'tag': 'd7' is not a number .*expression\.metadata"):
        read_trajectories(write(table))
    with pytest.raises(InputError, match=r"no column 'Lot', which expression\.metadata names"):
        read_trajectories(write(table), None, Layout(metadata=("Lot",)))


def test_genes_that_are_chosen_may_leave_others_out_which_is_reported(write):
    table = frame().assign(TNF=0.5)
    table.insert(4, "TNF ", 0.5)  # named twice, once with a blank
    with pytest.warns(InputWarning, match="2 columns are not among the genes that were asked for: TNF, TNF"):
        assert same(write(table), genes=GENES)
    with pytest.raises(InputError, match="gene 'TNF' is named more than once"):
        read_trajectories(write(table))
    with pytest.raises(InputError, match=r"1 genes of 2 are not among its columns: GATA1; it has TP53"):
        read_trajectories(write(table), ["TP53", "GATA1"])


TWO_COLUMNS = {"treatment": ["EGF"] * 4 + ["NRG"] * 4 + ["EGF"] * 4, "replicate": [1] * 8 + [2] * 4}


def test_several_columns_tell_trajectories_apart_together(write):
    table = frame().drop(columns="trajectory").assign(**TWO_COLUMNS)
    assert same(write(table), Layout(trajectory=("treatment", "replicate")))
    alone = Layout(trajectory="replicate", metadata=("treatment",))
    with pytest.raises(InputError, match=r"apart together \(\[treatment, replicate\]\)"):
        read_trajectories(write(table), layout=alone)
    with pytest.raises(InputError, match="no column 'dose', which"):
        read_trajectories(write(table), layout=Layout(trajectory=("treatment", "dose")))
    with pytest.raises(InputError, match=r"row 3: a row without the name of its trajectory \('replicate'\)"):
        read_trajectories(write(table.assign(replicate=[1, None] + [1] * 10)), layout=alone)


def test_several_columns_of_cells_tell_trajectories_apart_together(tmp_path):
    table = frame().assign(**TWO_COLUMNS)
    obs = table[["time", *TWO_COLUMNS]].set_axis([f"cell{number}" for number in range(12)])
    AnnData(table[GENES].to_numpy(), obs=obs, var=pd.DataFrame(index=GENES)).write_h5ad(tmp_path / "cells.h5ad")
    assert same(tmp_path / "cells.h5ad", Layout(trajectory=("treatment", "replicate")))


def test_a_gene_of_cells_may_be_named_twice_where_it_is_not_chosen(tmp_path):
    obs = pd.DataFrame({"time": [0.0, 1.0]}, index=["a", "b"])
    cells = AnnData(np.array([[0.0, 1, 2, 3], [0.5, 1, 2, 3]]), obs=obs, var=pd.DataFrame(index=["A", "B", "B", "C "]))
    cells.write_h5ad(tmp_path / "cells.h5ad")
    genes, values, _ = read_trajectories(tmp_path / "cells.h5ad", ["C", "A"])
    assert genes.tolist() == ["C", "A"] and values[0].tolist() == [[3, 0], [3, 0.5]]
    with pytest.raises(InputError, match="gene 'B' is named more than once"):
        read_trajectories(tmp_path / "cells.h5ad")


def replaced(column, values) -> pd.DataFrame:
    return frame().assign(**{column: values})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (text().replace("trajectory", "", 1), "column 1 has no name"),
        (frame().to_csv(), "column 1 has no name.*row.names = FALSE in R, index=False in pandas.*expression.samples"),
        (text().replace("KLF1", "MYC"), "gene 'MYC' is named more than once"),
        (text().replace("KLF1", "time"), "the column 'time' is named more than once"),
        (text(sep=" "), "no column 'time'.*columns must be separated by tabs, commas or semicolons"),
        (text().replace("time", "hours"), r"no column 'time'.*expression\.time.*it has trajectory, hours, TP53"),
        (text().replace("time", "Time"), r"no column 'time' \(did you mean 'Time'\?\): a table has one row per sample"),
        ("gene,s1,s2\nA,1,2\nB,2,3\n", "no column 'time'.*genes in its rows.*expression.samples.*it has gene, s1, s2"),
        (text(decimal=",").replace('"', ""), "row 2 has"),
        (text(decimal=","), r"row 2: the time \('time'\): '0,0' is not a number \(write a decimal point\)"),
        (replaced("MYC", "1,234.5"), "row 2: gene 'MYC': '1,234.5' is not a number"),
        (replaced("MYC", True), "row 2: gene 'MYC': 'True' is not a number"),
        (replaced("MYC", np.inf), "trajectory 1 has no value for gene 'MYC' at time 0"),
        (replaced("MYC", "NA"), "row 2: gene 'MYC': 'NA' is not a number"),
        (replaced("time", [*range(5), None, *range(6)]), r"row 7: a row without a finite time \('time'\).*lineages"),
        (replaced("trajectory", "one"), r"must increase, but 6 is followed by 0: sort the rows .*name the column"),
        (replaced("MYC", 5e4), r"'MYC' reaches 50000, .*expression\.scale: log2.*expression\.metadata.*: raw"),
        (text().replace("s1,0.0", ",0.0"), "row 6: a row without the name of its trajectory"),
        ("trajectory,time\na,0\na,1\n", "has no gene among its columns"),
        ("6,6\n0.1,0.2\n", "blocks without names"),
    ],
)
def test_a_table_that_is_unclear_is_refused_in_one_line(write, content, message):
    with pytest.raises(InputError, match=rf"data\.csv: .*{message}") as caught:
        read_trajectories(write(content))
    assert "\n" not in str(caught.value)


def test_counts_become_logarithms_or_stay_what_they_are_on_demand(write):
    counts = frame()
    counts[GENES] = np.random.default_rng(1).integers(0, 50000, (12, 3))
    path = write(counts)
    with pytest.raises(InputError, match=r"is no log-like value"):
        read_trajectories(path)
    _, raw, _ = read_trajectories(path, None, Layout(scale="raw"))
    _, logarithms, _ = read_trajectories(path, None, Layout(scale="log2"))
    assert raw.max() > 1000 and np.allclose(logarithms, np.log2(1 + raw))
    with pytest.raises(InputError, match=r"'MYC' has values below 0, of which expression\.scale: log2"):
        read_trajectories(write(replaced("MYC", -1.0)), None, Layout(scale="log2"))
    with pytest.raises(ValueError, match="scale = 'ln': expected 'log2', 'raw' or null"):
        Layout(scale="ln")


def test_columns_that_stand_apart_are_reported(write):
    table = frame().assign(lot=np.tile([1, 2], 6), age=np.linspace(40, 70, 12), level=np.repeat([0.1, 0.2, 0.5], 4))
    with pytest.warns(InputWarning) as reported:
        read_trajectories(write(table))
    said = [str(one.message) for one in reported]
    assert any("1 of 6 genes hold whole numbers alone, unlike the others: lot" in line for line in said)
    assert any("1 of 6 genes are over 20 times as large, unlike the others: age" in line for line in said)
    assert any("1 of 6 genes change between trajectories alone, unlike the others: level" in line for line in said)
    assert all("name columns that are no genes (expression.metadata)" in line for line in said) and len(said) == 3
    whole = frame()
    whole[GENES] = np.random.default_rng(2).integers(0, 30, (12, 3))
    with pytest.warns(InputWarning, match="all values are whole numbers up to .*: of counts, take expression.scale"):
        read_trajectories(write(whole))


def test_bins_take_rows_in_any_order_and_with_ties(write):
    table = frame().sample(frac=1, random_state=1)
    table["time"] = table["time"].round(-1)
    _, values, times = read_trajectories(write(table), None, Layout(bins=2))
    assert values.shape == (3, 2, 3) and (np.diff(times) > 0).all()
    own = table[table["trajectory"] == table["trajectory"].iloc[0]].sort_values("time", kind="stable")
    assert np.allclose(values[0, 0], own[GENES].iloc[:2].mean())


@limits(deadline=None, max_examples=50)
@given(
    times=st.lists(st.integers(0, 6), min_size=4, max_size=12).filter(lambda times: len(set(times)) > 3),
    bins=st.integers(2, 4),
    seed=st.integers(0, 9),
)
def test_bins_keep_the_mean_of_equal_groups_whatever_the_order_of_rows(tmp_path_factory, times, bins, seed):
    rows = len(times) // bins * bins
    table = pd.DataFrame({"time": sorted(times)[:rows], "A": np.random.default_rng(seed).random(rows)})
    path = tmp_path_factory.mktemp("bins") / "data.csv"
    groups = table.groupby(np.repeat(np.arange(bins), rows // bins)).mean().groupby("time").mean()["A"]
    table.to_csv(path, index=False)
    if len(groups) < 2:
        return
    _, values, clock = read_trajectories(path, None, Layout(bins=bins))
    assert np.allclose(values[0, :, 0], groups) and np.allclose(clock[0], groups.index)


def test_series_between_empty_lines_are_trajectories(write):
    """As in the time series of DREAM: "Time", the genes, and an empty line before every series."""
    series = [
        own.drop(columns="trajectory") for _, own in frame().rename(columns={"time": "Time"}).groupby("trajectory")
    ]
    lines = [
        series[0].head(0).to_csv(index=False, sep="\t"),
        *(one.to_csv(index=False, header=False, sep="\t") for one in series),
    ]
    with pytest.warns(InputWarning, match="has 3 trajectories, between empty lines"):
        assert same(write("\n".join(lines)), Layout(time="Time"))
    going_on = text().replace("trajectory,", "").replace("s0,", "").split("s1")[0].replace("\n4.0", "\n\n4.0")
    _, values, _ = read_trajectories(write(going_on))
    assert values.shape == (1, 4, 3)


def test_repeats_of_the_same_times_are_trajectories_which_is_reported(write):
    """As in the time series of DREAM without its empty lines."""
    table = frame().drop(columns="trajectory")
    with pytest.warns(InputWarning, match="has 3 trajectories, as the times 0 to 6 are repeated"):
        assert same(write(table.assign(zero=0.0).rename(columns={"time": "Time"})), Layout(time="Time"), GENES)
    with pytest.raises(InputError, match=r"must increase, but 6 is followed by 0: .* or put an empty line between"):
        read_trajectories(write(table.drop(index=5)))
    for mouse in (np.repeat([1, 2, 3], 4), np.repeat([0.2, 0.5, 0.5], 4)):
        with pytest.raises(InputError, match=r"'mouse' changes between these repeats alone: name it under expression"):
            read_trajectories(write(table.assign(mouse=mouse)))


def test_rows_of_equal_times_are_averaged_on_demand_alone(write):
    once, again = frame(), frame().assign(**{gene: frame()[gene] + 0.1 for gene in GENES})
    twice = pd.concat([once, again]).sample(frac=1, random_state=3).sort_values("trajectory", kind="stable")
    _, values, times = read_trajectories(write(twice), layout=Layout(bins="times"))
    assert np.allclose(values.reshape(12, 3), once[GENES] + 0.05) and times.tolist() == [[0, 2, 4, 6]] * 3
    with pytest.raises(InputError, match=r"average rows of equal times \(expression\.bins: times\), or name"):
        read_trajectories(write(twice.sort_values(["trajectory", "time"])))


def test_a_column_of_samples_is_no_column_of_trajectories(write):
    table = frame().drop(columns="trajectory").assign(replicate=range(12))
    with pytest.raises(InputError, match=r"trajectory 1 has 1 times, a transition needs two \(if its name"):
        read_trajectories(write(table), layout=Layout(trajectory="replicate"))


def test_genes_that_are_chosen_in_other_letters_are_named(write):
    with pytest.raises(InputError, match=r"1 genes of 2 are not among its columns: tp53; .* alone: tp53 \(TP53\)$"):
        read_trajectories(write(frame()), ["MYC", "tp53"])


def test_a_missing_value_is_called_one(write):
    with pytest.raises(InputError, match=r"row 2: gene 'MYC': 'NaN' is not a number \(a missing value: fill it in, or"):
        read_trajectories(write(replaced("MYC", "NaN")))


def test_each_column_of_times_is_a_lineage_of_the_rows_that_have_a_time_in_it(write):
    table = (
        frame()
        .drop(columns=["trajectory", "time"])
        .assign(first=[*range(8), *4 * [None]], second=[*4 * [None], *range(8)])
    )
    path = write(table.sample(frac=1, random_state=2), na_rep="NA")
    genes, values, times = read_trajectories(path, None, Layout(time=("first", "second")))
    assert genes.tolist() == GENES and times.tolist() == [[*range(8)]] * 2
    assert np.allclose(values[0], frame()[GENES][:8]) and np.allclose(values[1], frame()[GENES][4:])
    with pytest.raises(InputError, match=r"column 2 of those that expression\.time names holds no time at all"):
        read_trajectories(write(table.assign(second="NA")), None, Layout(time=("first", "second")))


LABELS = [
    "replicate",
    "Sample_IDs",
    "nCount_RNA",
    "percent.mt",
    "UMAP_1",
    "Rep",
    "TRAJECTORY",
    "Time point",
    "dpt_pseudotime",
    "lineage1",
    "time_h",
]


@pytest.mark.parametrize("genes", [None, GENES])
@pytest.mark.parametrize("name", LABELS)
def test_a_column_of_labels_is_named_in_the_configuration_or_refused(write, name, genes):
    """Here times rise across replicates, so that nothing else would tell that there are several."""
    table = frame().rename(columns={"trajectory": name}).replace({"s0": 1, "s1": 2, "s2": 3})
    rising = table.assign(time=range(len(table)))
    with pytest.raises(InputError, match=f"the column '{name}' is hardly a gene: name it under expression.trajectory"):
        read_trajectories(write(rising), genes)
    assert read_trajectories(write(table), genes, Layout(trajectory=name))[1].shape == (3, 4, 3)
    assert read_trajectories(write(rising), genes, Layout(metadata=(name,)))[1].shape == (1, 12, 3)
    assert read_trajectories(write(rising), [*GENES, name])[1].shape == (1, 12, 4)


def test_names_of_genes_that_a_spreadsheet_turned_into_dates_are_reported(write):
    damaged = ["1-Mar", "Sep-02", "2001-03-01", "01.03.2024", "2.31E+13"]
    table = frame().assign(**dict.fromkeys([*damaged, "MARCH1", "March2", "Dec1", "HLA-A", "7157", "1.5"], 0.5))
    with pytest.warns(InputWarning, match="5 gene names look like dates or numbers") as said:
        read_trajectories(write(table))
    assert any(f"names: {', '.join(damaged)}; correct them" in str(one.message) for one in said)


def test_a_time_beyond_all_clocks_is_refused(write):
    with pytest.raises(InputError, match=r"trajectory 3 has a time of 1e\+300, above 1e\+15: take another unit"):
        read_trajectories(write(text().replace("s2,6.0", "s2,1e300")))


def test_the_command_says_which_columns_became_genes(call, write, tmp_path, capsys):
    table = frame().assign(batch=2).rename(columns={"trajectory": "replicate", "time": "minutes"})
    layout = {"time": "minutes", "trajectory": "replicate", "metadata": ["batch"], "validation": [1]}
    output = tmp_path / "e.npz"
    call("prepare_expression", f"--train={write(table)}", f"--expression={output}", "--settings", json.dumps(layout))
    assert capsys.readouterr().out.startswith("3 genes (TP53 to KLF1), 3 trajectories;")
    assert load_expression(output).genes.tolist() == GENES
    lineages = frame().drop(columns="trajectory").assign(late=range(12)).iloc[::-1]
    layout = {"time": ["time", "late"], "validation": [1]}
    call("prepare_expression", f"--train={write(lineages)}", f"--expression={output}", "--settings", json.dumps(layout))
    assert load_expression(output).values.shape == (2, 12, 3)


def test_times_that_differ_by_rounding_are_equal(write):
    hours = np.array([0, 0.3, 0.1 + 0.2, 0.6] * 3)
    with pytest.raises(InputError, match=r"must increase, but 0\.3 is followed by 0\.3: average rows of equal times"):
        read_trajectories(write(replaced("time", hours)))
    _, values, times = read_trajectories(write(replaced("time", hours)), layout=Layout(bins="times"))
    means = frame().groupby(["trajectory", hours.round(1)])[GENES].mean()
    assert times.tolist() == [[0, 0.3, 0.6]] * 3 and np.allclose(values.reshape(9, 3), means)


@pytest.mark.parametrize("other", ["S1", "1", "1.0"])
def test_labels_that_may_mean_the_same_are_reported(write, other):
    table = frame(4).replace({"trajectory": {"s0": "01", "s2": other}})
    first = "s1" if other == "S1" else "01"
    with pytest.warns(InputWarning, match=f"'{first}' and '{other}' of 'trajectory' are told apart, though they may"):
        assert len(read_trajectories(write(table))[1]) == 4


@pytest.mark.parametrize("name", ["__no_feature", "N_noFeature"])
def test_counts_of_reads_that_belong_to_no_gene_are_no_gene(write, name):
    with pytest.raises(InputError, match=f"'{name}' is no gene but a count of reads that belong to none: leave it out"):
        read_trajectories(write(frame().rename(columns={"MYC": name})))


def test_a_header_does_not_take_the_place_of_a_gene_that_a_list_lacks(write):
    """Else all genes of the blocks would have the names of those before them."""
    with pytest.raises(InputError, match="holds 3 genes, but 2 gene names are given"):
        read_trajectories(write(blocks()), write("gene\nTP53\nMYC\n", "names.txt"))


def test_rows_without_a_time_in_any_lineage_are_reported(write):
    early, late = [0, 1, 2, 3, *[None] * 8], [*[None] * 5, *range(7)]
    table = frame().drop(columns=["time", "trajectory"]).assign(early=early, late=late)
    with pytest.warns(InputWarning, match="1 of 12 rows have a time in no lineage and are left out"):
        read_trajectories(write(table), layout=Layout(time=("early", "late")))


def test_a_single_gene_makes_no_network(write):
    with pytest.raises(InputError, match=r"data\.csv: has a single gene, 'MYC': a network needs two at least"):
        read_expression(write(frame()[["trajectory", "time", "MYC"]]), None, None, Preparation(validation=(1,)))


def test_values_far_below_one_are_reported(write):
    table = frame()
    table[GENES] *= 1e-6  # mol/l
    with pytest.warns(InputWarning, match=r"of which PHOENIX learns little.* expression\.rescale_values: true"):
        read_expression(write(table), None, None, Preparation(validation=(1,)))


def test_values_far_above_one_are_reported_or_mapped_to_zero_to_one(write):
    table = frame()
    table[GENES] = 2 + 8 * table[GENES]
    with pytest.warns(InputWarning, match=r"values lie between .* expression\.rescale_values: true maps them"):
        read_expression(write(table), None, None, Preparation(validation=(1,)))
    later = frame().assign(**{gene: 18.0 + number for number, gene in enumerate(GENES)})
    test = write(later.assign(TP53=np.arange(12.0)), "test.csv")
    found = read_expression(write(table), test, None, Preparation(validation=(1,), rescale_values=True))
    low, high = table[GENES].to_numpy().min(), table[GENES].to_numpy().max()
    assert np.nanmin(found.values[:3]) == 0 and np.nanmax(found.values[:3]) == 1
    assert found.values[0, 0] == pytest.approx((table[GENES].to_numpy()[0] - low) / (high - low))
    assert found.values[3, 0, 2] == pytest.approx((20 - low) / (high - low))  # by the range of the training data


def test_a_format_of_its_own_is_one_reader(tmp_path, monkeypatch):
    def read_lines(path, genes, layout, samples):
        return ["A", "B"], [(np.arange(3.0), np.loadtxt(path).reshape(3, 2))]

    monkeypatch.setitem(READERS, ".lines", read_lines)
    file = tmp_path / "own.lines"
    file.write_text("\n".join(["0.1", "0.2", "0.3", "0.4", "0.5", "0.7"]))
    genes, values, times = read_trajectories(file)
    assert list(genes) == ["A", "B"] and times.tolist() == [[0, 1, 2]]
    assert values.tolist() == [[[0.1, 0.2], [0.3, 0.4], [0.5, 0.7]]]
