"""Write the short answers of a run: a ranking with intervals per arm, what is decided and what is not."""

import argparse

from command import add_fit_settings, run

NAMES = ("nominal", "fits", "traces", "pairs", "networks", "estimates")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in NAMES:
        parser.add_argument(f"--{name}", required=True, help=f"{name}.tsv")
    add_fit_settings(parser)
    parser.add_argument("--output", required=True, help="answers.json to write")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    from kinetrain import tables
    from kinetrain.cache import write_json
    from kinetrain.evaluation.answers import answers
    from kinetrain.options import read_settings

    read = {name: tables.load(name, getattr(arguments, name)) for name in NAMES}
    known, fit_settings = read_settings(arguments.best_known), read_settings(arguments.fit_settings)
    found = answers(**read, best_known=known, fit_settings=fit_settings)
    write_json(arguments.output, found)


if __name__ == "__main__":
    run(main)
