"""A small workflow that holds every kind of long job: whole, and one in which faults happen."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from faulty_workflow import Workflow


@pytest.fixture
def workflow(root, tmp_path) -> Workflow:
    return Workflow(root, tmp_path / "faulty")


@pytest.fixture(scope="session")
def whole(root, tmp_path_factory) -> Workflow:
    """The small workflow, run without any fault."""
    workflow = Workflow(root, tmp_path_factory.mktemp("faults") / "whole")
    status, said = workflow.run()
    assert status == 0, said
    return workflow
