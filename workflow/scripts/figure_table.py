"""Write the tidy table from which one figure is drawn."""

import argparse

FIGURES = {
    "final_objective": ["fits"],
    "objective_against_solves": ["traces", "fits"],
    "sparsity_against_accuracy": ["networks", "published"],
    "effect_matrices": ["effects"],
    "pathways": ["pathways"],
    "prediction_error": ["networks"],
}
FIT_COLUMNS = ["problem", "optimizer", "schedule", "batch_size", "replicate", "start", "objective"]
SOLVES = ["gradient_solves", "value_solves"]
NETWORK_COLUMNS = ["dataset", "method", "noise", "prior_corruption", "seed"]
PUBLISHED_COLUMNS = ["dataset", "noise", "method", "quantity", "value", "evidence", "source"]


def parse_arguments():
    parser = argparse.ArgumentParser(description="Write the tidy table of a figure from the result tables it needs.")
    parser.add_argument("name", choices=sorted(FIGURES), help="name of the figure")
    parser.add_argument("--fits", help="fits.tsv: one row per start")
    parser.add_argument("--traces", help="traces.tsv: the objective of each start at fixed budgets")
    parser.add_argument("--networks", help="networks.tsv: scores per model and of the controls")
    parser.add_argument("--pathways", help="pathways.tsv: z-scores per gene set")
    parser.add_argument("--effects", nargs="+", help="effects.tsv of each method, with the gold standard")
    parser.add_argument("--published", help="networks.tsv of the published values")
    parser.add_argument("--best-known", default="{}", help="JSON: lowest objective known per problem")
    parser.add_argument("--output", required=True, help="table to write")
    arguments = parser.parse_args()
    for needed in FIGURES[arguments.name]:
        if getattr(arguments, needed) is None:
            parser.error(f"the figure {arguments.name} needs --{needed}")
    return arguments


def main():
    arguments = parse_arguments()
    import pandas as pd

    from kinetrain.evaluation import figure_tables, fits
    from kinetrain.files import load_table, save_table
    from kinetrain.settings import read_settings

    name = arguments.name
    if name in ("final_objective", "objective_against_solves"):
        best_known = read_settings(arguments.best_known)
        fit_table = load_table(arguments.fits, [*FIT_COLUMNS, *SOLVES])
        if name == "final_objective":
            table = fits.final_objective(fit_table, best_known)
        else:
            traces = load_table(arguments.traces, [*FIT_COLUMNS, *SOLVES])
            table = fits.objective_against_solves(traces, fit_table, best_known)
    elif name == "pathways":
        columns = ["dataset", "method", "noise", "prior_corruption", "pathway", "z", "p_bonferroni"]
        table = figure_tables.pathways(load_table(arguments.pathways, columns))
    elif name == "effect_matrices":
        columns = [*NETWORK_COLUMNS, "regulator", "target", "effect"]
        effects = pd.concat([load_table(path, columns) for path in arguments.effects], ignore_index=True)
        table = figure_tables.effect_matrices(effects)
    else:
        networks = load_table(arguments.networks, [*NETWORK_COLUMNS, "sparsity", "balanced_accuracy", "test_mse"])
        if name == "prediction_error":
            table = figure_tables.prediction_error(networks)
        else:
            table = figure_tables.sparsity_against_accuracy(
                networks, load_table(arguments.published, PUBLISHED_COLUMNS)
            )
    save_table(table, arguments.output)


if __name__ == "__main__":
    from command import run

    run(main)
