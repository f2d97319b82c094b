"""The terminal says what finished, with its setting, and shows errors and warnings in full; then what was answered."""

import json
import logging
import subprocess
import sys
from types import SimpleNamespace

import pytest
import snakemake_logger_plugin_kinetrain as terminal
from snakemake_interface_logger_plugins.common import LogEvent


@pytest.fixture
def handler():
    """A handler that is closed after the test."""
    made = terminal.LogHandler(SimpleNamespace(), None)
    yield made
    made.close()


def send(handler, event, message="", level=logging.INFO, **fields):
    """Hand a message of Snakemake over."""
    record = logging.LogRecord("snakemake", level, "", 0, message, (), None)
    record.__dict__.update(fields | ({"event": event} if event else {}))
    handler.emit(record)


def start(handler, number=1, logs=(), **wildcards):
    send(handler, LogEvent.JOB_INFO, jobid=number, rule_name="fit_mini_batch", wildcards=wildcards, log=list(logs))


def test_a_finished_step_is_one_line_with_its_setting(handler, capsys):
    send(handler, LogEvent.RUN_INFO, "a long table", stats={"total": 12})
    start(handler, problem="egf_akt", replicate="1", batch_size="4")
    send(handler, LogEvent.SHELLCMD, "a long command", shellcmd="a long command")
    send(handler, LogEvent.JOB_FINISHED, job_id=1)
    send(handler, LogEvent.PROGRESS, None, done=1, total=12)
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "12 steps to do" and len(said) == 2
    assert said[1].startswith("[ 1/12] fit mini batch: egf_akt, replicate 1, batch 4 (0 s")


def test_the_remaining_time_is_that_of_steps_without_environments(handler, capsys, tmp_path, monkeypatch):
    clock = [handler.begun]
    monkeypatch.setattr(terminal.time, "monotonic", lambda: clock[0])
    (tmp_path / "log").write_text("making the environment 'x'\nthe environment 'x' is ready after 240 s\n")
    (tmp_path / "waited").write_text("waited 238 s for the environment 'x', which another job made\n")
    send(handler, LogEvent.RUN_INFO, stats={"total": 10})
    expected = {number: ("fit_mini_batch", 5.0) for number in range(1, 10)} | {10: ("report", 12.0)}
    send(handler, None, "about 1 CPU minutes", expected_seconds=expected)
    start(handler, 1, [tmp_path / "log"])
    start(handler, 2, [tmp_path / "waited"])
    clock[0] += 250
    send(handler, LogEvent.JOB_FINISHED, job_id=1)
    send(handler, LogEvent.JOB_FINISHED, job_id=2)
    said = capsys.readouterr().err.splitlines()
    # Two steps took 10 and 12 s, not 5; 7 of their kind and one of 12 s are left, two at a time.
    assert said[1] == "about 1 CPU minutes" and said[-1].endswith("(4 min 10 s, about 44 s left)")


def test_warnings_of_a_step_are_shown(handler, capsys, tmp_path):
    (tmp_path / "log").write_text("starting\nwarning: 2 genes are constant\nwarning: 2 genes are constant\n")
    for number in (1, 2):  # steps that read the same file say the same
        start(handler, number, logs=[tmp_path / "log"])
        send(handler, LogEvent.JOB_FINISHED, job_id=number)
    said = capsys.readouterr().err
    assert said.count("warning: 2 genes are constant") == 1 and "starting" not in said


def test_a_step_that_failed_shows_all_that_it_said_once(handler, capsys, tmp_path):
    (tmp_path / "log").write_text("Traceback\nerror: x.tsv: no column 'time'\n")
    start(handler, logs=[str(tmp_path / "log")], problem="egf_akt")
    for _ in range(2):  # Snakemake repeats it at the end of the run
        send(handler, LogEvent.JOB_ERROR, jobid=1, rule_name="fit", log=[str(tmp_path / "log")], shellcmd="fit")
    handler.close()
    said = capsys.readouterr().err
    assert said.count("FAILED fit mini batch: egf_akt") == 1 and "    Traceback\n    error: x.tsv" in said
    assert "1 of 0 steps failed" in said and "goes on where it stopped" in said


def test_an_interrupted_run_says_how_to_go_on_and_no_step_is_called_failed(handler, capsys, tmp_path):
    (tmp_path / "log").write_text("epoch 20 of 100\n")
    send(handler, LogEvent.RUN_INFO, stats={"total": 12})
    start(handler, logs=[tmp_path / "log"])
    send(handler, LogEvent.ERROR, "long words died with <Signals.SIGINT: 2>.", exception="RuleException")
    send(handler, LogEvent.JOB_ERROR, jobid=1, rule_name="fit", log=[tmp_path / "log"], shellcmd="fit")
    at_least = "WorkflowError:\nAt least one job did not complete successfully."
    send(handler, LogEvent.ERROR, at_least, logging.ERROR, exception="WorkflowError")
    handler.close()
    said = capsys.readouterr().err.splitlines()
    assert said == ["12 steps to do", "Stopped after 0 of 12 steps. The same command goes on where it stopped."]


def test_errors_of_snakemake_and_warnings_are_not_hidden(handler, capsys):
    send(handler, LogEvent.ERROR, "WorkflowError: fits.starts = -1", logging.ERROR, exception="WorkflowError")
    send(handler, LogEvent.ERROR, "long words died with <Signals.SIGKILL: 9>.", exception="RuleException")
    send(handler, None, "the file is old", logging.WARNING)
    send(handler, None, "Building DAG of jobs...")
    said = capsys.readouterr().err
    assert "fits.starts = -1" in said and "a step died with <Signals.SIGKILL: 9>" in said and "the file is old" in said
    assert "long words" not in said and "Building" not in said


def test_what_other_programs_log_and_last_lines_are_no_news():
    of_others = "2026-12-01 09:59:27.678 - amici - WARNING - long words"
    for line in (of_others, "warning: 2 genes are constant", "took 2.8 CPU seconds and 146 MB"):
        assert terminal.NO_NEWS.match(line)
    assert not terminal.NO_NEWS.match("epoch 20 of 100")


def test_a_long_step_tells_what_is_left():
    assert terminal.remaining_time("epoch 20 of 100: validation", 10) == " (about 40 s left)"
    fit = "start 7: finished, objective -2541 (6 of 25 starts are done)"
    assert terminal.remaining_time(fit, 60) == " (about 3 min 10 s left)"
    assert terminal.remaining_time("no number", 10) == "" and terminal.remaining_time("0 of 9", 10) == ""
    assert terminal.clock(59) == "59 s" and terminal.clock(61) == "1 min 01 s" and terminal.clock(7260) == "2 h 01 min"


def test_snakemake_takes_the_plugin(root, tmp_path):
    (tmp_path / "Snakefile").write_text("rule all:\n    output: 'x'\n    shell: 'touch {output}'\n")
    command = [sys.executable, "-m", "snakemake", "--logger", "kinetrain", "--cores", "1"]
    places = {"PYTHONPATH": str(root / "workflow" / "terminal"), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    process = subprocess.run(command, cwd=tmp_path, env=places, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    assert "[1/1] all (" in process.stderr and "Select jobs" not in process.stderr
    assert list((tmp_path / ".snakemake" / "log").glob("*.log"))


def test_the_summary_holds_the_answers_and_the_places(root, tmp_path):
    arm = {"title": "Training", "question": "Which?", "columns": ["optimizer", "rank"], "rows": [["Adam", "1 [1, 2]"]]}
    arm |= {"note": "", "decided": ["Adam ends lower"], "undecided": [f"pair {number}" for number in range(8)]}
    empty = arm | {"title": "Pruning", "rows": [], "note": "No method is ranked.", "decided": []}
    (tmp_path / "answers.json").write_text(json.dumps({"data": [], "arms": [arm, empty], "caution": "One data set."}))
    command = [sys.executable, root / "workflow" / "scripts" / "summary.py", tmp_path]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for words in (
        "      optimizer  rank\n  1.  Adam       1 [1, 2]\n  decided",
        "decided: 1\n    - Adam ends lower",
        "not decided: 8\n    - pair 0",
        "- pair 5\n    - 2 more in the report",
        "Pruning. Which?\n  No method is ranked.\n  decided: 0",
        "Caution: One data set.",
        "report.html",
    ):
        assert words in said
