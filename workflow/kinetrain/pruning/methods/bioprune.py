"""BioPrune: prune by prior knowledge alone, the weights are ignored (DASH with every λ = 1)."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from kinetrain.options import option
from kinetrain.pruning import method
from kinetrain.pruning.methods import dash

LABEL, COLOUR, MARKER, PLACE = "BioPrune", "#E69F00", "D", 13


@dataclass(frozen=True)
class Method(method.Method):
    """Removes the weights that the prior supports least."""

    uses_prior: ClassVar[bool] = True
    prunes: ClassVar[bool] = True

    variant: Literal["corrected", "published"] = option(
        "corrected",
        "`published` solves without a ridge, and after the first event lets U_P learn five times as fast instead of "
        "the multipliers v; the scale of the scores, in which it differs too, decides nothing here.",
    )

    def start_memory(self, rng, field, shapes):
        """Return random scores, those of DASH."""
        return dash.random_scores(rng, field, shapes)

    def rate_factors(self, factors, pruned):
        """Return the learning-rate factors of single parameters, as DASH does."""
        return dash.published_factors(factors, pruned, self.variant)

    def scores(self, event):
        """Return the scores of DASH with λ = 1 in all layers, {matrix: array}, and the memory for the next event."""
        layers = max(map(len, event.field.chains({name: part.shape for name, part in event.weights.items()})))
        return dash.mixed_scores(event, (1.0,) * layers, self.variant)
