"""Optimizers: mini-batch and full-batch training of any fit problem."""
