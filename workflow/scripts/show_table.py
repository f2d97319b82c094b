"""Show a result table as an HTML page."""

import argparse


def parse_arguments():
    parser = argparse.ArgumentParser(
        description="Write a TSV table as a self-contained HTML page; rows with the status `failed` are marked."
    )
    parser.add_argument("table", help="table to show")
    parser.add_argument("--title", required=True, help="heading of the page")
    parser.add_argument(
        "--caption", default="", help="text below the heading, or the path of an .rst or .txt file with it"
    )
    parser.add_argument("--name", default="", help="result table that it is, whose columns are explained")
    parser.add_argument("--columns", nargs="+", help="columns to show, in this order (default: all)")
    parser.add_argument(
        "--rows", type=int, default=500, help="show at most this many rows and say how many there are (default 500)"
    )
    parser.add_argument("--output", required=True, help="HTML page to write")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    from pathlib import Path

    from kinetrain.cache import write_text
    from kinetrain.errors import InputError
    from kinetrain.files import load_table
    from kinetrain.report.html import page

    caption = arguments.caption
    if caption.endswith((".rst", ".txt")):
        if not Path(caption).is_file():
            raise InputError(f"--caption {caption}: no such file")
        caption = Path(caption).read_text(encoding="utf-8").replace("``", "").replace("**", "")
    table = load_table(arguments.table, arguments.columns or ())
    if len(table) > arguments.rows:
        caption += f"\n\nThe first {arguments.rows} of {len(table)} rows are shown; all are in the table file."
        table = table.head(arguments.rows)
    failed = table["status"] == "failed" if "status" in table else None
    shown = table[arguments.columns] if arguments.columns else table
    write_text(arguments.output, page(shown, arguments.title, caption, failed, arguments.name))


if __name__ == "__main__":
    from command import run

    run(main)
