"""Neural vector fields, their integrators, and the training loop."""
