"""Model selection after every epoch: the best model, the one that is kept, and which models stop or rewind."""

import numpy as np

from kinetrain.neural.plateau import Plateau
from kinetrain.neural.run import Run
from kinetrain.neural.state import State


def assess_epoch(run: Run, state: State, members, epoch: int, train_loss, coarse, squares, sparsity) -> None:
    """Update the state by an epoch, in place: best model, learning rate, solver steps, models that stop or rewind."""
    options, fine = run.options, squares.mean(axis=1)
    diverged = ~(np.isfinite(train_loss) & np.isfinite(fine))
    plateau = Plateau(options.plateau_patience, options.plateau_threshold, options.minimum_learning_rate)
    kept = ("plateau_best", "plateau_waited", "rate")
    for name, value in zip(kept, plateau.step(fine, *(getattr(state, name)[members] for name in kept)), strict=True):
        getattr(state, name)[members] = value
    counted = ~diverged & (epoch >= run.first_counted)
    better = counted & (fine < state.best_validation[members])
    best = members[better]
    state.best_validation[best], state.best_epoch[best] = fine[better], epoch
    state.best_error[best] = _standard_error(run, squares)[better]
    if run.method.rewinds:
        state.best_mask[best] = state.mask[best]
    keep(state, members, epoch, counted, fine, sparsity * (options.keep == "sparsest"))
    deviation = np.abs(coarse - fine) / fine
    change = np.where(deviation > options.tolerances[0], 2, np.where(deviation < options.tolerances[1], -1, 0))
    state.steps[members] = np.maximum(1, state.steps[members] + change)
    since = np.maximum(np.maximum(state.best_epoch[members], run.first_counted - 1), state.rewound_epoch[members])
    late = epoch - since >= (options.patience_epochs or np.inf)
    if run.method.rewinds:
        ready = (state.rewound_epoch[members] == 0) & (late | (epoch >= round(options.rewind_by * options.epochs)))
        # no epoch would be left to train a model that is rewound after the last one
        ready &= ~diverged & (state.best_epoch[members] > 0) & (epoch < options.epochs)
        _rewind(run, state, members[ready], epoch)
        late &= state.rewound_epoch[members] == 0  # rewound models are trained to the last epoch
    state.diverged[members] = diverged
    # a model that diverges late keeps its best model from before
    state.failed[members] = diverged & (state.best_epoch[members] == 0)
    state.stopped_epoch[members[diverged | late]] = epoch


def keep(state: State, members, epoch: int, counted, fine, sparsity) -> None:
    """Keep models, in place: the sparsest whose validation error is within one standard error of the best.

    Among equally sparse models the best. A new best may replace the model that is kept.
    """
    best, kept = state.best_validation[members], state.kept_validation[members]
    allowed = best + np.where(sparsity > 0, state.best_error[members], 0)
    sparser = sparsity > state.kept_sparsity[members]
    equal = (sparsity == state.kept_sparsity[members]) & (fine < kept)
    chosen = counted & (fine <= allowed) & (sparser | equal | (kept > allowed))
    kept = members[chosen]
    state.kept_validation[kept], state.kept_sparsity[kept] = fine[chosen], sparsity[chosen]
    state.kept_epoch[kept], state.kept_steps[kept] = epoch, state.steps[kept]
    state.kept_weights[kept] = state.weights[kept]


def _standard_error(run: Run, squares) -> np.ndarray:
    """Return the standard error (M,) of the mean of validation errors (M, N): over trajectories where there are some,
    over transitions elsewhere."""
    trajectory = run.expression.of("validation")[:, 0]
    known = np.unique(trajectory)
    parts = (
        np.stack([squares[:, trajectory == one].mean(axis=1) for one in known], axis=1) if len(known) > 1 else squares
    )
    return parts.std(axis=1, ddof=1) / np.sqrt(parts.shape[1]) if parts.shape[1] > 1 else np.zeros(len(squares))


def _rewind(run: Run, state: State, members, epoch: int) -> None:
    """Reset models to their start, in place, with the mask of their best epoch; they are not pruned any more."""
    for model in members:
        state.mask[model] = state.best_mask[model]
        state.weights[model] = run.start_row(run.seeds[model]) * state.mask[model]
    state.first[members] = state.second[members] = 0
    state.updates[members], state.rewound_epoch[members] = 0, epoch
    state.rate[members] = run.options.learning_rate
    state.plateau_best[members], state.plateau_waited[members] = np.inf, 0
    state.best_validation[members], state.best_epoch[members] = np.inf, 0
    state.kept_validation[members], state.kept_sparsity[members] = np.inf, 0
    state.steps[members] = run.options.steps
