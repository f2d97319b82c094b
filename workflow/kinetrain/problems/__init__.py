"""Fit problems as sums over conditions: PEtab models simulated by AMICI, artificial data, and what evaluations cost."""
