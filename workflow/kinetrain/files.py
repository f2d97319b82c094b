"""Files between stages: tidy tables (TSV), arrays (NPZ) and checkpoints, each written whole or not at all."""

import functools
import hashlib
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from kinetrain.cache import atomic
from kinetrain.errors import InputError

DIGEST_BYTES = 32


def save_table(table: pd.DataFrame, path) -> None:
    """Write a table as TSV with its column names, without an index. Infinite values are written as `inf`."""
    with atomic(path) as temporary:
        table.to_csv(temporary, sep="\t", index=False)


def load_table(path, columns=(), text=()) -> pd.DataFrame:
    """Return the TSV table at `path`; only empty fields are missing values, since a gene may be called NA.

    The cells of the columns `text` stay as they are written, as a gene may be called 007.

    Raises
    ------
    InputError
        Names the file, and the first of `columns` that it lacks.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: no such table")
    if not whole(path):
        raise InputError(f"{path}: not a whole table, its last row is cut short; if a run made it, delete it")
    try:
        table = pd.read_csv(path, sep="\t", keep_default_na=False, na_values=[""], dtype=dict.fromkeys(text, str))
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a table with tabs between its columns ({error})") from None
    for column in columns:
        if column not in table.columns:
            raise InputError(f"{path}: no column '{column}' (it has {', '.join(map(str, table.columns))})")
    return table


def whole(path) -> bool:
    """Return whether a table ends with the end of a row: pandas would fill the rest of one cut short with blanks."""
    with open(path, "rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 1))
        return file.read() in (b"", b"\n")


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
    except Exception as error:  # zipfile, zlib and numpy raise a dozen kinds of exceptions of damaged files
        raise InputError(f"{path}: not a readable NPZ file ({error}); delete it, and it is made again") from None
    for name in names:
        if name not in arrays:
            raise InputError(f"{path}: no array '{name}' (it has {', '.join(arrays)})")
    return arrays


def save_checkpoint(path, identity: str, **arrays) -> None:
    """Write the arrays from which the run `identity` can continue: a SHA-256, then an NPZ.

    They are not compressed: large models would take longer to pack than to train.
    """
    with atomic(path) as temporary, open(temporary, "w+b") as file:
        file.write(bytes(DIGEST_BYTES))
        np.savez(file, identity=f"{identity} {_library_checksum()}", **arrays)
        file.seek(DIGEST_BYTES)
        digest = hashlib.file_digest(file, "sha256").digest()
        file.seek(0)
        file.write(digest)


def load_checkpoint(path, identity: str) -> dict[str, np.ndarray] | None:
    """Return the arrays that `save_checkpoint` wrote for the same run and by the same code, else None.

    For a checkpoint that cannot be used a line on stderr says why; the run starts from the beginning.
    """
    if not Path(path).is_file():
        return None
    with open(path, "rb") as file:
        if file.read(DIGEST_BYTES) != hashlib.file_digest(file, "sha256").digest():
            print(f"{path} is damaged: starting from the beginning", file=sys.stderr)
            return None
        file.seek(DIGEST_BYTES)
        with np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    if str(arrays.pop("identity")) == f"{identity} {_library_checksum()}":
        return arrays
    print(f"{path} is of other settings, data or code: starting from the beginning", file=sys.stderr)
    return None


@functools.cache
def _library_checksum() -> str:
    """Return a checksum of this library: with other code a continued run would not have the same result."""
    folder = Path(__file__).parent
    sources = sorted(path for suffix in ("py", "cpp") for path in folder.rglob(f"*.{suffix}"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
