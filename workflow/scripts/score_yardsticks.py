"""Infer networks by ordinary methods (lasso, trees, correlation) from the data of the neural models, and score them."""

import argparse

from command import parse_data_of_networks, read_data_of_networks, run


def parse_arguments():
    from kinetrain.yardsticks.methods import YARDSTICKS

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--yardsticks", nargs="+", default=YARDSTICKS, metavar="NAME", help=f"which (default: {', '.join(YARDSTICKS)})"
    )
    parser.add_argument("--output", required=True, help="scores.tsv to write")
    parser.add_argument("--effects", required=True, help="effects.tsv to write: medians over the seeds")
    return parse_data_of_networks(parser)


def main():
    arguments = parse_arguments()
    from kinetrain import tables
    from kinetrain.evaluation.yardstick_rows import yardstick_rows

    level, expression, priors, truth = read_data_of_networks(arguments)
    rows, effects = yardstick_rows(expression, level, arguments.seeds, priors, truth, arguments.yardsticks)
    tables.save("networks", rows, arguments.output)
    tables.save("effects", effects, arguments.effects)


if __name__ == "__main__":
    run(main)
