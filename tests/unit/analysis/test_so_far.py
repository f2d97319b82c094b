"""A report of what is there so far takes the parts of tables as they are, and draws what they allow."""

import re

import pandas as pd
import pytest

from kinetrain import tables


def parts(folder, method: str, scores: list[float]) -> None:
    """Write the scores of a training of some seeds, as the step that scores them does."""
    same = {"dataset": "toy", "method": method, "noise": 0.0, "prior_corruption": 0.0, "uses_prior": "no"}
    rows = [{**same, "seed": seed, "balanced_accuracy": score, "sparsity": 0.5} for seed, score in enumerate(scores)]
    table = tables.completed("networks", pd.DataFrame(rows).assign(status="finished", auprc=0.3, test_mse=0.1))
    (folder / "networks/toy/noise0_corruption0").mkdir(parents=True, exist_ok=True)
    tables.save("networks", table, folder / f"networks/toy/noise0_corruption0/{method}.tsv")


@pytest.fixture
def so_far(run, tmp_path):
    """A function that writes the report of a folder and returns it."""

    def write():
        assert run("report_so_far", str(tmp_path)).returncode == 0
        return (tmp_path / "report-so-far.html").read_text()

    return write


def test_what_is_there_is_ranked_and_drawn(so_far, tmp_path):
    parts(tmp_path, "sparseflow", [0.7, 0.8, 0.75])
    first = so_far()
    assert "SparseFlow" in first and "DASH" not in first.partition("<section>")[0].partition("<main")[2]
    assert 'class="figure"' in first and "Recovered networks" in first
    parts(tmp_path, "dash", [0.9, 0.91, 0.9])
    assert "DASH" in so_far().partition("<section>")[0].partition("<main")[2]


def test_a_folder_without_any_result_is_named(run, tmp_path):
    ended = run("report_so_far", str(tmp_path))
    assert ended.returncode != 0 and "no fit and no trained model is there yet" in ended.stderr


def test_every_table_is_known_by_its_columns():
    for name, table in tables.TABLES.items():
        assert tables.name_of(table.names()) == name
    assert tables.name_of(["observableId", "measurement"]) is None


def test_what_is_made_of_all_parts_is_no_part(so_far, tmp_path):
    parts(tmp_path, "dash", [0.9, 0.91, 0.9])
    first = so_far()
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables/networks.tsv").write_text((tmp_path / "networks/toy/noise0_corruption0/dash.tsv").read_text())
    minute = r"[0-9]{2}:[0-9]{2} UTC"
    assert re.sub(minute, "", so_far()) == re.sub(minute, "", first)
