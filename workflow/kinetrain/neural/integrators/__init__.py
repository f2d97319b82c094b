"""Integrators of vector fields: a file each, and a new integrator is a new file with the functions of `rk4`."""

from kinetrain import registry

known_integrators, find_integrator = registry.plugins(__name__, "integrator")
