"""Choose engine (kinetics kernel or AMICI) and solver settings of a PEtab problem, and check its gradients."""

import argparse
import sys

from command import run


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problem", required=True, help="PEtab problem (YAML)")
    parser.add_argument("--model", required=True, help="folder of the compiled model (compile_model.py)")
    parser.add_argument(
        "--settings",
        default="{}",
        help="JSON: keys of `solver` that are not to be chosen, see config/README.md",
    )
    parser.add_argument("--output", required=True, help="JSON to write: the choice, and what was measured for it")
    return parser.parse_args()


NAMES = {"kernel": "the kinetics kernel", "amici": "AMICI"}


def main():
    arguments = parse_arguments()
    from kinetrain.cache import write_json
    from kinetrain.mechanistic.engines import choose
    from kinetrain.mechanistic.solver_options import SolverOptions
    from kinetrain.options import read_options, read_settings

    options = read_options(SolverOptions, read_settings(arguments.settings))
    choice = choose(arguments.problem, arguments.model, options)
    print(f"{arguments.problem} is solved by {NAMES[choice['engine']]}: {choice['reason']}", file=sys.stderr)
    write_json(arguments.output, choice)
    if not choice["accurate"]:
        print(f"{arguments.problem}: no settings reach the accuracy {choice['accuracy']:g}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
