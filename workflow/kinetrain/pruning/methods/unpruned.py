"""No pruning: the dense model, against which all others are compared."""

from dataclasses import dataclass

from kinetrain.pruning import method

LABEL, COLOUR, MARKER, PLACE = "Unpruned", "#777777", "o", 1


@dataclass(frozen=True)
class Method(method.Method):
    """Trains on the data alone."""
