"""Print what a run answered, where its report, tables and logs are, and what to do next."""

import argparse
import json
from pathlib import Path

MOST, SAID = 4, 6  # rows of a ranking, sentences of a list


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="folder of results")
    return parser.parse_args()


def ranking(columns: list, rows: list) -> str:
    """Return the first rows of a ranking below the names of its columns."""
    shown = [["", *columns], *([f"{place}.", *row] for place, row in enumerate(rows[:MOST], 1))]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in shown]
    return "\n".join(f"  {line}".rstrip() for line in lines)


def main():
    results = parse_arguments().results
    file = results / "answers.json"
    answers = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {"arms": [], "caution": ""}
    print()
    for arm in answers["arms"]:
        print(f"{arm['title']}. {arm['question']}")
        if not arm["rows"]:
            print(f"  {arm['note']}")
        else:
            print(ranking(arm["columns"], arm["rows"]))
        for word, sentences in (("decided", arm["decided"]), ("not decided", arm["undecided"])):
            print(f"  {word}: {len(sentences)}" + "".join(f"\n    - {text}" for text in sentences[:SAID]))
            if len(sentences) > SAID:
                print(f"    - {len(sentences) - SAID} more in the report")
    if answers["caution"]:
        print(f"Caution: {answers['caution']}")
    print(f"\nReport   {results}/report.html (open it in a browser)")
    print(f"Tables   {results}/tables/, explained in docs/tables.md; figures in {results}/figures/")
    print(f"Logs     {results}/logs/ of every step; Snakemake's own in .snakemake/log/")
    print("Next     your own data: docs/tutorial.md; all keys: config/README.md; all commands: make help")


if __name__ == "__main__":
    main()  # not by `run`, whose line on costs belongs into the log of a rule
