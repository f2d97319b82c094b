"""PEtab problems as sums over conditions: reading, compilation, solving by AMICI, artificial data."""
