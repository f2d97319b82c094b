"""What conda, apptainer and other executors are given; stand-ins record how they were called, as none is at hand."""

import re
import subprocess

import pytest

PREPARED = "results/expression/modular24/expression.npz"


@pytest.fixture
def stand_in(tmp_path):
    """A function that writes a program which records its arguments, one a line, and the folder it lies in."""
    folder = tmp_path / "programs"
    folder.mkdir()

    def write(name, body, folder=folder):
        folder.mkdir(parents=True, exist_ok=True)
        record = f"printf '%s\\n' {name} \"$@\" >> '{tmp_path}/called'\n"
        (folder / name).write_text(f"#!/bin/sh\n{record}{body}\n")
        (folder / name).chmod(0o755)
        return folder

    return write


def path_with(folder) -> dict:
    return {"PATH": f"{folder}:/usr/bin:/bin"}


def test_apptainer_runs_a_rule_in_the_image_with_its_environment(smoke, snakemake, stand_in, tmp_path):
    folder = stand_in("apptainer", '[ "$1" = --version ] && echo apptainer version 1.3.4 && exit\nexit 1')
    snakemake(tmp_path, smoke, "--sdm", "apptainer", "--", PREPARED, **path_with(folder))
    called = (tmp_path / "called").read_text()
    assert "exec\n" in called and re.search(r"envs/kinetrain\.sif$", called, re.MULTILINE)
    assert re.search(r'PATH="/opt/kinetrain/neural/bin:\$PATH" python \S*simulate_expression\.py', called)


CONDA = """
case "$*" in
  "info --json") echo '{{"conda_prefix": "{prefix}", "platform": "linux-64"}}' ;;
  --version) echo conda 24.9.1 ;;
  "config"*) echo '{{"get": {{"channel_priority": "strict"}}}}' ;;
  "env create"*)
    while [ $# -gt 0 ]; do
      case "$1" in --file) cp "$2" '{prefix}/file.yaml' ;; --prefix) mkdir -p "$2" ;; esac
      shift
    done ;;
esac"""


def test_conda_makes_the_environment_of_the_pins_and_runs_the_rule_in_it(root, smoke, snakemake, stand_in, tmp_path):
    prefix = tmp_path / "conda"
    programs = stand_in("conda", CONDA.format(prefix=prefix))
    stand_in("python", f'echo "threads $OMP_NUM_THREADS" >> "{tmp_path}/called"; exit 1', prefix / "in environment")
    (prefix / "bin").mkdir()
    (prefix / "bin" / "activate").write_text(
        f'echo activate >> "{tmp_path}/called"; PATH="{prefix}/in environment:$PATH"'
    )
    snakemake(tmp_path, smoke, "--sdm", "conda", "--", PREPARED, **path_with(programs), OMP_NUM_THREADS="7")
    assert (prefix / "file.yaml").read_text() == (root / "envs" / "neural.yaml").read_text()
    called = (tmp_path / "called").read_text().splitlines()
    assert (
        called.index("activate") < called.index("python")
        and "simulate_expression.py" in called[called.index("python") + 1]
    )
    assert "threads 1" in called and "threads 7" not in called


def test_the_images_are_made_of_the_pins_and_the_python_of_conda(root):
    for name in ("Dockerfile", "kinetrain.def"):
        text = (root / "envs" / name).read_text()
        assert "fill_image.sh" in text and "==" not in text
        python = re.search(r"(?i)from:? python:([\d.]+)-", text)[1]
        for conda in root.glob("envs/*.yaml"):
            assert f"python={python}" in conda.read_text()
    script = (root / "envs" / "fill_image.sh").read_text()
    filled = re.search(r"for name in (.*); do", script)[1].split()
    assert (
        sorted(filled) == sorted(file.stem for file in root.glob("envs/*.yaml"))
        and '--require-hashes --requirement "$source/envs/workflow.hashes"' in script
    )


def test_scripts_library_and_pins_are_in_the_archive_that_other_executors_are_sent(root):
    """Snakemake sends the files that git knows."""
    known = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True)
    if known.returncode:
        pytest.skip("not a git checkout")
    known = known.stdout.split()
    needed = [*root.glob("workflow/scripts/*.py"), *root.glob("workflow/kinetrain/**/*.py"), *root.glob("envs/*.txt")]
    assert {str(path.relative_to(root)) for path in needed} <= set(known)
