"""Write the template of artificial data: the PEtab problem with all inputs that its model is compiled from."""

import argparse
import sys

from command import run


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problem", required=True, help="PEtab version 1 problem (YAML) to start from")
    parser.add_argument("--settings", required=True, help="JSON: those of artificial_data.py")
    parser.add_argument("--output", required=True, help="folder to write: problem.yaml, its tables and its model")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    from kinetrain.mechanistic.artificial_options import ArtificialOptions
    from kinetrain.mechanistic.template import write_template
    from kinetrain.options import read_options, read_settings

    options = read_options(ArtificialOptions, read_settings(arguments.settings))
    left_out = write_template(arguments.problem, options, arguments.output)
    print(f"estimated parameters that are not needed: {', '.join(left_out) or 'none'}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
