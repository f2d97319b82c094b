"""Update rules of mini-batch optimizers, one file each: a function `direction`. A new file is a new rule.

A rule takes the moments (2, n) of the last step, the gradient (n,) of this batch and the number t = 1, 2, ... of this
batch in the whole run; it returns the direction (n,) to go down and the new moments. The step is `rate * direction`.
A rule with `RATE_IS_LENGTH = True` takes the rate as the Euclidean length of the whole step, not as that of each
coordinate: its rates are multiplied by sqrt(n), so that one schedule serves all rules (choice of ours).

Source: Stapor et al. 2022, Fig. 2 (which rules) and parPE (constants); delta is 1e-7 there, not the literature's 1e-8.
"""

import sys

from kinetrain import registry

DELTA = 1e-7


def known_rules() -> list[str]:
    """Return the names of all update rules, without importing any of them."""
    return registry.names(sys.modules[__name__])


def find_rule(name: str):
    """Return the module of an update rule; InputError if there is none of that name (lists those there are)."""
    return registry.find(sys.modules[__name__], name, "update rule")
