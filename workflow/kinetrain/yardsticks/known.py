"""The yardsticks by name."""

from types import ModuleType

from kinetrain import registry
from kinetrain.yardsticks import methods

YARDSTICKS = tuple(registry.names(methods))


def find_yardstick(name: str) -> ModuleType:
    """Return the module of a yardstick: infer, LABEL, REFERENCE, USES_PRIOR and MOST_WORK."""
    return registry.find(methods, name, "yardstick")
