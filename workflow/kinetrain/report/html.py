"""Result tables as self-contained HTML pages."""

from html import escape

import numpy as np
import pandas as pd

STYLE = """
body { font: 14px/1.45 system-ui, sans-serif; color: #222; margin: 1.5em; }
h1 { font-size: 1.3em; } p { max-width: 60em; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25em .7em; text-align: left; vertical-align: top; border-bottom: 1px solid #e4e4e4; }
th { border-bottom: 2px solid #888; white-space: nowrap; } td.number { text-align: right; white-space: nowrap; }
tr.bad td { background: #fdeee6; } .note { color: #666; }
"""


BAD = ' class="bad"'


def page(table: pd.DataFrame, title: str, caption: str = "", bad=None) -> str:
    """Return an HTML page with a heading, a caption and the table; rows where `bad` is true are marked.

    `caption` is plain text, its paragraphs separated by empty lines. Numbers have four significant digits.
    """
    paragraphs = "".join(f"<p>{escape(' '.join(text.split()))}</p>\n" for text in caption.split("\n\n") if text.strip())
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{escape(title)}</title>\n'
        f"<style>{STYLE}</style></head>\n<body>\n<h1>{escape(title)}</h1>\n"
        f"{paragraphs}{_table(table, bad)}</body>\n</html>\n"
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


def _table(table: pd.DataFrame, bad) -> str:
    if table.empty:
        return '<p class="note">This table has no rows.</p>\n'
    heads = "".join(f"<th>{escape(str(name).replace('_', ' '))}</th>" for name in table.columns)
    marks = np.zeros(len(table), dtype=bool) if bad is None else np.asarray(bad)
    rows = []
    for values, marked in zip(table.itertuples(index=False, name=None), marks, strict=True):
        cells = "".join(f"<td{_kind(value)}>{escape(cell(value))}</td>" for value in values)
        rows.append(f"<tr{BAD if marked else ''}>{cells}</tr>")
    body = "\n".join(rows)
    return f'<div class="wide"><table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>\n'


def _kind(value) -> str:
    return "" if isinstance(value, str) else ' class="number"'
