"""Fides with BFGS alone, as Grein et al. 2026 ran it: it needs no Fisher information and pays for none."""

from kinetrain.training.optimizers.fides import NOT_NEURAL as NOT_NEURAL
from kinetrain.training.optimizers.fides import run

LABEL, COLOUR, PLACE = "Fides (BFGS)", "#E57373", 7


def minimize(evaluate, x, lower, upper, information: bool) -> str:
    """Run Fides with its own tolerances; return the name of its exit flag, or what it could not compute."""
    import fides

    return run(evaluate, x, lower, upper, fides.BFGS())[0]
