"""Copy a PEtab problem whose files lie anywhere into one folder, so that nothing else has to read from elsewhere."""

import argparse

from command import run


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problem", required=True, help="PEtab problem (YAML)")
    parser.add_argument("--output", required=True, help="folder to write: problem.yaml and the files that it names")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    from kinetrain.mechanistic.petab_files import gather

    gather(arguments.problem, arguments.output)


if __name__ == "__main__":
    run(main)
