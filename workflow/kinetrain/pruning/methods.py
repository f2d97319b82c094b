"""The methods by name. A method is a module of this room that says whether it `PRUNES`; a new one is a new file.

A method that prunes has `scores(weights, prior, memory, options)`; one that remembers something between events has
`start(rng, genes, hidden)`, the memory before the first.
"""

import importlib
import pkgutil

import kinetrain.pruning
from kinetrain.errors import InputError


def method_names() -> list[str]:
    """Return the names of all methods."""
    return [name for name, module in _modules() if hasattr(module, "PRUNES")]


def find_method(name: str):
    """Return the module of a method; InputError lists the methods if there is none of that name."""
    methods = {known: module for known, module in _modules() if hasattr(module, "PRUNES")}
    if name not in methods:
        raise InputError(f"unknown method '{name}' (known: {', '.join(methods)})")
    return methods[name]


def _modules():
    for found in sorted(pkgutil.iter_modules(kinetrain.pruning.__path__), key=lambda found: found.name):
        yield found.name, importlib.import_module(f"kinetrain.pruning.{found.name}")
