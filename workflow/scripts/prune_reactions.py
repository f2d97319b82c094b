"""Prune reactions of an over-complete model by one method, from the ends of its fits, and compare with the truth."""

import argparse

from command import add_name, add_problem, run


def parse_arguments():
    from kinetrain.mechanistic.reaction_options import METHODS

    parser = argparse.ArgumentParser(description=__doc__)
    add_problem(parser)
    parser.add_argument("--test", required=True, help="PEtab problem (YAML) of held-out conditions of the same model")
    parser.add_argument("--fits", required=True, help="table of the fits of one optimizer (fit.py)")
    parser.add_argument("--parameters", required=True, help="parameters that these fits ended with (fit.py: NPZ)")
    parser.add_argument("--prior", required=True, help="table of the reactions: parameterId, reaction, confidence")
    add_name(parser)
    parser.add_argument("--method", required=True, choices=METHODS, help="by what reactions are removed")
    parser.add_argument("--settings", default="{}", help="JSON: seed, keys of `reactions` and of `solver`")
    parser.add_argument("--checkpoint", required=True, help="folder for the state of the run; removed at the end")
    parser.add_argument("--output", required=True, help="table to write: one row per start and corruption of the prior")
    parser.add_argument("--path", required=True, help="table to write: one row per pruning event")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    import shutil

    from kinetrain import tables
    from kinetrain.mechanistic.engines import open_problem
    from kinetrain.mechanistic.estimates import places
    from kinetrain.mechanistic.given_starts import COLUMNS
    from kinetrain.mechanistic.reaction_options import ReactionPruningOptions
    from kinetrain.mechanistic.reaction_prior import read_reaction_prior
    from kinetrain.mechanistic.reaction_starts import Pruned, prune_fits
    from kinetrain.mechanistic.solver_options import merged
    from kinetrain.options import read_options, read_settings
    from kinetrain.training.starts import end_points, load_fits

    options = read_options(ReactionPruningOptions, read_settings(arguments.settings))
    solver = merged(options, arguments.solver)
    problem, held_out = (open_problem(yaml, arguments.model, solver) for yaml in (arguments.problem, arguments.test))
    fits, arrays = load_fits(arguments.fits, arguments.parameters)
    prior = read_reaction_prior(arguments.prior, problem.petab.parameter_df.loc[problem.names, COLUMNS])
    given = Pruned(
        name=arguments.name,
        replicate=arguments.replicate,
        problem=problem,
        held_out=held_out,
        fitted=end_points(fits, arrays)[:, places(problem, arrays)],
        prior=prior,
        truth=(problem.petab.parameter_df.loc[list(prior.parameters), "nominalValue"] > 0).to_numpy(),
        seed=options.seed,
    )
    runs, path = prune_fits(given, arguments.method, options, arguments.checkpoint)
    tables.save("reaction_path", path, arguments.path)
    tables.save("reactions", runs, arguments.output)
    shutil.rmtree(arguments.checkpoint, ignore_errors=True)


if __name__ == "__main__":
    run(main)
