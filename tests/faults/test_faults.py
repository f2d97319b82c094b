"""Faults on purpose: after each the tables have the same bytes, or one line says what to do.

Not part of `make test`, as it takes many runs: `make test-faults`.
"""

import contextlib
import os
import random
import resource
import shutil
import subprocess
import time

import pytest
import yaml
from configuration import load_manifest
from faulty_workflow import WANTED, Workflow, kill, wait_for

KINDS = ("SIGKILL", "worker", "group", "SIGINT", "SIGTERM")
MOMENTS = 20
# Long jobs, in the order in which they come up: a kill hits one of them, as after an early one little would be left.
LONG = (
    "compile_model",
    "measure_solver",
    "tune",
    "score_yardsticks",
    "fit",
    "train_neural_ode",
    "predict",
    "influence",
    "test_pathways",
)
SEED = 16


def test_a_run_that_is_killed_at_random_moments_ends_in_the_same_tables(whole, workflow):
    chance = random.Random(SEED)
    kills = [(chance.choice(LONG), KINDS[number % len(KINDS)]) for number in range(MOMENTS)]
    # Last those of a worker alone, after which the run goes on to whatever can still be made.
    for script, kind in sorted(kills, key=lambda one: (one[1] == "worker", LONG.index(one[0]))):
        kill_in(workflow, whole, script, kind, chance)
    status, said = workflow.run()
    assert status == 0, said
    assert workflow.tables() == whole.tables()


def kill_in(workflow, whole, script: str, kind: str, chance) -> None:
    """Start a run and kill it while it runs a script; if nothing is left of that, the run begins again from nothing."""
    while True:
        process = workflow.start()
        assert wait_for(lambda run=process: script in workflow.workers(run).values() or run.poll() is not None, 900)
        time.sleep(chance.uniform(0, 3))
        if process.poll() is None:
            worked = kill(process, workflow, kind, script)
            process.wait(timeout=900)
            print(f"{kind} in {', '.join(worked)} ({script} awaited)", flush=True)
            return
        assert process.returncode == 0, (workflow.folder / "output").read_text()
        assert workflow.tables() == whole.tables()
        shutil.rmtree(workflow.folder / "results")


def test_what_to_type_after_a_kill_is_said(root, workflow):
    process = workflow.start()
    assert wait_for(lambda: workflow.workers(process), 600)
    os.killpg(process.pid, 9)
    process.wait()
    command = ["snakemake", "--snakefile", root / "Snakefile", "--configfile", "config.yaml", "--cores", "1", *WANTED]
    said = subprocess.run(list(map(str, command)), cwd=workflow.folder, capture_output=True, text=True)
    assert said.returncode != 0 and "release_lock.py" in said.stderr + (root / "README.md").read_text()


def test_a_second_run_in_the_same_folder_is_refused_and_the_first_goes_on(whole, workflow):
    process = workflow.start()
    assert wait_for(lambda: workflow.workers(process), 600)
    second = workflow.root / "workflow/scripts/release_lock.py"
    said = subprocess.run(["python3", second], cwd=workflow.folder, capture_output=True, text=True)
    assert said.returncode != 0 and said.stderr.count("\n") == 1 and "another run is going on" in said.stderr
    assert process.wait(timeout=3600) == 0
    assert workflow.tables() == whole.tables()


def test_a_worker_that_hangs_is_ended_and_says_where_it_was(workflow):
    status, said = workflow.run("results/priors/modular24/corruption0/seed0.npz", KINETRAIN_LIMIT_HOURS="0.00001")
    assert status != 0 and "Timeout (" in said and "most recent call first" in said
    status, said = workflow.run("results/priors/modular24/corruption0/seed0.npz")
    assert status == 0, said


@pytest.mark.parametrize("content", [None, b"garbage"], ids=["removed", "corrupted"])
def test_files_of_the_mirror_that_go_in_mid_run_are_named(root, mirror, workflow, tmp_path, content):
    files = [one.path for name, one in load_manifest(root / "resources/datasets.tsv").items() if "Boehm" in name][:3]
    own = tmp_path / "mirror"
    for file in files:
        (own / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(mirror / file, own / file)
    config = {
        "problems": {"boehm": {"petab": "Boehm_JProteomeRes2014/Boehm_JProteomeRes2014.yaml"}},
        "mirror": str(own),
    }
    (workflow.folder / "config.yaml").write_text(yaml.safe_dump(config))
    wanted = [f"resources/downloads/{file}" for file in files]
    made = {file: workflow.folder / path for file, path in zip(files, wanted, strict=True)}
    nowhere = dict.fromkeys(("https_proxy", "HTTPS_PROXY"), "http://127.0.0.1:9")
    process = workflow.start(*wanted, **nowhere)
    assert wait_for(lambda: any(file.is_file() for file in made.values()) or process.poll() is not None, 300)
    gone = [file for file, place in made.items() if not place.is_file()]
    for file in gone:
        (own / file).unlink() if content is None else (own / file).write_bytes(content)
    assert process.wait(timeout=900) != 0
    said = (workflow.folder / "output").read_text()
    left = [path for path in wanted if not (workflow.folder / path).is_file()]
    assert left and all(f"put it at {path}" in said for path in left), said
    for file in gone:
        shutil.copy(mirror / file, own / file)
    status, said = workflow.run(*wanted, **nowhere)
    assert status == 0, said
    assert all(place.read_bytes() == (mirror / file).read_bytes() for file, place in made.items())


@pytest.fixture
def small_disk(root, tmp_path):
    """A function that mounts a file system of so many kilobytes, or resizes it, and a workflow on it."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(options):
        how = (
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs"]
            if not os.path.ismount(folder)
            else ["mount", "-o", f"remount,{options}"]
        )
        if subprocess.run([*how, folder], capture_output=True).returncode:
            pytest.skip("needs the right to mount a file system")
        return Workflow(root, folder / "run") if "ro" not in options.split(",") else None

    yield mount
    subprocess.run(["umount", "--lazy", folder], check=False)


def test_workers_without_memory_fail_and_with_more_the_run_goes_on(whole, workflow):
    process, limited = workflow.start(), set()
    while process.poll() is None:
        for worker, name in workflow.workers(process).items():
            if name in ("fit", "train_neural_ode") and worker not in limited:
                with contextlib.suppress(ProcessLookupError):  # ended a moment before
                    resource.prlimit(worker, resource.RLIMIT_AS, (1 << 20, 1 << 20))  # any further allocation fails
                    limited.add(worker)
        time.sleep(0.1)
    assert limited and process.returncode != 0
    status, said = workflow.run()
    assert status == 0, said
    assert workflow.tables() == whole.tables()


def test_a_full_disk_stops_the_run_and_with_more_room_it_goes_on(whole, small_disk):
    workflow = small_disk("size=300k")
    status, said = workflow.run()
    assert status != 0 and "No space left" in said
    workflow = small_disk("size=200m")
    status, said = workflow.run()
    assert status == 0, said
    assert workflow.tables() == whole.tables()


def test_results_that_cannot_be_written_are_named(small_disk):
    workflow = small_disk("size=50m")
    (workflow.folder / "results").mkdir()
    subprocess.run(["mount", "--bind", workflow.folder / "results", workflow.folder / "results"], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", workflow.folder / "results"], check=True)
    try:
        status, said = workflow.run("results/expression/modular24/expression.npz")
    finally:
        subprocess.run(["umount", workflow.folder / "results"], check=True)
    assert status != 0 and "Read-only file system" in said and "results" in said
    assert workflow.run("results/expression/modular24/expression.npz")[0] == 0


RUN = "modular24/noise0_corruption0"
# File of an intermediate state, and what is made from it.
MADE_FROM = {
    "results/expression/modular24/expression.npz": "results/priors/modular24/corruption0/seed0.npz",
    "results/priors/modular24/corruption0/seed0.npz": f"results/networks/{RUN}.controls.tsv",
    f"results/training/{RUN}/dash/model.npz": f"results/networks/{RUN}/dash.tsv",
    f"results/training/{RUN}/dash/runs.tsv": f"results/networks/{RUN}/dash.tsv",
    f"results/tuning/{RUN}/dash/chosen.json": f"results/training/{RUN}/dash/model.npz",
    "results/solvers/egf_akt.json": "results/nominal/egf_akt/0.tsv",
    "results/fits/egf_akt/0/fides.tsv": "results/tables/fits.tsv",
    "results/fits/egf_akt/0/fides.parameters.npz": "results/predictions/egf_akt/0/fides.tsv",
}
DAMAGE = {
    "truncated": lambda content: content[: len(content) // 2],
    "emptied": lambda content: b"",
    "garbage": lambda content: random.Random(SEED).randbytes(len(content)),
}


@pytest.mark.parametrize("how", DAMAGE)
@pytest.mark.parametrize("damaged", MADE_FROM)
def test_a_damaged_intermediate_is_named_or_changes_nothing(whole, root, tmp_path, damaged, how):
    workflow = Workflow(root, tmp_path / "copy")
    shutil.copytree(whole.folder, workflow.folder, dirs_exist_ok=True)
    made = workflow.folder / MADE_FROM[damaged]
    before = made.read_bytes()
    made.unlink()
    times = os.stat(workflow.folder / damaged)
    (workflow.folder / damaged).write_bytes(DAMAGE[how]((workflow.folder / damaged).read_bytes()))
    os.utime(workflow.folder / damaged, ns=(times.st_atime_ns, times.st_mtime_ns))
    status, said = workflow.run(MADE_FROM[damaged])
    if status == 0:
        assert made.read_bytes() == before, f"{MADE_FROM[damaged]} is other than before, and nothing was said"
    else:
        lines = [line for line in said.splitlines() if line.startswith("error: ")]
        assert any(damaged in line for line in lines), said
        assert not made.exists()


@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_cache_is_made_anew(whole, root, tmp_path, how):
    cache = tmp_path / "cache"
    target = "results/nominal/egf_akt/0.tsv"
    workflow = Workflow(root, tmp_path / "copy")
    shutil.copytree(whole.folder, workflow.folder, dirs_exist_ok=True)
    original = (workflow.folder / target).read_text()
    from kinetrain.cache import cache_folder

    shutil.copytree(cache_folder(), cache / "kinetrain", ignore=shutil.ignore_patterns("wheels", "envs", "uv"))
    for file in (cache / "kinetrain").rglob("*.so"):
        file.write_bytes(DAMAGE[how](file.read_bytes()))
    (workflow.folder / target).unlink()
    status, said = workflow.run(target, XDG_CACHE_HOME=str(cache))
    assert status == 0, said
    assert (workflow.folder / target).read_text() == original
