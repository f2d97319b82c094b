"""Random conditions of artificial data: inputs drawn by weighted protocols, and groups with inputs of their own.

Source: minibatch experiments of Stapor et al. 2022, whose conditions are unknown to us; the protocols are choices of
ours. Groups represent cell lines.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from kinetrain.errors import InputError
from kinetrain.mechanistic.artificial_options import ArtificialOptions

# How an input is drawn, from the value that it has without being drawn and the numbers of a `Distribution`.
DRAWS: dict[str, Callable[..., float]] = {
    "log10_uniform": lambda rng, own, a, b: 10 ** rng.uniform(a, b),
    "uniform": lambda rng, own, a, b: rng.uniform(a, b),
    "log10_normal": lambda rng, own, mean, sd: 10 ** rng.normal(mean, sd),
    "log_normal_factor": lambda rng, own, sd: own * np.exp(rng.normal(0, sd)),
    "constant": lambda rng, own, value: value,
    "choice": lambda rng, own, value, *others: (value, *others)[rng.integers(1 + len(others))],
}


def draw_conditions(own: dict, options: ArtificialOptions, rng, groups_rng) -> tuple[pd.DataFrame, np.ndarray]:
    """Return random rows of a condition table, and the number of each condition's group (zeros without groups).

    `own` holds the value of every column where nothing draws it.

    Raises
    ------
    InputError
        If the options draw an input that `own` lacks.
    """
    count = options.conditions
    if options.groups is None:
        members, shared = np.zeros(count, int), [{}]
    else:
        members = np.arange(count) * options.groups.count // count
        shared = [_draw(options.groups.inputs, own, groups_rng) for _ in range(options.groups.count)]
    rows = [own | shared[member] | draw_inputs(own, options, rng) for member in members]
    for number, fixed in controls(members, options).items():
        rows[number] |= fixed
    index = pd.Index([f"c{number:04d}" for number in range(count)], name="conditionId")
    return pd.DataFrame(rows, index=index), members


def controls(members, options: ArtificialOptions) -> dict[int, dict]:
    """Return the inputs that no draw may change, by the number of the condition: those of each group's first one."""
    if not options.groups or not options.groups.control:
        return {}
    fixed = {name: float(value) for name, value in options.groups.control.items()}
    return {int(first): fixed for first in np.unique(members, return_index=True)[1]}


def draw_inputs(own: dict, options: ArtificialOptions, rng) -> dict:
    """Return the inputs of one condition, drawn by a protocol that is itself drawn by its weight."""
    weights = np.array([protocol.weight for protocol in options.protocols], float)
    protocol = options.protocols[rng.choice(len(weights), p=weights / weights.sum())]
    return _draw(protocol.inputs, own, rng)


def _draw(inputs: dict, own: dict, rng) -> dict:
    drawn = {}
    for name, distribution in inputs.items():
        if name not in own:
            raise InputError(
                f"input '{name}' is no column of the conditions ({', '.join(own)}): write the template "
                "again (write_template.py)"
            )
        kind, numbers = distribution.rule
        drawn[name] = float(DRAWS[kind](rng, own[name], *numbers))
    return drawn
