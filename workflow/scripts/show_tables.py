"""Show result tables as HTML pages, the columns explained and failed runs marked."""

import argparse

from command import run


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="+", help="result tables, each named as in kinetrain.tables: fits.tsv")
    parser.add_argument("--output", required=True, nargs="+", help="HTML page to write for each")
    arguments = parser.parse_args()
    if len(arguments.output) != len(arguments.tables):
        parser.error(f"{len(arguments.tables)} tables, but {len(arguments.output)} pages in --output")
    return arguments


def main():
    arguments = parse_arguments()
    from pathlib import Path

    from kinetrain.cache import write_text
    from kinetrain.files import load_table
    from kinetrain.report.html import table_page

    for path, output in zip(arguments.tables, arguments.output, strict=True):
        write_text(output, table_page(Path(path).stem, load_table(path)))


if __name__ == "__main__":
    run(main)
