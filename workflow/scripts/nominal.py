"""Evaluate the objective of a PEtab problem at its nominal parameters, and compare it with a reference value."""

import argparse

from command import add_name, add_problem, read_solver, run


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    add_problem(parser)
    add_name(parser)
    known = parser.add_mutually_exclusive_group()
    known.add_argument("--reference", type=float, help="published negative log-likelihood to compare with")
    known.add_argument("--truth", help="truth.json of artificial data, whose J_true is to be found again")
    parser.add_argument("--settings", default="{}", help="JSON: keys of `solver`, see config/README.md")
    parser.add_argument("--output", required=True, help="table to write (TSV), one row")
    return parser.parse_args()


def main():
    arguments = parse_arguments()

    import numpy as np
    import pandas as pd

    from kinetrain import tables
    from kinetrain.cache import load_json
    from kinetrain.errors import InputError
    from kinetrain.mechanistic.engines import open_problem

    problem = open_problem(arguments.problem, arguments.model, read_solver(arguments))
    objective = problem.value(problem.nominal, np.arange(problem.n_conditions)) if problem.has_nominal else np.nan
    reference = np.nan if arguments.reference is None else arguments.reference
    if arguments.truth:
        try:
            reference = load_json(arguments.truth)["J_true"]
        except (KeyError, TypeError):
            raise InputError(f"{arguments.truth}: not a truth.json of artificial_data.py: no J_true in it") from None
    row = {
        "problem": arguments.name,
        "objective_nominal": objective,
        "reference": reference,
        "relative_deviation": abs(objective - reference) / abs(reference) if reference else np.nan,
        "replicate": arguments.replicate,
        "engine": problem.engine,
        "data": "artificial" if arguments.truth else "measured",
        "conditions": problem.n_conditions,
        "measurements": problem.n_measurements,
        "parameters": len(problem.names),
    }
    tables.save("nominal", pd.DataFrame([row]), arguments.output)


if __name__ == "__main__":
    run(main)
