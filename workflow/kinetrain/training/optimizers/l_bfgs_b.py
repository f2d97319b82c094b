"""L-BFGS-B: limited-memory BFGS in a box (SciPy)."""

LABEL, COLOUR, PLACE = "L-BFGS-B", "#5D6D7E", 9


def minimize(evaluate, x, lower, upper, information: bool) -> str:
    """Run SciPy's L-BFGS-B; return its message."""
    from scipy import optimize

    box = optimize.Bounds(lower, upper)
    limits = {"maxiter": 10**6, "maxfun": 10**6}
    return optimize.minimize(
        lambda point: evaluate(point, 1), x, method="L-BFGS-B", jac=True, bounds=box, options=limits
    ).message
