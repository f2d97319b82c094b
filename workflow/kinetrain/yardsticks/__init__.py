"""Yardsticks: ordinary network inference on the data that the neural models are trained on.

A new yardstick is a new file in `methods`; tables, figures and findings include it without further changes.
"""
