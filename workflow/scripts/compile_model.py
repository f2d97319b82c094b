"""Compile the model of a PEtab problem with AMICI; all fits and artificial data of the model share it."""

import argparse
import sys

from command import run


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problem", required=True, help="PEtab problem (YAML)")
    parser.add_argument("--model", required=True, help="folder to write: the compiled module and compiled.json")
    text = "what is to solve it; of a model that the `kernel` does not support nothing is compiled"
    parser.add_argument("--engine", default="auto", choices=["auto", "kernel", "amici"], help=text)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    from kinetrain.mechanistic.compiled_model import compile_model
    from kinetrain.mechanistic.engines import require

    require(arguments.problem, arguments.engine)
    record = compile_model(arguments.problem, arguments.model)
    done = "compiled into" if record["compiled"] else "was compiled before into"
    print(f"{arguments.problem} {done} {arguments.model}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
