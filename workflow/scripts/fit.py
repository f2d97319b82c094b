"""Fit a PEtab problem by one optimizer from several starts; a killed run continues where it stopped."""

import argparse

from command import add_arguments_of_fits, add_problem, run, save_fits


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    add_problem(parser)
    parser.add_argument(
        "--start-from",
        help="the first starting points: a table with a column per parameter and a row per start, or "
        "SETTING.parameters.npz of a former run; the others are drawn",
    )
    add_arguments_of_fits(parser, "fides, l_bfgs_b, ipopt, or one of these with _hierarchical")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    from dataclasses import replace

    from kinetrain.mechanistic.engines import open_problem
    from kinetrain.mechanistic.fit_options import FullBatchFit, MinibatchFit
    from kinetrain.mechanistic.solver_options import merged
    from kinetrain.options import read_options, read_settings
    from kinetrain.training import full_batch, minibatch_fits
    from kinetrain.training.optimizers import HIERARCHICAL

    settings = read_settings(arguments.settings)
    in_batches = "optimizer" in settings
    options = read_options(MinibatchFit if in_batches else FullBatchFit, settings)
    solver = merged(options, arguments.solver)
    problem = open_problem(arguments.problem, arguments.model, solver)
    given = None
    if arguments.start_from:
        from kinetrain.mechanistic.given_starts import COLUMNS, read_starts

        given = read_starts(
            arguments.start_from, problem.petab.parameter_df.loc[problem.names, COLUMNS], arguments.starts
        )
    run = (arguments.name, arguments.replicate, arguments.optimizer, arguments.starts)
    options = replace(options, **vars(solver))
    if in_batches:
        fits, trace, parameters = minibatch_fits.fit_starts(problem, *run, options, arguments.checkpoint, given)
    else:
        reduced = None
        if arguments.optimizer.endswith(HIERARCHICAL):
            from kinetrain.mechanistic.hierarchical import Hierarchical

            reduced = Hierarchical(problem, arguments.name)
        fits, trace, parameters = full_batch.fit_starts(problem, *run, options, arguments.checkpoint, reduced, given)
    save_fits(arguments, fits, trace, parameters)


if __name__ == "__main__":
    run(main)
