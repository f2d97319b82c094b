"""Which weights a network may lose: one file per method, and the schedule that all methods share."""
