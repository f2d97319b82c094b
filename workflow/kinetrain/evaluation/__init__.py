"""Scores, contrasts, claims and findings: computed from result tables, for figures and the report."""
