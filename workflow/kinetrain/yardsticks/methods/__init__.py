"""The yardsticks, one file each: a function `infer`, and LABEL, REFERENCE, USES_PRIOR and MOST_WORK.

MOST_WORK is the largest number of genes squared times transitions that takes about a quarter of an hour: one of the two
below for those here.
"""

import sys
from types import ModuleType

from kinetrain import registry

ONE_BY_ONE = 1e9  # MOST_WORK where every target has a regression of its own
ALL_AT_ONCE = 1e11  # MOST_WORK of one matrix product for all targets
YARDSTICKS = tuple(registry.names(sys.modules[__name__]))


def find_yardstick(name: str) -> ModuleType:
    """Return the module of a yardstick.

    Raises
    ------
    InputError
        If there is no yardstick of that name (lists those there are), or a package that it imports is missing.
    """
    return registry.find(sys.modules[__name__], name, "yardstick")
