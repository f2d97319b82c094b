"""Train one fold of the cross-validation of a method: every setting of the grid on the same data."""

import argparse

from command import add_level, level_of, run


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--expression", required=True, metavar="NPZ", help="expression over time with its splits")
    parser.add_argument("--prior", nargs="*", default=[], metavar="NPZ", help="prior network")
    add_level(parser)
    parser.add_argument("--method", required=True, help="pruning method")
    parser.add_argument("--seed", type=int, required=True, help="seed of the models and of the folds")
    parser.add_argument("--fold", type=int, required=True, help="number of the fold, from 0")
    parser.add_argument("--settings", default="{}", metavar="JSON", help="settings of train_neural_ode.py")
    parser.add_argument("--tuning", required=True, metavar="JSON", help="folds, grid {setting: values} and choice")
    parser.add_argument("--checkpoint", required=True, metavar="FOLDER", help="folder to continue from after a break")
    parser.add_argument("--output", required=True, metavar="TSV", help="table to write: one row per setting")
    return parser.parse_args()


def main():
    arguments = parse_arguments()

    import shutil
    from pathlib import Path

    import pandas as pd
    import torch

    from kinetrain.data.expression import load_expression
    from kinetrain.files import save_table
    from kinetrain.neural import tuning
    from kinetrain.neural.options import NeuralOptions, Tuning
    from kinetrain.neural.run import Run, read_priors
    from kinetrain.options import read_options, read_settings
    from kinetrain.pruning.methods import find_method

    torch.set_num_threads(1)
    plan = read_options(Tuning, read_settings(arguments.tuning), "--tuning")
    settings = read_settings(arguments.settings)
    given, record = settings.pop("method", {}), find_method(arguments.method)
    options = read_options(NeuralOptions, settings)
    expression = tuning.fold(load_expression(arguments.expression), plan.folds, arguments.fold, arguments.seed)
    values = expression.noisy(arguments.noise, arguments.seed)[None]
    priors = read_priors(arguments.prior, [arguments.seed], expression.genes, record)
    checkpoint, grid = Path(arguments.checkpoint), tuning.candidates(plan.grid)
    rows = []
    for number, candidate in enumerate(grid, start=1):
        method = read_options(record, given | candidate, f"methods.{arguments.method}")
        run = Run(method, expression, priors, [arguments.seed], values, options)
        name = f"{arguments.dataset}, {arguments.method}, fold {arguments.fold + 1} of {plan.folds}"
        scores = train_setting(run, checkpoint, f"{name}, setting {number} of {len(grid)}")
        rows.append({"setting": tuning.as_text(candidate), "fold": arguments.fold, **scores})
    save_table(pd.DataFrame([level_of(arguments) | row for row in rows]), arguments.output)
    shutil.rmtree(checkpoint, ignore_errors=True)


def train_setting(run, checkpoint, name: str) -> dict:
    """Return error, sparsity, CPU seconds and status of a training, from its checkpoint if it was finished before."""
    import numpy as np
    from train_neural_ode import progress

    from kinetrain.files import load_checkpoint, save_checkpoint
    from kinetrain.neural import training_loop

    identity = training_loop.fingerprint(run)
    done = checkpoint / f"{identity}.finished"
    scores = load_checkpoint(done, identity)
    if scores is None:
        state, history, _ = training_loop.train(run, checkpoint / f"{identity}.checkpoint", progress(name))
        kept = history[history[:, 1] == state.kept_epoch[0]]
        scores = {
            "validation_mse": np.where(state.failed, np.nan, state.kept_validation)[0],
            "sparsity": kept[0, 4] if len(kept) else np.nan,
            "cpu_seconds": state.cpu_seconds[0].round(3),
            "status": "failed" if state.failed[0] else "finished",
        }
        save_checkpoint(done, identity, **scores)
    return {column: np.asarray(value).item() for column, value in scores.items()}


if __name__ == "__main__":
    run(main)
