"""How a result table is declared: its columns with units and meaning, its key, and how the report shows it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column: its name (one that ends in `*` declares all names with that beginning), its meaning, and its unit."""

    name: str
    meaning: str
    unit: str = ""

    @property
    def heading(self) -> str:
        """The heading of the column in the report, with its unit."""
        return heading(self.name, self.unit)

    def matches(self, name: str) -> bool:
        """Return whether this column is declared for the name."""
        return name.startswith(self.name[:-1]) if self.name.endswith("*") else name == self.name


WORDS = {"mse": "MSE", "auroc": "AUROC", "auprc": "AUPRC", "cpu": "CPU", "sd": "standard deviation"}
UNITS_IN_NAMES = {"seconds": "time", "mb": ""}  # said by the unit


def heading(name: str, unit: str) -> str:
    """Return the heading of a column: `cpu_seconds` in s as `CPU time (s)`."""
    words = [UNITS_IN_NAMES.get(word, word) if unit else word for word in name.split("_")]
    text = " ".join(WORDS.get(word, word) for word in words if word)
    return f"{text} ({unit})" if unit else text


@dataclass(frozen=True)
class Table:
    """A result table.

    key: the columns that identify a row. title: in the report, None where it is not shown. shown: the columns that
    are shown there at first, all where none are named.
    """

    key: tuple[str, ...]
    columns: tuple[Column, ...]
    meaning: str
    title: str | None = None
    arm: str = ""  # what a configuration must contain for the table to be shown: a name of `HAS` in rules/targets.smk
    shown: tuple[str, ...] = ()

    def names(self) -> list[str]:
        """Return the names of the columns that every such table has."""
        return [column.name for column in self.columns if not column.name.endswith("*")]

    def differences(self, given: Iterable[str]) -> tuple[list[str], list[str]]:
        """Return the declared columns that are not among the `given` ones, and those of them that are not declared."""
        names = list(map(str, given))
        missing = [name for name in self.names() if name not in names]
        return missing, [name for name in names if not any(one.matches(name) for one in self.columns)]


def columns(text: str) -> tuple[Column, ...]:
    """Return columns from lines `name [unit]: meaning`; a meaning goes on in lines that begin with blanks."""
    found = []
    for line in re.sub(r"\n\s+", " ", text.strip()).splitlines():
        declared = re.fullmatch(r"([\w*]+)(?: \[(.+?)\])?: (.+)", line)
        if declared is None:
            raise ValueError(f"not a column, `name [unit]: meaning`: {line}")
        name, unit, meaning = declared.groups()
        found.append(Column(name, meaning, unit or ""))
    return tuple(found)
