"""The inner parameters of a PEtab problem: scalings, offsets and noise levels, which can be computed analytically.

They enter a measurement as `scaling * h + offset` with a standard deviation `sigma`, and nothing else of the problem.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import petab.v1 as petab
from petab.v1.math import sympify_petab

from kinetrain.errors import InputError
from kinetrain.mechanistic.formulas import names as names_in
from kinetrain.mechanistic.petab_checks import PAIR
from kinetrain.mechanistic.petab_tables import condition_names, text_column

KINDS = ("scaling", "offset", "sigma")


@dataclass
class Inner:
    """An inner parameter: its kind, and the measurements (rows of the table) that depend on it."""

    kind: str
    rows: list[int] = field(default_factory=list)


def inner_parameters(problem: petab.Problem, has_priors: bool, name: str) -> dict[str, Inner]:
    """Return the parameters that can be computed analytically, by name.

    If the parameter table has a column `parameterType` (pyPESTO's extension of PEtab), only those which it calls
    scaling, offset or sigma are taken. Parameters with a prior that counts (`has_priors`) are not.

    Raises
    ------
    InputError
        If there are none, or one of the column `parameterType` is not of the form that it says.

    Source: Schmiester et al. 2020, doi 10.1093/bioinformatics/btz581.
    """
    table = problem.parameter_df
    wanted = _declared(table)
    uses = _uses(problem)
    candidates = set(table.index[table["estimate"] == 1]) - _names_elsewhere(problem)
    if has_priors and "objectivePriorType" in table:
        candidates -= set(table.index[table["objectivePriorType"].notna()])
    if wanted:
        candidates &= set(wanted)
    kinds = _kinds(uses, candidates, set(table.index))
    for parameter, kind in wanted.items():
        if kinds.get(parameter) != kind:
            raise InputError(
                f"{name}: parameter table: parameterType calls '{parameter}' {kind}, but it does not enter the "
                "observables as scaling * (...) + offset, or the noise formula by itself"
            )
    if not kinds:
        raise InputError(
            f"{name}: no estimated parameter is a scaling, an offset or a noise level and nothing else, so that there "
            "is nothing to compute in hierarchical optimization (the column parameterType of the parameter table "
            "names such parameters, where they are not found by themselves)"
        )
    return {parameter: Inner(kind, sorted(_rows(uses, parameter))) for parameter, kind in sorted(kinds.items())}


def places(problem: petab.Problem, observables, conditions) -> np.ndarray:
    """Return for each row of the measurement table its condition, its slot of time and replicate, its observable.

    observables: names, in the order of the model. conditions: their names (`petab_tables.condition_names`).
    """
    table = problem.measurement_df.reset_index(drop=True).reindex(columns=[*PAIR, "observableId", "time"])
    names = condition_names(table)
    frame = pd.DataFrame({"name": names, "time": table["time"].astype(float), "observable": table["observableId"]})
    frame["replicate"] = frame.groupby(["name", "observable", "time"]).cumcount()
    found = np.empty((len(frame), 3), dtype=int)
    for name, rows in frame.groupby("name"):
        _, slots = np.unique(rows[["time", "replicate"]].to_numpy(float), axis=0, return_inverse=True)
        found[rows.index, 0], found[rows.index, 1] = list(conditions).index(name), slots.ravel()
    found[:, 2] = frame["observable"].map({name: index for index, name in enumerate(observables)})
    return found


@dataclass
class _Use:
    """Formulas of measurements that share them, how they are compared with data, and the rows of the measurements."""

    observable: object
    noise: object
    linear: bool
    normal: bool
    rows: list[int]


def _uses(problem) -> list[_Use]:
    table = problem.observable_df
    transformation = text_column(table, "observableTransformation", "lin")
    distribution = text_column(table, "noiseDistribution", "normal")
    formulas = {
        name: (
            sympify_petab(str(table.loc[name, "observableFormula"])),
            sympify_petab(str(table.loc[name, "noiseFormula"])),
        )
        for name in table.index
    }
    columns = ["observableId", "observableParameters", "noiseParameters"]
    measurements = problem.measurement_df.reset_index(drop=True).reindex(columns=columns)
    uses = []
    for (name, *overrides), rows in measurements.groupby(columns, dropna=False).groups.items():
        values = {}
        for kind, text in zip(("observable", "noise"), overrides, strict=True):
            for number, value in enumerate(petab.split_parameter_replacement_list(text), start=1):
                values[f"{kind}Parameter{number}_{name}"] = sympify_petab(str(value))
        observable, noise = (
            formula.subs({symbol: values[symbol.name] for symbol in formula.free_symbols if symbol.name in values})
            for formula in formulas[name]
        )
        linear = transformation[name] == "lin"
        uses.append(_Use(observable, noise, linear, distribution[name] == "normal", list(rows)))
    return uses


def _kinds(uses, candidates, parameters) -> dict[str, str]:
    """Return the kind of each candidate, without those that have another role somewhere."""
    kinds, bad = {}, set()
    for use in uses:
        for name, kind in _roles(use, candidates, parameters).items():
            if kinds.setdefault(name, kind) != kind or kind is None:
                bad.add(name)
    kinds = {name: kind for name, kind in kinds.items() if name not in bad}
    while dropped := _unsolvable(uses, kinds):
        del kinds[dropped]
    return kinds


def _roles(use, candidates, parameters) -> dict[str, str | None]:
    """Return the kind of each candidate in one use; None if it is neither scaling, offset nor sigma."""
    roles = {}
    known_noise = {symbol.name for symbol in use.noise.free_symbols} <= parameters
    for symbol in use.observable.free_symbols:
        if symbol.name in candidates:
            slope = use.observable.diff(symbol)
            fits = symbol not in slope.free_symbols and use.linear and use.normal and known_noise
            roles[symbol.name] = ("offset" if slope == 1 else "scaling") if fits else None
    for symbol in use.noise.free_symbols:
        if symbol.name in candidates:
            alone = use.noise == symbol and use.normal and symbol.name not in roles
            roles[symbol.name] = "sigma" if alone else None
    return roles


def _unsolvable(uses, kinds) -> str | None:
    """Return a scaling or offset that must be an ordinary parameter for the rest to be solvable; None if all fit."""
    partners = {}
    for use in uses:
        here = {symbol.name: symbol for symbol in use.observable.free_symbols if symbol.name in kinds}
        scalings = sorted(name for name in here if kinds[name] == "scaling")
        offsets = sorted(name for name in here if kinds[name] == "offset")
        if len(scalings) > 1 or len(offsets) > 1:
            return (scalings[1:] + offsets[1:])[0]
        if scalings:
            rest = use.observable.subs(here[scalings[0]], 0).simplify()
            if rest != 0 and not (offsets and rest == here[offsets[0]]):
                return scalings[0]
        sigma = next((symbol.name for symbol in use.noise.free_symbols if symbol.name in kinds), None)
        for name, other in [
            *((name, (offsets, sigma)) for name in scalings),
            *((name, (scalings, sigma)) for name in offsets),
        ]:
            if partners.setdefault(name, other) != other:
                return name
    return None


def _declared(table) -> dict[str, str]:
    kinds = table.get("parameterType", pd.Series(dtype=object)).dropna()
    return {name: kind for name, kind in kinds.items() if kind in KINDS and table.loc[name, "estimate"] == 1}


def _rows(uses, name) -> list[int]:
    return [
        row
        for use in uses
        if name in {symbol.name for symbol in use.observable.free_symbols | use.noise.free_symbols}
        for row in use.rows
    ]


def _names_elsewhere(problem) -> set[str]:
    """Return all names in the mathematics of the SBML model and in the condition table."""
    conditions = problem.condition_df
    names = set(conditions.columns) | set(conditions.astype(str).to_numpy().ravel())
    for element in problem.model.sbml_model.getListOfAllElements():
        math = element.getMath() if hasattr(element, "getMath") else None
        names |= names_in(math) if math is not None else set()
    return names
