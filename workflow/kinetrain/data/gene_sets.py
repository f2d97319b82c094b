"""Readers of gene sets, and the genes of a model that each contains."""

import warnings

import numpy as np

from kinetrain.data.genes import about_alike, alike, gene_positions, warn_of_dates
from kinetrain.data.text import read_lines
from kinetrain.errors import InputError, InputWarning

PLANTED = "planted_hubs"  # the set of a random network that a method should find; the `decoy` sets it should not
NO_PATHWAY = {"GO:0008150", "other", "not_yet_annotated"}  # the root of the GO processes and what fits nowhere


def read_gene_sets(path) -> dict[str, list[str]]:
    """Return the gene sets of a GMT file, or the biological processes of a GO slim mapping (.tab).

    GMT: one set per line, its name, a description and its genes, separated by tabs. GO slim mapping as the
    Saccharomyces Genome Database writes it: one gene and term per line (systematic name, gene name, identifier,
    aspect, term, GO identifier, type); only the aspect P (process) is read.

    Raises
    ------
    InputError
        If the file is missing, is not laid out so, or holds no set.
    """
    if ".gmx" in str(path).lower()[-7:]:
        raise InputError(f"{path}: GMX has one set per column: transpose it to GMT, one set per line")
    rows = enumerate(read_lines(path), start=1)
    lines = [
        (row, [cell.strip().strip('"').strip() for cell in line.split("\t")]) for row, line in rows if line.strip()
    ]
    is_slim = str(path).lower().removesuffix(".gz").endswith(".tab")
    sets = _go_slim(path, lines) if is_slim else _gmt(path, lines)
    if not sets:
        raise InputError(
            f"{path}: no gene sets{' of biological processes (.tab: a GO slim mapping)' if is_slim else ''}"
        )
    warn_of_dates(path, (gene for members in sets.values() for gene in members))
    return sets


def check_gene_sets(path, sets: dict[str, list[str]], genes, minimum_genes: int) -> None:
    """Raise InputError if no set has `minimum_genes` of the genes; warn of other spellings of genes in the sets."""
    known = gene_positions(genes)
    members = {gene for own in sets.values() for gene in own}
    hint = about_alike(alike(sorted(members - known.keys()), genes))
    if not any(len(known.keys() & own) >= minimum_genes for own in sets.values()):
        example, found = next(iter(sets.values())), len(members & known.keys())
        raise InputError(
            f"{path}: no gene set has {minimum_genes} or more of the genes ({found} of them occur in any of the "
            f"{len(sets)} sets); it names {', '.join(example[:3])}, the expression data "
            f"{', '.join(list(genes)[:3])}{hint}"
        )
    if hint:
        warnings.warn(f"{path}: genes that the data lack count for no set{hint}", InputWarning, stacklevel=2)


def membership(sets: dict[str, list[str]], genes, minimum_genes: int):
    """Return the names of the sets with at least `minimum_genes` of `genes`, and the (sets, k) matrix of 0 and 1."""
    from scipy import sparse  # which those who check a file need not have

    place = {gene: index for index, gene in enumerate(genes)}
    found = {name: sorted({place[gene] for gene in members if gene in place}) for name, members in sets.items()}
    found = {name: columns for name, columns in found.items() if len(columns) >= minimum_genes}
    rows = np.repeat(np.arange(len(found)), [len(columns) for columns in found.values()])
    columns = np.concatenate([*found.values(), []]).astype(int)
    return list(found), sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(found), len(place)))


def _gmt(path, lines) -> dict[str, list[str]]:
    sets = {}
    for number, fields in lines:
        if len(fields) < 3:
            raise InputError(
                f"{path}: line {number} has {len(fields)} tab-separated fields, expected name, description, genes"
            )
        if not fields[0]:
            raise InputError(f"{path}: line {number}: the set has no name")
        if fields[0] in sets:
            raise InputError(f"{path}: line {number}: the set '{fields[0]}' is given twice")
        sets[fields[0]] = [gene for gene in fields[2:] if gene]
    genes = {gene for members in sets.values() for gene in members}
    second = {fields[1] for _, fields in lines} - {""}
    if (named := second & genes) and 2 * len(named) >= len(second):
        warnings.warn(
            f"{path}: the second field of {len(named)} or more lines, such as '{min(named)}', is a gene of the sets: "
            "it is taken for the description of its set, not for a member",
            InputWarning,
            stacklevel=3,
        )
    return sets


def _go_slim(path, lines) -> dict[str, list[str]]:
    sets: dict[str, list[str]] = {}
    for number, fields in lines:
        if len(fields) < 6:
            raise InputError(
                f"{path}: line {number} has {len(fields)} tab-separated fields, expected gene .. GO identifier"
            )
        gene, _, _, aspect, term, identifier = fields[:6]
        if aspect == "P" and not {term, identifier} & NO_PATHWAY:
            sets.setdefault(term, []).append(gene)
    return sets
