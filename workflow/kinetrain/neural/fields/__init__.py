"""Vector fields, one file each: the functions of `mlp`. A new file is a new field.

Without a `value_and_gradient` of its own a field is differentiated by autograd through the Runge-Kutta steps.
"""

import sys

from kinetrain import registry


def known_fields() -> list[str]:
    """Return the names of all vector fields, without importing any of them."""
    return registry.names(sys.modules[__name__])


def find_field(name: str):
    """Return the module of a vector field; InputError lists those there are."""
    return registry.find(sys.modules[__name__], name, "model")
