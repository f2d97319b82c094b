"""Snapshots of a training: the support of every model at the end of each segment between pruning events."""

import numpy as np

from kinetrain.networks import effects, packed

# the columns of a snapshot
PATH = ("model", "epoch", "sparsity", "mask_sparsity", "validation_mse")


def sparsity(run, parameters, measure=effects.mask_sparsity) -> np.ndarray:
    """Return the sparsity (M,) of every model, by one of the measures of `effects`."""
    weights = {name: part.cpu().numpy() for name, part in parameters.items()}
    chains = run.field.chains(run.shapes)
    models = ({name: part[model] for name, part in weights.items()} for model in range(len(weights[chains[0][0]])))
    return np.array([measure(model, chains) for model in models])


def add_snapshot(run, path, members, epoch: int, validation, parameters, mask_sparsity) -> None:
    """Append the supports of the models to the path, in place."""
    columns = (sparsity(run, parameters, effects.sparsity), mask_sparsity, validation)
    path["rows"] += [(int(m), epoch, *map(float, row)) for m, *row in zip(members, *columns, strict=True)]
    names = effects.names_behind(run.field.chains(run.shapes), parameters)
    present = {name: parameters[name] != 0 for name in names} | (
        {"v": ~effects.dead(parameters)} if "v" in names else {}
    )
    for model in range(len(mask_sparsity)):
        path["supports"].append(packed.pack({name: part[model].cpu() for name, part in present.items()}))


def complete(run, path) -> dict[str, np.ndarray]:
    """Return the path as arrays over models and snapshots; a model that stopped earlier repeats its last support.

    epochs (E,), support and support_bytes (M, E) as of `packed`; sparsity, mask_sparsity and validation_mse (M, E), the
    last NaN for repeated supports.
    """
    epochs = run.snapshot_epochs
    found = {row[:2]: (row[2:], support) for row, support in zip(path["rows"], path["supports"], strict=True)}
    shapes = run.shapes
    names = effects.names_behind(run.field.chains(shapes), shapes)
    # of a model that failed before its first snapshot
    nothing = (np.nan, np.nan, np.nan), packed.pack({name: np.zeros(shapes[name], dtype=bool) for name in names})
    rows, supports = [], []
    for model in range(len(run.seeds)):
        last = nothing
        for epoch in epochs:
            (sparsity, mask_sparsity, _), support = last
            last = found.get((model, epoch), ((sparsity, mask_sparsity, np.nan), support))
            rows.append(last[0])
            supports.append(last[1])
    shape = len(run.seeds), len(epochs)
    columns = np.array(rows).reshape(*shape, 3)
    named = {name: columns[..., at] for at, name in enumerate(PATH[2:])}
    arrays = packed.as_arrays(supports)
    return {"epochs": np.array(epochs), **arrays, "support_bytes": arrays["support_bytes"].reshape(shape), **named}
