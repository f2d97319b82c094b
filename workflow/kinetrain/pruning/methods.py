"""The methods by name. A method is a module of this room that says whether it `PRUNES`; a new one is a new file.

A method that prunes has `scores(weights, prior, memory, options)`; one that remembers something between events has
`start(rng, genes, hidden)`, the memory before the first.
"""

import importlib
import pkgutil

import kinetrain.pruning
from kinetrain.errors import InputError


def find_method(name: str):
    """Return the module of a method; InputError lists the methods if there is none of that name."""
    files = sorted(found.name for found in pkgutil.iter_modules(kinetrain.pruning.__path__))
    modules = {file: importlib.import_module(f"kinetrain.pruning.{file}") for file in files}
    methods = {file: module for file, module in modules.items() if hasattr(module, "PRUNES")}
    if name not in methods:
        raise InputError(f"unknown method '{name}' (known: {', '.join(methods)})")
    return methods[name]
