"""L0: a random gate for every input unit of every layer, and a penalty on open gates (Louizos et al. 2018).

Gates z = clip(s (ζ − γ) + γ, 0, 1) with s = sigmoid((logit u + log α) / β) and uniform u multiply the columns of a
matrix; a gate is open with probability P(z ≠ 0) = sigmoid(log α − β log(−γ/ζ)). Constants as in the code of
Hossain et al. 2024 (NeurIPS). That code leaves out the penalty, and draws new gates whenever the solver evaluates the
field, in validation too. Here the penalty is in the loss; gates are drawn once per update and are fixed in evaluation.
"""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from kinetrain.options import option
from kinetrain.pruning import method

LABEL, COLOUR, MARKER, PLACE = "L0", "#999933", "v", 2

LOWER, UPPER = -0.1, 1.1  # γ and ζ
CLOSED_FIRST, CLOSED_LATER = 0.2, 0.5  # probabilities d with which gates are closed at the start, log α = log((1−d)/d)
SMALLEST = 1e-6  # of u and 1 − u
# How far log α falls until the first gate, one of a later layer, is closed in evaluation; an update of Adam brings it
# nearer by about the learning rate at most.
FALL = math.log((1 - CLOSED_LATER) / CLOSED_LATER) + math.log(-UPPER / LOWER)


@dataclass(frozen=True)
class Method(method.Method):
    """Columns of weights behind gates that close under a penalty."""

    gates: ClassVar[bool] = True
    penalises: ClassVar[bool] = True

    published_temperature: ClassVar[float] = 0.02

    lambda0: float = option(
        0.01,
        "Weight of the penalty on open gates, the expected fraction of the prunable weights behind an open gate; "
        "choice of ours, as the published penalty was not in the loss.",
        least=0,
    )
    temperature: float = option(
        0.6666667,
        "Width β of the random gates, which are 0 or 1 where it is small. 2/3 is that of Louizos et al.; the published "
        "1/50 hardly lets the data move a gate (30 % against 61 % sparse after 120 epochs, at a larger error).",
        above=0,
    )
    variant: Literal["corrected", "published"] = option(
        "corrected",
        "`published` has no penalty on open gates, β = 1/50, evaluates with randomly drawn gates, and v learns no "
        "faster than the rest.",
    )

    @property
    def width(self) -> float:
        """β of the variant."""
        return self.published_temperature if self.variant == "published" else self.temperature

    def raw_shapes(self, shapes):
        """Return the names and shapes of the field, and those of log α, one for every column of a matrix."""
        return {**shapes, **{_gate(name): shapes[name][1:] for name in matrices(shapes)}}

    def raw_start(self, rng, field, weights):
        """Return He's normal start of the matrices, biases (the names with b) of zero, and log α as published."""
        start = {name: 0 * part if name.startswith("b") else part for name, part in weights.items()}
        shapes = {name: part.shape for name, part in weights.items()}
        first = {chain[0] for chain in field.chains(shapes)}
        for name in matrices(shapes):
            inputs = shapes[name][1]
            start[name] = rng.normal(0, math.sqrt(2 / inputs), shapes[name])
            closed = CLOSED_FIRST if name in first else CLOSED_LATER
            start[_gate(name)] = rng.normal(math.log((1 - closed) / closed), 0.01, inputs)
        return start

    def rate_factors(self, factors, pruned):
        """Return the learning-rate factors of single parameters; as published there are none."""
        return {} if self.variant == "published" else factors

    def noise(self, rng, shapes):
        """Return u, uniform in (0, 1), for every gate."""
        return {_gate(name): rng.uniform(SMALLEST, 1 - SMALLEST, shapes[name][1]) for name in matrices(shapes)}

    def parameters(self, raw, noise):
        """Return the weights with every column multiplied by its gate."""
        gates = self.opened(raw, noise)
        return {
            name: part * gates[name][:, None] if name in gates else part
            for name, part in raw.items()
            if not name.startswith("gate_")
        }

    def opened(self, raw, noise) -> dict:
        """Return the gates z (M, inputs) by the names of their matrices; without noise: as evaluated."""
        found = {}
        for name in matrices(raw):
            location = raw[_gate(name)]
            if noise is None and self.variant == "corrected":
                opening = location.sigmoid()  # as Louizos et al. 2018 evaluate
            else:
                uniform = _pseudorandom(location) if noise is None else noise[_gate(name)]
                opening = ((uniform.logit() + location) / self.width).sigmoid()
            found[name] = (opening * (UPPER - LOWER) + LOWER).clamp(0, 1)
        return found

    def penalty(self, raw, parameters, update):
        """Return λ₀ times the expected fraction of weights behind open gates (M,); nothing as published."""
        names = matrices(raw)
        if self.variant == "published" or not self.lambda0:
            return raw[_gate(names[0])].new_zeros(len(raw[_gate(names[0])]))
        shift = self.width * math.log(-LOWER / UPPER)
        open_weights = sum((raw[_gate(name)] - shift).sigmoid().sum(1) * raw[name].shape[1] for name in names)
        return self.lambda0 * open_weights / sum(raw[name][0].numel() for name in names)


def matrices(named) -> list[str]:
    """Return the names of the matrices among shapes {name: shape}, or among raw parameters {name: (M, *shape)}."""
    return [name for name, one in named.items() if (len(one) if isinstance(one, tuple) else one.ndim - 1) == 2]


def _gate(name: str) -> str:
    return f"gate_{name}"


def _pseudorandom(location):
    """Return pseudo-random u for gates that are drawn in evaluation, from the insignificant digits of log α.

    So models, units and epochs have different draws, and a repeated evaluation gives the same result.
    """
    return (1e4 * location).frac().abs().clamp(SMALLEST, 1 - SMALLEST)
