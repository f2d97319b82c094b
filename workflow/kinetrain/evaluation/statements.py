"""How findings word a verdict, a mean with its interval, and which methods are good and which are not."""

import numpy as np
import pandas as pd

from kinetrain.appearance import in_order
from kinetrain.evaluation.statistics import FEWEST_SEEDS

UNDECIDED = "undecided"
FEW_SEEDS = f"Undecided, of fewer than {FEWEST_SEEDS} seeds"  # introduces the methods that are
VERDICTS = {"better": "yes", "worse": "no", UNDECIDED: UNDECIDED}  # on what `statistics.judge` returns


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
    # A factor of 1 is no difference: a bound that leaves it out is not rounded to it.
    return next(text for digits in (3, 4, 5, 6) if float(text := f"{value:.{digits}g}") != 1 or digits == 6)


def counted(number: int, unit: str) -> str:
    """Return a number with its unit, in the plural unless it is 1."""
    return f"{number} {unit}{'' if number == 1 else 's'}"


def share_text(share: float) -> str:
    """Return a share in percent to three significant digits: of many runs a few are not 0 %, nor nearly all 100 %."""
    return f"{number_text(100 * share)}%"


def by_verdict(topic, panel, lead, words, said, found, values, reference):
    """Yield a statement on the methods of each verdict that `found` has: yes, no, undecided; `words` introduce them."""
    for one, introduction in zip(("yes", "no", UNDECIDED), words, strict=True):
        methods = [method for method in in_order(said) if found[method] == one]
        if methods:
            statement = f"{lead} {introduction}: {', '.join(said[method] for method in methods)}."
            yield topic, panel, statement, values[methods].mean(), reference, one


def of_means(table: pd.DataFrame, good: pd.Series) -> pd.Series:
    """Return the verdicts on the methods of `network_summaries.best_first`: undecided of fewer than FEWEST_SEEDS."""
    return good.map(verdict).where(table["values"] >= FEWEST_SEEDS, UNDECIDED)
