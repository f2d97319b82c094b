"""Update rules of mini-batch optimizers, one file each: a function `direction`. A new file is a new rule.

A rule takes the moments (2, n) of the last step, the gradient (n,) of this batch and the number t = 1, 2, ... of this
batch in the whole run; it returns the direction (n,) to go down and the new moments. The step is `rate * direction`.
A rule with `RATE_IS_LENGTH = True` takes the rate as the Euclidean length of the whole step, not as that of each
coordinate: its rates are multiplied by sqrt(n), so that one schedule serves all rules (choice of ours).

Source: Stapor et al. 2022, Fig. 2 (which rules) and parPE (constants); delta is 1e-7 there, not the literature's 1e-8.
"""

from kinetrain import registry

DELTA = 1e-7

known_rules, find_rule = registry.plugins(__name__, "update rule")
