"""The manifest of downloads, `resources/datasets.tsv`: a file per line, with address, size and checksum."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath

from kinetrain.errors import InputError

SEGMENT = r"(?!\.{1,2}/|\.{1,2}$)[^/\s\\{}<>\x00-\x1f]{1,200}"
# Columns: what they must look like, and that in words.
COLUMNS = {
    "name": (r"[^/\s]+/[^/\s]+", "<data set>/<file>"),
    "path": (rf"{SEGMENT}(/{SEGMENT})*", "a relative path without '.', '..', empty parts, blanks or {}<>"),
    "url": (r"https?://[^\s/]+(/\S*)?", "an http(s) address"),
    "bytes": (r"[0-9]{0,15}", "a whole number, or nothing when unknown"),
    "checksum": (r"sha256:[0-9a-f]{64}|git-sha1:[0-9a-f]{40}", "sha256:<64 hex digits> or git-sha1:<40 hex digits>"),
    "licence": (r".*\S.*", "the licence of the file"),
}


@dataclass(frozen=True)
class Download:
    """A line of the manifest: a file that can be downloaded."""

    name: str
    path: str
    url: str
    bytes: int | None
    checksum: str
    licence: str


def load_manifest(path) -> dict[str, Download]:
    """Return the lines of the manifest by name.

    Raises
    ------
    InputError
        Names the file, the line and the column that is malformed, or the two lines that contradict each other.
    """
    try:
        lines = Path(path).read_bytes().decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start})") from None
    header = lines[0].split("\t") if lines else []
    if header != list(COLUMNS):
        raise InputError(f"{path}, line 1: expected the columns {', '.join(COLUMNS)}, got {', '.join(header)}")
    downloads = [_read_line(line.split("\t"), f"{path}, line {number}") for number, line in enumerate(lines[1:], 2)]
    for column in ("name", "path"):
        _refuse_repeated(path, column, [getattr(download, column) for download in downloads])
    _refuse_nested(path, [download.path for download in downloads])
    return {download.name: download for download in downloads}


def _read_line(fields: list[str], where: str) -> Download:
    if len(fields) != len(COLUMNS):
        raise InputError(f"{where}: expected {len(COLUMNS)} fields with tabs between them, got {len(fields)}")
    line = dict(zip(COLUMNS, fields, strict=True))
    for column, (pattern, right) in COLUMNS.items():
        if not re.fullmatch(pattern, line[column]):
            raise InputError(f"{where}: {column} is {line[column]!r}, expected {right}")
    size = line.pop("bytes")
    return Download(bytes=int(size) if size else None, **line)


def _refuse_repeated(path, column: str, values: list[str]) -> None:
    first: dict[str, int] = {}
    for number, value in enumerate(values, start=2):
        if (before := first.setdefault(value, number)) != number:
            raise InputError(f"{path}, line {number}: the {column} '{value}' stands in line {before} already")


def _refuse_nested(path, paths: Iterable[str]) -> None:
    """Refuse a path that is a folder of another one: both could not be there."""
    for before, after in pairwise(sorted(paths, key=lambda one: PurePosixPath(one).parts)):
        if PurePosixPath(before) in PurePosixPath(after).parents:
            raise InputError(f"{path}: '{before}' is a file in one line and a folder in another, '{after}'")
