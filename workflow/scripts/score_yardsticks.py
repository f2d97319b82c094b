"""Infer networks by ordinary methods (lasso, trees, correlation) from the data of the neural models, and score them."""

import argparse


def parse_arguments():
    parser = argparse.ArgumentParser(
        description="Write the rows of the yardsticks in the columns of networks.tsv, and their effects."
    )
    parser.add_argument("--expression", required=True, help="expression.npz with its splits")
    parser.add_argument("--prior", required=True, nargs="+", help="prior.npz, one per seed and in their order")
    parser.add_argument("--truth", help="truth.tsv: regulator, target (default: no gold standard, no accuracy)")
    parser.add_argument("--dataset", required=True, help="name of the data set")
    parser.add_argument(
        "--noise", type=float, required=True, help="standard deviation of the noise added to expression"
    )
    parser.add_argument(
        "--prior-corruption", type=float, required=True, help="fraction of the prior's edges moved, 0..1"
    )
    parser.add_argument("--seeds", type=int, nargs="+", required=True, help="seeds of noise and priors")
    parser.add_argument("--output", required=True, help="scores.tsv to write")
    parser.add_argument("--effects", required=True, help="effects.tsv to write: of the first seed")
    arguments = parser.parse_args()
    if len(arguments.prior) != len(arguments.seeds):
        parser.error(f"{len(arguments.prior)} --prior files for {len(arguments.seeds)} --seeds; give one per seed")
    return arguments


def main():
    arguments = parse_arguments()
    from kinetrain import tables
    from kinetrain.data.expression import load_expression
    from kinetrain.data.networks import read_edges
    from kinetrain.data.prior_networks import load_presence
    from kinetrain.evaluation.yardstick_rows import yardstick_rows

    expression = load_expression(arguments.expression)
    priors = [load_presence(path, expression.genes) for path in arguments.prior]
    truth = read_edges(arguments.truth, expression.genes)[0] if arguments.truth else None
    level = {name: getattr(arguments, name) for name in ("dataset", "noise", "prior_corruption")}
    rows, effects = yardstick_rows(expression, level, arguments.seeds, priors, truth)
    tables.save("networks", rows, arguments.output)
    tables.save("effects", effects, arguments.effects)


if __name__ == "__main__":
    from command import run

    run(main)
