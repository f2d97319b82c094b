"""Figure: ensembles on the data that they were fitted to."""

from kinetrain.figures.large_scale import draw

__all__ = ["draw"]
