"""Delimited text is read alike in every packing, encoding and layout, and refused in one line where it is unclear."""

import csv
import gzip
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kinetrain.data.text import examine, finite_numbers, read_lines, read_numbers, read_table
from kinetrain.errors import InputError, InputWarning

NAMES = st.text("abcXYZ019_.,; -äß", min_size=1, max_size=8).map(str.strip).filter(lambda name: name and name != ".")
CELLS = st.one_of(st.floats(-1e6, 1e6, allow_nan=False).map(lambda number: f"{number!r}"), st.just(""))


@st.composite
def tables(draw):
    """Return a header, rows of text and numbers, and how they are written."""
    names = draw(st.lists(NAMES, min_size=2, max_size=5, unique=True))
    labels = draw(st.lists(NAMES, min_size=1, max_size=5))
    rows = [[label, *(draw(CELLS) for _ in names[1:])] for label in labels]
    separator, quoting = draw(st.sampled_from("\t;,")), draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    # a semicolon that a comma-separated table does not quote looks like a separator, when every line has one
    assume(separator != "," or quoting == csv.QUOTE_ALL or not any(";" in name for name in names + labels))
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
    return names, rows, separator, quoting, encoding, draw(st.sampled_from(["\n", "\r\n"])), draw(st.booleans())


@pytest.mark.filterwarnings("ignore::kinetrain.errors.InputWarning")
@settings(deadline=None, max_examples=60)
@given(table=tables())
def test_a_table_is_the_same_in_every_encoding_packing_and_quoting(tmp_path_factory, table):
    names, rows, separator, quoting, encoding, end, packed = table
    text = io.StringIO()
    csv.writer(text, delimiter=separator, quoting=quoting, lineterminator=end).writerows([names, *rows])
    content = text.getvalue().encode(encoding)
    path = tmp_path_factory.mktemp("text") / "table.dat"
    path.write_bytes(gzip.compress(content) if packed else content)
    found = read_table(path, text=[names[0]])
    assert list(found.columns) == names and list(found.index) == list(range(2, 2 + len(rows)))
    assert list(found[names[0]]) == [row[0] for row in rows]
    for place, name in enumerate(names[1:], start=1):
        expected = [float(row[place] or "nan") for row in rows]
        assert np.allclose(pd.to_numeric(found[name]), expected, equal_nan=True, rtol=1e-12)


@settings(deadline=None, max_examples=20)
@given(numbers=st.lists(st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=3), min_size=1, max_size=6))
def test_decimal_commas_between_semicolons_are_decimal_points(tmp_path_factory, numbers):
    path = tmp_path_factory.mktemp("text") / "table.csv"
    lines = [";".join(f"{number:.4f}" for number in row) for row in numbers]
    path.write_text("a;b;c\n" + "\n".join(lines).replace(".", ","))
    with pytest.warns(InputWarning, match="3 columns have decimal commas"):
        found = read_table(path)
    assert np.allclose(finite_numbers(path, found), numbers, atol=1e-4)


def written(tmp_path, content):
    path = tmp_path / "table.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_known_without_its_mark(tmp_path, encoding):
    assert list(read_table(written(tmp_path, "gene\tvalue\nA\t1\n".encode(encoding))).columns) == ["gene", "value"]


def test_what_is_read_as_latin_1_is_reported(tmp_path):
    with pytest.warns(InputWarning, match="not in UTF-8, read as Latin-1"):
        assert read_lines(written(tmp_path, "Bäcker".encode("latin-1"))) == ["Bäcker"]


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("a\tb,c\n1\t2\n", "\t"),
        ("time,P1;P2\n0,1\n", ","),
        ("a;b\n0,5;1\n", ";"),
        ('"a;b",c\n"x;y",1\n', ","),
        ("a\n1\n", ","),
    ],
)
def test_the_separator_is_what_header_and_rows_share(tmp_path, text, separator):
    assert examine(written(tmp_path, text)).separator == separator


def test_rows_are_counted_as_a_spreadsheet_does_also_after_empty_lines(tmp_path):
    table = read_table(written(tmp_path, "\na,b\n1,2\n\n,\n3,x\n"))
    assert list(table.index) == [3, 6]
    with pytest.raises(InputError, match="the first is 'x' in row 6, column 'b'"):
        finite_numbers("t", table)


def test_blanks_around_names_are_taken_away_and_numbers_in_names_kept(tmp_path):
    table = read_table(written(tmp_path, "id , value,flag\n007 , 1,NA\n"), text=["id", "flag"])
    assert table.to_dict("list") == {"id": ["007"], "value": [1], "flag": ["NA"]}


def test_separators_at_the_ends_of_lines_are_no_columns(tmp_path):
    assert list(read_table(written(tmp_path, "a,b,,\n1,2,,\n")).columns) == ["a", "b"]
    assert read_numbers(written(tmp_path, "2,1,,\n1,2,3,\n")).shape == (2, 3)


def test_rows_may_be_labelled_as_r_and_pandas_do(tmp_path):
    for text in ('"A"\t"B"\n"x"\t1\t2\n', "\tA\tB\nx\t1\t2\n", "name\tA\tB\nx\t1\t2\n"):
        table = read_table(written(tmp_path, text), row_labels=True)
        assert list(table.columns[1:]) == ["A", "B"] and table.to_numpy().tolist() == [["x", 1, 2]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file is empty"),
        ("\n \n", "the file is empty"),
        (",,\n,,\n", "holds nothing but separators"),
        (",a\n1,2\n", "column 1 has no name"),
        ("Unnamed: 0,a\n1,2\n", "column 1 has no name"),
        ("a,,b\n1,2,3\n", "column 2 has no name"),
        ("a,b\n1,2\n1,2,3\n", "row 3 has 3 cells, the header 2"),
        ("a,b\n\n1,2,3\n", "row 3 has 3 cells"),
        ("a,b\n1,2,3\n", "row 2 has 3 cells, the header 2"),
        (b"PK\x03\x04rest", "a ZIP archive or an Excel workbook: save the table as CSV"),
        (b"\x89HDF\r\n", "an HDF5 file"),
        (b"a\x00\x00\x00,\x01\x00\x00", "is no text"),
        (b"a,b\n\x81\x8d,1\n", "not text in UTF-8, UTF-16 or Latin-1"),
        (gzip.compress(b"a,b\n1,2\n" * 50)[:-9], r"the packed file \(gzip\) is damaged"),
        (b"\x1f\x8bno", r"the packed file \(gzip\) is damaged"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(tmp_path, content, message):
    path = written(tmp_path, content)
    with pytest.raises(InputError, match=rf"table\.txt: .*{message}") as caught:
        read_table(path)
    assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore::kinetrain.errors.InputWarning")
@settings(deadline=None, max_examples=60)
@given(content=st.binary(max_size=60))
def test_no_bytes_give_anything_but_a_table_or_a_refusal(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("bytes") / "table.csv"
    path.write_bytes(content)
    for read in (read_table, read_numbers, read_lines):
        try:
            read(path)
        except InputError as error:
            assert "table.csv" in str(error)


def test_truth_is_no_number(tmp_path):
    table = read_table(written(tmp_path, "a,b\nTRUE,1\nFALSE,2\n,3\n"))
    with pytest.raises(InputError, match="3 values are not finite numbers, the first is 'True' in row 2, column 'a'"):
        finite_numbers("t", table)
