"""Read measured expression over time, check it, and set transitions apart for validation and test.

Files hold blocks (a line `k, R`; then per trajectory k lines of genes over time and one line of times) or a tidy
table with the columns trajectory, time and one per gene (CSV; TSV if so named).

Settings (defaults in brackets): validation_fraction [0.13] of the trajectories in the training file, or of the
transitions if it holds one; test_fraction [0] likewise, where there is no test file; longest_interval [null] in
units of time: longer transitions are left out; time_unit ["unknown"] for the record; seed [0] of the draw.
"""

import argparse


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", required=True, metavar="FILE", help="trajectories for training and validation")
    parser.add_argument("--test", metavar="FILE", help="trajectories for the test")
    parser.add_argument("--genes", required=True, metavar="CSV", help="gene names in the first column, with a header")
    parser.add_argument("--settings", default="{}", metavar="JSON", help="settings as JSON or the path of a .json file")
    parser.add_argument("--expression", required=True, metavar="NPZ", help="expression to write")
    return parser.parse_args()


def main():
    arguments = parse_arguments()

    import numpy as np

    from kinetrain.dynamics.trajectories import Preparation, prepare, read_trajectories
    from kinetrain.errors import InputError
    from kinetrain.networks.genes import read_gene_names
    from kinetrain.settings import read_options, read_settings

    options = read_options(Preparation, read_settings(arguments.settings))
    genes = np.array(read_gene_names(arguments.genes))
    train = read_trajectories(arguments.train, genes)
    test = read_trajectories(arguments.test, genes) if arguments.test else None
    try:
        expression = prepare(genes, train, test, options)
    except InputError as error:
        raise InputError(f"{arguments.train}: {error}") from None
    if test is not None and not len(expression.of("test")):
        raise InputError(
            f"{arguments.test}: all transitions are longer than longest_interval {options.longest_interval}"
        )
    expression.save(arguments.expression)


if __name__ == "__main__":
    from command import run

    run(main)
