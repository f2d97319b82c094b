"""Write the parameters of the best fit of a problem, how certain they are, its courses, and files for other tools."""

import argparse


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problem", required=True, help="PEtab problem (YAML) that was fitted")
    parser.add_argument("--model", required=True, help="folder of the compiled model (compile_model.py)")
    parser.add_argument("--solver", help="solver settings chosen by measure_solver.py, for those that are null")
    parser.add_argument("--fits", required=True, nargs="+", help="tables of the fits, one per optimizer (fit.py)")
    parser.add_argument("--parameters", required=True, nargs="+", help="their parameters, in the same order (NPZ)")
    parser.add_argument("--name", required=True, help="name of the problem in the table")
    parser.add_argument("--replicate", type=int, default=0, help="number of the data replicate")
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
    from kinetrain.files import load_arrays
    from kinetrain.mechanistic.engines import open_problem
    from kinetrain.mechanistic.estimates import estimates, write_fitted_problem
    from kinetrain.mechanistic.pypesto_file import write_results
    from kinetrain.mechanistic.solver_options import SolverOptions, merged
    from kinetrain.mechanistic.time_courses import time_courses
    from kinetrain.options import read_options, read_settings

    solver = merged(read_options(SolverOptions, read_settings(arguments.settings)), arguments.solver)
    problem = open_problem(arguments.problem, arguments.model, solver)
    by_name = {
        Path(fits).stem: (tables.load("fits", fits), load_arrays(parameters, ["names", "last", "best"]))
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
    from command import run

    run(main)
