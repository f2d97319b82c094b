"""Gene names and where they stand in an expression data set."""

import pandas as pd

from kinetrain.data.text import separator
from kinetrain.errors import InputError

SEVERAL = "///"  # joins the names of genes that one probe cannot tell apart


def split_names(name: str) -> list[str]:
    """Return the single gene names in `name`: "A /// B" is A and B."""
    return [part.strip() for part in name.split(SEVERAL) if part.strip()]


def gene_positions(genes) -> dict[str, list[int]]:
    """Return for every gene name the positions at which it stands in `genes`.

    A probe "A /// B" is found under its full name, under A and under B; a gene measured by several probes has
    several positions.
    """
    positions: dict[str, list[int]] = {}
    for index, gene in enumerate(genes):
        for name in dict.fromkeys([gene, *split_names(gene)]):
            positions.setdefault(name, []).append(index)
    return positions


def header_note(count: int, genes) -> str:
    """Return what to add to a message about `count` expected genes where the file of names may lack its header."""
    return " (the first line of the file of names is taken as the header)" if count == len(genes) + 1 else ""


def read_gene_names(path) -> list[str]:
    """Return the first column of a table of gene names with one header line (CSV or TSV).

    Raises
    ------
    InputError
        If the file is missing, holds no gene, or one of its names is empty or occurs twice.
    """
    table = pd.read_csv(path, sep=separator(path), dtype=str, keep_default_na=False)
    names = [name.strip() for name in table.iloc[:, 0]]
    if not names:
        raise InputError(f"{path}: no gene names (expected a header line and one gene per line)")
    if "" in names:
        raise InputError(f"{path}: row {names.index('') + 2} has no gene name in its first column")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"{path}: gene '{twice}' is named more than once")
    return names
