"""Full-batch optimizers, one file each: a function `create`. A new file is a new optimizer.

`create()` returns an optimizer of pyPESTO, which is imported in that function only. `LEAST_ORDER = 1` says that the
optimizer asks for the gradient wherever it asks for the value, so that such a pair is paid as one gradient.
`TAKES_INFORMATION = True` says that it uses the Fisher information where a problem offers it. Iterations are limited by
the budget alone.
"""

import sys

from kinetrain import registry

HIERARCHICAL = "_hierarchical"  # ends the name of an optimizer that is run over the outer parameters only


def known_optimizers() -> list[str]:
    """Return the names of all full-batch optimizers, without importing any of them."""
    return registry.names(sys.modules[__name__])


def known_runs() -> list[str]:
    """Return the names of all full-batch runs: every optimizer, plain and hierarchical."""
    return [name + suffix for name in known_optimizers() for suffix in ("", HIERARCHICAL)]


def find_optimizer(name: str):
    """Return the module of an optimizer, hierarchical or not; InputError if there is none of that name."""
    return registry.find(sys.modules[__name__], name.removesuffix(HIERARCHICAL), "optimizer")
