"""Vector fields, integrators, trajectories, and the gene network that the embedded data come from."""
