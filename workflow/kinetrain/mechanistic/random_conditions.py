"""Random conditions for artificial data: inputs drawn by weighted protocols, and groups that share inputs of their own.

Source: minibatch experiments of Stapor et al. 2022, whose conditions are unknown to us; the protocols are choices of
ours. Groups stand for cell lines.
"""

import inspect
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kinetrain.errors import InputError
from kinetrain.mechanistic.solver_options import SolverOptions

# How an input is drawn, from the value that it has without being drawn and the numbers that the settings give.
DRAWS = {
    "log10_uniform": lambda rng, own, a, b: 10 ** rng.uniform(a, b),
    "uniform": lambda rng, own, a, b: rng.uniform(a, b),
    "log10_normal": lambda rng, own, mean, sd: 10 ** rng.normal(mean, sd),
    "log_normal_factor": lambda rng, own, sd: own * np.exp(rng.normal(0, sd)),
    "constant": lambda rng, own, value: value,
    "choice": lambda rng, own, value, *others: (value, *others)[rng.integers(1 + len(others))],
}


@dataclass(frozen=True, kw_only=True)
class Groups:
    """Groups of conditions ("cell lines") that share drawn inputs and, unless `scaling` is false, one scaling.

    count: how many; the conditions are split evenly over them. inputs: {NAME: {how to draw it: numbers}}, once a group.
    scaling: whether each group has an estimated factor on all observables. test: how many groups (the last ones) are
    held out. control: {NAME: value} of each group's first condition, for inputs that protocols draw otherwise.
    """

    count: int
    inputs: dict
    scaling: bool = True
    test: int = 0
    control: dict | None = None

    def __post_init__(self):
        if not 0 <= self.test < self.count:
            raise ValueError(f"'test' is {self.test}; of {self.count} groups at least one must be left for training")

    def names(self) -> list[str]:
        """Return the names of the groups."""
        return [f"g{number:02d}" for number in range(self.count)]


@dataclass(frozen=True, kw_only=True)
class ArtificialOptions(SolverOptions):
    """Settings of artificial data, besides how the model is solved.

    conditions: how many. times: of the measurements, in the model's unit; `inf` is the steady state. observables: their
    ids (None: all). replicates: how many data sets there will be (None: any number), each with conditions and noise of
    its own. noise: standard deviation, as a fraction of the largest noise-free value of an observable over all
    conditions before the scalings of groups; for observables on a log scale it is the deviation on that scale.
    start_width: fits start within so many units of the parameter scale (decades) around the truth, not anywhere between
    the bounds; for models that can seldom be solved far from it.
    protocols: list of {weight, inputs: {NAME: {how to draw it: numbers}}}, where NAME is a column of the condition
    table, or a parameter, species or compartment of the model.
    """

    conditions: int
    times: list
    protocols: list
    seed: int = 0
    observables: list | None = None
    replicates: int | None = None
    noise: float = 0.1
    start_width: float | None = None
    groups: Groups | None = None

    def __post_init__(self):
        super().__post_init__()
        if self.conditions < 1 or not self.times or not self.protocols or self.noise <= 0:
            raise ValueError("'conditions' and 'noise' must be positive, 'times' and 'protocols' not empty")
        if self.start_width is not None and self.start_width <= 0:
            raise ValueError(f"'start_width' is {self.start_width}; it must be positive, or null for all within bounds")
        if not all(isinstance(time, int | float) and time >= 0 for time in self.times):
            raise ValueError(f"'times' must be numbers from zero on, got {self.times}")
        if sorted(set(self.times)) != list(self.times):
            raise ValueError(f"'times' must rise without repeats, got {self.times}")
        for one in self.protocols:
            if not isinstance(one, dict) or not isinstance(one.get("inputs"), dict) or not one.get("weight", 1) > 0:
                raise ValueError(f"each of 'protocols' has 'inputs' and a positive 'weight', got {one}")
        groups = self.groups
        if groups and self.conditions < groups.count:
            raise ValueError(f"{self.conditions} 'conditions' are too few for {groups.count} groups")
        if groups and (twice := set(groups.inputs) & {name for one in self.protocols for name in one["inputs"]}):
            raise ValueError(f"'{min(twice)}' is drawn by both groups and protocols")

    def drawn(self) -> dict:
        """Return how inputs are drawn, by name; of several protocols the first one's rule."""
        rules = {}
        for protocol in self.protocols:
            rules = protocol["inputs"] | rules
        return rules | (self.groups.inputs if self.groups else {})


def draw_conditions(own: dict, options: ArtificialOptions, rng, groups_rng) -> tuple[pd.DataFrame, np.ndarray]:
    """Return random rows of a condition table, and the number of each condition's group (zeros without groups).

    `own` holds the value of every column where nothing draws it.

    Raises
    ------
    InputError
        If the settings draw an input that `own` lacks, in an unknown way, or by numbers that do not fit it.
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
    weights = np.array([protocol.get("weight", 1.0) for protocol in options.protocols], float)
    protocol = options.protocols[rng.choice(len(weights), p=weights / weights.sum())]
    return _draw(protocol["inputs"], own, rng)


def _draw(inputs: dict, own: dict, rng) -> dict:
    drawn = {}
    for name, rule in inputs.items():
        if name not in own:
            raise InputError(
                f"input '{name}' is no column of the conditions ({', '.join(own)}); write the template anew"
            )
        kind, numbers = check_rule(name, rule)
        drawn[name] = float(DRAWS[kind](rng, own[name], *numbers))
    return drawn


def check_rule(name, rule) -> tuple[str, list]:
    """Return how an input is drawn, and the numbers for it; InputError if that is unknown or the numbers do not fit."""
    if not isinstance(rule, dict) or len(rule) != 1 or next(iter(rule)) not in DRAWS:
        raise InputError(f"input '{name}' is drawn by {rule}; wanted one of {', '.join(DRAWS)}")
    kind, numbers = next(iter(rule.items()))
    numbers = numbers if isinstance(numbers, list) else [numbers]
    try:
        inspect.signature(DRAWS[kind]).bind(None, None, *map(float, numbers))
    except (TypeError, ValueError) as error:
        raise InputError(f"input '{name}' is drawn by {rule}: {error}") from None
    return kind, numbers
