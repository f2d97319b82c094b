"""Check given starting points of a problem as soon as its parameters are known, and write those that will be taken."""

import argparse

from command import run


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problem", required=True, help="PEtab problem (YAML), or template of artificial data")
    parser.add_argument(
        "--start-from", required=True, help="table of starts, or SETTING.parameters.npz of a former run"
    )
    parser.add_argument("--starts", type=int, required=True, help="number of starts of the fits")
    parser.add_argument("--groups", nargs="*", default=[], help="groups of artificial data that are fitted and scaled")
    parser.add_argument("--output", required=True, help="table to write: a row per start, in the unit of the model")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    import pandas as pd

    from kinetrain.files import save_table
    from kinetrain.mechanistic.given_starts import estimated_parameters, read_starts
    from kinetrain.mechanistic.scales import FROM_SCALE

    parameters = estimated_parameters(arguments.problem, arguments.groups)
    points = read_starts(arguments.start_from, parameters, arguments.starts)
    columns = {
        name: FROM_SCALE[scale](values)
        for (name, scale), values in zip(parameters["parameterScale"].items(), points.T, strict=True)
    }
    save_table(pd.DataFrame(columns), arguments.output)


if __name__ == "__main__":
    run(main)
