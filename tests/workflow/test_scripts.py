"""Every script can be run by hand."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "workflow" / "scripts"
SCRIPTS = [path for path in sorted(FOLDER.glob("*.py")) if path.stem != "command"]  # shared by the others


@pytest.mark.parametrize("script", SCRIPTS, ids=[script.stem for script in SCRIPTS])
def test_a_script_explains_itself_in_any_python(script):
    process = subprocess.run([sys.executable, script, "--help"], capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    assert "usage:" in process.stdout and len(process.stdout.splitlines()) > 5


@pytest.mark.parametrize(
    ("flags", "chosen", "kernels"),
    [("sse4_2 avx2 fma avx512f", None, "Haswell"), ("sse4_2", None, None), ("sse4_2 avx2 fma", "Zen", "Zen")],
)
def test_linear_algebra_is_the_same_on_processors_with_and_without_avx_512(
    flags, chosen, kernels, tmp_path, monkeypatch
):
    monkeypatch.syspath_prepend(FOLDER)
    command = importlib.import_module("command")
    monkeypatch.setattr(command, "CPU", tmp_path / "cpuinfo")
    monkeypatch.setattr(command.platform, "machine", lambda: "x86_64")
    monkeypatch.setenv("OPENBLAS_CORETYPE", chosen or "")
    if not chosen:
        monkeypatch.delenv("OPENBLAS_CORETYPE")
    (tmp_path / "cpuinfo").write_text(f"model name\t: any\nflags\t\t: fpu {flags} ibrs\n")
    command.use_common_kernels()
    assert os.environ.get("OPENBLAS_CORETYPE") == kernels
