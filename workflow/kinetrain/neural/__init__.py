"""Neural ODEs: vector fields, integrators, and the training loop."""
