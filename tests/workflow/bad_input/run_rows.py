"""Run all rows of bad input of one environment in one process: run_rows.py FOLDER ROOT CPU_SECONDS.

Reads FOLDER/rows.json and writes FOLDER/outcomes.json: per row its status (`refused`, `accepted`, `traceback`,
`too slow`), what was said, CPU seconds, and the files that it left in its folder, next to it, or in HOME.
"""

import contextlib
import importlib
import io
import json
import os
import resource
import runpy
import shlex
import shutil
import signal
import sys
import traceback
from pathlib import Path

# What is imported before the first row, so that no row pays for it.
PACKAGES = {
    "workflow": ["jsonschema", "yaml"],
    "mechanistic": ["amici", "petab.v1", "petab.v2", "pypesto", "libsbml"],
    "neural": ["torch", "scipy.integrate", "pandas", "anndata"],
    "analysis": ["pandas", "scipy.stats", "statsmodels.stats.multitest"],
}
FILES = ("config.yaml", "overlay.yaml")
MANIFEST_HEADER = "name\tpath\turl\tbytes\tchecksum\tlicence\n"


class TooSlow(BaseException):
    """A row used up its CPU seconds."""


def stop(*_):
    raise TooSlow


def cpu_seconds() -> float:
    """Return the CPU seconds of this process and of those that it has started."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def files_in(*folders: Path) -> set[str]:
    """Return the paths of all files and folders below some folders."""
    return {str(path) for folder in folders for path in folder.rglob("*")}


def prepare(row: dict, folder: Path, root: Path) -> None:
    """Write the files of a row into its folder."""
    folder.mkdir(parents=True)
    if "copy" in row:
        shutil.copytree(root / row["copy"], folder, dirs_exist_ok=True)
    for name, changes in row.get("replace", {}).items():
        text = (folder / name).read_text()
        for old, new in changes.items():
            assert old in text, f"{row['name']}: {name} of {row['copy']} does not hold {old!r}"
            text = text.replace(old, new)
        (folder / name).write_text(text)
    for name, content in row.get("files", {}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(bytes(content) if isinstance(content, list) else content.encode())
    for key in ("config", "overlay"):
        if key in row:
            (folder / f"{key}.yaml").write_text(row[key])
    if "manifest" in row:
        lines = row["manifest"].replace("⇥", "\t").replace("SHA", f"sha256:{0:064}")
        (folder / "datasets.tsv").write_text(MANIFEST_HEADER + lines)


def run(row: dict, root: Path) -> None:
    """Do what the row says, in its folder; wrong input ends in SystemExit."""
    if "command" in row:
        script, *arguments = shlex.split(row["command"])
        sys.argv = [script, *arguments]
        runpy.run_path(str(root / "workflow" / "scripts" / f"{script}.py"), run_name="__main__")
        return
    import configuration.__main__

    if "manifest" in row:
        configuration.__main__.main(["manifest", "datasets.tsv"])
    else:
        configuration.__main__.main(["check", *(name for name in FILES if Path(name).is_file())])


def outcome(row: dict, folder: Path, root: Path, limit: float) -> dict:
    """Return what came of a row."""
    here, home = folder / "here", Path(os.environ["HOME"])
    prepare(row, here, root)
    before, began = files_in(folder, home), cpu_seconds()
    said, status = io.StringIO(), "accepted"
    os.chdir(here)
    signal.setitimer(signal.ITIMER_PROF, limit)
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            run(row, root)
    except SystemExit as end:
        status = "refused" if end.code else "accepted"
        said.write(end.code if isinstance(end.code, str) else "")
    except TooSlow:
        status = "too slow"
    except Exception:
        status = "traceback"
        said.write(traceback.format_exc())
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        os.chdir(folder)
    if "Traceback (most recent call last)" in said.getvalue():
        status = "traceback"
    left = sorted(path for path in files_in(folder, home) - before if "__pycache__" not in path)
    return {"status": status, "said": said.getvalue(), "cpu_seconds": cpu_seconds() - began, "left": left}


def main():
    folder, root, limit = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
    rows = json.loads((folder / "rows.json").read_text())
    sys.path[:0] = [str(root / "workflow" / "scripts"), str(root / "workflow")]
    for package in PACKAGES[rows[0]["environment"]]:
        with contextlib.suppress(ImportError):
            importlib.import_module(package)
    signal.signal(signal.SIGPROF, stop)
    outcomes = {row["name"]: outcome(row, folder / str(number), root, limit) for number, row in enumerate(rows)}
    (folder / "outcomes.json").write_text(json.dumps(outcomes, indent=1))


if __name__ == "__main__":
    main()
