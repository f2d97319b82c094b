"""L-BFGS-B: limited-memory BFGS in a box (SciPy, by pyPESTO)."""

LABEL, COLOUR, PLACE = "L-BFGS-B", "#5D6D7E", 9

LEAST_ORDER = 1


def create():
    """Return SciPy's L-BFGS-B."""
    from pypesto.optimize import ScipyOptimizer

    return ScipyOptimizer(method="L-BFGS-B", options={"maxiter": 10**6, "maxfun": 10**6})
