"""L-BFGS-B: limited-memory BFGS in a box (SciPy, by pyPESTO)."""

LEAST_ORDER = 1


def create():
    """Return SciPy's L-BFGS-B."""
    from pypesto.optimize import ScipyOptimizer

    return ScipyOptimizer(method="L-BFGS-B", options={"maxiter": 10**6, "maxfun": 10**6})
