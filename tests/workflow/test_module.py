"""The workflow is a module that another workflow can use, with results in a folder of its own."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

COPIED = ["Snakefile", "workflow", "envs", "config", "resources"]
USE = """
import yaml

module kinetrain:
    snakefile: {snakefile}
    config: yaml.safe_load(open("{config}"))
    pathvars:
        results="theirs/kinetrain",

use rule * from kinetrain as kinetrain_*

rule all:
    default_target: True
    input: rules.kinetrain_all.input
"""


@pytest.fixture(scope="module")
def repository(copy_parts, tmp_path_factory) -> Path:
    """A git repository of this workflow, with a tag."""
    top = tmp_path_factory.mktemp("repository")
    copy_parts(COPIED, top)
    person = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.org"]
    for words in (["init", "-q"], ["add", "-A"], [*person, "commit", "-q", "-m", "All"], ["tag", "v1"]):
        subprocess.run(["git", *words], cwd=top, check=True)
    return top


def planned(folder: Path, root: Path, *words, snakefile: str, **variables) -> str:
    """Return what a dry run says that uses this workflow from a place, as a module."""
    (folder / "Snakefile").write_text(USE.format(snakefile=snakefile, config=root / "config/smoke.yaml"))
    command = [sys.executable, "-m", "snakemake", "--directory", folder, "--snakefile", folder / "Snakefile"]
    process = subprocess.run(
        [*command, "--dry-run", "--cores", "1", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, **variables},
    )
    assert process.returncode == 0, process.stdout + process.stderr
    assert "kinetrain_fit_mini_batch" in process.stdout
    return process.stdout


def test_another_workflow_uses_this_one_as_a_module(root, tmp_path):
    assert "theirs/kinetrain/tables/networks.tsv" in planned(tmp_path, root, snakefile=f'"{root}/Snakefile"')


def test_a_module_from_a_git_repository_finds_scripts_and_library(root, repository, tmp_path):
    said = planned(tmp_path, root, "--printshellcmds", snakefile=f'"git+file://{repository}/workflow/Snakefile@v1"')
    (laid_out,) = (tmp_path / ".snakemake/kinetrain").iterdir()
    assert f"python .snakemake/kinetrain/{laid_out.name}/workflow/scripts/collect.py" in said
    assert (laid_out / "resources/datasets.tsv").is_file() and (laid_out / ".commit").read_text() == laid_out.name
    assert (laid_out / ".snakemake").resolve() == (tmp_path / ".snakemake").resolve()


def test_a_module_from_a_hosting_provider_finds_them_too(root, repository, tmp_path):
    # Snakemake clones into its cache what is not there yet: here the clone is put there, so that nothing is fetched.
    clone = tmp_path / "cache/snakemake/snakemake/source-cache/snakemake-git-cache/github.com/somebody/kinetrain"
    subprocess.run(["git", "clone", "-q", "--bare", repository, clone], check=True)
    source = 'github("somebody/kinetrain", path="workflow/Snakefile", tag="v1")'
    said = planned(tmp_path, root, "--printshellcmds", snakefile=source, XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert "python .snakemake/kinetrain/" in said


def test_what_snakedeploy_writes_makes_everything_by_default(root, repository, tmp_path):
    source = f'"git+file://{repository}/workflow/Snakefile@v1"'
    written = f'configfile: "config/config.yaml"\nmodule kinetrain:\n    snakefile: {source}\n    config: config\n'
    (tmp_path / "workflow").mkdir()
    (tmp_path / "workflow/Snakefile").write_text(f"{written}\nuse rule * from kinetrain\n")
    shutil.copytree(root / "config", tmp_path / "config")
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--cores", "1"]
    process = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert process.returncode == 0, process.stdout + process.stderr
    assert "fit_mini_batch" in process.stdout and "results/report.html" in process.stdout


def test_the_place_where_snakedeploy_looks_leads_to_the_workflow(root, tmp_path):
    said = planned(tmp_path, root, snakefile=f'"{root}/workflow/Snakefile"')
    assert "theirs/kinetrain/report.html" in said


def test_every_path_in_a_shell_command_is_quoted(root):
    for rules in (root / "workflow" / "rules").glob("*.smk"):
        commands = re.findall(r"(?m)^ +shell:\n((?: +\".*\"\n)+)", rules.read_text())
        bare = re.findall(
            r"\{(?:(?:input|output|log)[^}:]*|params\.(?:problem|settings|title|checkpoint))\}", "".join(commands)
        )
        assert not bare, f"{rules.name}: write :q after {', '.join(bare)}"
