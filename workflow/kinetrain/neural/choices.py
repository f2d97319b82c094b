"""The vector fields and the integrators by name: each is a module of this room, a new one is a new file."""

import importlib
import pkgutil

import kinetrain.neural
from kinetrain.errors import InputError


def find_field(name: str):
    """Return the module of a vector field, which has what `phoenix` has; InputError lists those there are."""
    return _find(name, "chains", "model")


def find_integrator(name: str):
    """Return the module of an integrator, which has what `rk4` has; InputError lists those there are."""
    return _find(name, "predict", "integrator")


def _find(name: str, mark: str, kind: str):
    """Return the module `name` of this room if it has a function `mark`."""
    files = sorted(found.name for found in pkgutil.iter_modules(kinetrain.neural.__path__))
    if name in files and hasattr(module := importlib.import_module(f"kinetrain.neural.{name}"), mark):
        return module
    known = [file for file in files if hasattr(importlib.import_module(f"kinetrain.neural.{file}"), mark)]
    raise InputError(f"unknown {kind} '{name}' (known: {', '.join(known)})")
