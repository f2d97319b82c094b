"""Fixtures of the tests of the analysis: a way to run commands."""

import sys
from importlib import import_module
from types import SimpleNamespace

import command
import pytest


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run a script in the folder of the test, as its command line would; exit status and standard error."""
    monkeypatch.chdir(tmp_path)

    def run(name, *arguments):
        monkeypatch.setattr(sys, "argv", [f"{name}.py", *arguments])
        try:
            command.run(import_module(name).main)
        except SystemExit as end:
            return SimpleNamespace(returncode=end.code or 0, stderr=capsys.readouterr().err)
        return SimpleNamespace(returncode=0, stderr=capsys.readouterr().err)

    return run
