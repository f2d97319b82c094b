"""Fides: a trust region with the Fisher information where it is offered, BFGS where that is stuck, or BFGS alone."""

import logging

LABEL, COLOUR, PLACE = "Fides", "#C62828", 7

TAKES_INFORMATION = True


def minimize(evaluate, x, lower, upper, information: bool) -> str:
    """Run Fides with its own tolerances; return the name of its exit flag, or what it could not compute."""
    import fides

    order, update = (2, fides.HybridFixed()) if information else (1, fides.BFGS())
    options = {fides.Options.MAXITER: 10**6}
    run = fides.Optimizer(
        lambda point: evaluate(point, order),
        upper,
        lower,
        verbose=logging.ERROR,
        options=options,
        hessian_update=update,
    )
    try:
        run.minimize(x)
    except RuntimeError as error:
        return str(error)
    return run.exitflag.name
