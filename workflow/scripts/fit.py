"""Fit a PEtab problem by one optimizer from several starts; a killed run goes on where it was."""

import argparse


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problem", required=True, help="PEtab version 1 problem (YAML)")
    parser.add_argument("--model", required=True, help="folder of the compiled model (compile_model.py)")
    parser.add_argument("--name", required=True, help="name of the problem in the tables")
    parser.add_argument("--replicate", type=int, default=0, help="number of the data replicate (seeds the shuffling)")
    parser.add_argument(
        "--optimizer",
        required=True,
        help="full batch: fides, l_bfgs_b, ipopt; mini-batch: sgd, momentum, momentum_exact, rmsprop, adam_balanced, "
        "adam_standard",
    )
    parser.add_argument("--starts", type=int, required=True, help="number of starting points")
    parser.add_argument(
        "--settings",
        required=True,
        help="JSON: epochs (budget in full gradients), seed, sensitivities (forward, adjoint), absolute_tolerance, "
        "relative_tolerance, max_steps (per condition), priors (true, false); for mini-batch also schedule {name, "
        "start, end, shape}, batch_size (conditions), rescue (0, 1, 2)",
    )
    parser.add_argument("--checkpoint", required=True, help="folder for the state of the run; removed at the end")
    parser.add_argument("--output", required=True, help="table of fits to write (TSV), one row per start")
    parser.add_argument("--trace", required=True, help="table of the objective during the fits to write (TSV)")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    import shutil

    from kinetrain.files import save_table
    from kinetrain.problems.options import solver_options
    from kinetrain.problems.petab_problem import PetabProblem
    from kinetrain.settings import read_options, read_settings
    from kinetrain.training import full_batch, minibatch
    from kinetrain.training.settings import FullBatchOptions, MinibatchOptions

    in_full = arguments.optimizer in full_batch.OPTIMIZERS
    room, record = (full_batch, FullBatchOptions) if in_full else (minibatch, MinibatchOptions)
    options = read_options(record, read_settings(arguments.settings))
    problem = PetabProblem(arguments.problem, arguments.model, solver_options(options))
    run = (arguments.name, arguments.replicate, arguments.optimizer, arguments.starts)
    fits, trace = room.fit_starts(problem, *run, options, arguments.checkpoint)
    save_table(trace, arguments.trace)
    save_table(fits, arguments.output)
    shutil.rmtree(arguments.checkpoint, ignore_errors=True)


if __name__ == "__main__":
    from command import run

    run(main)
