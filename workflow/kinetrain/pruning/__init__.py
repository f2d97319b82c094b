"""Pruning: which weights are removed (one file per method), and when (the schedule that all methods share)."""
