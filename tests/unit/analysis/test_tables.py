"""Result tables are declared once, and writers keep to it."""

import pandas as pd
import pytest

from kinetrain import tables
from kinetrain.errors import InputError


def test_a_forgotten_column_is_refused(tmp_path):
    table = tables.empty("traces").drop(columns="cost")
    with pytest.raises(InputError, match="table 'traces' lacks cost"):
        tables.save("traces", table, tmp_path / "traces.tsv")
    assert not (tmp_path / "traces.tsv").exists()


def test_a_column_that_is_not_declared_is_refused(tmp_path):
    table = tables.empty("traces").assign(own=1)
    with pytest.raises(InputError, match=r"has own, which kinetrain/tables does not declare"):
        tables.save("traces", table, tmp_path / "traces.tsv")
    with pytest.raises(InputError, match="has own"):
        tables.frame("fits", [{"problem": "p", "own": 1}])


def test_columns_are_written_in_the_order_of_their_declaration(tmp_path):
    names = tables.TABLES["tuning"].names()
    tables.save("tuning", pd.DataFrame([range(len(names))], columns=names)[names[::-1]], tmp_path / "tuning.tsv")
    assert list(tables.load("tuning", tmp_path / "tuning.tsv").columns) == names


def test_a_table_of_an_earlier_version_is_refused_with_what_to_do(tmp_path):
    tables.empty("fits").drop(columns="message").to_csv(tmp_path / "fits.tsv", sep="\t", index=False)
    with pytest.raises(InputError, match=r"no column 'message': no result table 'fits' of this version.*delete it"):
        tables.load("fits", tmp_path / "fits.tsv")


def test_a_column_may_stand_for_many(tmp_path):
    table = tables.empty("predictions").assign(member0=1.0, member10=2.0)
    tables.save("predictions", table, tmp_path / "predictions.tsv")
    assert "member*" not in tables.TABLES["predictions"].names()
    with pytest.raises(InputError, match="members"):
        tables.save("tuning", tables.empty("tuning").assign(members=1), tmp_path / "tuning.tsv")


def test_the_key_of_every_table_is_among_its_columns():
    for name, table in tables.TABLES.items():
        assert set(table.key) <= set(table.names()), name
        assert len(table.names()) == len(set(table.names())), name


def test_the_documentation_is_that_of_the_declarations(root):
    assert (root / "docs/tables.md").read_text(encoding="utf-8") == tables.describe(), "run `make docs`"
