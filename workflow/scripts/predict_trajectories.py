"""Predict whole trajectories by the trained models of a method, beside what was measured."""

import argparse

from command import run


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--expression", required=True, metavar="NPZ", help="the data that the models were trained on")
    parser.add_argument("--model", required=True, metavar="NPZ", help="trained models of train_neural_ode.py")
    parser.add_argument("--runs", required=True, metavar="TSV", help="table of the same training")
    parser.add_argument("--output", required=True, metavar="TSV", help="table to write")
    return parser.parse_args()


def main():
    arguments = parse_arguments()

    import torch

    from kinetrain import tables
    from kinetrain.data.expression import load_expression
    from kinetrain.errors import InputError
    from kinetrain.files import load_arrays, load_table
    from kinetrain.neural.fields import find_field
    from kinetrain.neural.trajectories import trajectory_rows

    torch.set_num_threads(1)
    model = load_arrays(arguments.model, ["genes", "seeds", "field", "chains"])
    genes, _, name, _ = (model.pop(part) for part in ("genes", "seeds", "field", "chains"))
    expression = load_expression(arguments.expression)
    if list(genes) != list(expression.genes):
        raise InputError(f"{arguments.model}: its genes are not those of {arguments.expression}")
    level = load_table(arguments.runs, tables.LEVEL).iloc[0][list(tables.LEVEL)].to_dict()
    rows = trajectory_rows(find_field(str(name)), model, expression)
    tables.save("trajectories", rows.assign(**level), arguments.output)


if __name__ == "__main__":
    run(main)
