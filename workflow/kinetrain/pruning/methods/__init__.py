"""Pruning methods, one file each: a class `Method` whose fields are its options. A new file is a new method."""

from kinetrain import registry

known_methods, _find = registry.plugins(__name__, "method")


def find_method(name: str):
    """Return the class `Method` of a method.

    Raises
    ------
    InputError
        If there is no method of that name (lists those there are), or a package that it imports is missing.
    """
    return _find(name).Method
