"""Write a report of what a run has computed so far, while it goes on or after it was stopped."""

import argparse
from pathlib import Path

from command import run

# Folders of results in which no part of a table lies, but what is made of all parts.
MADE_OF_ALL = ("tables", "figures", "so-far")
PUBLISHED = Path(__file__).resolve().parents[2] / "resources" / "published" / "networks.tsv"
INTRODUCTION = "A report of what is there so far: rankings and intervals change until the run has ended."


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="folder of results; report-so-far.html is written into it")
    return parser.parse_args()


def collected(results: Path) -> dict:
    """Return the result tables as far as their parts are there, without those that have none."""
    import pandas as pd
    from collect import without_repeated

    from kinetrain import tables
    from kinetrain.files import load_table

    found: dict[str, list] = {}
    for path in sorted(results.glob("*/**/*.tsv")):
        if path.relative_to(results).parts[0] in MADE_OF_ALL:
            continue
        with open(path, encoding="utf-8") as file:
            name = tables.name_of(file.readline().rstrip("\n").split("\t"))
        part = load_table(path) if name else ()
        if len(part):
            found.setdefault(name, []).append(part)
    found = {name: found[name] for name in tables.TABLES if name in found}
    return {name: pd.concat(without_repeated(name, parts), ignore_index=True) for name, parts in found.items()}


def draw(found: dict, folder: Path) -> dict:
    """Return the parts of the report that show figures, drawn from the tables that are there, by section."""
    from kinetrain import tables
    from kinetrain.figures.catalogue import find_figures, tidy_table
    from kinetrain.figures.style import save, use_style
    from kinetrain.files import load_table, save_table

    sections: dict[str, list[dict]] = {}
    sources = {"nominal": tables.empty("nominal"), **found, "published": load_table(PUBLISHED)}
    for name, file in find_figures().items():
        declared = file.FIGURE
        if not set(declared.sources) <= set(sources):
            continue
        table = tidy_table(file, [sources[one] for one in declared.sources], {}, {})
        if len(table):
            with use_style():
                save(file.draw(table), [folder / f"{name}.svg"])
            save_table(table, folder / f"{name}.tsv")
            part = {"title": declared.title, "file": str(folder / f"{name}.svg"), "caption": declared.caption}
            sections.setdefault(declared.section, []).append({**part, "source": None})
    return sections


def main():
    results = parse_arguments().results
    from datetime import UTC, datetime

    from kinetrain import tables
    from kinetrain.cache import write_text
    from kinetrain.errors import InputError
    from kinetrain.evaluation.answers import answers
    from kinetrain.evaluation.pairs import pairs
    from kinetrain.report.html import table_page
    from kinetrain.report.page import report

    found = collected(results)
    if not found:
        raise InputError(f"{results}: no fit and no trained model is there yet")
    folder = results / "so-far"
    folder.mkdir(exist_ok=True)
    whole = {"fits", "traces"} <= set(found)
    given = {name: found.get(name) for name in ("nominal", "fits", "traces")} if whole else {}
    compared = pairs(**given, best_known={}, fit_settings={}) if whole else None
    answered = answers(**given, pairs=compared, networks=found.get("networks"), estimates=found.get("estimates"))
    shown = []
    for name, table in found.items():
        declared = tables.TABLES[name]
        if declared.title:
            file = folder / f"{name}.html"
            write_text(file, table_page(name, table))
            shown.append({"title": declared.title, "file": str(file), "caption": declared.meaning, "source": None})
    now = datetime.now(UTC)
    facts = [f"so far, {now:%-d %B %Y, %H:%M} UTC", *answered["data"]]
    sections = {**draw(found, folder), "4 Tables": shown}
    write_text(results / "report-so-far.html", report("Kinetrain, so far", facts, answered, INTRODUCTION, sections))
    print(f"what is there so far: {results}/report-so-far.html")


if __name__ == "__main__":
    run(main)
