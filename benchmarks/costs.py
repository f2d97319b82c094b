"""Measure what jobs cost at three sizes of their input and more, and write resources/costs.tsv for `make plan`.

Every job says at the end of its log what it took; this runs small workflows and reads those lines. Their problems
are: the smoke configuration, the embedded model and random networks at growing sizes, expression of up to 11,165 genes
drawn at random, and with --mirror artificial data of published models.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

TOP = Path(__file__).resolve().parents[1]
COSTS = TOP / "resources" / "costs.tsv"
METHODS = {"unpruned": {}, "dash": {"lambdas": [0.5, 0.05]}}
TUNING = {"dash": {"folds": 2, "grid": {"lambdas": {"each": [0.05, 0.5]}}}}
GRID = {"optimizers": ["adam_balanced"], "schedules": ["S3"], "batch_sizes": [2]}
FITS = {"mini_batch": {"main": GRID}, "schedules": {"S3": {"start": 0.1}}}
EMBEDDED = "resources/models/egf_akt/problem.yaml"
ENRICHMENT = {"influence": {"vectors": 8}, "test": {"permutations": 200, "minimum_genes": 3}}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mirror", type=Path, help="folder with the files of resources/datasets.tsv")
    parser.add_argument("--only", nargs="+", help="names of workflows; what they take is added to the table")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    if not arguments.only:
        COSTS.write_text("rule\twork\tcpu_seconds\textent\tmemory_mb\n")  # other machines, other sizes: all anew
    with tempfile.TemporaryDirectory() as folder:
        planned = runs(Path(folder), arguments.mirror)
        if unknown := set(arguments.only or ()) - planned.keys():
            sys.exit(f"error: {', '.join(sorted(unknown))}: not among {', '.join(planned)}")
        for name in arguments.only or planned:
            config, targets = planned[name]
            place = Path(folder, name.replace(" ", "_"))  # with a blank in it each would make environments of its own
            place.mkdir()
            (place / "config.yaml").write_text(yaml.safe_dump(config))
            print(f"measuring {name}", file=sys.stderr, flush=True)
            measure(place, targets, arguments.mirror)


def measure(place: Path, targets: list[str], mirror) -> None:
    """Run a workflow in a folder, with one job at a time, and add what its jobs took to the table.

    Its cache begins empty, so that compilation is measured.
    """
    mirrored = ["--config", f"mirror={mirror}"] if mirror else []
    command = ["snakemake", "--snakefile", TOP / "Snakefile", "--directory", place, "--cores", "1", "--quiet", "all"]
    command += ["--configfile", place / "config.yaml", *mirrored, "--", *targets]
    variables = {**os.environ, "XDG_CACHE_HOME": str(place.parent / "cache")}
    subprocess.run(list(map(str, command)), check=False, stdout=subprocess.DEVNULL, env=variables)
    command = [sys.executable, TOP / "workflow/scripts/plan.py", "--configfile", place / "config.yaml"]
    command += ["--directory", place, "--record", COSTS, *(["--mirror", mirror] if mirror else [])]
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)


def runs(folder: Path, mirror) -> dict[str, tuple[dict, list[str]]]:
    """Return configurations with the files that are wanted of them, by name."""
    tables = [f"results/tables/{name}.tsv" for name in ("networks", "path", "pathways", "tuning")]
    fitted = [f"results/tables/{name}.tsv" for name in ("fits", "nominal", "predictions", "estimates")]
    planned = {}
    for genes, epochs in ((24, 12), (80, 30), (200, 100)):
        planned[f"{genes} genes"] = (neural(genes, epochs), tables)
        planned[f"fits of {genes} genes"] = (fits_of_a_field(genes, epochs), fitted[:1])
    for conditions, starts, epochs in ((6, 2, 12), (30, 4, 30), (150, 20, 150)):
        config = mechanistic(conditions, starts, epochs)
        planned[f"{conditions} conditions"] = (config, [*fitted, "results/tables/large_scale.tsv"])
    for genes in (500, 2000, 11165):
        planned[f"{genes} drawn genes"] = drawn(folder, genes)
    for name in ("Fujita_SciSignal2010", "Bachmann_MSB2011", "Boehm_JProteomeRes2014") if mirror else ():
        planned[name] = (measured(name, {"full_batch": {"optimizers": ["fides"]}, "starts": 4, "epochs": 50}), fitted)
    if mirror:
        searched = {"optimizers": ["fides_switched_hierarchical"], "restarts": True}
        fits = {"mini_batch": {"main": None}, "full_batch": searched, "starts": 2, "epochs": 3000}
        planned["restarts"] = (measured("Fujita_SciSignal2010", fits), fitted[:1])
    return planned


def mechanistic(conditions: int, starts: int, epochs: int) -> dict:
    """Return a configuration of fits of artificial data."""
    inputs = {"EGF_0": {"log10_uniform": [-1.5, 1.5]}, "EGF_rate": {"constant": 0}}
    groups = {"count": 3, "test": 1, "inputs": {"EGF_end": {"uniform": [600, 3600]}}}
    artificial = {
        "conditions": conditions,
        "times": [0, 300, 1800],
        "protocols": [{"inputs": inputs}],
        "groups": groups,
    }
    problem = {"petab": EMBEDDED, "artificial": artificial, "predict": {"ensemble": starts // 2}}
    return {"problems": {"egf_akt": problem}, "fits": {**FITS, "starts": starts, "epochs": epochs}}


def measured(name: str, fits: dict) -> dict:
    """Return a configuration of fits of measured data of the mirror."""
    return {"problems": {name.split("_")[0]: {"petab": f"{name}/{name}.yaml"}}, "fits": {**FITS, **fits}}


def neural(genes: int, epochs: int) -> dict:
    """Return a configuration of trainings on a random network."""
    network = {"genes": genes, "regulators": genes // 3, "inputs": genes // 6, "modules": 3, "trajectories": 24}
    dataset = {"simulate": network, "noise": [0.025], "prior_corruption": [0.1]}
    training = {"hidden": 10 + genes // 10, "epochs": epochs, "patience_epochs": None}
    config = {"datasets": {"random": dataset}, "seeds": [0, 1], "training": training, "tuning": TUNING}
    return {**config, "methods": METHODS, "enrichment": ENRICHMENT}


def fits_of_a_field(genes: int, epochs: int) -> dict:
    """Return a configuration of fits of a vector field to a random network, in mini-batches and in full batch."""
    config = neural(genes, epochs)
    fits = {**FITS, "full_batch": {"optimizers": ["l_bfgs_b"]}, "starts": 4, "epochs": epochs}
    dataset = {**config["datasets"]["random"], "run": False}
    return {
        "datasets": {"random": dataset},
        "problems": {"field": {"neural": {"dataset": "random"}}},
        "training": {"hidden": config["training"]["hidden"]},
        "fits": fits,
    }


def drawn(folder: Path, genes: int) -> tuple[dict, list[str]]:
    """Write expression and a network of as many genes, drawn at random, and return a configuration of them."""
    random = np.random.default_rng(0)
    names = np.array([f"G{index}" for index in range(genes)])
    table = pd.DataFrame(random.random((40, genes)).round(3), columns=names)
    table.insert(0, "time", np.tile(np.arange(5.0), 8))
    table.insert(0, "trajectory", np.repeat(np.arange(8), 5))
    ends = {"regulator": random.choice(names[: genes // 20], 20 * genes), "target": random.choice(names, 20 * genes)}
    tables = {"train": table, "genes": pd.DataFrame({"gene": names}), "edges": pd.DataFrame(ends).drop_duplicates()}
    files = {name: str(folder / f"{genes}.{name}.csv") for name in tables}
    for name, content in tables.items():
        content.to_csv(files[name], index=False)
    network = {"edges": files["edges"]}
    expression = {"train": files["train"], "genes": files["genes"], "validation_fraction": 0.25, "test_fraction": 0.25}
    dataset = {"expression": expression, "prior": network, "truth": network}
    config = {
        "datasets": {"drawn": dataset},
        "seeds": [0],
        "methods": {"dash": {}},
        "training": {"hidden": 20, "epochs": 4},
    }
    level = "results/networks/drawn/noise0_corruption0"
    wanted = [f"{level}.controls.tsv"] if genes > 2000 else [f"{level}/dash.tsv", f"{level}.controls.tsv"]
    return config, wanted + [f"{level}.yardsticks.tsv"] * (genes <= 500)


if __name__ == "__main__":
    main()
