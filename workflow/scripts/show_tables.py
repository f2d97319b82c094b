"""Show result tables as HTML pages, the columns explained and failed runs marked."""

import argparse

MOST_ROWS = 500  # of a page


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="+", help="result tables, each named as in kinetrain.tables: fits.tsv")
    parser.add_argument("--output", required=True, nargs="+", help="HTML page to write for each")
    arguments = parser.parse_args()
    if len(arguments.output) != len(arguments.tables):
        parser.error(f"{len(arguments.tables)} tables, but {len(arguments.output)} pages in --output")
    return arguments


def show(path, output):
    """Write the page of one result table."""
    from pathlib import Path

    from kinetrain.cache import write_text
    from kinetrain.files import load_table
    from kinetrain.report.html import page
    from kinetrain.tables import TABLES

    name, table, caption = Path(path).stem, load_table(path), ""
    if len(table) > MOST_ROWS:
        caption = f"The first {MOST_ROWS} of {len(table)} rows are shown; all are in the table file."
        table = table.head(MOST_ROWS)
    failed = table["status"] == "failed" if "status" in table else None
    write_text(output, page(table, TABLES[name].title, caption, failed, name))


def main():
    arguments = parse_arguments()
    for path, output in zip(arguments.tables, arguments.output, strict=True):
        show(path, output)


if __name__ == "__main__":
    from command import run

    run(main)
