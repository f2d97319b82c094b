"""The scales of parameters and observables in PEtab: linear, natural and decadic logarithm."""

from typing import Any

import numpy as np

# Not those of PEtab's library, which is missing where a configuration is read.
TO_SCALE: dict[str, Any] = {"lin": np.asarray, "log": np.log, "log10": np.log10}
FROM_SCALE: dict[str, Any] = {"lin": np.asarray, "log": np.exp, "log10": lambda value: 10.0**value}


def scale_of_version_2(lower: float) -> str:
    """Return the scale on which a parameter with this lower bound is estimated; PEtab 2 has none (choice of ours)."""
    return "log10" if lower > 0 else "lin"
