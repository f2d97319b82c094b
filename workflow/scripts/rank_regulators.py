"""Rank the genes by their influence on others in the models of a method, over its seeds."""

import argparse

from command import add_level, level_of, run


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--influence", required=True, help="influence.tsv: seed, gene, influence, targets")
    add_level(parser)
    parser.add_argument("--method", required=True, help="name of the method")
    parser.add_argument("--output", required=True, help="regulators.tsv to write")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    from kinetrain import tables
    from kinetrain.evaluation.regulators import regulators
    from kinetrain.files import load_table

    influence = load_table(arguments.influence, ["seed", "gene", "influence", "targets"], text=["gene"])
    tables.save("regulators", regulators(influence).assign(**level_of(arguments)), arguments.output)


if __name__ == "__main__":
    run(main)
