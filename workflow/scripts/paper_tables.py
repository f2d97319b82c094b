"""Fill the tables of the paper (Hossain et al. 2024) with our results and the published numbers that could be read."""

import argparse

from command import run


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", required=True, help="networks.tsv: scores per model and of the controls")
    parser.add_argument("--layout", required=True, help="paper_tables.tsv: which of our data sets is in which table")
    parser.add_argument("--methods", required=True, help="methods.tsv: the methods of the paper and their order")
    parser.add_argument("--published", required=True, help="networks.tsv of the published values")
    parser.add_argument("--output", required=True, help="table to write: one row per table, method and metric")
    return parser.parse_args()


LAYOUT = [
    *("table", "condition", "dataset", "noise", "prior_corruption", "metrics", "methods", "published_dataset"),
    *("not_comparable", "note"),
]


def main():
    arguments = parse_arguments()
    from kinetrain import tables
    from kinetrain.evaluation.paper_tables import paper_tables
    from kinetrain.files import load_table

    table = paper_tables(
        tables.load("networks", arguments.networks),
        load_table(arguments.layout, LAYOUT),
        load_table(arguments.methods, ["method", "uses_prior", "in_paper"]),
        load_table(arguments.published, ["dataset", "noise", "method", "quantity", "value", "source", "evidence"]),
    )
    tables.save("paper_tables", table, arguments.output)


if __name__ == "__main__":
    run(main)
