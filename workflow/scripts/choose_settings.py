"""Choose the settings of a method from the folds of its cross-validation."""

import argparse

from command import run


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folds", nargs="+", metavar="TSV", help="tables of all folds, as tune.py writes them")
    parser.add_argument("--tuning", required=True, metavar="JSON", help="folds, grid and choice, as for tune.py")
    parser.add_argument("--chosen", required=True, metavar="JSON", help="file to write: the chosen settings")
    parser.add_argument("--table", required=True, metavar="TSV", help="table to write: all folds, the choice marked")
    return parser.parse_args()


def main():
    arguments = parse_arguments()

    import pandas as pd

    from kinetrain import tables
    from kinetrain.cache import write_text
    from kinetrain.files import load_table
    from kinetrain.neural import tuning
    from kinetrain.neural.options import Tuning
    from kinetrain.options import read_options, read_settings

    plan = read_options(Tuning, read_settings(arguments.tuning), "--tuning")
    table = pd.concat([load_table(path, tuning.FOLD) for path in arguments.folds])
    chosen = tuning.choose(table, plan.choice)
    tables.save("tuning", table.assign(chosen=table["setting"] == chosen), arguments.table)
    write_text(arguments.chosen, chosen + "\n")


if __name__ == "__main__":
    run(main)
