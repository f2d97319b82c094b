"""An update rule with its moments, whose last step can be undone."""

import numpy as np

from kinetrain.training.update_rules import find_rule


class Updater:
    """A rule with its moments, and those before the last step so that this step can be undone.

    `moments` and `previous` are (2, n); they are the whole state.
    """

    def __init__(self, name: str, n: int):
        self.rule = find_rule(name)
        self.moments = np.zeros((2, n))
        self.previous = np.zeros((2, n))

    def step(self, x, gradient, rate, t, lower, upper) -> np.ndarray:
        """Return the next parameters (n,), clipped to the box; a NaN stays NaN and so fails at its evaluation."""
        self.previous = self.moments
        direction, self.moments = self.rule.direction(self.moments, gradient, t)
        return np.clip(x - rate * direction, lower, upper)

    def undo(self) -> None:
        """Restore the moments before the last step."""
        self.moments = self.previous

    def clear(self) -> None:
        """Set all moments to zero."""
        self.moments = np.zeros_like(self.moments)
        if not getattr(self.rule, "KEEPS_PREVIOUS", False):
            self.previous = np.zeros_like(self.previous)

    def as_arrays(self) -> dict:
        """Return the state as named arrays."""
        return {"moments": self.moments, "previous": self.previous}

    def restore(self, arrays: dict) -> None:
        """Restore a state written by `as_arrays`."""
        self.moments, self.previous = np.array(arrays["moments"]), np.array(arrays["previous"])
