"""Running the workflow from tests: in a folder of its own, with the environments of this checkout."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from configuration import ConfigurationError, Plan, load_manifest


@pytest.fixture(scope="session")
def snakemake(root):
    """A function that runs snakemake in a folder with a configuration (a dict or a file), from a checkout."""

    def run(folder: Path, config, *arguments, checkout=root, timeout_seconds=900, **variables):
        if isinstance(config, dict):
            path = folder / "config.yaml"
            path.write_text(yaml.safe_dump(config))
            config = path
        command = [sys.executable, "-m", "snakemake", "--snakefile", checkout / "Snakefile", "--directory", folder]
        command += ["--workflow-profile", checkout / "profiles" / "default", "--configfile", config, *arguments]
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        variables = {**os.environ, "PATH": path, **variables}
        return subprocess.run(
            [str(word) for word in command], capture_output=True, text=True, timeout=timeout_seconds, env=variables
        )

    return run


@pytest.fixture(scope="session")
def copy_parts(root):
    """A function that copies files and folders of this checkout, given by their paths in it, into another folder."""

    def copy(parts, folder: Path) -> None:
        for part in parts:
            (folder / part).parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if (root / part).is_dir() else shutil.copy)(root / part, folder / part)

    return copy


@pytest.fixture
def smoke(root) -> dict:
    """The smoke configuration, as a dict that a test may change."""
    return yaml.safe_load((root / "config" / "smoke.yaml").read_text())


@pytest.fixture(scope="session")
def manifest(root):
    """The manifest of files that can be downloaded."""
    return load_manifest(root / "resources" / "datasets.tsv")


@pytest.fixture(scope="session")
def refusal(manifest, root):
    """A function that returns with which words a configuration (a dict) is refused."""

    def refuse(config) -> str:
        with pytest.raises(ConfigurationError) as refused:
            Plan(config, manifest, places=(root,))
        return str(refused.value)

    return refuse
