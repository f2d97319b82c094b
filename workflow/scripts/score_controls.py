"""Score the predictors that need no training: the prior alone, all pairs of true regulators or targets, persistence."""

import argparse

from command import parse_data_of_networks, read_data_of_networks, run


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", required=True, help="scores.tsv to write")
    return parse_data_of_networks(parser)


def main():
    arguments = parse_arguments()
    from kinetrain import tables
    from kinetrain.evaluation.networks import control_rows

    level, expression, priors, truth = read_data_of_networks(arguments)
    rows = control_rows(expression, arguments.noise, arguments.seeds, priors, truth)
    tables.save("networks", rows.assign(**level), arguments.output)


if __name__ == "__main__":
    run(main)
