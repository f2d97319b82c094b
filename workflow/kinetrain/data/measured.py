"""Measured expression: files of trajectories become transitions for training, validation and test."""

import warnings

import numpy as np

from kinetrain.data.expression import SPLITS, Expression, prepare
from kinetrain.data.expression_files import read_trajectories
from kinetrain.data.options import Preparation
from kinetrain.errors import InputError, InputWarning

SMALL, OF_ORDER_ONE = 0.01, 5  # largest values of data that are called of order one


def read_expression(train, test, genes, options: Preparation, samples=None) -> Expression:
    """Return the expression of the files `train` and, unless None, `test`; the rest as in `read_trajectories`."""
    names, *trained = read_trajectories(train, genes, options, samples)
    tested = [*read_trajectories(test, names, options, samples)[1:]] if test else None
    if len(names) < 2:
        raise InputError(f"{train}: has a single gene, '{names[0]}': a network needs two at least")
    low, high = np.nanmin(trained[0]), np.nanmax(trained[0])
    if options.rescale_values:
        for one in (trained, tested) if tested else (trained,):
            one[0] = (one[0] - low) / (high - low)
    elif not SMALL < max(-low, high) <= OF_ORDER_ONE:
        warnings.warn(
            f"{train}: values lie between {low:.3g} and {high:.3g}, of which PHOENIX learns little: it is made for "
            "values around 0.5. expression.rescale_values: true maps them to 0 to 1",
            InputWarning,
            stacklevel=2,
        )
    try:
        expression = prepare(names, trained, tested, options, options.time_unit)
    except InputError as error:
        raise InputError(f"{train}: {error}") from None
    if tested is not None and not len(expression.of("test")):
        raise InputError(f"{test}: all transitions are longer than longest_interval {options.longest_interval}")
    return expression


def described(expression: Expression) -> str:
    """Return in one line what was read and how it is split."""
    parts = ", ".join(f"{len(expression.of(split))} for {split}" for split in SPLITS)
    genes = f"{len(expression.genes)} genes ({expression.genes[0]} to {expression.genes[-1]})"
    return f"{genes}, {len(expression.values)} trajectories; transitions: {parts}"
