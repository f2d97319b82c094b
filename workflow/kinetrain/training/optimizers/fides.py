"""Fides: a trust region with the Fisher information where it is offered, BFGS where that is stuck, or BFGS alone."""

import logging

LABEL, COLOUR, PLACE = "Fides", "#C62828", 7

TAKES_INFORMATION = True
NOT_NEURAL = "keeps a dense matrix over the parameters, of which a vector field has too many"


def minimize(evaluate, x, lower, upper, information: bool) -> str:
    """Run Fides with its own tolerances; return the name of its exit flag, or what it could not compute."""
    import fides

    return run(evaluate, x, lower, upper, fides.HybridFixed() if information else fides.BFGS())[0]


def run(evaluate, x, lower, upper, update, hessian=None, iterations: int = 10**6):
    """Return why Fides ended, and the point (n,) and the Hessian (n, n) that it ended at.

    update: of the Hessian, which begins as `hessian`, or the identity if that is None; None is the Fisher information.
    """
    import fides
    import numpy as np

    order = 1 if isinstance(update, fides.BFGS) else 2
    search = fides.Optimizer(
        lambda point: evaluate(point, order),
        upper,
        lower,
        verbose=logging.ERROR,
        options={fides.Options.MAXITER: iterations},
        hessian_update=update,
    )
    try:
        with np.errstate(all="ignore"):  # a subproblem without solution ends in NaN, and the step is rejected
            search.minimize(x, hess0=hessian)
    except RuntimeError as error:
        return str(error), x, None
    return search.exitflag.name, search.x, search.hess
