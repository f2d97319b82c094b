"""Fit a neural ODE without pruning by one optimizer from several starts; a killed run continues where it stopped."""

import argparse

from command import add_arguments_of_fits, run, save_fits


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--expression", required=True, metavar="NPZ", help="expression over time with its splits")
    parser.add_argument("--noise", type=float, default=0.0, help="standard deviation of the noise added to expression")
    parser.add_argument("--noise-seed", type=int, default=0, help="seed of that noise")
    parser.add_argument(
        "--training", default="{}", metavar="JSON", help="keys of `training` (config/README.md): model, hidden, ..."
    )
    add_arguments_of_fits(parser, "l_bfgs_b")
    return parser.parse_args()


def main():
    arguments = parse_arguments()

    import torch

    from kinetrain.data.expression import load_expression
    from kinetrain.neural.fit_problem import NeuralProblem
    from kinetrain.neural.options import NeuralOptions
    from kinetrain.neural.run import Run
    from kinetrain.options import read_options, read_settings
    from kinetrain.pruning.methods import find_method
    from kinetrain.training import full_batch, minibatch_fits
    from kinetrain.training.options import FullBatchOptions, MinibatchOptions

    torch.set_num_threads(1)  # matrices are small: a second thread costs more than it gives
    settings, training = read_settings(arguments.settings), read_settings(arguments.training)
    in_batches = "optimizer" in settings
    options = read_options(MinibatchOptions if in_batches else FullBatchOptions, settings)
    expression = load_expression(arguments.expression)
    noisy = expression.noisy(arguments.noise, arguments.noise_seed)[None]
    method = find_method("unpruned")()
    run = Run(method, expression, [None], [arguments.noise_seed], noisy, read_options(NeuralOptions, training))
    problem = NeuralProblem(run, arguments.noise)
    fit_starts = minibatch_fits.fit_starts if in_batches else full_batch.fit_starts
    named = (arguments.name, arguments.replicate, arguments.optimizer, arguments.starts)
    save_fits(arguments, *fit_starts(problem, *named, options, arguments.checkpoint))


if __name__ == "__main__":
    run(main)
