"""The workflow is a module that another workflow can use, with results in a folder of its own."""

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
