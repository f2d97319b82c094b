"""Gene names, and their positions in an expression data set."""

import warnings
from pathlib import Path

import numpy as np

from kinetrain.data.text import first_row, read_table, refuse_repeated
from kinetrain.errors import InputError, InputWarning

SEVERAL = "///"  # joins the names of genes that one probe measures together


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


def read_gene_names(path, known=(), count: int | None = None) -> list[str]:
    """Return the gene names in the first column of a text table, below its header.

    A file has no header if its first line is one of the `known` names of the data, or if its lines are as many as the
    `count` of genes that are needed.

    Raises
    ------
    InputError
        If the file is missing, holds no gene, or one of its names is empty or occurs twice.
    """
    header, names = first_row(path)[0], read_table(path, text=None).iloc[:, 0]
    if len(names) and (bad := np.flatnonzero(names.isna())).size:
        raise InputError(f"{path}: row {names.index[bad[0]]} has no gene name in its first column")
    names = names.tolist()
    if header in known or count == len(names) + 1:
        warnings.warn(f"{path}: has no header, its first gene is '{header}'", InputWarning, stacklevel=2)
        names = [header, *names]
    if not names:
        raise InputError(f"{path}: no gene names (expected a header line and one gene per line)")
    refuse_repeated(path, names, "gene")
    return names


def gene_names(genes, known=(), count: int | None = None) -> list[str]:
    """Return the names that `genes` holds, or those in the file that it is the path of, as `read_gene_names` does."""
    return read_gene_names(genes, known, count) if isinstance(genes, str | Path) else list(genes)
