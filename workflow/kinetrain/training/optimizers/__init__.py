"""Full-batch optimizers, one file each: a function `minimize`. A new file is a new optimizer.

`minimize(evaluate, x, lower, upper, information)` starts from x (n,) in the box and returns why it ended.
`evaluate(point, order)` returns (value,), (value, gradient (n,)) or, where `information` is true, (value, gradient,
Fisher information (n, n)) for order 0, 1 or 2; a failed evaluation is infinite. Value and gradient of one point are
paid as one gradient if the gradient is asked for at once. `TAKES_INFORMATION = True` says that the optimizer uses the
Fisher information where a problem offers it; `NOT_NEURAL` says why it is not for vector fields. Iterations are limited
by the budget alone. Other packages are imported in that function only.
"""

from kinetrain import registry

HIERARCHICAL = "_hierarchical"  # ends the name of an optimizer that is run over the outer parameters only
known_optimizers, _find = registry.plugins(__name__, "optimizer")


def known_runs() -> list[str]:
    """Return the names of all full-batch runs: every optimizer, plain and hierarchical."""
    return [name + suffix for name in known_optimizers() for suffix in ("", HIERARCHICAL)]


def not_neural(name: str) -> str | None:
    """Return why a full-batch run is not for vector fields, None if it is."""
    if name.endswith(HIERARCHICAL):
        return "computes scalings, offsets and noise of a PEtab problem, which a vector field does not have"
    reason: str | None = getattr(find_optimizer(name), "NOT_NEURAL", None)
    return reason


def find_optimizer(name: str):
    """Return the module of an optimizer, hierarchical or not; InputError if there is none of that name."""
    return _find(name.removesuffix(HIERARCHICAL))
