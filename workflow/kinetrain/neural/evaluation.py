"""Evaluation of trained models: one-step errors, dead targets, and why a training diverged."""

import dataclasses
import math

import numpy as np
import pandas as pd
import torch

from kinetrain.networks import effects
from kinetrain.neural.run import Run
from kinetrain.neural.state import State


def run_table(run: Run, state: State, history) -> pd.DataFrame:
    """Return a row per model with its errors, epochs, costs and status; `run.values` are with noise."""
    clean = np.broadcast_to(run.expression.values, run.values.shape)
    targets, share = dead_targets(run, state, clean)
    return pd.DataFrame(
        {
            "seed": run.seeds,
            "multipliers": run.options.multipliers,
            "uses_prior": "yes" if run.method.uses_prior else "no",
            "test_mse": test_error(run, state, clean),
            "dead_targets": targets,
            "dead_error_share": share,
            "test_mse_noisy": test_error(run, state, run.values),
            "validation_mse": np.where(state.failed, np.nan, state.kept_validation),
            "epochs": state.best_epoch,
            "kept_epoch": state.kept_epoch,
            "stopped_epoch": state.stopped_epoch,
            "rewound_epoch": state.rewound_epoch,
            "cpu_seconds": state.cpu_seconds.round(3),
            "pair_solves": state.pair_solves,
            "updates": state.updates,
            "learning_rate": run.options.learning_rate,
            "status": np.where(state.failed, "failed", np.where(state.diverged, "diverged", "finished")),
            "reason": reasons(run, state, history),
        }
    )


def best_models(run: Run, state: State) -> dict[str, np.ndarray]:
    """Return the weights {name: (M, *shape)} of the epochs that are kept; those of failed models are NaN."""
    rows = np.where(state.failed[:, None], np.float32(np.nan), state.kept_weights)
    return {name: part.cpu().numpy() for name, part in run.evaluated(rows).items()}


def squared_errors(run: Run, parameters, split: str, members, steps) -> torch.Tensor:
    """Return the squared one-step errors (M, N, k) of all transitions of a split, for models of given parameters.

    steps: of the longest training transition; longer transitions take more, so that no step is longer.
    """
    start, end, duration = run.transitions(split, members)
    times = max(1, math.ceil(run.longest[split] / run.longest["train"]))
    with torch.no_grad():
        predicted = run.integrator.predict(run.field, parameters, start, duration, (times * steps).tolist())
        return (predicted - end).square()


def mean_errors(run: Run, parameters, split: str, members, steps) -> np.ndarray:
    """Return the mean over genes (M, N) of `squared_errors`."""
    return squared_errors(run, parameters, split, members, steps).mean(dim=2).double().cpu().numpy()


def test_error(run: Run, state: State, values: np.ndarray) -> np.ndarray:
    """Return the mean squared one-step error (M,) on the test transitions, with `values` (M, R, T, k) as expression.

    NaN for failed models and where no transitions are held out for the test.
    """
    return _test_squares(run, state, values).mean(dim=2).double().numpy().mean(axis=1)


def dead_targets(run: Run, state: State, values: np.ndarray):
    """Return the numbers (M,) of dead genes that are no constant inputs, and their share (M,) of the test error.

    A dead gene never changes, which is right for an input that is constant in the data, and wrong for all others. NaN
    for failed models and for fields without multipliers, the share also without a test. `values` as in `test_error`.
    """
    models, failed = best_models(run, state), state.failed
    if "v" not in models:
        return np.full((2, len(failed)), np.nan)
    targets = effects.dead(models) & run.expression.changing
    squares = _test_squares(run, state, values).double().numpy().sum(axis=1)
    shares = (squares * targets).sum(axis=1) / squares.sum(axis=1)
    return np.where(failed, np.nan, targets.sum(axis=1)), shares


def _test_squares(run: Run, state: State, values) -> torch.Tensor:
    """Return the squared one-step errors (M, N, k) on the test transitions, one of NaN where there are none."""
    count, genes = len(run.expression.of("test")), len(run.expression.genes)
    squares = torch.full((len(run.seeds), max(1, count), genes), torch.nan)
    shown = dataclasses.replace(run, values=values)
    members = np.flatnonzero(~state.failed) if count else np.array([], int)
    for group in run.groups(members[np.argsort(-state.kept_steps[members], kind="stable")]):
        parameters = run.evaluated(state.kept_weights[group])
        squares[group] = squared_errors(shown, parameters, "test", group, 2 * state.kept_steps[group]).cpu()
    return squares


def reasons(run: Run, state: State, history) -> list[str]:
    """Return for every model that diverged why its training ended, in one line; "" for the others."""
    longest = run.longest["train"] * run.expression.time_scale
    unit = run.expression.time_unit
    found = [""] * len(run.seeds)
    for model in np.flatnonzero(state.diverged):
        _, epoch, train_loss, _, _, _, steps = history[history[:, 0] == model][-1]
        which = "validation" if np.isfinite(train_loss) else "training"
        found[model] = (
            f"epoch {epoch:.0f}: the {which} loss is not finite with {steps:.0f} solver steps (longest transition "
            f"{longest:g}, unit {unit}); remove outliers, lower learning_rate, or set longest_interval"
        )
    return found
