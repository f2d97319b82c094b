"""Write the tidy table from which one figure is drawn."""

import argparse


def parse_arguments():
    from command import add_meaning_of_fits

    from kinetrain.figures.catalogue import find_figures

    figures = find_figures()
    parser = argparse.ArgumentParser(description="Write the tidy table of a figure from the result tables it needs.")
    parser.add_argument("name", choices=sorted(figures), help="name of the figure")
    for source in sorted({source for file in figures.values() for source in file.FIGURE.sources}):
        parser.add_argument(f"--{source}", help=f"{source}.tsv, where the figure needs it")
    add_meaning_of_fits(parser)
    parser.add_argument("--output", required=True, help="table to write")
    arguments = parser.parse_args()
    for needed in figures[arguments.name].FIGURE.sources:
        if getattr(arguments, needed) is None:
            parser.error(f"the figure {arguments.name} needs --{needed}")
    return arguments, figures[arguments.name]


def main():
    arguments, figure = parse_arguments()
    from kinetrain import tables
    from kinetrain.evaluation.benchmark import benchmark
    from kinetrain.figures.catalogue import FITS
    from kinetrain.files import load_table, save_table
    from kinetrain.options import read_settings

    sources = {name: getattr(arguments, name) for name in figure.FIGURE.sources}
    read = [tables.load(name, path) if name in tables.TABLES else load_table(path) for name, path in sources.items()]
    if figure.FIGURE.sources == FITS:
        read = [benchmark(*read, read_settings(arguments.best_known), read_settings(arguments.fit_settings))]
    save_table(figure.tabulate(*read), arguments.output)


if __name__ == "__main__":
    from command import run

    run(main)
