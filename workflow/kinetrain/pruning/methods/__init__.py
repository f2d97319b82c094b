"""Pruning methods, one file each: a class `Method` whose fields are the settings. A new file is a new method."""

import sys

from kinetrain import registry


def known_methods() -> list[str]:
    """Return the names of all methods, without importing any of them."""
    return registry.names(sys.modules[__name__])


def find_method(name: str):
    """Return the class `Method` of a method.

    Raises
    ------
    InputError
        If there is no method of that name (lists those there are), or a package that it imports is missing.
    """
    return registry.find(sys.modules[__name__], name, "method").Method
