"""Yardsticks: ordinary network inference on the data that the neural models are trained on.

A yardstick is a file of this room with a function `infer`, and LABEL, REFERENCE, USES_PRIOR and MOST_WORK; a new one
is a new file. Tables, figures and findings take it in by itself.
"""
