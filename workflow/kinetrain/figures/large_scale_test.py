"""Figure: ensembles on held-out data."""

from kinetrain.figures.large_scale import draw

__all__ = ["draw"]
