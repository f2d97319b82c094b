"""Tables of expression of one's own, read before anything starts: what is wrong in them is known in a second."""

import os

from configuration.checks import naming
from configuration.keys import Expression, File
from configuration.plan import DOWNLOADS, Plan
from kinetrain.data.measured import described, read_expression
from kinetrain.data.options import Preparation
from kinetrain.options import read_options
from kinetrain.options.types import kinds

LARGEST = 20_000_000  # bytes; larger ones take longer than one wants to wait, and are read by their step alone


def read_own_tables(plan: Plan) -> list[str]:
    """Return in a line each what the tables of expression hold that are at hand.

    Left to their steps: downloads, what is simulated, and cells, whose reader has packages of its own.

    Raises
    ------
    ConfigurationError
        If a table cannot be read as the configuration says.
    """
    return [_read(plan, name) for name, dataset in plan.datasets.items() if _at_hand(dataset.get("expression"))]


def _at_hand(section: dict | None) -> bool:
    """Return whether all files of a section `expression` are there, and text of a size that is read in a second."""
    files = [file for key, file in (section or {}).items() if kinds(Expression)[key] == File]
    own = not any(file.startswith(DOWNLOADS) or file.endswith(".h5ad") for file in files)
    return bool(files) and own and sum(map(os.path.getsize, files)) <= LARGEST


def _read(plan: Plan, name: str) -> str:
    section = plan.datasets[name]["expression"]
    options = read_options(Preparation, plan.expression_settings(name))
    with naming(f"datasets.{name}"):
        train, test, genes, samples = (section.get(role) for role in ("train", "test", "genes", "samples"))
        expression = read_expression(train, test, genes, options, samples)
    return f"  {name}: {described(expression)}"
