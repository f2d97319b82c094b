"""Ipopt: an interior point method with limited-memory BFGS.

It asks for no gradient where it rejects a step.
"""

LABEL, COLOUR, PLACE = "Ipopt", "#F9A825", 8

NOT_NEURAL = "is built in the software environment of mechanistic models alone"

# Those of parPE, but for its limit of 100 iterations: the budget alone ends a run.
OPTIONS = {
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


def minimize(evaluate, x, lower, upper, information: bool) -> str:
    """Run Ipopt; return its message."""
    import cyipopt
    import numpy as np

    found = cyipopt.minimize_ipopt(
        lambda point: evaluate(point, 0)[0],
        x,
        jac=lambda point: evaluate(point, 1)[1],
        bounds=np.stack([lower, upper], axis=1),
        options=dict(OPTIONS),
    )
    return found.message if isinstance(found.message, str) else found.message.decode()
