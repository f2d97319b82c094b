"""Figures, one file each: FIGURE, `tabulate(...)` and `draw(table) -> Figure`. A new file is a new figure."""
