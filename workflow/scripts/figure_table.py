"""Write the tidy table from which one figure is drawn."""

import argparse

FITS = ["fits", "traces", "nominal"]
PREDICTIONS = ["predictions"]
FIGURES = {
    "final_objective": FITS,
    "objective_against_cost": FITS,
    "rank_by_schedule": FITS,
    "rank_by_batch_size": FITS,
    "adam_comparison": FITS,
    "best_starts": FITS,
    "waterfall": FITS,
    "safeguards": FITS,
    "large_scale_train": PREDICTIONS,
    "large_scale_test": PREDICTIONS,
    "sparsity_against_accuracy": ["networks", "published"],
    "pruning_path": ["path", "networks"],
    "prior_recovery": ["networks"],
    "prediction_error": ["networks"],
    "effect_matrices": ["effects"],
    "coregulation": ["coregulation"],
    "tuning": ["tuning"],
    "pathways": ["pathways"],
}
RUN = ["problem", "optimizer", "schedule", "batch_size", "safeguard", "replicate", "start"]
LEVEL = ["dataset", "method", "noise", "prior_corruption"]
COLUMNS = {
    "fits": [*RUN, "objective", "cost", "conditions"],
    "traces": [*RUN, "objective", "cost"],
    "nominal": ["problem", "replicate", "objective_nominal", "data", "parameters"],
    "predictions": [*RUN[:-1], "set", "group", "condition", "observable", "measurement", "scale", "mean", "sd"],
    "networks": [*LEVEL, "seed", "sparsity", "balanced_accuracy", "test_mse"],
    "path": [*LEVEL, "seed", "epoch", "sparsity", "balanced_accuracy"],
    "effects": [*LEVEL, "seed", "regulator", "target", "effect"],
    "coregulation": [*LEVEL, "regulator", "other", "place", "other_place", "value"],
    "tuning": [*LEVEL, "setting", "fold", "validation_mse", "chosen"],
    "pathways": [*LEVEL, "pathway", "z", "p_bonferroni"],
    "published": ["dataset", "noise", "method", "quantity", "value", "evidence", "source"],
}


def parse_arguments():
    from command import add_meaning_of_fits

    parser = argparse.ArgumentParser(description="Write the tidy table of a figure from the result tables it needs.")
    parser.add_argument("name", choices=sorted(FIGURES), help="name of the figure")
    parser.add_argument("--fits", help="fits.tsv: one row per start")
    parser.add_argument("--traces", help="traces.tsv: the objective of each start at fixed budgets")
    parser.add_argument("--nominal", help="nominal.tsv: objectives at the nominal parameters")
    parser.add_argument("--predictions", help="predictions.tsv: what ensembles of the best fits predict")
    parser.add_argument("--networks", help="networks.tsv: scores per model and of the controls")
    parser.add_argument("--path", help="path.tsv: scores of every snapshot of the trainings")
    parser.add_argument("--effects", help="effects.tsv: single effects, with the gold standard")
    parser.add_argument("--coregulation", help="coregulation.tsv: regulators that share hidden units, with the prior")
    parser.add_argument("--tuning", help="tuning.tsv: the settings tried by cross-validation")
    parser.add_argument("--pathways", help="pathways.tsv: z-scores per gene set")
    parser.add_argument("--published", help="networks.tsv of the published values")
    add_meaning_of_fits(parser)
    parser.add_argument("--output", required=True, help="table to write")
    arguments = parser.parse_args()
    for needed in FIGURES[arguments.name]:
        if getattr(arguments, needed) is None:
            parser.error(f"the figure {arguments.name} needs --{needed}")
    return arguments


def main():
    arguments = parse_arguments()
    from kinetrain.evaluation import figure_tables, fits, large_scale
    from kinetrain.files import load_table, save_table
    from kinetrain.settings import read_settings

    name = arguments.name
    tables = [load_table(getattr(arguments, needed), COLUMNS[needed]) for needed in FIGURES[name]]
    if FIGURES[name] is FITS:
        known, meaning = read_settings(arguments.best_known), read_settings(arguments.fit_settings)
        table = getattr(fits, name)(fits.benchmark(*tables, known, meaning))
    else:
        room = large_scale if FIGURES[name] is PREDICTIONS else figure_tables
        table = getattr(room, name)(*tables)
    save_table(table, arguments.output)


if __name__ == "__main__":
    from command import run

    run(main)
