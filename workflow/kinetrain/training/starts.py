"""Starting points, and resumable multi-starts."""

import json
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from kinetrain import seeds, tables
from kinetrain.files import load_arrays, load_checkpoint, save_checkpoint
from kinetrain.problem import SumOverConditions
from kinetrain.tables import FULL_BATCH

POINTS = ("last", "best", "averaged")

SECONDS_BETWEEN_CHECKPOINTS = 5.0


def starting_point(problem: SumOverConditions, seed: int, start: int, given: np.ndarray | None = None) -> np.ndarray:
    """Return start number `start` (n,) on the optimization scale, for all optimizers."""
    return next(starting_points(problem, seed, start, given))


def starting_points(
    problem: SumOverConditions, seed: int, start: int, given: np.ndarray | None = None
) -> Iterator[np.ndarray]:
    """Yield start number `start` (n,) on the optimization scale, and random points to search on from, without end.

    The first starts are `given` (m, n), if any are; other points are drawn as the problem says.

    Source: Stapor et al. 2022, Fig. 2 (the same random points for all optimizers); parPE (uniform in the bounds, later
    PEtab's initialization priors).
    """
    if given is not None and start < len(given):
        yield np.array(given[start], dtype=float)
    generator = seeds.generator(seed, start)
    while True:
        yield problem.draw_start(generator)


def load_fits(table, parameters) -> tuple[pd.DataFrame, dict]:
    """Return the fits of one optimizer, a row per start, and the arrays of their parameters, from the files of both."""
    return tables.load("fits", table), load_arrays(parameters, ["names", "last", "best"])


def end_points(fits: pd.DataFrame, arrays: dict) -> np.ndarray:
    """Return the resulting parameters (starts, n) of the fits of one optimizer, in the order of their starts.

    fits, arrays: as of `load_fits`, names (n,), last and best (starts, n). A mini-batch fit is its last iterate, a
    full-batch fit the best point that it evaluated: those whose full objective is in the table.
    """
    return arrays["best" if (fits["schedule"] == FULL_BATCH).all() else "last"]


def best_members(fits: pd.DataFrame, arrays: dict, count: int) -> np.ndarray:
    """Return the parameters (m, n) of the fits (as of `end_points`) with the lowest objective, best first.

    There are fewer than `count` members where fewer fits ended with a finite objective.
    """
    parameters = end_points(fits, arrays)
    fits = fits[np.isfinite(fits["objective"])].sort_values("objective", kind="stable")
    return parameters[fits["start"].to_numpy(int)[:count]]


def budget_points(epochs: int) -> np.ndarray:
    """Return the budgets in epochs, 21 from 0 to `epochs`, at which a run is traced.

    They are closer together at the beginning, where the objective falls fastest: from a tenth of an epoch on each is a
    constant factor more than the one before.
    """
    return np.concatenate([[0.0], np.geomspace(0.1, epochs, 20)])


def peak_memory_mb() -> float:
    """Return the largest memory of this process so far, in MB."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


class Checkpoint:
    """The folder of one multi-start, with its finished starts and the state of those under way.

    A checkpoint is used only if it was written for the same `identity` (a dict: problem, settings, ...).
    """

    def __init__(self, folder, identity: dict):
        self.folder = Path(folder)
        self.identity = json.dumps(identity, sort_keys=True)
        self.began, self.due = time.monotonic(), {}

    def finished(self, start: int):
        """Return the (fit, trace, points) of a start that was finished before, or None."""
        kept = load_checkpoint(self.folder / f"finished-{start}.checkpoint", self.identity)
        return None if kept is None else json.loads(str(kept["result"]))

    def finish(self, start: int, result) -> None:
        """Save the (fit, trace, points) of a finished start, and delete its state."""
        save_checkpoint(self.folder / f"finished-{start}.checkpoint", self.identity, result=json.dumps(result))
        (self.folder / f"start-{start}.checkpoint").unlink(missing_ok=True)
        self.due.pop(start, None)

    def load(self, start: int) -> dict | None:
        """Return the arrays of a start's state, or None."""
        return load_checkpoint(self.folder / f"start-{start}.checkpoint", self.identity)

    def offer(self, start: int, describe) -> None:
        """Write the state of a start, the arrays that `describe()` returns, if that is due: every few seconds."""
        begin = time.monotonic()
        if begin >= self.due.setdefault(start, self.began + SECONDS_BETWEEN_CHECKPOINTS):
            save_checkpoint(self.folder / f"start-{start}.checkpoint", self.identity, **describe())
            end = time.monotonic()
            # At most 5 % of the time goes to the checkpoints of all starts that are under way.
            self.due[start] = end + SECONDS_BETWEEN_CHECKPOINTS * max(1.0, 4 * (end - begin) * len(self.due))


def checkpoint_of(folder, identity: dict, options, problem: SumOverConditions, given: np.ndarray | None) -> Checkpoint:
    """Return the checkpoint of a multi-start: one of the same settings, options, data and given starts goes on."""
    made_of = {**identity, "settings": asdict(options), "data": problem.checksum}
    if given is not None:
        made_of["given"] = np.asarray(given, dtype=float).tolist()
    return Checkpoint(folder, made_of)


def run_starts(fit_all, starts: int, checkpoint: Checkpoint, identity: dict, names):
    """Return the tables of fits and traces of a multi-start (`kinetrain.tables`), and its parameters.

    `fit_all(left)` yields, for each of the starts (numbers) that are left, as they end: its number, its result, and its
    seconds. A result is a dict of the columns of a fit, a list of dicts of its trace, and a dict of the `POINTS` (n,)
    that it ended with. `identity` holds the columns which all rows share. A failed start keeps its row: starts are
    never replaced. The parameters are arrays by name: names (n,), and each of the points (starts, n), on the scale of
    the optimization; NaN where a start failed or has no such point.
    """
    kept = {start: checkpoint.finished(start) for start in range(starts)}
    results = {start: result for start, result in kept.items() if result is not None}
    for start in results:
        print(f"start {start}: taken from the checkpoint", file=sys.stderr)
    for start, (fit, traced, arrived), seconds in fit_all([start for start in kept if start not in results]):
        fit["wall_seconds"] = round(seconds, 3)
        fit["peak_memory_mb"] = peak_memory_mb()
        failed = fit["status"] == "failed"
        arrived = {key: list(np.full(len(names), np.nan) if failed else arrived[key]) for key in POINTS}
        results[start] = [fit, traced, arrived]
        checkpoint.finish(start, results[start])
        ended = f"start {start}: {fit['status']}, objective {fit['objective']:.6g}"
        print(f"{ended} ({len(results)} of {starts} starts are done)", file=sys.stderr)
    fits, trace, points = [], [], []
    for start in range(starts):
        fit, traced, arrived = results[start]
        fits.append({**identity, "start": start, **fit})
        trace += [{**identity, "start": start, **point} for point in traced]
        points.append(arrived)
    parameters = {key: np.array([arrived[key] for arrived in points]) for key in POINTS}
    arrays = {"names": np.array(names), **parameters}
    return tables.frame("fits", fits), tables.frame("traces", trace), arrays
