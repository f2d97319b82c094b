"""Rank the genes by their influence on others in the models of a method, over its seeds."""

import argparse

from command import add_influence, level_of, load_influence, run


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    add_influence(parser)
    parser.add_argument("--output", required=True, help="regulators.tsv to write")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    from kinetrain import tables
    from kinetrain.evaluation.regulators import regulators

    influence = load_influence(arguments)
    tables.save("regulators", regulators(influence).assign(**level_of(arguments)), arguments.output)


if __name__ == "__main__":
    run(main)
