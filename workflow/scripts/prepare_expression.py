"""Read measured expression over time, check it, and hold out transitions for validation and test.

Files hold blocks (a line `k, R`; then per trajectory k lines of genes over time and one line of times), a tidy table
with a column of times, one of trajectories and one per gene, a table of genes and samples with a sheet of the samples,
or cells (AnnData, .h5ad).

Settings are those of the section `expression` of the configuration that name no file (config/README.md has all keys and
defaults).
"""

import argparse

from command import run


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", required=True, metavar="FILE", help="trajectories for training and validation")
    parser.add_argument("--test", metavar="FILE", help="trajectories for the test")
    parser.add_argument(
        "--samples", metavar="TABLE", help="times and trajectories of samples, which are named in its first column"
    )
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

    from kinetrain.data.measured import described, read_expression
    from kinetrain.data.options import Preparation
    from kinetrain.options import read_options, read_settings

    options = read_options(Preparation, read_settings(arguments.settings))
    expression = read_expression(arguments.train, arguments.test, arguments.genes, options, arguments.samples)
    expression.save(arguments.expression)
    print(described(expression))


if __name__ == "__main__":
    run(main)
