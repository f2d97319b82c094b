"""Readers of delimited text: packed by gzip or not, in the usual encodings, between tabs, semicolons or commas.

All expression, networks, genes and gene sets of users are read here. Packing, encoding and separator are found from the
bytes of a file, never from its name; a file that is ambiguous is refused.
"""

import csv
import gzip
import io
import re
import warnings
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from kinetrain.errors import InputError, InputWarning

OTHER_FORMATS = {  # first bytes of files that people give in place of text
    b"PK\x03\x04": "a ZIP archive or an Excel workbook: save the table as CSV or TSV",
    b"\xd0\xcf\x11\xe0": "an Excel workbook: save the table as CSV or TSV",
    b"\x89HDF": "an HDF5 file: cells must be named .h5ad, all else must be text",
    b"BZh": "packed by bzip2: unpack it, or pack it with gzip",
    b"\xfd7zXZ": "packed by xz: unpack it, or pack it with gzip",
    b"\x28\xb5\x2f\xfd": "packed by zstd: unpack it, or pack it with gzip",
}
MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")
THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")  # of 1,234 it is not certain
NUMBER_WITH_COMMA = re.compile(r"[+-]?(?:\d+|\d*,\d+)(?:[eE][+-]?\d+)?")
UNNAMED = re.compile(r"(?:Unnamed: \d+)?")  # pandas writes the second when it read the first
SIZE = 1 << 20


@dataclass(frozen=True)
class TextFile:
    """A text file whose packing, encoding and separator are known."""

    path: Path
    packed: bool
    encoding: str
    separator: str

    def open(self) -> io.TextIOWrapper:
        """Return the open file, at its start, with its line ends as they are."""
        return io.TextIOWrapper(_bytes(self.path, self.packed), self.encoding, newline="")


def examine(path) -> TextFile:
    """Return packing, encoding and separator of the text file at `path`.

    Known are gzip; UTF-8, UTF-16 and, with a warning, Latin-1 (Windows-1252); tabs, semicolons and commas.

    Raises
    ------
    InputError
        If there is no such file, it is empty, or it is no text.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    with _bytes(path, False) as file:
        packed = file.read(2) == b"\x1f\x8b"
    try:
        encoding = _encoding(path, packed)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise InputError(f"{path}: the packed file (gzip) is damaged or not complete") from None
    with TextFile(path, packed, encoding, "").open() as lines:
        first_two = [line for _, line in zip(range(2), filter(str.strip, lines), strict=False)]
    if not first_two:
        raise InputError(f"{path}: the file is empty")
    return TextFile(path, packed, encoding, _separator(first_two))


def read_lines(path) -> list[str]:
    """Return the lines of a text file without their ends."""
    with examine(path).open() as file:
        return re.split(r"\r\n|\r|\n", file.read())  # splitlines() takes more marks than these for line ends


def read_table(path, text=(), row_labels: bool = False) -> pd.DataFrame:
    """Return a table with a header; its index holds the rows as a spreadsheet counts them, the header as row 1.

    Names and cells of text lose blanks around them; only empty cells are missing, as a gene may be called NA. Of a
    semicolon-separated table, columns that hold decimal commas and no point are read as numbers.

    Parameters
    ----------
    text : names of columns whose cells stay as they are written ("007" is no 7); None for all columns.
    row_labels : the first column labels the rows, as text; its name may be missing, also as R writes it (a header that
        is one shorter than the rows).

    Raises
    ------
    InputError
        If the file is no table, a column has no name, or a row is longer than the header.
    """
    file = examine(path)
    with file.open() as lines:
        rows = enumerate(csv.reader(lines, delimiter=file.separator, skipinitialspace=True), start=1)
        first, header = _first(path, rows)
        kept = range(len(header) + 1) if text is None else [i for i, name in enumerate(header) if name in text]
        body = _read_cells(file, lines, first, {0, *kept} if row_labels else kept)
    header = _matched(path, header, body, row_labels)
    body = body.reindex(columns=range(len(header)))
    body.columns = header
    return body.dropna(how="all")


def read_numbers(path) -> pd.DataFrame:
    """Return a table without a header; its index holds the rows as a spreadsheet counts them.

    Rows may differ in length; columns without any value are left out. Cells that are no numbers stay text.
    """
    file = examine(path)
    with file.open() as lines:
        return _read_cells(file, lines, 0).dropna(how="all").dropna(axis=1, how="all")


def first_row(path) -> list[str]:
    """Return the cells of the first row of a text table that is not empty, without blanks around them."""
    file = examine(path)
    with file.open() as lines:
        return _first(path, enumerate(csv.reader(lines, delimiter=file.separator, skipinitialspace=True)))[1]


def refuse_repeated(path, names, kind: str = "the column") -> None:
    """Raise InputError if one of the `names` stands there twice."""
    if repeated := [name for name, count in Counter(names).items() if count > 1]:
        raise InputError(f"{path}: {kind} '{repeated[0]}' is named more than once")


def as_numbers(column: pd.Series) -> tuple[np.ndarray, pd.Series]:
    """Return the numbers (rows,) of a column, NaN where there is none, and the cells that hold something else."""
    numbers = pd.to_numeric(column, errors="coerce")
    if column.dtype in (bool, object):  # TRUE is no 1
        numbers = numbers.where(~column.map(lambda cell: isinstance(cell, bool | np.bool_))).astype(float)
    return numbers.to_numpy(float), column[numbers.isna() & column.notna()]


def finite_numbers(path, table: pd.DataFrame) -> np.ndarray:
    """Return the cells of a table as floats; InputError names the first that is no finite number."""
    numbers = np.column_stack([as_numbers(table.iloc[:, place])[0] for place in range(table.shape[1])])
    bad = np.argwhere(~np.isfinite(numbers))
    if len(bad):
        row, column = bad[0]
        raise InputError(
            f"{path}: {len(bad)} values are not finite numbers, the first is {_shown(table.iat[row, column])} in row "
            f"{table.index[row]}, column {_column_name(table.columns[column])}"
        )
    return numbers


def about_comma(cell) -> str:
    """Return a hint for a message about a cell that is a number with a comma."""
    if isinstance(cell, str) and THOUSANDS.fullmatch(cell):
        return " (write nothing between thousands, and a decimal point for a decimal comma)"
    return " (write a decimal point)" if isinstance(cell, str) and DECIMAL_COMMA.fullmatch(cell) else ""


def about_separator(columns) -> str:
    """Return a hint for a message about a table that has one column where there should be several."""
    return " (columns must be separated by tabs, commas or semicolons)" if len(columns) == 1 else ""


def _shown(cell) -> str:
    return "an empty cell" if isinstance(cell, float) and np.isnan(cell) else f"'{cell}'{about_comma(cell)}"


def _column_name(name) -> str:
    return str(name + 1) if isinstance(name, int | np.integer) else f"'{name}'"


def _bytes(path, packed):
    return gzip.open(path, "rb") if packed else open(path, "rb")


def _encoding(path, packed: bool) -> str:
    """Return the name of the encoding of a file."""
    with _bytes(path, packed) as file:
        start = file.read(SIZE)
    for begins, what in OTHER_FORMATS.items():
        if start.startswith(begins):
            raise InputError(f"{path}: is {what}")
    candidates = [name for mark, name in MARKS.items() if start.startswith(mark)] or ["utf-8", "cp1252"]
    if b"\0" in start and not start.startswith((b"\xff\xfe", b"\xfe\xff")):
        # of UTF-16 without a mark, every other byte of plain letters is 0
        shares = [half.count(b"\0") / max(1, len(half)) for half in (start[1::2], start[::2])]
        if max(shares) < 0.5 or min(shares) > 0.1:
            raise InputError(f"{path}: is no text (it holds zero bytes)")
        candidates = [("utf-16-le", "utf-16-be")[int(np.argmax(shares))]]
    for encoding in candidates:
        if _readable(path, packed, encoding):
            if encoding == "cp1252":
                warnings.warn(f"{path}: is not in UTF-8, read as Latin-1 (Windows-1252)", InputWarning, stacklevel=2)
            return encoding
    raise InputError(f"{path}: is not text in UTF-8, UTF-16 or Latin-1: save it as UTF-8")


def _readable(path, packed: bool, encoding: str) -> bool:
    with io.TextIOWrapper(_bytes(path, packed), encoding, newline="") as file:
        try:
            while file.read(SIZE):
                pass
        except UnicodeError:
            return False
    return True


def _separator(lines: list[str]) -> str:
    """Return the mark between columns: the first of tab, semicolon and comma that all these lines hold, or one does.

    Marks between quotes do not count. Names like `P1;P2` in a header do not make a comma a semicolon, since the second
    line has none.
    """
    plain = [re.sub(r'"[^"]*"', "", line) for line in lines]
    for some in (all, any):
        for mark in "\t;,":
            if some(mark in line for line in plain):
                return mark
    return ","


def _first(path, rows) -> tuple[int, list[str]]:
    """Return number and cells of the first of the numbered rows that is not empty."""
    try:
        for number, row in rows:
            if any(cell.strip() for cell in row):
                return number, [cell.strip() for cell in row]
    except csv.Error as error:
        raise InputError(f"{path}: the first line is no row of a table ({error})") from None
    raise InputError(f"{path}: holds nothing but separators")


def _read_cells(file: TextFile, lines, above: int, text=()) -> pd.DataFrame:
    """Return the rest of an open file as a table; its index counts the rows after the `above` that were read.

    It has a column for every cell of the longest row: pandas would take the first cells of rows that are longer than
    the first one for an index. text: places of columns whose cells stay as they are written.
    """
    with file.open() as whole:
        width = max(line.count(file.separator) for line in whole) + 1
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # it leaves cells out
            body = pd.read_csv(
                lines,
                sep=file.separator,
                header=None,
                names=range(width),
                index_col=False,
                dtype={place: str for place in text if place < width},
                keep_default_na=False,
                na_values=[""],
                skip_blank_lines=False,
                skipinitialspace=True,
                low_memory=False,
            )
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        raise InputError(f"{file.path}: not a table ({str(error).splitlines()[0]})") from None
    body.index = range(above + 1, above + 1 + len(body))
    _clean(file, body)
    return body


def _matched(path, header: list[str], body: pd.DataFrame, row_labels: bool) -> list[str]:
    """Return the names of the columns of `body`; InputError unless each has one."""
    last = max((place for place in body if body[place].notna().any()), default=-1)
    if row_labels and last == len(header):
        header = ["", *header]
    if last >= len(header):
        row = body.index[body[last].notna()][0]
        raise InputError(
            f"{path}: row {row} has {last + 1} cells, the header {len(header)} (if the first column holds names of "
            "rows, give it a name)"
        )
    while header and not header[-1] and len(header) - 1 > last:
        header = header[:-1]  # separators at the ends of lines
    unnamed = [place for place, name in enumerate(header, start=1) if UNNAMED.fullmatch(name)]
    if unnamed and not (row_labels and unnamed == [1]):
        raise InputError(
            f"{path}: column {unnamed[0]} has no name: name it, or leave it out (names of rows: row.names = FALSE in "
            "R, index=False in pandas); of expression with genes in the rows, give a sheet of the samples "
            "(expression.samples)"
        )
    return header


def _clean(file: TextFile, body: pd.DataFrame) -> None:
    """Take away blanks around text and, between semicolons, read decimal commas."""
    commas, points = 0, []
    for place in body.columns:
        if pd.api.types.is_numeric_dtype(body[place]):
            points += [place] * _may_have_points(body[place])
            continue
        column = body[place].map(lambda cell: (cell.strip() or np.nan) if isinstance(cell, str) else cell)
        if file.separator == ";" and _has_decimal_commas(column):
            column, commas = pd.to_numeric(column.str.replace(",", ".")), commas + 1
        body[place] = column
    if commas and points:
        raise InputError(
            f"{file.path}: {commas} columns have decimal commas, but column {points[0] + 1} has points, which "
            "are decimal points or stand between thousands: write all numbers in one way"
        )
    if commas:
        warnings.warn(f"{file.path}: {commas} columns have decimal commas, read as points", InputWarning, stacklevel=2)


def _may_have_points(column: pd.Series) -> bool:
    """Return whether numbers were written with points: 1.000 is read as a float, but so is 1 beside an empty cell."""
    return column.dtype.kind == "f" and bool(column.notna().all() or (column % 1 > 0).any())


def _has_decimal_commas(column: pd.Series) -> bool:
    known = column.dropna()
    if not len(known) or not all(isinstance(cell, str) and NUMBER_WITH_COMMA.fullmatch(cell) for cell in known):
        return False
    return any("," in cell for cell in known)
