"""A small workflow that holds every kind of long job, and what ends it."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import yaml

MEASURED = r"seconds|memory|hours"  # columns of the tables, and quantities in them, that differ at every run
CONFIG = {
    "problems": {
        "egf_akt": {
            "petab": "resources/models/egf_akt/problem.yaml",
            "artificial": {
                "conditions": 4,
                "times": [0, 300, 1800],
                "protocols": [{"inputs": {"EGF_0": {"log10_uniform": [-1.5, 1.5]}, "EGF_rate": {"constant": 0}}}],
                "groups": {"count": 2, "test": 1, "inputs": {"EGF_end": {"uniform": [600, 3600]}}},
            },
            "predict": {"ensemble": 1},
        }
    },
    "fits": {
        "starts": 2,
        "epochs": 60,
        "schedules": {"S3": {"start": 0.1}},
        "mini_batch": {"main": {"optimizers": ["adam_balanced"], "schedules": ["S3"], "batch_sizes": [2]}},
        "full_batch": {"optimizers": ["fides"]},
    },
    "datasets": {
        "modular24": {"simulate": {"genes": 24, "regulators": 8, "inputs": 4, "modules": 3, "trajectories": 12}}
    },
    "seeds": [0],
    "training": {"hidden": 6, "epochs": 200, "patience_epochs": None, "checkpoint_seconds": 0.2},
    "methods": {"dash": {"lambdas": [0.5, 0.05]}},
    "tuning": {"dash": {"folds": 2, "grid": {"lambdas": {"each": [0.05, 0.5]}}}},
    "enrichment": {"influence": {"vectors": 4}, "test": {"permutations": 100, "minimum_genes": 3}},
}
TABLES = ("fits", "traces", "nominal", "predictions", "networks", "path", "tuning", "pathways")
WANTED = [f"results/tables/{name}.tsv" for name in TABLES]


class Workflow:
    """The small workflow in a folder of its own."""

    def __init__(self, root: Path, folder: Path):
        self.root, self.folder = root, folder
        folder.mkdir(exist_ok=True)
        (folder / "config.yaml").write_text(yaml.safe_dump(CONFIG))

    def start(self, *targets, prefix=(), **variables) -> subprocess.Popen:
        """Start a run as `make` does, as the leader of a process group of its own."""
        release = [sys.executable, self.root / "workflow/scripts/release_lock.py"]
        subprocess.run(release, cwd=self.folder, check=False, capture_output=True)
        command = [
            sys.executable,
            "-m",
            "snakemake",
            "--snakefile",
            self.root / "Snakefile",
            "--directory",
            self.folder,
        ]
        command += ["--workflow-profile", self.root / "profiles/default", "--configfile", self.folder / "config.yaml"]
        command += ["--cores", "2", "--", *(targets or WANTED)]
        environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", **variables}
        with open(self.folder / "output", "w") as output:
            return subprocess.Popen(
                [*prefix, *map(str, command)],
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=environment,
            )

    def run(self, *targets, **options) -> tuple[int, str]:
        """Run to the end and return the exit status and what was printed."""
        status = self.start(*targets, **options).wait(timeout=3600)
        return status, (self.folder / "output").read_text()

    def tables(self, *paths) -> dict[str, str]:
        """Return the text of tables, by default of all that are there, without the columns that are measured."""
        texts = {}
        for path in paths or [f"results/tables/{file.name}" for file in self.folder.glob("results/tables/*.tsv")]:
            table = pd.read_csv(self.folder / path, sep="\t", dtype=str, keep_default_na=False)
            if "quantity" in table:
                table = table[~table["quantity"].str.contains(MEASURED)]
            texts[path] = table.drop(columns=[name for name in table if re.search(MEASURED, name)]).to_csv(index=False)
        return texts

    def workers(self, process: subprocess.Popen) -> dict[int, str]:
        """Return the processes of commands that a run has started, with the scripts that they run."""
        listed = subprocess.run(["ps", "-eo", "pid,pgid,args"], capture_output=True, text=True).stdout.splitlines()[1:]
        fields = [line.split(None, 2) for line in listed]
        own = {int(pid): words.split() for pid, group, words in fields if int(group) == process.pid}
        return {pid: Path(words[1]).stem for pid, words in own.items() if words[0] == "python" and len(words) > 1}

    def left(self) -> list[int]:
        """Return the processes that work in this folder, whoever started them."""
        found = []
        for place in Path("/proc").glob("[0-9]*/cwd"):
            try:
                if place.resolve() == self.folder.resolve():
                    found.append(int(place.parent.name))
            except OSError:
                continue
        return found


def kill(process: subprocess.Popen, workflow: Workflow, kind: str, script: str) -> list[str]:
    """Send a signal to a run: to Snakemake, all its processes, or the worker of a script; return what workers ran."""
    workers = workflow.workers(process)
    try:
        if kind == "worker":
            for pid in [pid for pid, name in workers.items() if name == script][:1]:
                os.kill(pid, signal.SIGKILL)
        elif kind == "group":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            os.kill(process.pid, getattr(signal, kind))
    except ProcessLookupError:  # ended a moment before
        pass
    return sorted(workers.values())


def wait_for(condition, seconds: float = 120) -> bool:
    """Wait until a condition holds, and return whether it does."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return bool(condition())
