"""Training and pruning of dynamic models of cells: numerics only, without any workflow."""
