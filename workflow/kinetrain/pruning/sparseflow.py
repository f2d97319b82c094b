"""SparseFlow: prune by the magnitude of the weights alone (Liebenwein et al. 2021; DASH with λ = 0)."""

from kinetrain.pruning.magnitude import normalised_magnitudes

PRUNES = True
USES_PRIOR = False


def scores(weights, prior, memory, options):
    """Return the score of every prunable weight, {name: array}, and the memory for the next event (none)."""
    return normalised_magnitudes(weights), memory
