"""Compare the networks of trained models with the gold standard."""

import argparse


def parse_arguments():
    parser = argparse.ArgumentParser(
        description="Write one row of scores per trained model, and the effects of the first model as a table."
    )
    parser.add_argument("--model", required=True, help="model.npz with all seeds (masks applied)")
    parser.add_argument("--runs", required=True, help="runs.tsv of the same training")
    parser.add_argument("--truth", required=True, help="truth.tsv: regulator, target")
    parser.add_argument("--output", required=True, help="scores.tsv to write")
    parser.add_argument(
        "--effects",
        required=True,
        help="effects.tsv to write: the signs of the truth (method `truth`) and the non-zero effects of the first "
        "model that did not fail, scaled to a largest absolute value of 1; above 100 genes only regulators in "
        "the truth",
    )
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    from kinetrain.evaluation.networks import IDENTITY, score_rows
    from kinetrain.files import load_arrays, load_table, save_table
    from kinetrain.networks.edges import read_edges

    model = load_arrays(arguments.model, ["w_s", "w_p", "u_s", "u_p", "v", "seeds", "genes"])
    runs = load_table(arguments.runs, [*IDENTITY, "test_mse", "epochs", "cpu_seconds", "status"])
    truth, _ = read_edges(arguments.truth, model["genes"])
    scores, effects = score_rows(model, runs, truth)
    save_table(scores, arguments.output)
    save_table(effects, arguments.effects)


if __name__ == "__main__":
    from command import run

    run(main)
