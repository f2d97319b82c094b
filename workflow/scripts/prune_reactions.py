"""Prune reactions of an over-complete model by one method, from the ends of its fits, and compare with the truth."""

import argparse


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--problem", required=True, help="PEtab problem (YAML) that was fitted; its data are artificial"
    )
    parser.add_argument("--test", required=True, help="PEtab problem (YAML) of held-out conditions of the same model")
    parser.add_argument("--model", required=True, help="folder of the compiled model (compile_model.py)")
    parser.add_argument("--solver", help="solver settings chosen by measure_solver.py, for those that are null")
    parser.add_argument("--fits", required=True, help="table of the fits of one optimizer (fit.py)")
    parser.add_argument("--parameters", required=True, help="parameters that these fits arrived at (fit.py: NPZ)")
    parser.add_argument("--prior", required=True, help="table of the reactions: parameterId, reaction, confidence")
    parser.add_argument("--name", required=True, help="name of the problem in the tables")
    parser.add_argument("--replicate", type=int, default=0, help="number of the data replicate")
    parser.add_argument("--method", required=True, help="unpruned, random, magnitude, both, prior")
    parser.add_argument("--settings", default="{}", help="JSON: seed, keys of `reactions` and of `solver`")
    parser.add_argument("--checkpoint", required=True, help="folder for the state of the run; removed at the end")
    parser.add_argument("--output", required=True, help="table to write: one row per start and corruption of the prior")
    parser.add_argument("--path", required=True, help="table to write: one row per pruning event")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    import shutil

    from kinetrain import tables
    from kinetrain.files import load_arrays
    from kinetrain.mechanistic.engines import open_problem
    from kinetrain.mechanistic.given_starts import COLUMNS
    from kinetrain.mechanistic.reaction_options import ReactionPruningOptions
    from kinetrain.mechanistic.reaction_prior import read_reaction_prior
    from kinetrain.mechanistic.reaction_starts import Pruned, prune_fits
    from kinetrain.mechanistic.solver_options import merged
    from kinetrain.options import read_options, read_settings
    from kinetrain.training.starts import end_points

    options = read_options(ReactionPruningOptions, read_settings(arguments.settings))
    solver = merged(options, arguments.solver)
    problem, held_out = (open_problem(yaml, arguments.model, solver) for yaml in (arguments.problem, arguments.test))
    fits, arrays = tables.load("fits", arguments.fits), load_arrays(arguments.parameters, ["names", "last", "best"])
    order = [list(arrays["names"]).index(name) for name in problem.names]
    prior = read_reaction_prior(arguments.prior, problem.petab.parameter_df.loc[problem.names, COLUMNS])
    given = Pruned(
        name=arguments.name,
        replicate=arguments.replicate,
        problem=problem,
        held_out=held_out,
        fitted=end_points(fits, arrays)[:, order],
        prior=prior,
        truth=(problem.petab.parameter_df.loc[list(prior.parameters), "nominalValue"] > 0).to_numpy(),
        seed=options.seed,
    )
    runs, path = prune_fits(given, arguments.method, options, arguments.checkpoint)
    tables.save("reaction_path", path, arguments.path)
    tables.save("reactions", runs, arguments.output)
    shutil.rmtree(arguments.checkpoint, ignore_errors=True)


if __name__ == "__main__":
    from command import run

    run(main)
