"""Result tables as self-contained HTML pages."""

import re
from html import escape
from importlib.resources import files

import numpy as np
import pandas as pd

from kinetrain.tables import TABLES
from kinetrain.tables.declaration import Column, heading

STYLE = (files("kinetrain.report") / "page.css").read_text(encoding="utf-8")
BAD = ' class="bad"'
MOST_ROWS = 500  # of the page of a result table
NO_ROWS = "This table has no rows."
WIDTHS = {"sentences": 160, "long": 40}  # letters from which on a cell keeps a width to read its text in
WHOLE = re.compile(r"\[[^][]*\]|[-\d.]+e[-+]\d+")  # an interval, a number with an exponent


def page(table: pd.DataFrame, title: str, caption: str = "", bad=None, name: str = "") -> str:
    """Return an HTML page with a heading, a caption and the table; rows where `bad` is true are marked.

    `caption` is plain text, its paragraphs separated by empty lines; those after the first fold. Numbers have
    four significant digits, the bounds of an interval stand behind the value that they belong to. `name`: the result
    table (`tables`) whose declaration says what its columns mean and which of them are shown at first.
    """
    texts = [f"<p>{escape(' '.join(text.split()))}</p>\n" for text in caption.split("\n\n") if text.strip()]
    more = f"<details><summary>Method</summary>\n{''.join(texts[1:])}</details>\n" if texts[1:] else ""
    return document(title, "".join(texts[:1]) + more + as_html(table, bad, name))


def table_page(name: str, table: pd.DataFrame) -> str:
    """Return the page of a result table (`tables`): its first MOST_ROWS rows, those of failed runs marked."""
    caption = ""
    if len(table) > MOST_ROWS:
        caption = f"The first {MOST_ROWS} of {len(table)} rows are shown; all are in the table file."
        table = table.head(MOST_ROWS)
    failed = table["status"] == "failed" if "status" in table else None
    return page(table, TABLES[name].title or name, caption, failed, name)


def document(title: str, body: str) -> str:
    """Return a self-contained HTML page with a heading and a body of HTML."""
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{escape(title)}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{STYLE}</style></head>\n<body>\n<h1>{escape(title)}</h1>\n{body}</body>\n</html>\n"
    )


def cell(value) -> str:
    """Return a value as text: four significant digits, whole numbers whole, nothing for a missing one."""
    if isinstance(value, str):
        return value
    if value is None or pd.isna(value):
        return ""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if not np.isfinite(value):
        return "∞" if value > 0 else "-∞"
    if float(value).is_integer() and abs(value) < 1e9:
        return f"{int(value)}"
    return f"{value:.4g}" if 1e-3 <= abs(value) < 1e4 else _long_or_small(value)


def _long_or_small(value: float) -> str:
    return f"{value:.0f}" if 1e4 <= abs(value) < 1e7 else f"{value:.3e}"


def unbroken(text: str) -> str:
    """Return a text as HTML in which no line ends within a number or an interval."""
    return WHOLE.sub(r'<span class="whole">\g<0></span>', escape(text))


def as_html(table: pd.DataFrame, bad=None, name: str = "") -> str:
    """Return the table as an HTML element, which sorts, filters and downloads on the page of the report."""
    if table.empty:
        return f'<p class="note">{NO_ROWS}</p>\n'
    declared = TABLES.get(name)
    shown = _with_bounds(list(map(str, table.columns)))
    heads = "".join(_head(column, bounds, declared) for column, bounds in shown.items())
    marks = np.zeros(len(table), dtype=bool) if bad is None else np.asarray(bad)
    rows = []
    for values, marked in zip(table.itertuples(index=False, name=None), marks, strict=True):
        row = dict(zip(map(str, table.columns), values, strict=True))
        cells = "".join(_cell(row[column], [row[bound] for bound in bounds]) for column, bounds in shown.items())
        rows.append(f"<tr{BAD if marked else ''}>{cells}</tr>")
    body = "\n".join(rows)
    return (
        f'<div class="wide"><table class="data compact" data-name="{escape(name or "table")}">\n'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>\n"
    )


def _with_bounds(columns: list[str]) -> dict[str, tuple[str, ...]]:
    """Return the columns, each with those that hold the bounds of its interval: `low` and `high` right behind it."""
    shown: dict[str, tuple[str, ...]] = {}
    left = list(columns)
    while left:
        column, behind = left.pop(0), tuple(left[:2])
        is_interval = len(behind) == 2 and behind[0].endswith("low") and behind[1] == behind[0][:-3] + "high"
        shown[column] = behind if is_interval else ()
        left = left[2:] if is_interval else left
    return shown


def _head(column: str, bounds: tuple[str, ...], declared) -> str:
    found = next((one for one in declared.columns if one.matches(column)), None) if declared else None
    found = found or Column(column, "")
    text = heading(column, found.unit) + (" [95 %]" if bounds else "")
    hidden = ' data-visible="false"' if declared and declared.shown and column not in declared.shown else ""
    return f'<th title="{escape(found.meaning)}"{hidden}>{escape(text)}</th>'


def _cell(value, bounds: list) -> str:
    if isinstance(value, str):
        kind = next((f' class="{name}"' for name, least in WIDTHS.items() if len(value) > least), "")
        return f"<td{kind}>{unbroken(value)}</td>"
    text = cell(value)
    if text and bounds and not any(pd.isna(bound) for bound in bounds):
        text += f" [{', '.join(map(cell, bounds))}]"
    plain = text.replace(".", "", 1).lstrip("-").isdigit() or not text
    order = "" if plain else f' data-order="{_sortable(value)}"'
    return f'<td class="number"{order}>{escape(text)}</td>'


def _sortable(value) -> str:
    """Return a number as JavaScript sorts it: infinity as the largest there is."""
    if value is None or pd.isna(value):
        return ""
    return repr(float(np.clip(float(value), -1e308, 1e308)))
