"""How findings word a verdict, a mean with its interval, and which methods are good and which are not."""

import numpy as np

from kinetrain.appearance import in_order

VERDICTS = {"better": "yes", "worse": "no", "undecided": "undecided"}  # on what `statistics.judge` returns


def verdict(good) -> str:
    """Return `yes` for a desired result, else `no`."""
    return "yes" if good else "no"


def interval_text(value: float, low: float, high: float) -> str:
    """Return a value with its interval, to three significant digits; without one where it is not known."""
    bounded = np.isfinite(value) and not np.isnan(low)
    return number_text(value) + (f" [{number_text(low)}, {number_text(high)}]" if bounded else "")


def number_text(value: float) -> str:
    """Return a number to three significant digits, all its digits from a thousand to a million; a dash for NaN."""
    if np.isnan(value):
        return "-"
    if not np.isfinite(value):
        return "∞" if value > 0 else "-∞"
    if 1000 <= abs(value) < 1e6:
        return f"{value:.0f}"
    # A factor of 1 is no difference: a bound that leaves it out does not look like it.
    return next(text for digits in (3, 4, 5, 6) if float(text := f"{value:.{digits}g}") != 1 or digits == 6)


def two_groups(topic, panel, lead, words, said, good, values, reference):
    """Yield a statement on the methods that are good and one on the others; `words` introduce them."""
    for wanted, introduction in zip((True, False), words, strict=True):
        methods = [method for method in in_order(said) if bool(good[method]) == wanted]
        if methods:
            statement = f"{lead} {introduction}: {', '.join(said[method] for method in methods)}."
            yield topic, panel, statement, values[methods].mean(), reference, verdict(wanted)
