"""Snapshots of a training: the edges of every model at the end of each segment between pruning events."""

import numpy as np

from kinetrain.networks import effects, packed

ROWS = 1024  # targets at a time, a multiple of 8: the products of all would take gigabytes with many genes
# the columns of a snapshot
PATH = ("model", "epoch", "sparsity", "mask_sparsity", "validation_mse")


def sparsity(run, parameters, measure=effects.mask_sparsity) -> np.ndarray:
    """Return the sparsity (M,) of every model, by one of the measures of `effects`."""
    weights = {name: part.cpu().numpy() for name, part in parameters.items()}
    chains = run.field.chains(run.shapes)
    models = ({name: part[model] for name, part in weights.items()} for model in range(len(weights[chains[0][0]])))
    return np.array([measure(model, chains) for model in models])


def add_snapshot(run, path, members, epoch: int, validation, parameters, mask_sparsity) -> None:
    """Append the networks of the models to the path, in place."""
    columns = (sparsity(run, parameters, effects.sparsity), mask_sparsity, validation)
    path["rows"] += [(int(m), epoch, *map(float, row)) for m, *row in zip(members, *columns, strict=True)]
    path["edges"] += [_network(run, parameters, model) for model in range(len(mask_sparsity))]


def _network(run, parameters, model: int) -> bytes:
    """Return where paths of non-zero weights lead from a regulator to a target (`packed.pack`), of one model."""
    present = {name: (part[model] != 0).float() for name, part in parameters.items()}
    alive = ~effects.dead(parameters)[model] if "v" in parameters else None
    genes = len(run.expression.genes)
    branches = []
    for *before, last in run.field.chains(run.shapes):  # nothing before: a field of one matrix, from gene to gene
        product = present[before[0]] if before else None
        for name in before[1:]:
            product = present[name] @ product
        branches.append((present[last], product))
    bits = []
    for begin in range(0, genes, ROWS):
        targets = slice(begin, begin + ROWS)
        paths = [last[targets] if product is None else last[targets] @ product for last, product in branches]
        found = sum(paths) > 0
        if alive is not None:
            found &= alive[targets, None]
        bits.append(np.packbits(found.cpu().numpy()))
    return packed.pack(np.concatenate(bits))


def complete(run, path) -> dict[str, np.ndarray]:
    """Return the path as arrays over models and snapshots; a model that stopped earlier repeats its last network.

    epochs (E,), edges and edge_bytes (M, E) as of `packed`; sparsity, mask_sparsity and validation_mse (M, E), the last
    NaN for repeated networks.
    """
    epochs = run.snapshot_epochs
    found = {row[:2]: (row[2:], edges) for row, edges in zip(path["rows"], path["edges"], strict=True)}
    no_edges = packed.pack(np.packbits(np.zeros(len(run.expression.genes) ** 2, bool)))
    nothing = (np.nan, np.nan, np.nan), no_edges  # of a model that failed before its first snapshot
    rows, edges = [], []
    for model in range(len(run.seeds)):
        last = nothing
        for epoch in epochs:
            (sparsity, mask_sparsity, _), network = last
            last = found.get((model, epoch), ((sparsity, mask_sparsity, np.nan), network))
            rows.append(last[0])
            edges.append(last[1])
    shape = len(run.seeds), len(epochs)
    columns = np.array(rows).reshape(*shape, 3)
    named = {name: columns[..., at] for at, name in enumerate(PATH[2:])}
    networks = packed.as_arrays(edges)
    return {"epochs": np.array(epochs), **networks, "edge_bytes": networks["edge_bytes"].reshape(shape), **named}
