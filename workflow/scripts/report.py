"""Write the report of a run: one self-contained HTML page with every figure and table, captioned and grouped."""

import argparse


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--title", required=True, help="heading of the page")
    parser.add_argument("--introduction", required=True, help="text below the heading (reStructuredText)")
    parser.add_argument(
        "--settings",
        required=True,
        help="JSON: {section: [{title, file (SVG or HTML), caption: {figure: name}, {table: name} or {text: .rst}}]}",
    )
    parser.add_argument("--output", required=True, help="HTML page to write")
    return parser.parse_args()


def caption(figure=None, table=None, text=None) -> str:
    """Return a caption as reStructuredText: that of a figure, of a result table, or the content of a file."""
    from pathlib import Path

    from kinetrain.figures.catalogue import find_figures
    from kinetrain.tables import TABLES

    if figure:
        return find_figures()[figure].FIGURE.caption
    if table:
        return "\n\n".join([TABLES[table].meaning, *(f"*{c.name}*: {c.meaning}" for c in TABLES[table].columns)])
    return Path(text).read_text(encoding="utf-8")


def main():
    arguments = parse_arguments()
    from pathlib import Path

    from kinetrain.files import atomic
    from kinetrain.report.page import report
    from kinetrain.settings import read_settings

    sections = {
        heading: [{**part, "caption": caption(**part["caption"])} for part in parts]
        for heading, parts in read_settings(arguments.settings).items()
    }
    introduction = Path(arguments.introduction).read_text(encoding="utf-8")
    with atomic(arguments.output) as path:
        path.write_text(report(arguments.title, introduction, sections), encoding="utf-8")


if __name__ == "__main__":
    from command import run

    run(main)
