"""The page of runs shows what each answered, and the settings in which they differ."""

import json


def finished(folder, first: str, starts: int) -> None:
    """Write what a finished run leaves."""
    folder.mkdir(exist_ok=True)
    fits = {"question": "Which?", "columns": ["optimizer", "mean rank"], "rows": [[first, "1.5 [1, 2]"]]}
    networks = {"question": "What?", "columns": ["method", "kind", "accuracy (%)", "AUPRC (%)"]}
    networks["rows"] = [["Prior", "no training", "97.6", "91 [90, 92]"]]
    arms = [{**arm, "decided": ["A over B"], "undecided": []} for arm in (fits, networks)]
    (folder / "answers.json").write_text(json.dumps({"data": ["egf_akt"], "arms": arms, "caution": ""}))
    record = {"made": "2026-11-29T06:19:52+00:00", "commit": "d7bfb91d036a53", "cost": {"neural": {"cpu_seconds": 7}}}
    configuration = {"fits": {"starts": starts, "epochs": 30}}
    (folder / "provenance.json").write_text(json.dumps({**record, "configuration": configuration}))


def test_answers_and_differing_settings_stand_side_by_side(run, tmp_path):
    finished(tmp_path / "small", "Adam", 4)
    finished(tmp_path / "large", "Fides", 100)
    assert run("compare_runs", str(tmp_path)).returncode == 0
    page = (tmp_path / "index.html").read_text()
    found = '1.5 <span class="whole">[1, 2]</span>'
    for text in (f"Adam: {found}", f"Fides: {found}", "fits.starts", ">100<", "small/report.html", "d7bfb91d03"):
        assert text in page, text
    assert "Prior: 97.6<" in page and "accuracy (%)" in page  # what it is ranked by, with an interval or without
    assert "fits.epochs" not in page
    assert "large: Which? 1 decided</summary>" in page and "<li>A over B</li>" in page


def test_a_run_in_the_folder_itself_has_its_name(run, tmp_path):
    finished(tmp_path, "Adam", 4)
    finished(tmp_path / "mine & yours", "Fides", 100)
    assert run("compare_runs", str(tmp_path)).returncode == 0
    page = (tmp_path / "index.html").read_text()
    assert f'<a href="./report.html">{tmp_path.name}</a>' in page
    assert '<a href="mine%20%26%20yours/report.html">mine &amp; yours</a>' in page


def test_a_folder_without_a_finished_run_is_named(run, tmp_path):
    ended = run("compare_runs", str(tmp_path))
    assert ended.returncode != 0 and "no finished run" in ended.stderr
