"""Score the predictors that need no training: the prior alone, regulators x all genes, persistence."""

import argparse


def parse_arguments():
    parser = argparse.ArgumentParser(
        description="Write the rows of the control predictors, in the columns of scores.tsv."
    )
    parser.add_argument("--expression", required=True, help="expression.npz, whose test pairs persistence is judged on")
    parser.add_argument("--prior", required=True, nargs="+", help="prior.npz, one per seed and in their order")
    parser.add_argument("--truth", required=True, help="truth.tsv: regulator, target")
    parser.add_argument("--dataset", required=True, help="name of the data set")
    parser.add_argument(
        "--noise", type=float, required=True, help="standard deviation of the noise added to expression"
    )
    parser.add_argument(
        "--prior-corruption", type=float, required=True, help="fraction of the prior's edges moved, 0..1"
    )
    parser.add_argument("--seeds", type=int, nargs="+", required=True, help="seeds of the priors")
    parser.add_argument("--output", required=True, help="scores.tsv to write")
    arguments = parser.parse_args()
    if len(arguments.prior) != len(arguments.seeds):
        parser.error(f"{len(arguments.prior)} --prior files for {len(arguments.seeds)} --seeds; give one per seed")
    return arguments


def main():
    arguments = parse_arguments()
    from kinetrain.errors import InputError
    from kinetrain.evaluation.networks import control_rows
    from kinetrain.files import load_arrays, save_table
    from kinetrain.networks.controls import persistence_error
    from kinetrain.networks.edges import read_edges

    expression = load_arrays(arguments.expression, ["genes", "values", "transitions", "split"])
    priors = {path: load_arrays(path, ["prior", "genes"]) for path in arguments.prior}
    for path, arrays in priors.items():
        if list(arrays["genes"]) != list(expression["genes"]):
            raise InputError(f"{path}: its genes, or their order, are not those of {arguments.expression}")
    truth, _ = read_edges(arguments.truth, expression["genes"])
    error = persistence_error(expression["values"], expression["transitions"], expression["split"])
    networks = [priors[path]["prior"] for path in arguments.prior]
    rows = control_rows(networks, arguments.seeds, truth, error)
    rows.insert(0, "dataset", arguments.dataset)
    rows.insert(2, "noise", arguments.noise)
    rows.insert(3, "prior_corruption", arguments.prior_corruption)
    save_table(rows, arguments.output)


if __name__ == "__main__":
    from command import run

    run(main)
