"""The result tables: key, columns, units and meaning of each, declared once, in a file per part of the workflow.

Writers (`save`) refuse a table that lacks a declared column or has one that is not declared; `docs/tables.md` is made
from these declarations (`make docs`). A part of a table (the fits of one optimizer, say) has the columns of the whole.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from kinetrain.errors import InputError
from kinetrain.files import load_table, save_table
from kinetrain.tables import findings, fits, networks, reactions

FIT, FULL_BATCH, AT_MINIMUM, LEVEL = fits.FIT, fits.FULL_BATCH, fits.AT_MINIMUM, networks.LEVEL
TABLES = fits.TABLES | reactions.TABLES | networks.TABLES | findings.TABLES


def check(name: str, table: pd.DataFrame, path: str | Path) -> None:
    """Raise InputError where `table` lacks a declared column of the result table `name`, or has one that is not."""
    missing, unknown = TABLES[name].differences(table.columns)
    if missing or unknown:
        parts = [f"lacks {', '.join(missing)}"] if missing else []
        parts += [f"has {', '.join(map(str, unknown))}, which kinetrain/tables does not declare"] if unknown else []
        raise InputError(f"{path}: table '{name}' {' and '.join(parts)}")


def name_of(columns: Iterable[str]) -> str | None:
    """Return the result table that declares exactly these columns, None if there is none."""
    given = list(columns)
    return next((name for name, table in TABLES.items() if not any(table.differences(given))), None)


def save(name: str, table: pd.DataFrame, path: str | Path) -> None:
    """Write (part of) the result table `name` as TSV, in the order of its declaration.

    Raises
    ------
    InputError
        If a declared column is missing or another one is there.
    """
    check(name, table, path)
    order = {column: place for place, column in enumerate(declared_order(name, table.columns))}
    save_table(table[sorted(table.columns, key=order.__getitem__)], path)


def declared_order(name: str, given: Iterable[str]) -> list[str]:
    """Return the `given` names of columns in the order in which the table declares them."""
    ordered = []
    for column in TABLES[name].columns:
        ordered += [one for one in given if column.matches(str(one)) and one not in ordered]
    return ordered


def load(name: str, path: str | Path) -> pd.DataFrame:
    """Return the result table `name` that `path` holds.

    Raises
    ------
    InputError
        If the file is not a table with the declared columns.
    """
    table = load_table(path)
    if lacking := [column for column in TABLES[name].names() if column not in table.columns]:
        raise InputError(
            f"{path}: no column '{lacking[0]}': no result table '{name}' of this version of Kinetrain; if an earlier "
            "version made it, delete it, and the same command makes it again"
        )
    return table


def frame(name: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return rows as the result table `name`, without what a row does not have.

    Raises
    ------
    InputError
        If a row has a column that the table does not declare.
    """
    table = completed(name, pd.DataFrame(rows))
    check(name, table, name)
    return table[declared_order(name, table.columns)]


def completed(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with the declared columns that it lacks, empty: what its rows do not have (say, weights)."""
    return table.reindex(columns=[*table.columns, *(one for one in TABLES[name].names() if one not in table.columns)])


def empty(name: str) -> pd.DataFrame:
    """Return the result table `name` without any rows."""
    return pd.DataFrame(columns=TABLES[name].names())


def describe() -> str:
    """Return the documentation of all result tables as Markdown, the content of docs/tables.md."""
    parts = [
        "# Result tables\n\nMade by `make docs` from `workflow/kinetrain/tables/`. Files: `results/tables/NAME.tsv`."
    ]
    for name, table in TABLES.items():
        rows = "\n".join(f"| `{one.name}` | {one.unit} | {one.meaning} |" for one in table.columns)
        key = ", ".join(f"`{column}`" for column in table.key)
        parts.append(
            f"## {name}\n\n{table.meaning}\n\nKey: {key}.\n\n| column | unit | meaning |\n| --- | --- | --- |\n{rows}"
        )
    return "\n\n".join(parts) + "\n"
