"""Write a page that shows the runs of a folder side by side: what each answered, and how their settings differ."""

import argparse
import json
from html import escape
from pathlib import Path
from urllib.parse import quote

from command import run

FIRST = 3  # of each ranking


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder with results of runs in it; index.html is written into it")
    return parser.parse_args()


def rows_of(run: str, answers: dict, record: dict) -> list[dict]:
    """Return a row per arm of a run: when and by which code it was made, and what it answered."""
    seconds = sum(part.get("cpu_seconds") or 0 for part in record["cost"].values())
    made = {"run": run, "made": record["made"][:16].replace("T", " "), "commit": record["commit"][:10]}
    made |= {"data": "; ".join(answers["data"]), "CPU time (s)": seconds}
    rows = []
    for arm in answers["arms"]:
        by = next((place for place, name in enumerate(arm["columns"]) if place and name != "kind"), 0)
        row = {**made, "question": arm["question"], "ranked by": arm["columns"][by] if by else ""}
        for place in range(FIRST):
            first = arm["rows"][place] if place < len(arm["rows"]) else None
            row[f"place {place + 1}"] = f"{first[0]}: {first[by]}" if first else ""
        rows.append({**row, "decided": len(arm["decided"]), "not decided": len(arm["undecided"])})
    return rows


def decided(run: str, answers: dict) -> str:
    """Return as HTML what a run decided, folded."""
    return "".join(
        f"<details><summary>{escape(run)}: {escape(arm['question'])} {len(arm['decided'])} decided</summary>\n"
        f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in arm['decided'])}</ul></details>\n"
        for arm in answers["arms"]
        if arm["decided"]
    )


def flat(value, name: str = "") -> dict[str, str]:
    """Return the keys of nested settings as `a.b.c` with their values as text."""
    if isinstance(value, dict) and value:
        parts = (flat(one, f"{name}.{key}" if name else key) for key, one in value.items())
        return {key: text for part in parts for key, text in part.items()}
    return {name: json.dumps(value)}


def main():
    folder = parse_arguments().folder
    import pandas as pd

    from kinetrain.cache import load_json, write_text
    from kinetrain.errors import InputError
    from kinetrain.report.html import as_html, document

    rows, settings, links, findings = [], {}, "", ""
    for file in sorted([*folder.glob("answers.json"), *folder.glob("*/answers.json")]):
        if (file.parent / "provenance.json").is_file():
            place = file.parent.relative_to(folder)
            run = str(place) if place.name else folder.resolve().name
            answers, record = load_json(file), load_json(file.parent / "provenance.json")
            rows += rows_of(run, answers, record)
            findings += decided(run, answers)
            links += f'<li><a href="{quote(str(place))}/report.html">{escape(run)}</a></li>'
            settings[run] = flat(record["configuration"])
    if not rows:
        raise InputError(f"{folder}: no finished run, with answers.json and provenance.json, is there")
    table = pd.DataFrame(settings).fillna("-")
    different = table[table.nunique(axis=1) > 1].rename_axis("setting").reset_index()
    body = (
        f"<ul>{links}</ul>\n"
        "<p>Runs of other starts or seeds are not paired: small differences between them mean nothing.</p>\n"
        f"{as_html(pd.DataFrame(rows))}<h2>What is decided</h2>\n{findings}"
        f"<h2>Settings that differ</h2>\n{as_html(different)}"
    )
    write_text(folder / "index.html", document("Runs", body))
    print(f"{len(settings)} runs side by side: {folder}/index.html")


if __name__ == "__main__":
    run(main)
