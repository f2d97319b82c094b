"""How findings word a verdict, a mean with its interval, and which methods are good and which are not."""

import numpy as np

from kinetrain.appearance import in_order

VERDICTS = {"better": "yes", "worse": "no", "undecided": "undecided"}  # on what `statistics.judge` returns


def verdict(good) -> str:
    """Return `yes` for a desired result, else `no`."""
    return "yes" if good else "no"


def interval_text(interval) -> str:
    """Return a mean and its bounds as text; no bounds for a single value."""
    mean, low, high = (f"{number:.3g}" for number in interval)
    return mean if np.isnan(interval[1]) else f"{mean} [{low}, {high}]"


def two_groups(topic, panel, lead, words, said, good, values, reference):
    """Yield a statement on the methods that are good and one on the others; `words` introduce them."""
    for wanted, introduction in zip((True, False), words, strict=True):
        methods = [method for method in in_order(said) if bool(good[method]) == wanted]
        if methods:
            statement = f"{lead} {introduction}: {', '.join(said[method] for method in methods)}."
            yield topic, panel, statement, values[methods].mean(), reference, verdict(wanted)
