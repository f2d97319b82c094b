"""The influence of each gene on all others in a trained model (Hossain et al. 2024, B.8)."""

import torch

from kinetrain.neural.integrators import fused

TIMES = 9  # outputs at 0.1, 0.2, ..., 0.9 units of the model's time
INTERVAL = 0.1


def initial_range(values: torch.Tensor, initial: str) -> torch.Tensor:
    """Return the lowest and highest initial value of every gene (2, k), given all observed `values` (n, k).

    `published` is (−½, ½) as in the authors' code, which no expression data fill: models trained on small values can
    diverge from there. `observed`, a choice of ours, is what the gene was seen to do.
    """
    if initial == "published":
        return torch.tensor([[-0.5], [0.5]], dtype=values.dtype).expand(2, values.shape[1])
    return torch.stack([values.amin(0), values.amax(0)])


def influence(field, parameters, regulators, bounds, vectors: int, steps: int, seed: int, rows=1024) -> torch.Tensor:
    """Return the influence (M, k) of every gene: the mean change of the other genes when it alone starts elsewhere.

    `vectors` random initial states, uniform between the `bounds` (2, k), are simulated as they are and with one gene
    redrawn; the absolute difference is averaged over them, over the times and over the other genes. It is NaN where a
    simulation diverges. Only genes that are `regulators` (M, k) of a model are redrawn: no other can change any gene
    but itself, and has the influence 0. `rows` states at a time.
    """
    genes = bounds.shape[1]
    generator = torch.Generator().manual_seed(seed)
    draws = torch.rand((2, vectors, genes), generator=generator, dtype=bounds.dtype)
    original, redrawn = bounds[0] + draws * (bounds[1] - bounds[0])
    scores = torch.zeros(regulators.shape, dtype=next(iter(parameters.values())).dtype)
    for model, acting in enumerate(regulators):
        own = {name: tensor[model : model + 1] for name, tensor in parameters.items()}
        reference = torch.stack(list(_path(field, own, original, steps)))
        if not reference.isfinite().all():
            scores[model] = torch.nan
            continue
        for chunk in torch.nonzero(acting)[:, 0].split(max(1, rows // vectors)):
            start = original.repeat(len(chunk), 1, 1)
            start[torch.arange(len(chunk)), :, chunk] = redrawn[:, chunk].T
            scores[model, chunk] = _mean_change(field, own, start, reference, chunk, steps)
    return scores


def _path(field, parameters, start, steps):
    """Yield the states (B, k) at the TIMES that follow the rows `start` (B, k) under one model."""
    state = start.to(next(iter(parameters.values())).dtype)[None]
    duration = torch.full(state.shape[:2], INTERVAL, dtype=state.dtype)
    for _ in range(TIMES):
        state = fused.predict(field, parameters, state, duration, [steps])
        yield state[0]


def _mean_change(field, parameters, start, reference, chunk, steps):
    """Return the influence (c,) of the genes `chunk` (c,), redrawn in the states `start` (c, R, k)."""
    change = torch.zeros(len(chunk), start.shape[2], dtype=reference.dtype)
    path = _path(field, parameters, start.flatten(0, 1), steps)
    for state, unchanged in zip(path, reference, strict=True):
        change += (state.unflatten(0, start.shape[:2]) - unchanged).abs_().mean(dim=1)
    change /= TIMES
    own = change[torch.arange(len(chunk)), chunk]
    return (change.sum(dim=1) - own) / (change.shape[1] - 1)
