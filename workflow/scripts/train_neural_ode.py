"""Train a neural ODE on expression over time, pruned by one method, for several seeds at once (Hossain et al. 2024).

Settings are those of the section `training` of the configuration (config/README.md has all keys and defaults), with
`pruning` as a mapping in it, and the settings of the pruning method as the mapping `method`.

kinetrain/tables/ explains the columns of the table of runs (`networks`). The v of a model divided by the time_scale
of the expression file is a rate per unit of time of the data. The CPU seconds of an epoch are shared equally by the
models trained in it.
"""

import argparse

from command import add_level, level_of, run


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--expression", required=True, metavar="NPZ", help="expression over time with its splits")
    parser.add_argument(
        "--prior", nargs="*", default=[], metavar="NPZ", help="prior networks: one for all, or one per seed"
    )
    add_level(parser)
    parser.add_argument("--method", required=True, help="pruning method: unpruned, sparseflow, bioprune, dash, ...")
    parser.add_argument("--seeds", type=int, nargs="+", required=True, help="one model is trained per seed")
    parser.add_argument("--settings", default="{}", metavar="JSON", help="settings as JSON or the path of a .json file")
    parser.add_argument("--tuned", metavar="JSON", help="file with settings of the method that were chosen by tuning")
    parser.add_argument("--checkpoint", required=True, metavar="FOLDER", help="folder to continue from after a break")
    parser.add_argument("--model", required=True, metavar="NPZ", help="best models to write")
    parser.add_argument("--runs", required=True, metavar="TSV", help="table to write: one row per seed")
    parser.add_argument("--history", required=True, metavar="TSV", help="table to write: one row per seed and epoch")
    parser.add_argument("--path", required=True, metavar="NPZ", help="networks between the pruning events to write")
    arguments = parser.parse_args()
    if not 0 <= arguments.noise < float("inf"):
        parser.error(f"--noise {arguments.noise}: must be at least 0 and finite")
    if min(arguments.seeds) < 0 or len(set(arguments.seeds)) < len(arguments.seeds):
        parser.error(f"--seeds {' '.join(map(str, arguments.seeds))}: must be different whole numbers from 0")
    return arguments


def main():
    arguments = parse_arguments()

    import shutil
    import time
    from pathlib import Path

    import numpy as np
    import torch

    from kinetrain.data.expression import load_expression
    from kinetrain.files import save_arrays
    from kinetrain.neural import evaluation, training_loop
    from kinetrain.neural.options import NeuralOptions
    from kinetrain.neural.run import Run, read_priors
    from kinetrain.options import read_options, read_settings
    from kinetrain.pruning.methods import find_method
    from kinetrain.training.starts import peak_memory_mb

    began = time.monotonic()
    torch.set_num_threads(1)  # matrices are small: a second thread costs more than it gives
    settings = read_settings(arguments.settings)
    chosen = read_settings(arguments.tuned) if arguments.tuned else {}
    record = find_method(arguments.method)
    method = read_options(record, settings.pop("method", {}) | chosen, f"methods.{arguments.method}")
    options, expression = read_options(NeuralOptions, settings), load_expression(arguments.expression)
    priors = read_priors(arguments.prior, arguments.seeds, expression.genes, method)
    noisy = np.stack([expression.noisy(arguments.noise, seed) for seed in arguments.seeds])
    run = Run(method, expression, priors, arguments.seeds, noisy, options)
    state, history, path = training_loop.train(
        run, Path(arguments.checkpoint) / "training.checkpoint", progress(f"{arguments.dataset}, {arguments.method}")
    )

    spent = {"wall_seconds": round(time.monotonic() - began, 3), "peak_memory_mb": peak_memory_mb()}
    write(arguments, evaluation.run_table(run, state, history).assign(**spent), history)
    named = {"genes": expression.genes, "seeds": np.array(arguments.seeds)}
    layout = {"field": np.array(options.model), "chains": np.array(run.field.chains(run.shapes))}
    save_arrays(arguments.model, **named, **layout, **evaluation.best_models(run, state))
    save_arrays(arguments.path, **named, **path)
    shutil.rmtree(arguments.checkpoint, ignore_errors=True)


def write(arguments, runs, history):
    """Write the tables of runs and of their history; say on stderr why a run failed."""
    import sys

    from kinetrain import tables
    from kinetrain.files import save_table

    level = level_of(arguments)
    runs = runs.assign(**level)
    for row in runs[runs["reason"] != ""].itertuples():
        print(f"{row.dataset}, {row.method}, seed {row.seed} {row.status}: {row.reason}", file=sys.stderr)
    save_table(runs[[*level, *runs.columns.difference(level, sort=False)]], arguments.runs)
    tables.save("history", history_table(history, arguments.seeds, level), arguments.history)


def history_table(history, seeds, level):
    """Return the history of a training as a table: one row per seed and epoch."""
    import numpy as np
    import pandas as pd

    from kinetrain.neural.training_loop import HISTORY

    table = pd.DataFrame(history, columns=HISTORY).astype({"epoch": int, "solver_steps": int})
    table.insert(0, "seed", np.array(seeds)[table.pop("model").astype(int)])
    for position, (column, value) in enumerate(level.items()):
        table.insert(position, column, value)
    return table


def progress(name):
    """Return a function that prints a text after `name` to stderr, at most once a second."""
    import sys
    import time

    last = -1.0

    def report(text):
        nonlocal last
        if time.monotonic() - last >= 1:
            last = time.monotonic()
            print(f"{name}: {text}", file=sys.stderr, flush=True)

    return report


if __name__ == "__main__":
    run(main)
