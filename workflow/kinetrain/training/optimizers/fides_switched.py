"""Fides with the Fisher information at first, which finds a valley, then with BFGS, which follows it to its end.

The Fisher information leaves out the curvature of the residuals, so that steps along a curved valley stay short and
Fides ends before the minimum. BFGS learns that curvature, but not from far away with the identity to begin with: here
it begins with the information of the point that it goes on from.
"""

from kinetrain.training.optimizers.fides import NOT_NEURAL as NOT_NEURAL
from kinetrain.training.optimizers.fides import run

LABEL, COLOUR, PLACE = "Fides (Fisher information, then BFGS)", "#8E0000", 7

TAKES_INFORMATION = True
FIRST = 60  # iterations; chosen on measured Fujita with starts that no configuration has


def minimize(evaluate, x, lower, upper, information: bool) -> str:
    """Run Fides twice with its own tolerances; return the name of its last exit flag, or what it could not compute."""
    import fides

    hessian = None
    if information:
        _, x, hessian = run(evaluate, x, lower, upper, None, iterations=FIRST)
    return run(evaluate, x, lower, upper, fides.BFGS(), hessian)[0]
