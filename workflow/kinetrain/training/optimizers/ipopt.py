"""Ipopt: an interior point method with limited-memory BFGS (pyPESTO).

It asks for no gradient where it rejects a step.
"""

LABEL, COLOUR, PLACE = "Ipopt", "#F9A825", 8


def create():
    """Return Ipopt with the options of parPE, but for its limit of 100 iterations: the budget alone ends a run."""
    from pypesto.optimize import IpoptOptimizer

    return IpoptOptimizer(
        options={
            "hessian_approximation": "limited-memory",
            "limited_memory_update_type": "bfgs",
            "max_iter": 10**6,
            "tol": 1e-9,
            "acceptable_iter": 1,
            "acceptable_tol": 1e20,
            "acceptable_obj_change_tol": 1e-12,
            "watchdog_shortened_iter_trigger": 0,
            "print_level": 0,
        }
    )
