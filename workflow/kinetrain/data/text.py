"""How the text tables of other projects are laid out: their separator and their first line."""

from pathlib import Path

from kinetrain.errors import InputError


def first_line(path) -> str:
    """Return the first line of a text file; InputError if there is no such file or it is empty."""
    if not Path(path).is_file():
        raise InputError(f"{path}: no such file")
    with open(path, encoding="utf-8-sig") as file:
        line = file.readline().rstrip("\r\n")
    if not line:
        raise InputError(f"{path}: the first line is empty; expected a table")
    return line


def separator(path) -> str:
    """Return the column separator of a text table: tab, semicolon or comma, the first of them in its first line."""
    line = first_line(path)
    return next((mark for mark in "\t;," if mark in line), ",")
