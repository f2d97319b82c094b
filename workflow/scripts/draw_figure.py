"""Draw one figure from its tidy table."""

import argparse


def parse_arguments():
    from kinetrain.figures.catalogue import find_figures

    figures = find_figures()
    parser = argparse.ArgumentParser(description="Draw a figure as SVG, PDF or PNG, by the suffix of each output.")
    parser.add_argument("name", choices=sorted(figures), help="name of the figure")
    parser.add_argument("--table", required=True, help="tidy table of the figure")
    parser.add_argument("--output", required=True, nargs="+", help="files to write: .svg, .pdf, .png")
    arguments = parser.parse_args()
    for path in arguments.output:
        if not path.endswith((".svg", ".pdf", ".png")):
            parser.error(f"--output {path}: must end in .svg, .pdf or .png")
    return arguments, figures[arguments.name]


def main():
    arguments, figure = parse_arguments()
    from kinetrain.figures.style import save, use_style
    from kinetrain.files import load_table

    table = load_table(arguments.table)
    with use_style():
        save(figure.draw(table), arguments.output)


if __name__ == "__main__":
    from command import run

    run(main)
