"""PEtab problems as fit problems: reading, compilation, engines (AMICI, kinetics kernel), artificial data."""
