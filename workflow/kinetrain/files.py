"""Files between stages: tidy tables (TSV) and arrays (NPZ), each written whole or not at all."""

import os
import zipfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from kinetrain.errors import InputError


@contextmanager
def atomic(path):
    """Yield a temporary path beside `path`; it takes the place of `path` only when the block ends without an error."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def save_table(table: pd.DataFrame, path) -> None:
    """Write a table as TSV with its column names, without an index. Infinite values are written as `inf`."""
    with atomic(path) as temporary:
        table.to_csv(temporary, sep="\t", index=False)


def load_table(path, columns=()) -> pd.DataFrame:
    """Return the TSV table at `path`; only empty fields are missing values, since a gene may be called NA.

    Raises
    ------
    InputError
        Names the file, and the first of `columns` that it lacks.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: no such table")
    try:
        table = pd.read_csv(path, sep="\t", keep_default_na=False, na_values=[""])
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a table with tabs between its columns ({error})") from None
    for column in columns:
        if column not in table.columns:
            raise InputError(f"{path}: no column '{column}' (it has {', '.join(map(str, table.columns))})")
    return table


def save_arrays(path, **arrays) -> None:
    """Write named arrays as a compressed NPZ. Strings become unicode arrays; objects are refused."""
    with atomic(path) as temporary:
        np.savez_compressed(temporary, **arrays)


def load_arrays(path, names=()) -> dict[str, np.ndarray]:
    """Return the arrays of an NPZ.

    Raises
    ------
    InputError
        Names the file, and the first of `names` that it lacks.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: no such file")
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: not a readable NPZ file ({error}); delete it, and it is made anew") from None
    for name in names:
        if name not in arrays:
            raise InputError(f"{path}: no array '{name}' (it has {', '.join(arrays)})")
    return arrays
