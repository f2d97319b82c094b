"""SLURM on this machine, and the smoke workflow run there and here."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "faults"))

from faulty_workflow import Workflow

COMPILED = ("results/nominal/egf_akt/0.tsv", "results/training/modular24/noise0.025_corruption0.1/dash/model.npz")
PIDS = (Path("/run/slurm/slurmctld.pid"), Path("/run/slurm/slurmd.pid"))


class Smoke(Workflow):
    """The smoke workflow in a folder of its own, here or on SLURM."""

    def __init__(self, root: Path, folder: Path):
        super().__init__(root, folder)
        shutil.copy(root / "config" / "smoke.yaml", folder / "config.yaml")

    def send(self, *words) -> subprocess.Popen:
        """Start a run whose jobs go to SLURM; `words` are given to Snakemake."""
        command = [sys.executable, "-m", "snakemake", "--snakefile", self.root / "Snakefile"]
        command += ["--directory", self.folder, "--configfile", self.folder / "config.yaml"]
        command = [str(word) for word in (*command, "--profile", self.root / "profiles" / "slurm", *words)]
        environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        with open(self.folder / "output", "w") as output:
            return subprocess.Popen(
                command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, env=environment
            )

    def ends(self, process: subprocess.Popen) -> str:
        """Wait for the end of a run, which must be a good one, and return what it said."""
        status, said = process.wait(timeout=3600), (self.folder / "output").read_text()
        assert status == 0, said[-5000:]
        return said


@pytest.fixture(scope="session", autouse=True)
def slurm():
    """SLURM with one node, stopped after the tests if they started it."""
    running = subprocess.run(["pgrep", "-x", "slurmctld"], capture_output=True).returncode == 0
    started = subprocess.run(["bash", Path(__file__).with_name("start_slurm.sh")], capture_output=True, text=True)
    if started.returncode:
        pytest.exit(started.stderr.strip(), returncode=2)
    yield
    subprocess.run(["scancel", "--user", "root"], check=False)
    for file in () if running else PIDS:
        subprocess.run(["kill", file.read_text().strip()], check=False)


@pytest.fixture
def smoke(root, tmp_path) -> Smoke:
    return Smoke(root, tmp_path / "smoke")


@pytest.fixture(scope="session")
def local(root, tmp_path_factory) -> tuple[Smoke, float]:
    """The smoke workflow, run here, and its seconds without those of what is compiled on first use."""
    folder = tmp_path_factory.mktemp("cluster")
    for name, targets in (("first", COMPILED), ("local", ("all",))):
        made, begun = Smoke(root, folder / name), time.monotonic()
        status, said = made.run(*targets)
        assert status == 0, said[-5000:]
    return made, time.monotonic() - begun
