"""Made results whose answer is known: rows of fits, their traces and nominal objectives, and rows of networks."""

from itertools import product

import numpy as np
import pandas as pd

from kinetrain.evaluation import scores
from kinetrain.tables import completed

INF = float("inf")
NOMINAL = ["problem", "replicate", "objective_nominal", "data"]
FIT_SETTINGS = {
    "safeguards": {
        "rescue": {"rescue": 2, "line_search": 0, "variant": "published"},
        "off": {"rescue": 0, "line_search": 0, "variant": "published"},
        "search": {"rescue": 0, "line_search": 3, "variant": "corrected"},
    },
    "schedules": {"S1": {"start": 1.0, "end": 0.1}, "S2": {"start": 0.3, "end": 0.1}, "S3": {"start": 0.1, "end": 0.1}},
    "optimizers": {"hybrid": {"rule": "adam_balanced", "then": "fides", "share": 0.2}},
}


def made(ends: dict, problems=("P",), replicates=(0,), starts=8) -> pd.DataFrame:
    """One fit per block and setting; ends: (optimizer, schedule, batch size, safeguard) -> objective, or f(start)."""
    rows = [
        (*block, *setting, value(block[2]) if callable(value) else value)
        for block, (setting, value) in product(product(problems, replicates, range(starts)), ends.items())
    ]
    names = ["problem", "replicate", "start", "optimizer", "schedule", "batch_size", "safeguard", "objective"]
    table = pd.DataFrame(rows, columns=names)
    status = np.where(np.isfinite(table["objective"].astype(float)), "finished", "failed")
    sizes = {"conditions": 20, "measurements": 1000, "parameters": 4}
    spent = {"cost": 100.0, "cpu_seconds": 1.0, "gradient_solves": 20, "value_solves": 0}
    return completed("fits", table.assign(**sizes, **spent, status=status))


def made_nominal(problems=("P",), truth=0.0, data="artificial") -> pd.DataFrame:
    return completed("nominal", pd.DataFrame([(name, 0, truth, data) for name in problems], columns=NOMINAL))


def traced(table: pd.DataFrame, points: dict[float, float]) -> pd.DataFrame:
    """The same course for every fit: cost -> objective."""
    return pd.concat([table.assign(cost=cost, objective=value) for cost, value in points.items()])


ADAM, FIDES = ("adam_balanced", "S2", 5, "rescue"), ("fides", "-", 20, "-")


def of_problems(**ends) -> pd.DataFrame:
    """Fits of several problems, each with its own settings."""
    return pd.concat([made(own, problems=(problem,)) for problem, own in ends.items()], ignore_index=True)


def grid(*settings) -> pd.DataFrame:
    return scores.with_size(made({setting: float(number) for number, setting in enumerate(settings)}, starts=2))


def made_reactions(problems=("P",), gain=0.1) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Pruned reactions, two starts of two replicates each, and their path; `both` is better than `magnitude` by `gain`
    where the prior is right, and worse by as much where all of it was moved.
    """
    levels = {
        "unpruned": [None],
        "random": [None],
        "magnitude": [None],
        "both": [0.0, 0.5, 1.0],
        "prior": [0.0, 0.5, 1.0],
    }
    rows = [
        (*block, method, level)
        for block in product(problems, (0, 1), (0, 1))
        for method, own in levels.items()
        for level in own
    ]
    table = pd.DataFrame(rows, columns=["problem", "replicate", "start", "method", "prior_corruption"])
    table["prior_corruption"] = table["prior_corruption"].astype(float)
    helped = gain * (1 - 2 * table["prior_corruption"])
    score = 0.7 + helped.where(table["method"] == "both", 0.0) + 0.01 * table["start"]
    scores = {name: score for name in ("balanced_accuracy", "precision", "true_positive_rate", "auprc")}
    runs = table.assign(**scores, event=2, left=3, objective=1.0, held_out_objective=4.0, status="finished")
    path = pd.concat([runs.assign(event=event, left=6 - event, held_out_objective=4.0 + event) for event in range(3)])
    return completed("reactions", runs), completed("reaction_path", path.drop(columns=["auprc", "status"]))


def made_networks() -> pd.DataFrame:
    same = {"dataset": "SIM350", "noise": 0.025, "prior_corruption": 0.05, "status": "finished"}
    rows = [
        {"method": "dash", "seed": 0, "sparsity": 0.94, "balanced_accuracy": 0.90, "test_mse": 0.002},
        {"method": "dash", "seed": 1, "sparsity": 0.96, "balanced_accuracy": 0.92, "test_mse": 0.004},
        {"method": "unpruned", "seed": 0, "sparsity": 0.1, "balanced_accuracy": 0.58, "test_mse": 0.05},
        {"method": "prior alone", "seed": 0, "balanced_accuracy": 0.97},
        {"method": "persistence", "seed": 0, "test_mse": 0.01},
    ]
    return completed("networks", pd.DataFrame(rows).assign(**same))


def made_trajectories(problems, *methods, models=2) -> pd.DataFrame:
    """Two genes in two trajectories, measured at two of three times; the first measurement of one was trained on."""
    keys = [(p, m, r, g, t) for p in problems for m in methods for r in (4, 7) for g in ("x", "y") for t in range(3)]
    table = pd.DataFrame(keys, columns=["dataset", "method", "trajectory", "gene", "time"]).assign(
        noise=0.0, prior_corruption=0.05, seeds=3
    )
    splits = np.where(table["trajectory"] == 4, "test", "train")
    table = table.assign(time_unit="h", split=np.where(table["time"] == 2, splits, ""), models=models)
    table["measured"] = (table["time"] / 2).where(table["time"] != 1)
    return table.assign(predicted=table["time"] / 3, low=table["time"] / 4, high=3.0 * table["time"])
