"""Predict the measurements of a problem, and of held-out conditions, by the ensemble of its best fits."""

import argparse

from command import add_problem, read_solver, run


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    add_problem(parser)
    parser.add_argument("--test", help="PEtab problem (YAML) of held-out conditions of the same model")
    parser.add_argument("--fits", required=True, help="table of the fits of one optimizer (fit.py)")
    parser.add_argument("--parameters", required=True, help="parameters that these fits ended with (fit.py: NPZ)")
    parser.add_argument("--settings", default="{}", help="JSON: keys of `solver`, see config/README.md")
    parser.add_argument("--ensemble", type=int, default=10, help="how many of the best fits make up the ensemble")
    parser.add_argument("--output", required=True, help="table to write: one row per measurement")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    from kinetrain import tables
    from kinetrain.errors import InputError
    from kinetrain.mechanistic.engines import open_problem
    from kinetrain.mechanistic.predictions import predict
    from kinetrain.training.starts import best_members, load_fits

    if arguments.ensemble < 1:
        raise InputError(f"--ensemble is {arguments.ensemble}; at least one fit is needed")
    solver = read_solver(arguments)
    fits, arrays = load_fits(arguments.fits, arguments.parameters)
    train, test = (
        open_problem(yaml, arguments.model, solver) if yaml else None for yaml in (arguments.problem, arguments.test)
    )
    members = best_members(fits, arrays, arguments.ensemble)
    predictions = predict(train, test, list(arrays["names"]), members)
    for place, name in enumerate(tables.FIT):
        predictions.insert(place, name, fits[name].iloc[0])
    tables.save("predictions", predictions, arguments.output)


if __name__ == "__main__":
    run(main)
