"""Fit a PEtab problem by one optimizer from several starts; a killed run continues where it stopped."""

import argparse


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problem", required=True, help="PEtab problem (YAML)")
    parser.add_argument("--model", required=True, help="folder of the compiled model (compile_model.py)")
    parser.add_argument("--name", required=True, help="name of the problem in the tables")
    parser.add_argument("--replicate", type=int, default=0, help="number of the data replicate (seeds the shuffling)")
    parser.add_argument("--solver", help="solver settings chosen by measure_solver.py, for those that are null")
    parser.add_argument(
        "--optimizer",
        required=True,
        help="full batch: fides, l_bfgs_b, ipopt, or one of these with _hierarchical; mini-batch: its name in the "
        "tables, defined by --settings",
    )
    parser.add_argument("--starts", type=int, required=True, help="number of starting points")
    parser.add_argument(
        "--start-from",
        help="the first starting points: a table with a column per parameter and a row per start, or "
        "SETTING.parameters.npz of a former run; the others are drawn",
    )
    parser.add_argument(
        "--settings",
        required=True,
        help="JSON: epochs (budget in full gradients), seed, and keys of `solver` (config/README.md); for "
        "mini-batch also optimizer {rule or torch, arguments, then, share}, schedule {name, start, end, shape}, "
        "batch_size (conditions, or full), safeguard {name, rescue, line_search, variant}",
    )
    parser.add_argument("--checkpoint", required=True, help="folder for the state of the run; removed at the end")
    parser.add_argument("--output", required=True, help="table of fits to write (TSV), one row per start")
    parser.add_argument("--trace", required=True, help="table of the objective during the fits to write (TSV)")
    parser.add_argument("--parameters", required=True, help="parameters that the fits arrived at, to write (NPZ)")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    import shutil
    from dataclasses import replace

    from kinetrain import tables
    from kinetrain.files import save_arrays
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
    tables.save("traces", trace, arguments.trace)
    save_arrays(arguments.parameters, **parameters)
    tables.save("fits", fits, arguments.output)
    shutil.rmtree(arguments.checkpoint, ignore_errors=True)


if __name__ == "__main__":
    from command import run

    run(main)
