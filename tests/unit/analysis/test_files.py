"""Files between stages are whole or not there, and a broken file is named in the message."""

import pandas as pd
import pytest

from kinetrain.errors import InputError
from kinetrain.files import atomic, load_arrays, load_table, save_arrays, save_table
from kinetrain.options import read_settings


def test_a_file_that_could_not_be_finished_is_not_there(tmp_path):
    with pytest.raises(KeyboardInterrupt), atomic(tmp_path / "table.tsv") as path:
        path.write_text("half a")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_gene_may_be_called_na_and_only_empty_fields_are_missing(tmp_path):
    save_table(pd.DataFrame({"gene": ["NA", "None"], "value": [float("inf"), None]}), tmp_path / "genes.tsv")
    table = load_table(tmp_path / "genes.tsv")
    assert list(table["gene"]) == ["NA", "None"]
    assert table["value"][0] == float("inf") and pd.isna(table["value"][1])


def test_numbers_in_names_of_genes_stay_as_they_are_written(tmp_path):
    (tmp_path / "genes.tsv").write_text("gene\tvalue\n007\t1\n1e5\t2\n")
    assert list(load_table(tmp_path / "genes.tsv", text=["gene"])["gene"]) == ["007", "1e5"]


@pytest.mark.parametrize("content", [b"", b"a\tb\n1\t2\t3\n1\t2\t3\t4\t5\n", b"\xff\xfe\x00"])
def test_a_file_that_is_no_table_is_named(tmp_path, content):
    (tmp_path / "broken.tsv").write_bytes(content)
    with pytest.raises(InputError, match=r"broken\.tsv: not a (whole )?table"):
        load_table(tmp_path / "broken.tsv")


def test_a_table_that_was_cut_short_is_named(tmp_path):
    save_table(pd.DataFrame({"gene": ["a", "b"], "value": [1.5, 2.25]}), tmp_path / "genes.tsv")
    content = (tmp_path / "genes.tsv").read_bytes()
    for size in range(1, len(content)):
        (tmp_path / "genes.tsv").write_bytes(content[:size])
        if content[size - 1 : size] != b"\n":
            with pytest.raises(InputError, match=r"genes\.tsv: not a whole table, its last row is cut short"):
                load_table(tmp_path / "genes.tsv")


@pytest.mark.parametrize("content", [b"", b"{", b'{"a": "\xff"}'])
def test_a_damaged_file_of_settings_is_named(tmp_path, content):
    (tmp_path / "chosen.json").write_bytes(content)
    with pytest.raises(InputError, match=r"chosen\.json: not readable as JSON"):
        read_settings(str(tmp_path / "chosen.json"))


def test_a_damaged_archive_is_named(tmp_path):
    save_arrays(tmp_path / "model.npz", a=[1.0, 2.0])
    whole = (tmp_path / "model.npz").read_bytes()
    for damaged in (whole[: len(whole) // 2], b"not an archive", b""):
        (tmp_path / "model.npz").write_bytes(damaged)
        with pytest.raises(InputError, match=r"model\.npz: not a readable NPZ file"):
            load_arrays(tmp_path / "model.npz")
