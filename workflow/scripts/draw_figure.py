"""Draw one figure from its tidy table."""

import argparse

FIGURES = (
    "adam_comparison",
    "best_starts",
    "coregulation",
    "effect_matrices",
    "final_objective",
    "large_scale_test",
    "large_scale_train",
    "objective_against_cost",
    "pathways",
    "prediction_error",
    "prior_recovery",
    "pruning_path",
    "rank_by_batch_size",
    "rank_by_schedule",
    "safeguards",
    "sparsity_against_accuracy",
    "tuning",
    "waterfall",
)


def parse_arguments():
    parser = argparse.ArgumentParser(description="Draw a figure as SVG, PDF or PNG, by the suffix of each output.")
    parser.add_argument("name", choices=FIGURES, help="name of the figure")
    parser.add_argument("--table", required=True, help="tidy table of the figure")
    parser.add_argument("--output", required=True, nargs="+", help="files to write: .svg, .pdf, .png")
    arguments = parser.parse_args()
    for path in arguments.output:
        if not path.endswith((".svg", ".pdf", ".png")):
            parser.error(f"--output {path}: must end in .svg, .pdf or .png")
    return arguments


def main():
    arguments = parse_arguments()
    from importlib import import_module

    from kinetrain.figures.style import save, use_style
    from kinetrain.files import load_table

    table = load_table(arguments.table)
    with use_style():
        figure = import_module(f"kinetrain.figures.{arguments.name}").draw(table)
        for path in arguments.output:
            save(figure, path)


if __name__ == "__main__":
    from command import run

    run(main)
