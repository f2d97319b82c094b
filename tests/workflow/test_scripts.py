"""Every script can be run by hand."""

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "workflow" / "scripts"
SCRIPTS = [path for path in sorted(FOLDER.glob("*.py")) if path.stem != "command"]  # what the others share


@pytest.mark.parametrize("script", SCRIPTS, ids=[script.stem for script in SCRIPTS])
def test_a_script_explains_itself_in_any_python(script):
    process = subprocess.run([sys.executable, script, "--help"], capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    assert "usage:" in process.stdout and len(process.stdout.splitlines()) > 5
