"""Write the pages of the documentation that are made from the code: docs/commands.md and docs/figures.md."""

import ast
import csv
import re
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]


def commands() -> str:
    """Return all commands as Markdown: those of make, and the scripts of the rules."""
    targets = re.findall(r"(?m)^([a-z-]+):.*?## (.*)$", (TOP / "Makefile").read_text(encoding="utf-8"))
    lines = [
        "# Commands",
        "",
        "Made by `make docs` from the Makefile and the scripts.",
        "",
        "| command | does |",
        "| --- | --- |",
    ]
    lines += [f"| `make {name}` | {words} |" for name, words in targets]
    lines += ["", "Every step is a command that can be given by hand, `python workflow/scripts/NAME.py --help`:", ""]
    lines += ["| script | does |", "| --- | --- |"]
    for path in sorted((TOP / "workflow" / "scripts").glob("*.py")):
        summary = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))).partition("\n\n")[0]
        lines.append(f"| `{path.stem}` | {' '.join(summary.split())} |")
    return "\n".join(lines) + "\n"


def figures() -> str:
    """Return as Markdown which figures of the two papers are made again, and why others are not."""
    lines = ["# Figures of the papers", "", "Made by `make docs` from `resources/published/figures.tsv`.", ""]
    lines += ["| paper | figure | shows | state | file | remark |", "| --- | --- | --- | --- | --- | --- |"]
    with (TOP / "resources" / "published" / "figures.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            drawn = "" if row["ours"] == "-" else f"`figures/{row['ours']}.svg`"
            cells = [row["paper"], row["figure"], row["shows"], row["state"], drawn, row["remark"]]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


PAGES = {"commands.md": commands, "figures.md": figures}

if __name__ == "__main__":
    for page, write in PAGES.items():
        (TOP / "docs" / page).write_text(write(), encoding="utf-8")
