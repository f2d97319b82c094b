"""Training and pruning of ODE models of cells: the library, without any workflow."""
