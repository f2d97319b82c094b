"""Starting points of a PEtab problem: uniform in its bounds, or by the initialization priors of version 1."""

from functools import partial

import numpy as np
import pandas as pd
from petab.v1 import scale as to_scale
from petab.v1.priors import Prior

from kinetrain.errors import InputError
from kinetrain.mechanistic.parameter_priors import prior_numbers

KINDS = ["uniform", "normal", "laplace", "logNormal", "logLaplace"]
KINDS += [f"parameterScale{kind.capitalize()}" for kind in KINDS[:3]]


def scaled(table, column) -> np.ndarray:
    """Return a column of the parameter table on each parameter's scale."""
    values = table[column].to_numpy(float)
    with np.errstate(divide="ignore"):  # zero on a logarithmic scale
        return np.array([to_scale(value, on) for on, value in zip(table["parameterScale"], values, strict=True)])


def nominal_values(table, lower, upper) -> np.ndarray:
    """Return the nominal values (n,) on the parameters' scales; the middle of these bounds where there is none."""
    nominal = scaled(table, "nominalValue")
    return np.where(np.isnan(nominal), (lower + upper) / 2, nominal)


def starting_box(table, lower, upper, path) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of the starting points: the bounds, narrowed by priors that are uniform on the parameter's scale.

    `table`: rows of the estimated parameters; lower, upper (n,): their bounds on their scales.
    InputError if a prior leaves nothing within the bounds.
    """
    lower, upper = lower.copy(), upper.copy()
    for index, (name, kind, numbers, *_) in enumerate(_initialization(table)):
        if kind == "parameterScaleUniform" and not pd.isna(numbers):  # without numbers PEtab takes the bounds
            where = f"{path}: parameter table: initializationPriorParameters of '{name}'"
            low, high = prior_numbers(where, kind, numbers)
            lower[index], upper[index] = max(low, lower[index]), min(high, upper[index])
            if lower[index] > upper[index]:
                raise InputError(f"{where} are out of bounds")
    return lower, upper


def starting_rows(table) -> list[list]:
    """Return what `starting_quantiles` needs of each parameter whose starting points are not uniform on its scale.

    A row is its position, name, kind and numbers of its initialization prior, its scale and its bounds.
    """
    rows = ([index, *row] for index, row in enumerate(_initialization(table)))
    return [row for row in rows if row[2] != "parameterScaleUniform" and row[5] != row[6]]


def starting_quantiles(rows, path) -> dict:
    """Return quantile functions of starting points by the parameter's position (`rows`: of `starting_rows`).

    They are of the initialization prior, cut off at the bounds, and give values on the parameter's scale.

    Raises
    ------
    InputError
        If the kind of a prior is unknown, its numbers are wrong, or it leaves nothing within the bounds.
    """
    quantiles = {}
    for index, name, kind, numbers, scale, *bounds in rows:
        where = f"{path}: parameter table: initializationPriorParameters of '{name}'"
        if kind not in KINDS:
            raise InputError(f"{where}: the prior '{kind}' is unknown; known are {', '.join(KINDS)}")
        with np.errstate(all="ignore"):  # no share of the prior may be within the bounds
            quantiles[index] = partial(
                _quantile, Prior(kind, prior_numbers(where, kind, numbers), tuple(bounds), scale)
            )
        if not quantiles[index](0.0) < quantiles[index](1.0):
            raise InputError(f"{where} leave nothing within the bounds")
    return quantiles


def _initialization(table):
    """Yield name, kind and numbers of the initialization prior, scale, and both bounds of each parameter."""
    columns = ["initializationPriorType", "initializationPriorParameters", "parameterScale", "lowerBound", "upperBound"]
    for name, kind, *rest in table.reindex(columns=columns).itertuples(name=None):
        yield name, "parameterScaleUniform" if pd.isna(kind) else kind, *rest


def _quantile(prior, share) -> float:
    """Return the value on the parameter's scale below which lies this share of a prior."""
    with np.errstate(all="ignore"):
        return float(to_scale(np.clip(prior.distribution.ppf(share), *prior.bounds), prior.transformation))
