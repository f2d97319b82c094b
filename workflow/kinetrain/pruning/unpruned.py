"""No pruning: the dense model, against which all others are compared."""

PRUNES = False
USES_PRIOR = False
