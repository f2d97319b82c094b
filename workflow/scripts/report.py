"""Write the report of a run: one self-contained HTML page with every figure and table, captioned and grouped."""

import argparse

from command import run


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--title", required=True, help="heading of the page")
    parser.add_argument("--answers", required=True, help="answers.json: what the run answers")
    parser.add_argument("--provenance", required=True, help="provenance.json: when and at what cost it was made")
    parser.add_argument("--introduction", required=True, help="text below the heading (reStructuredText)")
    parser.add_argument(
        "--settings",
        required=True,
        help="JSON: {section: [{title, file (SVG or HTML), source (table), caption: {figure: name}, {table: name} or "
        "{text: .rst}}]}",
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


def facts(record: dict, answers: dict) -> list[str]:
    """Return when, on what, at what cost and by which code a run was made."""
    from datetime import datetime

    made = datetime.fromisoformat(record["made"])
    seconds = sum(part.get("cpu_seconds") or 0 for part in record["cost"].values())
    took = f"{seconds:.0f} CPU seconds" if seconds < 600 else f"{seconds / 3600:.1f} CPU hours"
    machine = record["machine"]
    return [
        f"{made:%-d %B %Y, %H:%M} UTC",
        *answers["data"],
        f"fits and training took {took} on {machine['processor']} ({machine['cores']} cores)",
        f"commit {record['commit'][:10]}{' with uncommitted changes' if ' ' in record['commit'] else ''}",
    ]


def main():
    arguments = parse_arguments()
    from pathlib import Path

    from kinetrain.cache import load_json, write_text
    from kinetrain.options import read_settings
    from kinetrain.report.page import report

    sections = {
        heading: [{**part, "caption": caption(**part["caption"])} for part in parts]
        for heading, parts in read_settings(arguments.settings).items()
    }
    answers, record = (load_json(file) for file in (arguments.answers, arguments.provenance))
    introduction = Path(arguments.introduction).read_text(encoding="utf-8")
    page = report(arguments.title, facts(record, answers), answers, introduction, sections, "Provenance")
    write_text(arguments.output, page)


if __name__ == "__main__":
    run(main)
