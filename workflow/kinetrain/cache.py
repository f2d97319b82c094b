"""What is compiled on first use and kept for this user: where it lies, and one process at a time making it."""

import contextlib
import fcntl
import os
import tempfile
from pathlib import Path


def cache_folder() -> Path:
    """Return $XDG_CACHE_HOME/kinetrain (~/.cache/kinetrain); a temporary folder where that cannot be written to."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kinetrain"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:  # no home, or one that cannot be written to
        return Path(tempfile.mkdtemp(prefix="kinetrain-"))


@contextlib.contextmanager
def locked(file: Path):
    """Wait until no other process holds `file`; it only saves work, what is made must appear whole in any case."""
    with file.open("w") as handle:
        with contextlib.suppress(OSError):  # some network file systems have no locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
