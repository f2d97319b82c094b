"""The methods by name: a method is a file of this room with a class `Method`; a new one is a new file."""

import importlib
import re
from pathlib import Path

from kinetrain.errors import InputError


def find_method(name: str):
    """Return the class `Method` of a method, a dataclass of its settings.

    Raises
    ------
    InputError
        If there is no method of that name (lists the methods), or a package that it imports is missing.
    """
    known = known_methods()
    if name not in known:
        raise InputError(f"unknown method '{name}' (known: {', '.join(known)})")
    try:
        return importlib.import_module(f"kinetrain.pruning.{name}").Method
    except ImportError as error:
        raise InputError(f"method '{name}' cannot be loaded: {error}") from None


def known_methods() -> list[str]:
    """Return the names of all methods, without loading any of them."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return [file.stem for file in files if re.search(r"(?m)^class Method\(", file.read_text(encoding="utf-8"))]
