"""Make an artificial PEtab problem: random conditions, simulated at the nominal parameters, with noise."""

import argparse
import sys

from command import run


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problem", required=True, help="template (write_template.py: problem.yaml)")
    parser.add_argument("--model", required=True, help="folder of its compiled model (compile_model.py)")
    parser.add_argument("--replicate", type=int, required=True, help="data replicate (seeds conditions and noise)")
    parser.add_argument(
        "--settings",
        required=True,
        help="JSON: keys of `artificial` and of `solver`, see config/README.md",
    )
    parser.add_argument("--output", required=True, help="folder to write: problem.yaml, its tables and truth.json")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    from kinetrain.mechanistic.artificial_data import make_artificial
    from kinetrain.mechanistic.artificial_options import ArtificialOptions
    from kinetrain.options import read_options, read_settings

    options = read_options(ArtificialOptions, read_settings(arguments.settings))
    truth = make_artificial(arguments.problem, arguments.model, arguments.replicate, options, arguments.output)
    print(f"objective at the truth {truth['J_true']:.6g}, expected {truth['expected_J_true']:.6g}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
