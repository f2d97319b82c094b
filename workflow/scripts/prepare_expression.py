"""Read measured expression over time, check it, and set transitions apart for validation and test.

Files hold blocks (a line `k, R`; then per trajectory k lines of genes over time and one line of times), a tidy table
with a column of times, one of trajectories and one per gene, or cells (AnnData, .h5ad).

Settings are those of the section `expression` of the configuration that name no file (config/README.md has all keys and
defaults).
"""

import argparse


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", required=True, metavar="FILE", help="trajectories for training and validation")
    parser.add_argument("--test", metavar="FILE", help="trajectories for the test")
    parser.add_argument(
        "--genes",
        metavar="CSV",
        help="gene names in the first column; blocks need them, of tables and cells they may choose some",
    )
    parser.add_argument("--settings", default="{}", metavar="JSON", help="settings as JSON or the path of a .json file")
    parser.add_argument("--expression", required=True, metavar="NPZ", help="expression to write")
    return parser.parse_args()


def main():
    arguments = parse_arguments()

    from kinetrain.data.expression import prepare
    from kinetrain.data.expression_files import read_trajectories
    from kinetrain.data.options import Preparation
    from kinetrain.errors import InputError
    from kinetrain.options import read_options, read_settings

    options = read_options(Preparation, read_settings(arguments.settings))
    genes, *train = read_trajectories(arguments.train, arguments.genes, options)
    test = read_trajectories(arguments.test, genes, options)[1:] if arguments.test else None
    try:
        expression = prepare(genes, train, test, options, options.time_unit)
    except InputError as error:
        raise InputError(f"{arguments.train}: {error}") from None
    if test is not None and not len(expression.of("test")):
        raise InputError(
            f"{arguments.test}: all transitions are longer than longest_interval {options.longest_interval}"
        )
    expression.save(arguments.expression)
    print(report(expression))


def report(expression) -> str:
    """Return in one line what was read and how it is split."""
    from kinetrain.data.expression import SPLITS

    parts = ", ".join(f"{len(expression.of(split))} for {split}" for split in SPLITS)
    genes = f"{len(expression.genes)} genes ({expression.genes[0]} to {expression.genes[-1]})"
    return f"{genes}, {len(expression.values)} trajectories; transitions: {parts}"


if __name__ == "__main__":
    from command import run

    run(main)
