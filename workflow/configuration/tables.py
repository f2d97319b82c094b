"""Tables of expression of one's own, read before anything starts: what is wrong in them is known in a second."""

import os

from configuration.checks import ConfigurationError
from configuration.plan import DOWNLOADS, FILES, Plan
from kinetrain.data.measured import described, read_expression
from kinetrain.data.options import Preparation
from kinetrain.errors import InputError
from kinetrain.options import read_options

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
    files = [section[key] for key in FILES if section.get(key)] if section else []
    own = not any(file.startswith(DOWNLOADS) or file.endswith(".h5ad") for file in files)
    return bool(files) and own and sum(map(os.path.getsize, files)) <= LARGEST


def _read(plan: Plan, name: str) -> str:
    section = plan.datasets[name]["expression"]
    options = read_options(Preparation, plan.expression_settings(name))
    try:
        expression = read_expression(section["train"], section.get("test"), section.get("genes"), options)
    except InputError as error:
        raise ConfigurationError(f"datasets.{name}: {error}") from None
    return f"  {name}: {described(expression)}"
