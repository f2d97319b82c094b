"""Score ensembles on problems of many conditions: correlation, errors of groups, classification."""

import argparse

from command import run


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--predictions", required=True, help="table of predictions (predict.py), of one run or more")
    parser.add_argument("--output", required=True, help="table of metrics to write")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    from kinetrain import tables
    from kinetrain.evaluation.large_scale import metrics

    tables.save("large_scale", metrics(tables.load("predictions", arguments.predictions)), arguments.output)


if __name__ == "__main__":
    run(main)
