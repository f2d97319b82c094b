"""Adam with both decays 0.9, so that both moments average over equally many steps (parPE)."""

from kinetrain.training.update_rules.adam_standard import adam

LABEL, COLOUR, PLACE = "Adam (balanced)", "#1F4E9E", 1


def direction(moments, gradient, t):
    """Return the direction of Adam and the new moments."""
    return adam(moments, gradient, t, 0.9)
