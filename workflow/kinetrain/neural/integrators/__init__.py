"""Integrators of vector fields: a file each, and a new integrator is a new file with the functions of `rk4`."""

import sys

from kinetrain import registry


def known_integrators() -> list[str]:
    """Return the names of all integrators, without importing any of them."""
    return registry.names(sys.modules[__name__])


def find_integrator(name: str):
    """Return the module of an integrator; InputError lists those there are."""
    return registry.find(sys.modules[__name__], name, "integrator")
