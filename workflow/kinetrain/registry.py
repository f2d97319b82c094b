"""Plug-ins: the modules of a package, found by the names of their files. A new file is a new plug-in."""

import importlib
import pkgutil
import sys
from collections.abc import Callable
from functools import partial
from types import ModuleType

from kinetrain.errors import InputError, did_you_mean


def plugins(package: str, what: str) -> tuple[Callable[[], list[str]], Callable[[str], ModuleType]]:
    """Return `names` and `find` of a package, for its own file: the names of its modules, and a module by its name."""
    module = sys.modules[package]
    return partial(names, module), partial(find, module, what=what)


def names(package: ModuleType) -> list[str]:
    """Return the names of the modules of a package, without importing any; those that begin with _ do not count."""
    return sorted(found.name for found in pkgutil.iter_modules(package.__path__) if not found.name.startswith("_"))


def find(package: ModuleType, name: str, what: str) -> ModuleType:
    """Return the module `name` of a package.

    Raises
    ------
    InputError
        If there is no such module (the message lists those there are), or it imports something that is missing.
    """
    known = names(package)
    if name not in known:
        raise InputError(f"unknown {what} '{name}'{did_you_mean(name, known)} (known: {', '.join(known)})")
    try:
        return importlib.import_module(f"{package.__name__}.{name}")
    except ImportError as error:
        raise InputError(f"{what} '{name}' cannot be loaded: {error}") from None
