"""Compare the networks of trained models with the gold standard, and with the prior that they were trained with."""

import argparse

from command import run


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="model.npz with all seeds (masks applied)")
    parser.add_argument("--runs", required=True, help="runs.tsv of the same training")
    parser.add_argument("--path", required=True, help="path.npz of the same training: the snapshots")
    parser.add_argument("--prior", required=True, nargs="+", help="prior.npz, one per seed and in their order")
    parser.add_argument("--truth", help="truth.tsv: regulator, target (default: no gold standard, no accuracy)")
    parser.add_argument("--output", required=True, help="scores.tsv to write")
    parser.add_argument("--path-scores", required=True, help="path.tsv to write: scores of every snapshot")
    parser.add_argument(
        "--effects",
        required=True,
        help="effects.tsv to write: the signs of the truth (method `truth`) and the median effects of the models, each "
        "scaled to a largest absolute value of 1, if at least 0.0005; above 100 genes only regulators in the truth (or "
        "prior)",
    )
    parser.add_argument(
        "--coregulation",
        required=True,
        help="coregulation.tsv to write: how strongly regulators of the prior share hidden units in the first model, "
        "and targets in the prior (method `prior`), scaled to a largest value of 1; at most 60 regulators",
    )
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    from kinetrain import tables
    from kinetrain.data.networks import read_signs
    from kinetrain.data.prior_networks import Presences
    from kinetrain.errors import InputError
    from kinetrain.evaluation.networks import (
        IDENTITY,
        coregulation_rows,
        effect_rows,
        first_model,
        path_rows,
        score_rows,
    )
    from kinetrain.files import load_arrays, load_table

    model = load_arrays(arguments.model, ["chains", "seeds", "genes"])
    runs = load_table(arguments.runs, [*IDENTITY, "test_mse", "epochs", "cpu_seconds", "status"])
    path = load_arrays(
        arguments.path, ["seeds", "epochs", "support", "support_bytes", "sparsity", "mask_sparsity", "validation_mse"]
    )
    if len(arguments.prior) != len(model["seeds"]):
        count = f"{len(model['seeds'])} seeds for {len(arguments.prior)} --prior files"
        raise InputError(f"{arguments.model}: {count}; give one per seed")
    priors = Presences(arguments.prior, model["genes"])
    truth = read_signs(arguments.truth, model["genes"]) if arguments.truth else None
    tables.save("networks", score_rows(model, runs, truth, priors), arguments.output)
    tables.save("path", path_rows(path, model, runs, truth, priors), arguments.path_scores)
    prior = priors[first_model(model)[0]]
    tables.save("effects", effect_rows(model, runs, truth, prior), arguments.effects)
    tables.save("coregulation", coregulation_rows(model, runs, prior), arguments.coregulation)


if __name__ == "__main__":
    run(main)
