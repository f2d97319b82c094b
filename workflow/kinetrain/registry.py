"""Things found by the name of their file: a folder of the library is a list of them, and a new file is a new one."""

import importlib
import pkgutil
from types import ModuleType

from kinetrain.errors import InputError
from kinetrain.settings import did_you_mean


def names(package: ModuleType) -> list[str]:
    """Return the names of the modules of a package, without importing any of them; those with a leading _ are none."""
    return sorted(found.name for found in pkgutil.iter_modules(package.__path__) if not found.name.startswith("_"))


def find(package: ModuleType, name: str, what: str) -> ModuleType:
    """Return the module `name` of a package.

    Raises
    ------
    InputError
        If there is no such module (lists those there are), or something that it imports is missing.
    """
    known = names(package)
    if name not in known:
        raise InputError(f"unknown {what} '{name}'{did_you_mean(name, known)} (known: {', '.join(known)})")
    try:
        return importlib.import_module(f"{package.__name__}.{name}")
    except ImportError as error:
        raise InputError(f"{what} '{name}' cannot be loaded: {error}") from None
