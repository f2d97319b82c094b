"""`make` hands names of files to the shell as they are, and keeps Python's variables away from all that it starts."""

import os
import shutil
import subprocess
import sys

import pytest

# Tells what it was given, where make shows it: what steps print is not shown.
SNAKEMAKE = "#!/bin/sh\n{ printf '<%s>' \"$@\"; echo; env | grep ^PYTHON; } >&2\n"

ENVIRONMENTS = ("mechanistic", "neural", "analysis", "workflow")  # of which each has a group of tests


@pytest.fixture
def make(copy_parts, tmp_path):
    """A function that runs make in a folder whose name needs quotes, with a Snakemake that prints its arguments."""
    top = tmp_path / "it's a chéckout (1)"
    top.mkdir()
    copy_parts(("Makefile", "workflow", "config", "envs", "resources"), top)
    (top / ".venv" / "bin").mkdir(parents=True)
    shutil.copy(top / "envs" / "workflow.txt", top / ".venv" / "made")
    (top / ".venv" / "bin" / "python3").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (top / ".venv" / "bin" / "snakemake").write_text(SNAKEMAKE)
    for program in (top / ".venv" / "bin").iterdir():
        program.chmod(0o755)
    shutil.copy(top / "config" / "smoke.yaml", top / "my cönfig's $(touch harmed) (1).yaml")

    def run(*words):
        # as typed in a shell, also where `make test MIRROR=...` runs this
        inherited = ("MAKE", "MFLAGS", "CONFIG", "OVERLAY", "MIRROR", "ONLY")
        variables = {name: value for name, value in os.environ.items() if not name.startswith(inherited)}
        variables |= {"PYTHONPATH": "/elsewhere", "PYTHONHOME": "", "PYTHONSTARTUP": "/elsewhere/start.py"}
        process = subprocess.run(["make", *words], cwd=top, env=variables, capture_output=True, text=True)
        assert not list(top.rglob("harmed"))
        return process

    return run


def test_names_with_blanks_quotes_and_dollars_arrive_as_they_are(make, tmp_path):
    name = "my cönfig's $(touch harmed) (1).yaml"
    in_make = name.replace("$", "$$")
    mirror = tmp_path / "it's a: #mirror"
    mirror.mkdir()
    process = make(f"CONFIG={in_make}", f"MIRROR={mirror}")
    quoted = str(mirror).replace("'", "''")
    assert f"<--logger><kinetrain><--configfile><{name}><--config><mirror='{quoted}'>" in process.stderr
    assert "Report   results/report.html" in process.stdout
    assert f"<--configfile><config/paper-neural.yaml><{name}>" in make("paper-neural", f"OVERLAY={in_make}").stderr
    assert f"<--configfile><{name}><--><results/report.html>" in make("report", f"CONFIG={in_make}").stderr


def test_one_problem_or_arm_is_run_alone(make):
    assert "<--config><only=[egf_akt]>" in make("ONLY=egf_akt").stderr
    said = make("report", "ONLY=egf_akt modular80", "MIRROR=/").stderr
    assert "<--config><mirror='/'><only=[egf_akt,modular80]><--><results/report.html>" in said


def test_a_configuration_is_checked_with_what_is_run_of_it(make):
    assert "config/smoke.yaml: nothing wrong found (data sets: modular24)" in make(
        "check", "CONFIG=config/smoke.yaml", "ONLY=modular24"
    ).stdout.replace("\n", " ")
    refused = make("check", "ONLY=modular81")
    assert refused.returncode == 2 and refused.stderr.startswith("error: only: 'modular81' is no arm"), refused.stderr


def test_a_python_without_packages_is_told_what_to_type(root):
    check = [sys.executable, "-S", "workflow/configuration", "check", "config/smoke.yaml"]
    said = subprocess.run(check, cwd=root, capture_output=True, text=True).stderr
    assert said.startswith("error: this Python has no ") and "`make check CONFIG=FILE`" in said


def test_all_that_snakemake_says_is_shown_on_demand(make):
    assert "<--logger>" not in make("VERBOSE=1").stderr


def test_results_are_deleted_and_nothing_else(make, tmp_path):
    top = next(tmp_path.iterdir())
    assert "nothing to delete" in make("clean").stdout
    (top / "results" / "logs").mkdir(parents=True)
    (top / "results" / "it's mine" / "logs").mkdir(parents=True)  # of another configuration
    assert make("clean").stdout == "deleted results\nkept results/it's mine\n"
    assert [path.name for path in (top / "results").iterdir()] == ["it's mine"]
    shutil.rmtree(top / "results" / "it's mine")
    (top / "results" / "logs").mkdir()
    assert make("clean").stdout == "deleted results\n"
    assert not (top / "results").exists() and (top / ".venv").exists() and (top / "config").exists()


def test_help_lists_every_command(make, root):
    targets = set((root / "Makefile").read_text().partition(".PHONY:")[2].partition("\n")[0].split())
    listed = make("help").stdout
    for target in targets - {".venv", "configured", *(f"test-{name}" for name in ENVIRONMENTS)}:
        assert f"make {target} " in listed, target


def test_python_s_variables_stay_away(make):
    said = make().stderr
    assert "PYTHONNOUSERSITE=1" in said and "elsewhere" not in said and "PYTHONHOME" not in said


def test_a_configuration_that_does_not_exist_is_named_before_anything_is_set_up(make):
    process = make("CONFIG=no such.yaml")
    assert process.returncode == 2 and "error: the configuration 'no such.yaml' does not exist" in process.stderr
    assert "<" not in process.stdout
