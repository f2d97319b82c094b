"""A fault stops only the jobs that depend on it, and nothing that was computed is lost."""

import fcntl
import os
import shlex
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from configuration import load_manifest

AWKWARD = """it's $(touch harmed) `touch harmed` "my" dätá & co; *(1) \\ !~#|"""  # a shell would do much with it


@pytest.fixture
def neural(smoke) -> dict:
    """The neural half of the smoke configuration."""
    return {**smoke, "problems": {}, "seeds": [0]}


def measured_data_set(folder, broken: bool) -> dict:
    """Write a small expression data set of four genes and return its configuration."""
    generator = np.random.default_rng(0)
    genes = ["A", "B", "C", "D"]
    table = pd.DataFrame(generator.random((24, 4)), columns=genes)
    table.insert(0, "time", np.tile(np.arange(6.0), 4))
    table.insert(0, "trajectory", np.repeat(np.arange(4), 6))
    if broken:
        table.loc[3, "B"] = np.nan
    (folder / AWKWARD).mkdir()
    cells, names, network = (f"{AWKWARD}/{AWKWARD} {name}" for name in ("cells.csv", "genes.csv", "edges.tsv"))
    table.to_csv(folder / cells, index=False)
    pd.DataFrame({"gene": genes}).to_csv(folder / names, index=False)
    pd.DataFrame({"regulator": ["A", "B"], "target": ["C", "D"]}).to_csv(folder / network, sep="\t", index=False)
    edges, files = {"edges": network}, {"train": cells, "test": cells, "genes": names}
    return {"expression": {**files, "validation_fraction": 0.25}, "prior": edges, "truth": edges}


def time_course_of_others(folder) -> dict:
    """Write a table as a German Excel does, with replicates and no prior, and return its configuration."""
    generator = np.random.default_rng(1)
    table = pd.DataFrame(generator.random((16, 4)).round(3), columns=["TP53", "MYC", "KLF1", "SPI1"])
    table.insert(0, "replicate", np.repeat([1, 2, 3, 4], 4))
    table.insert(1, "hours", np.tile(np.arange(4.0), 4))
    table.insert(2, "donor age", 61)
    table.to_csv(folder / "theirs.csv", index=False, sep=";", decimal=",")
    layout = {"time": "hours", "trajectory": "replicate", "metadata": ["donor age"], "time_unit": "h"}
    return {"expression": {"train": str(folder / "theirs.csv"), "test_fraction": 0.25, **layout}, "leave_out": ["dash"]}


def test_a_user_s_own_data_come_in_by_configuration_alone(neural, snakemake, tmp_path):
    neural["datasets"] = {"mine": measured_data_set(tmp_path, broken=False), "theirs": time_course_of_others(tmp_path)}
    neural["methods"] = {"dash": {}, "sparseflow": {}}
    process = snakemake(tmp_path, neural, "--", "results/tables/networks.tsv")
    assert process.returncode == 0, process.stdout + process.stderr
    networks = pd.read_csv(tmp_path / "results" / "tables" / "networks.tsv", sep="\t")
    methods = networks.groupby("dataset")["method"].agg(set)
    assert methods["mine"] >= {"dash", "sparseflow", "prior alone", "persistence"}
    assert not list(tmp_path.rglob("harmed"))
    assert {"sparseflow", "persistence"} <= methods["theirs"] and not {"dash", "prior alone"} & methods["theirs"]


def test_broken_data_are_named_and_stop_only_what_needs_them(neural, snakemake, tmp_path):
    neural["datasets"]["broken"] = measured_data_set(tmp_path, broken=True)
    neural["methods"] = {"sparseflow": {}}
    process = snakemake(tmp_path, neural, "--", "results/tables/networks.tsv")
    assert process.returncode != 0
    assert f"error: {AWKWARD}/{AWKWARD} cells.csv" in process.stdout + process.stderr
    assert (tmp_path / "results/networks/modular24/noise0.025_corruption0.1/sparseflow.tsv").is_file()
    assert not (tmp_path / "results/tables/networks.tsv").exists()


def test_a_damaged_download_is_found_before_anything_is_computed(root, snakemake, tmp_path):
    name = "Boehm_JProteomeRes2014/Boehm_JProteomeRes2014.yaml"
    placed = tmp_path / "resources" / "downloads" / load_manifest(root / "resources" / "datasets.tsv")[name].path
    placed.parent.mkdir(parents=True)
    placed.write_text("truncated")
    process = snakemake(tmp_path, {"problems": {"boehm": {"petab": name}}}, "--dry-run")
    assert process.returncode != 0
    assert f"{placed.name} has 9 bytes instead of 417: delete it" in process.stdout + process.stderr


def test_an_arm_that_is_left_out_has_empty_tables_and_no_figures(neural, snakemake, tmp_path):
    neural["methods"] = {"unpruned": {}}
    process = snakemake(tmp_path, neural)
    assert process.returncode == 0, process.stdout + process.stderr
    fits = pd.read_csv(tmp_path / "results" / "tables" / "fits.tsv", sep="\t")
    assert len(fits) == 0 and "objective" in fits.columns
    assert not (tmp_path / "results/figures/final_objective.svg").exists()
    assert (tmp_path / "results/figures/prediction_error.svg").is_file()
    assert (tmp_path / "results" / "report.html").is_file()


def test_a_killed_run_goes_on_where_it_stopped_and_ends_in_the_same_bytes(neural, root, snakemake, tmp_path):
    neural["training"] = {"hidden": 6, "epochs": 1500, "patience_epochs": None, "checkpoint_seconds": 0.2}
    model = "results/training/modular24/noise0.025_corruption0.1/unpruned/model.npz"
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        folder.mkdir()
    assert snakemake(whole, neural, "--", model).returncode == 0

    (killed / "config.yaml").write_text((whole / "config.yaml").read_text())
    command = [sys.executable, "-m", "snakemake", "--snakefile", root / "Snakefile", "--directory", killed]
    command += ["--configfile", killed / "config.yaml", "--cores", "1", "--", model]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    checkpoint = (killed / model).parent / "checkpoint"
    for _ in range(1200):
        if checkpoint.is_dir() and any(checkpoint.iterdir()):
            break
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert any(checkpoint.iterdir()) and not (killed / model).exists()

    release = [sys.executable, root / "workflow" / "scripts" / "release_lock.py"]
    assert "an earlier run was killed" in subprocess.run(release, cwd=killed, capture_output=True, text=True).stderr
    resumed = snakemake(killed, neural, "--", model)
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert (killed / model).read_bytes() == (whole / model).read_bytes()


@pytest.fixture(scope="module")
def without_locks(tmp_path_factory) -> str:
    """A library that, preloaded, makes all file systems such as have no locks."""
    folder = tmp_path_factory.mktemp("locks")
    (folder / "none.c").write_text("#include <errno.h>\nint flock(int f, int o) { errno = ENOLCK; return -1; }\n")
    compiler = [*shlex.split(os.environ.get("CC", "cc")), "-shared", "-fPIC"]
    subprocess.run([*compiler, folder / "none.c", "-o", folder / "none.so"], check=True)
    return str(folder / "none.so")


def test_a_run_works_with_foreign_packages_no_locks_no_home_and_a_late_clock(
    neural, snakemake, tmp_path, without_locks
):
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "torch.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'w'); raise ImportError")
    hostile = {"PYTHONPATH": str(foreign), "PYTHONSAFEPATH": "1", "LD_PRELOAD": without_locks, "HOME": "/dev/null"}
    hostile |= {"XDG_CACHE_HOME": "", "TMPDIR": str(tmp_path)}
    process = snakemake(tmp_path, neural, "--", "results/expression/modular24/expression.npz", **hostile)
    assert process.returncode == 0, process.stdout + process.stderr
    assert (tmp_path / "results/expression/modular24/expression.npz").is_file()
    assert not (tmp_path / "imported").exists()

    tomorrow = time.time() + 86400  # the clock was set back since
    for path in (tmp_path / "results").rglob("*"):
        os.utime(path, (tomorrow, tomorrow))
    prior = "results/priors/modular24/corruption0.1/seed0.npz"
    process = snakemake(tmp_path, neural, "--", prior, **hostile)
    assert process.returncode == 0 and (tmp_path / prior).is_file(), process.stdout + process.stderr


def test_without_locks_a_killed_run_is_not_distinguished_from_a_living_one(root, tmp_path, without_locks):
    (tmp_path / ".snakemake" / "locks").mkdir(parents=True)
    (tmp_path / ".snakemake" / "locks" / "0.output.lock").write_text("results/x\n")
    release = [sys.executable, root / "workflow" / "scripts" / "release_lock.py"]
    variables = {**os.environ, "LD_PRELOAD": without_locks}
    process = subprocess.run(release, cwd=tmp_path, capture_output=True, text=True, env=variables)
    assert process.returncode != 0 and "If none is going on, delete the folder .snakemake/locks" in process.stderr
    assert process.stderr.count("\n") == 1 and (tmp_path / ".snakemake" / "locks" / "0.output.lock").exists()


def test_the_lock_of_a_living_run_is_not_released(root, tmp_path):
    (tmp_path / ".snakemake" / "locks").mkdir(parents=True)
    (tmp_path / ".snakemake" / "locks" / "0.output.lock").write_text("results/x\n")
    with open(tmp_path / ".snakemake" / "kinetrain.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        release = [sys.executable, root / "workflow" / "scripts" / "release_lock.py"]
        process = subprocess.run(release, cwd=tmp_path, capture_output=True, text=True)
    assert process.returncode != 0 and "another run is going on" in process.stderr
    assert (tmp_path / ".snakemake" / "locks" / "0.output.lock").exists()
