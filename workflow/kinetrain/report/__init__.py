"""The report: HTML tables and one self-contained page."""
