"""Fixtures of all tests: the folder of this checkout and, where there is one, the mirror of the real data."""

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """The top folder of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def mirror() -> Path:
    """The local mirror of the real data; tests that need it are skipped, and say so, where there is none."""
    folder = Path(os.environ.get("KINETRAIN_MIRROR", ROOT.parent / "shared" / "data" / "mirror"))
    if not folder.is_dir():
        pytest.skip(f"real data not at hand: no mirror at {folder} (set KINETRAIN_MIRROR)")
    return folder


@pytest.fixture(scope="session")
def calls_of():
    """A function that runs another and returns how many Python and C functions it called, and what it returned.

    Seconds depend on what else the machine does, also those of a process; a loop over rows shows in calls.
    """

    def count(function, *arguments):
        events = 0

        def profile(frame, event, argument):
            nonlocal events
            events += event in ("call", "c_call")

        before = sys.getprofile()
        sys.setprofile(profile)
        try:
            result = function(*arguments)
        finally:
            sys.setprofile(before)
        return events, result

    return count
