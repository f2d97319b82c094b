"""Reader of cells with a pseudotime (AnnData)."""

from itertools import product

import numpy as np

from kinetrain.data.genes import gene_names
from kinetrain.data.samples import TRAJECTORY, check_genes, equal, in_order, trajectories
from kinetrain.data.text import as_numbers
from kinetrain.errors import InputError


def read_cells(path, genes, layout, samples):
    """Return genes, and times (T,) and values (T, k) of the trajectories of an AnnData file, in the order of time."""
    from anndata import read_h5ad  # takes a second, and only these files need it

    if samples is not None:
        raise InputError(f"{path}: the columns of obs hold what is known of its cells: leave expression.samples out")
    try:
        cells = read_h5ad(path)
    except Exception as error:  # anndata raises many kinds of exceptions on other HDF5 files
        reason = str(error).partition("\n")[0]
        raise InputError(f"{path}: not an AnnData file ({reason or type(error).__name__})") from None
    _check_layout(path, cells, layout)
    names = cells.var_names.astype(str).str.strip()
    genes = names.tolist() if genes is None else gene_names(genes, set(names))
    check_genes(path, genes, names.tolist(), "var_names")
    times = [_pseudotime(path, cells, clock, len(layout.clocks) > 1) for clock in layout.clocks]
    place = {name: index for index, name in enumerate(names)}
    values = (cells.X if layout.layer is None else cells.layers[layout.layer])[:, [place[gene] for gene in genes]]
    if values.dtype.kind == "b":
        raise InputError(f"{path}: holds truth values, no expression")
    values = np.asarray(values.toarray() if hasattr(values, "toarray") else values, float)
    if not np.isfinite(values).all():
        cell, gene = np.argwhere(~np.isfinite(values))[0]
        raise InputError(f"{path}: cell '{cells.obs_names[cell]}' has no finite value for gene '{genes[gene]}'")
    labels = [*layout.labels] or [name for name in (TRAJECTORY,) if name in cells.obs.columns]
    for label in labels:
        if (lacking := cells.obs[label].isna()).any():
            raise InputError(
                f"{path}: cell '{cells.obs_names[lacking][0]}' has no trajectory ('{label}'): leave such cells out"
            )
    found = trajectories(path, times, equal(path, cells.obs[labels]) if labels else None, values)
    return genes, in_order(found)


def _check_layout(path, cells, layout) -> None:
    """Raise InputError unless the cells have the columns, and the layer or matrix, that the layout names."""
    for key, column in (*product(["time"], layout.clocks), *product(["trajectory"], layout.labels)):
        if column not in cells.obs.columns:
            columns = ", ".join(map(str, cells.obs.columns)) or "none"
            raise InputError(f"{path}: expression.{key} is '{column}', but the columns of obs are {columns}")
    if layout.layer is not None and layout.layer not in cells.layers:
        layers = ", ".join(name for name in cells.layers if name) or "none"  # anndata 0.13 lists X too, as None
        raise InputError(f"{path}: expression.layer is '{layout.layer}', but the layers are {layers}")
    if layout.layer is None and cells.X is None:
        raise InputError(f"{path}: has no matrix X: name one of its layers (expression.layer)")
    if layout.metadata:
        raise InputError(f"{path}: expression.metadata is for tables; what is no gene stands in obs, leave it out")


def _pseudotime(path, cells, column, lineages: bool) -> np.ndarray:
    """Return the times (cells,) in a column of the observations; InputError unless all are finite numbers.

    Where there are several `lineages`, cells may have no time in this one.
    """
    given = cells.obs[column].astype(object)
    times = as_numbers(given)[0]
    unknown = np.flatnonzero(~np.isfinite(times) & ~(lineages & given.isna().to_numpy()))
    if len(unknown):
        raise InputError(
            f"{path}: '{column}' (expression.time) is no finite number for {len(unknown)} of {len(times)} cells, "
            f"the first is '{cells.obs_names[unknown[0]]}' ({given.iloc[unknown[0]]}): write numbers alone (their unit "
            "under expression.time_unit), leave such cells out, or name the columns of all lineages in a list"
        )
    return times
