"""The workflow is a module that another workflow can use, with results in a folder of its own."""

import re
import subprocess
import sys


def test_another_workflow_uses_this_one_as_a_module(root, tmp_path):
    (tmp_path / "Snakefile").write_text(
        f"""
import yaml

module kinetrain:
    snakefile: "{root}/Snakefile"
    config: yaml.safe_load(open("{root}/config/smoke.yaml"))
    pathvars:
        results="theirs/kinetrain",

use rule * from kinetrain as kinetrain_*

rule all:
    default_target: True
    input: rules.kinetrain_all.input
"""
    )
    command = [sys.executable, "-m", "snakemake", "--directory", tmp_path, "--snakefile", tmp_path / "Snakefile"]
    process = subprocess.run([*command, "--dry-run", "--cores", "1"], capture_output=True, text=True)
    assert process.returncode == 0, process.stdout + process.stderr
    assert "theirs/kinetrain/tables/networks.tsv" in process.stdout
    assert "kinetrain_fit_mini_batch" in process.stdout


def test_every_path_in_a_shell_command_is_quoted(root):
    for rules in (root / "workflow" / "rules").glob("*.smk"):
        commands = re.findall(r"(?m)^ +shell:\n((?: +\".*\"\n)+)", rules.read_text())
        bare = re.findall(
            r"\{(?:(?:input|output|log)[^}:]*|params\.(?:problem|settings|title|checkpoint))\}", "".join(commands)
        )
        assert not bare, f"{rules.name}: write :q after {', '.join(bare)}"
