"""Fides: a trust region with the Fisher information where it is offered, else BFGS (pyPESTO)."""

import logging

LABEL, COLOUR, PLACE = "Fides", "#C62828", 7

TAKES_INFORMATION = True


def create():
    """Return pyPESTO's Fides with Fides' own tolerances."""
    from pypesto.optimize import FidesOptimizer

    return FidesOptimizer(verbose=logging.ERROR, options={"maxiter": 10**6})
