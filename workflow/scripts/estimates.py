"""Write the parameters of the best fit of a problem, how certain they are, its courses, and files for other tools."""

import argparse

from command import add_name, add_problem, read_solver, run


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    add_problem(parser)
    parser.add_argument("--fits", required=True, nargs="+", help="tables of the fits, one per optimizer (fit.py)")
    parser.add_argument("--parameters", required=True, nargs="+", help="their parameters, in the same order (NPZ)")
    add_name(parser)
    parser.add_argument("--settings", default="{}", help="JSON: keys of `solver`, see config/README.md")
    parser.add_argument("--output", required=True, help="table to write: one row per parameter")
    parser.add_argument("--courses", required=True, help="table to write: measured and simulated time courses")
    parser.add_argument("--petab", required=True, help="folder to write the PEtab problem with the estimates into")
    parser.add_argument("--pypesto", required=True, help="result file of pyPESTO to write: all fits (HDF5)")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    import warnings
    from pathlib import Path

    from kinetrain import tables
    from kinetrain.errors import InputWarning
    from kinetrain.mechanistic.engines import open_problem
    from kinetrain.mechanistic.estimates import estimates, write_fitted_problem
    from kinetrain.mechanistic.pypesto_file import write_results
    from kinetrain.mechanistic.time_courses import time_courses
    from kinetrain.training.starts import load_fits

    problem = open_problem(arguments.problem, arguments.model, read_solver(arguments))
    by_name = {
        Path(fits).stem: load_fits(fits, parameters)
        for fits, parameters in zip(arguments.fits, arguments.parameters, strict=True)
    }
    table, best = estimates(problem, list(by_name.values()))
    if len(table) and (left := table["decrease_left"].iloc[0]) > tables.AT_MINIMUM:
        warnings.warn(
            f"{arguments.name}: the best fit is not at a minimum, one step more lowers its objective by {left:.3g}: "
            "its parameters and their intervals are not to be used; give it a larger budget (fits.epochs)",
            InputWarning,
            stacklevel=1,
        )
    write_fitted_problem(arguments.problem, table, arguments.petab)
    write_results(problem, by_name, arguments.pypesto)
    courses = tables.empty("courses") if best is None else time_courses(problem, arguments.problem, best)
    for name, written, path in (("estimates", table, arguments.output), ("courses", courses, arguments.courses)):
        tables.save(name, written.assign(problem=arguments.name, replicate=arguments.replicate), path)


if __name__ == "__main__":
    run(main)
