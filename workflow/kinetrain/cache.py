"""Atomic writes, locks, and the per-user cache of compiled code, whose files are checked by checksums.

Only Python's standard library is used here: the scripts that make the software environments import this too.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

from kinetrain.errors import InputError

CHECKSUMS = "checksums.json"  # of the other files of a cached folder: {name: sha256}


def cache_folder() -> Path:
    """Return the cache of this user: $XDG_CACHE_HOME/kinetrain (~/.cache/kinetrain)."""
    folder = cache_home() / "kinetrain"
    folder.mkdir(exist_ok=True)
    return folder


def cache_home() -> Path:
    """Return $XDG_CACHE_HOME (~/.cache), or a temporary folder of this user where that cannot be written to."""
    wanted = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))
    return wanted if wanted.is_absolute() and _can_write(wanted) else temporary_folder()


def temporary_folder() -> Path:
    """Return a folder in the system's temporary one that all processes of this user share, and nobody else writes to.

    A folder of that name that another user made is not taken: we would run what they put there.
    """
    folder = Path(tempfile.gettempdir(), f"kinetrain-{os.getuid()}")
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700)
    with contextlib.suppress(OSError):
        found = folder.lstat()
        ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022
        if ours and _can_write(folder):
            return folder
    return Path(tempfile.mkdtemp(prefix="kinetrain-"))


def _can_write(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:  # no home, or one that cannot be written to
        return False


@contextlib.contextmanager
def locked(file: Path) -> Iterator[None]:
    """Wait until no other process holds `file`. It only saves work: what is made must appear whole in any case."""
    with file.open("w") as handle:
        with contextlib.suppress(OSError):  # some network file systems have no locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def hold_lock(file: Path) -> TextIO:
    """Return `file`, open and locked until it is closed or the process ends, however it ends.

    Raises
    ------
    BlockingIOError
        If another process holds it.
    OSError
        If the file system has no locks.
    """
    handle = file.open("a")
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return handle


def undo_future_dates(folder: Path) -> None:
    """Set the dates of files below `folder` that lie in the future, as after a clock was set back, to the present.

    Snakemake refuses a file that is older than what it is made from.
    """
    now = time.time()
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            if path.lstat().st_mtime > now and not path.is_symlink():
                os.utime(path)


@contextlib.contextmanager
def atomic(path) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`, renamed to `path` when the block ends without an error.

    The content reaches the disk before the name does, so that a crash of the machine leaves the old file or the new.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield temporary
        _flush(temporary)
        os.replace(temporary, path)
        _flush(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path, text: str) -> None:
    """Write a text as UTF-8, whole or not at all."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def load_json(path) -> Any:
    """Return the value that a JSON file holds.

    Raises
    ------
    InputError
        Names the file, if it is missing or damaged.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: no such file")
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:  # of its letters, or of JSON
        raise InputError(f"{path}: not readable as JSON ({error}); if a run made it, delete it") from None


def write_json(path, value) -> None:
    """Write a value as JSON that people can read, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def cached(folder: Path, make: Callable[[Path], None]) -> Path:
    """Return `folder`, filled by `make(a new folder)` on first use, and again if its files were damaged since.

    It appears whole, and is checked at every call: loading a library that a crash or a full disk cut short would kill
    the process. Of several processes that need it one makes it, the others wait.
    """
    if is_intact(folder):
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.with_name(f"{folder.name}.lock")):
        if is_intact(folder):
            return folder
        with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
            made = Path(temporary, "made")
            made.mkdir()
            make(made)
            write_checksums(made)
            if folder.exists():
                print(f"{folder} was damaged and is made again", file=sys.stderr)
                folder.rename(Path(temporary, "damaged"))
            made.rename(folder)
            _flush(folder.parent)
    return folder


def write_checksums(folder: Path) -> None:
    """Write the checksums of all files below `folder` into it, after the files have reached the disk."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != CHECKSUMS)
    for path in files:
        _flush(path)
    with atomic(folder / CHECKSUMS) as temporary:
        temporary.write_text(json.dumps({str(path.relative_to(folder)): sha256(path) for path in files}))


def is_intact(folder: Path) -> bool:
    """Return whether all files of a folder have the checksums that `write_checksums` wrote."""
    try:
        checksums = json.loads((folder / CHECKSUMS).read_text())
        return all(sha256(folder / name) == checksum for name, checksum in checksums.items())
    except (OSError, ValueError, AttributeError):  # missing, or itself damaged
        return False


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file as hex digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(path: Path) -> None:
    """Wait until a file or folder is on the disk, where the file system supports that."""
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
