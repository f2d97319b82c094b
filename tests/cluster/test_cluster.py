"""On a SLURM of this machine the smoke workflow has the tables of a local run, whatever happens to jobs and node.

Not part of `make test`, as it needs root and SLURM: `make test-cluster`.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time

from faulty_workflow import wait_for

SCORES = "results/networks/modular24/noise0.025_corruption0.1/dash.tsv"  # the smallest part that needs two submissions
TOGETHER = ("prune_neural_ode", "score_network")  # in one of them
NODE = socket.gethostname().partition(".")[0]


def said(*command) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def jobs(*states) -> list[str]:
    """Return the numbers of the jobs of SLURM in these states."""
    return said("squeue", "--noheader", "--states", ",".join(states), "--format", "%i").split()


def begin(smoke, *words):
    """Send a run, and wait until one of its jobs runs."""
    process = smoke.send(*words)
    assert wait_for(lambda: jobs("running"), 300), (smoke.folder / "output").read_text()[-5000:]
    return process


def same(smoke, local, *paths) -> None:
    """Assert that tables have the bytes of a local run, but for columns that are measured."""
    found, wanted = smoke.tables(*paths), local[0].tables(*paths)
    assert found.keys() == wanted.keys()
    assert [path for path in wanted if found[path] != wanted[path]] == []


def test_the_tables_are_those_of_a_local_run(smoke, local):
    begun = time.monotonic()
    text = smoke.ends(smoke.send("all"))
    seconds = time.monotonic() - begun
    submitted = len(set(re.findall(r"SLURM jobid '?(\d+)", text)))
    print(f"\n{submitted} submissions, {seconds:.0f} s; a local run takes {local[1]:.0f} s", flush=True)
    same(smoke, local)


def test_a_job_that_was_cancelled_is_sent_again(smoke, local):
    process = begin(smoke, SCORES)
    subprocess.run(["scancel", *jobs("running")], check=True)
    assert "Trying to restart" in smoke.ends(process)
    same(smoke, local, SCORES)


def test_a_job_over_its_memory_is_sent_again_with_more(smoke, local):
    # The profile's own resources of these rules give way to those of the command line: the partition among them.
    little = [f"{rule}:{one}" for rule in TOGETHER for one in ("mem_mb=60*40**(attempt-1)", "slurm_partition=long")]
    assert "Trying to restart" in smoke.ends(smoke.send("--set-resources", *little, "--", SCORES))
    same(smoke, local, SCORES)


def test_a_node_that_is_drained_is_waited_for(smoke, local):
    process = begin(smoke, SCORES)
    subprocess.run(["scontrol", "update", f"nodename={NODE}", "state=drain", "reason=test"], check=True)
    try:
        time.sleep(30)
        assert process.poll() is None
    finally:
        subprocess.run(["scontrol", "update", f"nodename={NODE}", "state=resume"], check=True)
    smoke.ends(process)
    same(smoke, local, SCORES)


def test_after_a_restart_of_the_controller_the_same_command_goes_on(smoke, local):
    process = begin(smoke, SCORES)
    subprocess.run(["scontrol", "shutdown", "slurmctld"], check=True)
    time.sleep(20)
    subprocess.run(["slurmctld"], check=True)
    assert wait_for(lambda: subprocess.run(["squeue"], capture_output=True).returncode == 0, 60)
    assert wait_for(lambda: not jobs("running", "pending"), 600)
    os.killpg(process.pid, signal.SIGKILL)  # without accounting the executor has forgotten its jobs by now
    process.wait()
    release = [sys.executable, smoke.root / "workflow/scripts/release_lock.py"]
    subprocess.run(release, cwd=smoke.folder, check=True)
    smoke.ends(smoke.send(SCORES))
    same(smoke, local, SCORES)
