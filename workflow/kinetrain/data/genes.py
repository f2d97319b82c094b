"""Gene names, and their positions in an expression data set."""

import re
import warnings
from pathlib import Path

import numpy as np

from kinetrain.data.text import first_row, read_table, refuse_repeated
from kinetrain.errors import InputError, InputWarning

# Names of columns of times and labels: in small letters, without marks between words, and without ENDS.
NO_GENES = {"time", "timepoint", "pseudotime", "hour", "minute", "day", "trajectory", "replicate", "rep", "sample"}
NO_GENES |= {"serie", "experiment", "condition", "batch", "cell", "celltype", "cluster", "barcode", "lineage", "index"}
NO_GENES |= {"patient", "donor", "subject", "individual", "animal", "treatment", "group", "dose", "plate", "well"}
NO_GENES |= {"ncount", "ngene", "ngenesbycount", "totalcount", "ncountrna", "nfeaturerna", "percentmt", "pctcountsmt"}
NO_GENES |= {"id", "umap1", "umap2", "tsne1", "tsne2", "sizefactor"}
NO_GENES |= {"strain", "cellline", "seconds", "mins", "hrs", "geoaccession"}
ENDS = "", "s", "id", "ids", "name"
TIMES = re.compile(
    r".*pseudotime\d*|(lineage|trajectory|replicate)\d+|time(\d+|s|sec|mins?|minutes?|h|hrs?|hours?|d|days?)"
)
# What programs that count reads (HTSeq, STAR) write among the genes.
COUNTERS = re.compile(r"__\w+|N_(unmapped|multimapping|noFeature|ambiguous)")
# Names of the column of genes in tables of one row per sample and gene.
GENES = {
    "gene",
    "genesymbol",
    "symbol",
    "feature",
    "transcript",
    "variable",
    "probe",
    "probeset",
    "ensembl",
    "ensemblgene",
}
HEADERS = GENES | {"x", "name", "id", "node", "orf", "locus", "locustag", "entrez", "identifier"}  # of lists of genes
# What spreadsheets make of names such as MARCH1 or SEPT2, and of identifiers such as 2310009E13.
MONTH = "(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
DATES = rf"\d\d?[-. ]{MONTH}", rf"{MONTH}-\d\d", r"\d{4}-\d\d-\d\d( .*)?", r"\d\d?[./]\d\d?[./]\d{2,4}"
DATE = re.compile("|".join([*DATES, r"\d(\.\d+)?e\+\d+"]), re.IGNORECASE)
VERSIONED = re.compile(r"([A-Za-z]{2}[A-Za-z_]*\d{5,})\.\d+")  # ENSG00000141510.5, NM_000546.6
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


def alike(names, genes) -> dict[str, str]:
    """Return the gene of each of the `names`, which are none, that differs by capitals, marks or version alone."""
    known = {_spelling(gene): gene for gene in reversed(list(gene_positions(genes)))}
    return {name: known[_spelling(name)] for name in names if _spelling(name) in known}


def about_alike(found: dict[str, str]) -> str:
    """Return a hint for a message about names that are `alike` to genes."""
    if not found:
        return ""
    pairs = ", ".join(f"{name} ({gene})" for name, gene in list(found.items())[:5])
    return f"; {len(found)} differ from genes of the data by capitals, marks or a version alone: {pairs}"


def _spelling(name: str) -> str:
    """Return a name without what databases write differently: capitals, marks, the version of an identifier."""
    versioned = VERSIONED.fullmatch(name)
    return _plain(versioned[1] if versioned else name)


def is_label(name: str) -> bool:
    """Return whether a column has a name of columns of times and labels."""
    plain = _plain(name)
    return _is_among(plain, NO_GENES) or bool(TIMES.fullmatch(plain))


def names_genes(name: str) -> bool:
    """Return whether a column has a name of columns that hold names of genes."""
    return _is_among(_plain(name), GENES)


def _plain(name: str) -> str:
    """Return a name in small letters, without the marks between its words."""
    return re.sub(r"[\W_]", "", name.lower())


def _is_among(plain: str, names: set[str]) -> bool:
    return any(plain.removesuffix(end) in names for end in ENDS)


def warn_of_dates(path, names) -> None:
    """Warn of names of genes that a spreadsheet has turned into dates or numbers: nothing else calls them so."""
    if found := [name for name in dict.fromkeys(map(str, names)) if DATE.fullmatch(name)]:
        warnings.warn(
            f"{path}: {len(found)} gene names look like dates or numbers that a spreadsheet made of names: "
            f"{', '.join(found[:5])}; correct them, or other files will not find these genes",
            InputWarning,
            stacklevel=3,
        )


def read_gene_names(path, known=(), count: int | None = None) -> list[str]:
    """Return the gene names in the first column of a text table, below its header.

    A file has no header if its first line is one of the `known` names of the data, or if its lines are as many as the
    `count` of genes that are needed and the first is none of the usual HEADERS.

    Raises
    ------
    InputError
        If the file is missing, holds no gene, or one of its names is empty or occurs twice.
    """
    header, names = first_row(path)[0], read_table(path, text=None).iloc[:, 0]
    if len(names) and (bad := np.flatnonzero(names.isna())).size:
        raise InputError(f"{path}: row {names.index[bad[0]]} has no gene name in its first column")
    names = names.tolist()
    is_header = _is_among(_plain(header), HEADERS)  # else a list that lacks a gene would have all others one too early
    if header in known or (count == len(names) + 1 and not is_header):
        warnings.warn(f"{path}: has no header, its first gene is '{header}'", InputWarning, stacklevel=2)
        names = [header, *names]
    elif not is_header:
        what = f"its first line, '{header}', is taken for the header, not for a gene"
        warnings.warn(f"{path}: {what}", InputWarning, stacklevel=2)
    if not names:
        raise InputError(f"{path}: no gene names (expected a header line and one gene per line)")
    refuse_repeated(path, names, "gene")
    warn_of_dates(path, names)
    return names


def gene_names(genes, known=(), count: int | None = None) -> list[str]:
    """Return the names that `genes` holds, or those in the file that it is the path of, as `read_gene_names` does."""
    return read_gene_names(genes, known, count) if isinstance(genes, str | Path) else list(genes)
