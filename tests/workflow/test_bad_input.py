"""Bad input is refused in one clear message, within seconds, and leaves nothing behind.

The rows stand in `bad_input/*.yaml`, a file per kind of input. A row is a mapping with

name          what is wrong, as the end of the sentence "refused: ..."
says          words that the message must hold, all of them
config        text of a configuration, checked as `snakemake` does before it plans anything; or
manifest      lines of `resources/datasets.tsv` below its header (⇥ stands for a tab, SHA for some checksum); or
command       a script of `workflow/scripts` with its arguments, for instance `build_prior --genes a.npz --output p.npz`
environment   of the command: mechanistic, neural or analysis (`environment:` above the rows holds for the whole file)
overlay       text of a second configuration, an overlay of `config`
files         {name: text} to write into the folder of the row before; `!!binary` values are written as bytes
copy          folder of the repository whose files are put into the folder of the row first
replace       {file: {old: new}} in the files of `copy`, every `old` must be there

All rows of an environment are run by one process of it (`bad_input/run_rows.py`), one after the other, each in a
folder of its own, so that torch and AMICI are imported once. To add rows for a command, append them to the file of
their kind, or begin a new file; nothing else is needed.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

FOLDER = Path(__file__).parent / "bad_input"
CPU_SECONDS = 5


def load_rows() -> list[dict]:
    """Return all rows, each with the kind (file) that it stands in and its environment."""
    rows = []
    for path in sorted(FOLDER.glob("*.yaml")):
        table = yaml.safe_load(path.read_text())
        common = {"kind": path.stem, "environment": table.get("environment", "workflow")}
        rows += [common | row for row in table["rows"]]
    return rows


ROWS = load_rows()


def programs(root, environment: str) -> str:
    """Return the Python of an environment, which is made on first use."""
    if environment == "workflow":
        return sys.executable
    script, pins = root / "workflow" / "scripts" / "environment.py", root / "envs" / f"{environment}.txt"
    found = subprocess.run([sys.executable, script, pins], capture_output=True, text=True, check=True)
    return f"{found.stdout.strip()}/python"


@pytest.fixture(scope="module")
def outcome(root, tmp_path_factory):
    """A function of a row that returns what came of it; its environment runs all its rows at the first call."""
    found = {}

    def find(row):
        environment = row["environment"]
        if environment not in found:
            folder = tmp_path_factory.mktemp(environment)
            rows = [one for one in ROWS if one["environment"] == environment]
            (folder / "rows.json").write_text(json.dumps([encoded(one) for one in rows]))
            (folder / "home").mkdir()
            variables = os.environ | {"HOME": str(folder / "home"), "XDG_CACHE_HOME": str(folder / "home")}
            command = [programs(root, environment), FOLDER / "run_rows.py", folder, root, str(CPU_SECONDS)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=900, env=variables)
            assert done.returncode == 0, done.stdout + done.stderr
            found[environment] = json.loads((folder / "outcomes.json").read_text())
        return found[environment][row["name"]]

    return find


def encoded(row: dict) -> dict:
    """Return a row whose bytes are lists of numbers, as JSON has no bytes."""
    files = {name: list(text) if isinstance(text, bytes) else text for name, text in row.get("files", {}).items()}
    return row | {"files": files}


@pytest.mark.parametrize("row", ROWS, ids=[f"{row['kind']}: {row['name']}" for row in ROWS])
def test_it_is_refused(row, outcome):
    found = outcome(row)
    assert found["status"] == "refused", found["said"]
    missing = [words for words in row["says"] if words not in found["said"]]
    assert not missing, found["said"]
    assert found["cpu_seconds"] < CPU_SECONDS
    assert found["left"] == []


def test_every_row_has_a_name_of_its_own():
    names = [(row["environment"], row["name"]) for row in ROWS]
    assert len(set(names)) == len(names)
