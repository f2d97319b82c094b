"""Write the tidy table of a figure from the result tables it needs, and draw the figure from it."""

import argparse

from command import add_fit_settings, run


def parse_arguments():
    from kinetrain.figures.catalogue import find_figures

    figures = find_figures()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=sorted(figures), help="name of the figure")
    for source in sorted({source for file in figures.values() for source in file.FIGURE.sources}):
        parser.add_argument(f"--{source.replace('_', '-')}", help=f"{source}.tsv, where the figure needs it")
    add_fit_settings(parser)
    parser.add_argument("--table", required=True, help="tidy table to write (TSV)")
    parser.add_argument("--output", required=True, nargs="+", help="pictures to write: .svg, .pdf, .png")
    arguments = parser.parse_args()
    for needed in figures[arguments.name].FIGURE.sources:
        if getattr(arguments, needed) is None:
            parser.error(f"the figure {arguments.name} needs --{needed.replace('_', '-')}")
    for path in arguments.output:
        if not path.endswith((".svg", ".pdf", ".png")):
            parser.error(f"--output {path}: must end in .svg, .pdf or .png")
    return arguments, figures[arguments.name]


def main():
    arguments, figure = parse_arguments()
    from kinetrain import tables
    from kinetrain.figures.catalogue import tidy_table
    from kinetrain.figures.style import save, use_style
    from kinetrain.files import load_table, save_table
    from kinetrain.options import read_settings

    sources = {name: getattr(arguments, name) for name in figure.FIGURE.sources}
    read = [tables.load(name, path) if name in tables.TABLES else load_table(path) for name, path in sources.items()]
    known, fit_settings = read_settings(arguments.best_known), read_settings(arguments.fit_settings)
    save_table(tidy_table(figure, read, known, fit_settings), arguments.table)
    with use_style():
        save(figure.draw(load_table(arguments.table)), arguments.output)  # what the file holds is drawn


if __name__ == "__main__":
    run(main)
