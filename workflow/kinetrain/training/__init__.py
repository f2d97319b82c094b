"""Optimizers: mini-batch and full-batch training of anything that is a sum over conditions."""
