"""Train a neural ODE on expression over time, pruned by one method, for several seeds at once (Hossain et al. 2024).

Settings are those of the section `training` of the configuration (config/README.md has all keys and defaults), with
`pruning` as a mapping in it, and the settings of the pruning method as the mapping `method`.

dead_targets counts genes that never change in the evaluated model (their multiplier is zero), though they change in the
data: constant inputs do not count. dead_error_share, 0 to 1, is their part of the squared errors behind test_mse. The
v of a model divided by the time_scale of the expression file is a rate per unit of time of the data. The CPU seconds of
an epoch are shared equally by the models trained in it; pair_solves counts the transitions solved with their gradient.
"""

import argparse


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--expression", required=True, metavar="NPZ", help="expression over time with its splits")
    parser.add_argument(
        "--prior", nargs="*", default=[], metavar="NPZ", help="prior networks: one for all, or one per seed"
    )
    parser.add_argument("--dataset", required=True, help="name of the data, for the tables")
    parser.add_argument("--method", required=True, help="pruning method: unpruned, sparseflow, bioprune, dash, ...")
    parser.add_argument("--noise", type=float, default=0.0, help="standard deviation of the noise added to expression")
    parser.add_argument("--prior-corruption", type=float, default=0.0, help="fraction of wrong edges, for the tables")
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

    import resource
    import shutil
    import sys
    import time
    from pathlib import Path

    import numpy as np
    import pandas as pd
    import torch

    from kinetrain.data.expression import load_expression
    from kinetrain.files import save_arrays, save_table
    from kinetrain.neural import training_loop
    from kinetrain.neural.options import Options
    from kinetrain.neural.run import Run, read_priors
    from kinetrain.pruning.methods import find_method
    from kinetrain.settings import read_options, read_settings

    began = time.monotonic()
    torch.set_num_threads(1)  # matrices are small: a second thread costs more than it gives
    settings = read_settings(arguments.settings)
    chosen = read_settings(arguments.tuned) if arguments.tuned else {}
    record = find_method(arguments.method)
    method = read_options(record, settings.pop("method", {}) | chosen, f"methods.{arguments.method}")
    options, expression = read_options(Options, settings), load_expression(arguments.expression)
    priors = read_priors(arguments.prior, arguments.seeds, expression.genes, method)
    noisy = np.stack([expression.noisy(arguments.noise, seed) for seed in arguments.seeds])
    run = Run(method, expression, priors, arguments.seeds, noisy, options)
    state, history, path = training_loop.train(
        run, Path(arguments.checkpoint) / "training.checkpoint", progress(f"{arguments.dataset}, {arguments.method}")
    )

    identity = {
        "dataset": arguments.dataset,
        "method": arguments.method,
        "noise": arguments.noise,
        "prior_corruption": arguments.prior_corruption,
    }
    failed = state.failed
    clean = np.broadcast_to(expression.values, noisy.shape)
    dead_targets, dead_share = training_loop.dead_targets(run, state, clean)
    runs = pd.DataFrame(
        {
            **identity,
            "seed": arguments.seeds,
            "multipliers": options.multipliers,
            "uses_prior": "yes" if method.uses_prior else "no",
            "test_mse": training_loop.test_error(run, state, clean),
            "dead_targets": dead_targets,
            "dead_error_share": dead_share,
            "test_mse_noisy": training_loop.test_error(run, state, noisy),
            "validation_mse": np.where(failed, np.nan, state.kept_validation),
            "epochs": state.best_epoch,
            "kept_epoch": state.kept_epoch,
            "stopped_epoch": state.stopped_epoch,
            "rewound_epoch": state.rewound_epoch,
            "cpu_seconds": state.cpu_seconds.round(3),
            "wall_seconds": round(time.monotonic() - began, 3),
            "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
            "pair_solves": state.pair_solves,
            "status": np.where(failed, "failed", np.where(state.diverged, "diverged", "finished")),
            "reason": training_loop.reasons(run, state, history),
        }
    )
    for row in runs[runs["reason"] != ""].itertuples():
        print(f"{row.dataset}, {row.method}, seed {row.seed} {row.status}: {row.reason}", file=sys.stderr)
    history = pd.DataFrame(history, columns=training_loop.HISTORY).astype({"epoch": int, "solver_steps": int})
    history.insert(0, "seed", np.array(arguments.seeds)[history.pop("model").astype(int)])
    for position, (column, value) in enumerate(identity.items()):
        history.insert(position, column, value)
    named = {"genes": expression.genes, "seeds": np.array(arguments.seeds)}
    layout = {"field": np.array(options.model), "chains": np.array(run.field.chains(run.shapes))}
    save_arrays(arguments.model, **named, **layout, **training_loop.best_models(run, state))
    save_arrays(arguments.path, **named, **path)
    save_table(history, arguments.history)
    save_table(runs, arguments.runs)
    shutil.rmtree(arguments.checkpoint, ignore_errors=True)


def progress(name):
    """Return a function that prints its text after `name` to stderr, at most once a second."""
    import sys
    import time

    last = -1.0

    def tell(text):
        nonlocal last
        if time.monotonic() - last >= 1:
            last = time.monotonic()
            print(f"{name}: {text}", file=sys.stderr, flush=True)

    return tell


if __name__ == "__main__":
    from command import run

    run(main)
