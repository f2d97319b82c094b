"""Tables of figures, made from few rows, for tests of what is drawn."""

import json

import numpy as np
import pandas as pd
from made_results import made_reactions, made_trajectories

from kinetrain.evaluation.benchmark import Benchmark, benchmark
from kinetrain.figures.catalogue import FITS, find_figures

FIGURES = find_figures()
FIT_FIGURES = {name for name, file in FIGURES.items() if file.FIGURE.sources == FITS}
LEVEL = {"noise": 0.0, "prior_corruption": 0.05}


def made_benchmark(problems) -> Benchmark:
    """Four starts of seven settings; on the second problem the last start of the full-batch optimizer failed."""
    grid = [("adam_balanced", schedule, size, "rescue") for schedule in ("S1", "S2") for size in (1, 6)]
    grid += [("adam_standard", "S1", 1, "rescue"), ("adam_balanced", "S1", 1, "off"), ("fides", "-", 6, "-")]
    runs = [(p, *setting, start) for p in problems for setting in grid for start in range(4)]
    columns = ["problem", "optimizer", "schedule", "batch_size", "safeguard", "start"]
    runs = pd.DataFrame(runs, columns=columns).assign(replicate=0, cost=10.0)
    ends = (runs["start"] + runs.groupby("problem").cumcount() % 7).astype(float)
    broken = (runs["problem"] == "problem 1") & (runs["optimizer"] == "fides") & (runs["start"] == 3)
    traces = pd.concat([runs.assign(cost=cost, cpu_seconds=cost / 5, objective=20 - cost) for cost in (0, 5)])
    made = runs.assign(objective=ends.mask(broken, np.inf), conditions=6, gradient_weight=5.0, cpu_seconds=2.0)
    return benchmark(made, traces, None, {}, {"safeguards": {"rescue": {"rescue": 2, "line_search": 3}}})


def made_table(name: str, panels: int, method="dash") -> pd.DataFrame:
    """The table of a figure with so many data sets or problems."""
    problems = [f"problem {index}" for index in range(panels)]
    if name in FIT_FIGURES:
        return FIGURES[name].tabulate(made_benchmark(problems))
    if name == "large_scale":
        return FIGURES[name].tabulate(made_predictions(problems))
    if name == "time_courses":
        return FIGURES[name].tabulate(made_courses(problems))
    networks = [(p, m, 0.5, 0.01) for p in problems for m in (method, "persistence", "prior alone")]
    networks = pd.DataFrame(networks, columns=["dataset", "method", "balanced_accuracy", "test_mse"])
    networks = networks.assign(**LEVEL, seed=0, sparsity=0.9)
    if name == "sparsity_against_accuracy":
        columns = ["dataset", "noise", "method", "quantity", "value", "source", "evidence"]
        return FIGURES["sparsity_against_accuracy"].tabulate(networks, pd.DataFrame(columns=columns))
    if name == "factor_study":
        return FIGURES["factor_study"].tabulate(*made_study(panels, method))
    if name == "network_accuracy":
        rates = {"auprc": 0.5, "precision_at_edges": 0.4, "recall_outside_prior": np.nan, "auprc_outside_prior": np.nan}
        return FIGURES["network_accuracy"].tabulate(networks.assign(**rates, uses_prior="yes"))
    if name == "learning_curves":
        return FIGURES[name].tabulate(made_history(problems, method), networks.assign(validation_mse=0.02))
    if name == "trajectories":
        return FIGURES[name].tabulate(made_trajectories(problems, method))
    if name == "prediction_error":
        return FIGURES["prediction_error"].tabulate(networks)
    if name == "multipliers":
        rows = [(f"{p}_{one}", one, seed) for p in problems for one in ("living", "published") for seed in (0, 1)]
        rows = pd.DataFrame(rows, columns=["dataset", "multipliers", "seed"]).assign(method=method, **LEVEL)
        return FIGURES["multipliers"].tabulate(rows.assign(test_mse=1e-3 * (1 + rows["seed"]), dead_error_share=0.5))
    if name == "prior_recovery":
        return FIGURES["prior_recovery"].tabulate(networks.assign(recall_outside_prior=0.3, wrong_prior_kept=0.7))
    if name == "pruning_path":
        path = [(p, epoch, epoch / 10) for p in problems for epoch in (2, 9)]
        path = pd.DataFrame(path, columns=["dataset", "epoch", "sparsity"])
        return FIGURES["pruning_path"].tabulate(
            path.assign(**LEVEL, method=method, seed=0, balanced_accuracy=0.7), networks
        )
    if name == "tuning":
        settings = [{"lambdas": [first, second]} for first in (0, 0.5) for second in (0, 1)]
        return FIGURES["tuning"].tabulate(made_folds(problems, settings, method))
    if name == "reaction_pruning":
        return FIGURES[name].tabulate(*made_reactions(problems))
    if name == "coregulation":
        pairs = [(p, m, "a", "b", 0, 1, 1.0) for p in problems for m in ("prior", method)]
        columns = ["dataset", "method", "regulator", "other", "place", "other_place", "value"]
        return FIGURES["coregulation"].tabulate(pd.DataFrame(pairs, columns=columns).assign(**LEVEL, seed=0))
    if name == "pathways":
        rows = [(p, f"set {index}", index - 2.0) for p in problems for index in range(5)]
        rows = pd.DataFrame(rows, columns=["dataset", "pathway", "z"]).assign(**LEVEL, method=method, control_z=0.5)
        tests = ("p_tail", "gsea_p_value", "ora_p_value")
        rows = rows.assign(**{name: 0.001 for name in tests}, **{f"control_{name}": 0.5 for name in tests})
        return FIGURES["pathways"].tabulate(rows)
    effects = [(p, m, "a", "b", 1.0) for p in problems for m in ("truth", method)]
    effects = pd.DataFrame(effects, columns=["dataset", "method", "regulator", "target", "effect"])
    return FIGURES["effect_matrices"].tabulate(effects.assign(**LEVEL, models=1))


def made_study(factors: int, method="dash"):
    """A baseline, and two more levels of each factor; one more network differs in all of them."""
    names = [f"problem {number}" for number in range(factors)]
    values = {"baseline": dict.fromkeys(names, 1.0)}
    values |= {"other": dict.fromkeys([*names, "one more"], 9.0)} if factors else {}
    for name in names:
        values |= {f"{name}_{level}": values["baseline"] | {name: level} for level in (0.5, 2.0)}
    values = {dataset: {"one more": 1.0} | own for dataset, own in values.items()}
    simulations = [(dataset, factor, value) for dataset, own in values.items() for factor, value in own.items()]
    rows = [(d, m, s) for d in values for m in (method, "lasso", "persistence") for s in (0, 1)]
    networks = pd.DataFrame(rows, columns=["dataset", "method", "seed"]).assign(**LEVEL, auprc=0.5)
    networks = networks.assign(balanced_accuracy=0.6, test_mse=0.1 + networks["seed"])
    return networks, pd.DataFrame(simulations, columns=["dataset", "factor", "value"])


def made_predictions(problems) -> pd.DataFrame:
    """Six groups of three conditions each, by an ensemble of two, in the training and in the test set."""
    keys = [
        (p, part, f"{part}{g}", c) for p in problems for part in ("train", "test") for g in range(6) for c in range(3)
    ]
    table = pd.DataFrame(keys, columns=["problem", "set", "group", "condition"])
    number = np.arange(len(table)) % 9.0
    table = table.assign(optimizer="adam", schedule="S1", batch_size=1, safeguard="off", replicate=0, observable="y")
    members = {"member0": number + 0.1 * number**2, "member1": number + 0.3, "mean": number + 0.1, "sd": 0.2}
    return table.assign(time=60.0, measurement=number, scale="lin", **members)


def made_history(problems, method) -> pd.DataFrame:
    """Two seeds of three epochs, the second of which stops after two."""
    rows = [(p, s, e, 1.0 / e + s) for p in problems for s in (0, 1) for e in range(1, 4 - s)]
    table = pd.DataFrame(rows, columns=["dataset", "seed", "epoch", "validation_mse"]).assign(method=method, **LEVEL)
    return table.assign(train_loss=0.5 * table["validation_mse"])


def made_courses(problems) -> pd.DataFrame:
    """Two curves of one observable of each problem, measured at three times, in two data replicates."""
    keys = [(p, r, label, t) for p in problems for r in (0, 1) for label in ("low", "high") for t in range(5)]
    table = pd.DataFrame(keys, columns=["problem", "replicate", "label", "time"])
    table = table.assign(panel="y", title="y", condition=table["label"], observable="y", fitted=table["time"] + 1.0)
    table = table.assign(nominal=1.0, measurement=table["fitted"].where(table["time"] % 2 == 0), noise=0.1)
    offsets = {"x_scale": "linear", "y_scale": "linear", "x_offset": 0.0, "y_offset": 0.0}
    return table.assign(noise_scale="lin", x_label=np.nan, y_label=np.nan, **offsets, curves=5, panels=1)


def made_folds(datasets, settings, method="dash") -> pd.DataFrame:
    """Two folds of every setting, the first of which is chosen."""
    rows = [(d, json.dumps(s), fold, 1 + i + fold) for d in datasets for i, s in enumerate(settings) for fold in (0, 1)]
    folds = pd.DataFrame(rows, columns=["dataset", "setting", "fold", "validation_mse"])
    return folds.assign(**LEVEL, method=method, chosen=folds["setting"] == json.dumps(settings[0]))
