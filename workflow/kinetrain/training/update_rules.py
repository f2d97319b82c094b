"""Update rules of the mini-batch optimizers.

A rule takes the moments (2, n) of the last step, the gradient (n,) of this batch and the number t = 1, 2, ... of this
batch in the whole run; it returns the direction (n,) to go down and the new moments. The step is `rate * direction`.

Source: Stapor et al. 2022, Fig. 2 (which rules) and parPE (constants); delta is 1e-7 there, not the literature's 1e-8.
"""

import numpy as np

DELTA = 1e-7


def sgd(moments, gradient, t):
    """The normalised gradient: the rate is the Euclidean length of the step."""
    return gradient / (np.linalg.norm(gradient) + 1e-8), moments


def momentum(moments, gradient, t):
    """Running mean of gradients (decay 0.8), shortened to length 1 if it is longer."""
    mean = 0.8 * moments[0] + 0.2 * gradient
    return mean / max(np.linalg.norm(mean), 1.0), np.stack([mean, moments[1]])


def momentum_exact(moments, gradient, t):
    """As parPE has it: the norm for coordinate i is that of a vector whose entries after i are still the old ones."""
    mean = 0.8 * moments[0] + 0.2 * gradient
    below = np.cumsum(mean**2)
    above = np.cumsum(moments[0][::-1] ** 2)[::-1] - moments[0] ** 2
    return mean / np.maximum(np.sqrt(below + above), 1.0), np.stack([mean, moments[1]])


def rmsprop(moments, gradient, t):
    """Gradient over the root of its running mean square (decay 0.9), without bias correction."""
    square = 0.9 * moments[1] + 0.1 * gradient**2
    return gradient / (np.sqrt(square) + DELTA), np.stack([moments[0], square])


def adam_balanced(moments, gradient, t):
    """Adam with both decays 0.9: no memory of the size of gradients that outlives that of their direction."""
    return _adam(moments, gradient, t, 0.9)


def adam_standard(moments, gradient, t):
    """Adam with the decays 0.9 and 0.999 of the literature."""
    return _adam(moments, gradient, t, 0.999)


def _adam(moments, gradient, t, decay):
    mean = 0.9 * moments[0] + 0.1 * gradient
    square = decay * moments[1] + (1 - decay) * gradient**2
    direction = (mean / (1 - 0.9**t)) / (np.sqrt(square / (1 - decay**t)) + DELTA)
    return direction, np.stack([mean, square])


RULES = {rule.__name__: rule for rule in (sgd, momentum, momentum_exact, rmsprop, adam_balanced, adam_standard)}

# Rules whose rate is the length of the whole step, not of each coordinate's: to start with steps as long as those of
# the others their rates are multiplied by sqrt(n) (a choice of ours, so that one schedule serves all rules).
LENGTH_RULES = ("sgd", "momentum", "momentum_exact")


class Updater:
    """A rule with its moments, and the moments before the last step so that this step can be undone.

    `moments` and `previous` are (2, n); they are all there is to save.
    """

    def __init__(self, name: str, n: int):
        self.name = name
        self.moments = np.zeros((2, n))
        self.previous = np.zeros((2, n))

    def step(self, x, gradient, rate, t, lower, upper) -> np.ndarray:
        """Return the next parameters (n,), clipped to the box; a NaN stays NaN and so fails at its evaluation."""
        self.previous = self.moments
        direction, self.moments = RULES[self.name](self.moments, gradient, t)
        return np.clip(x - rate * direction, lower, upper)

    def undo(self) -> None:
        """Take back the moments before the last step."""
        self.moments = self.previous

    def clear(self) -> None:
        """Forget all moments."""
        self.moments = np.zeros_like(self.moments)
        if self.name != "momentum_exact":  # in parPE the copy survives there, and comes back at the next undo
            self.previous = np.zeros_like(self.previous)

    def as_arrays(self) -> dict:
        """Return the state as named arrays."""
        return {"moments": self.moments, "previous": self.previous}

    def restore(self, arrays: dict) -> None:
        """Take over a state written by `as_arrays`."""
        self.moments, self.previous = np.array(arrays["moments"]), np.array(arrays["previous"])
