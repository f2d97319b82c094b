"""Predictions of the best fits of a problem, for the fitted conditions and for held-out ones.

Source: Stapor et al. 2022, Fig. 4 and 5 (ensembles of the ten best optimization runs).
"""

import numpy as np
import pandas as pd

from kinetrain.errors import InputError
from kinetrain.mechanistic.petab_tables import condition_names, is_name, require_version_1

# Conditions that are simulated at a time: one by one the kernel would leave most of its lanes empty, but AMICI's
# results for a large model take megabytes each.
TOGETHER = 16


def predict(train, test, names, members) -> pd.DataFrame:
    """Return the predictions of an ensemble, a row per measurement.

    train: the problem of the fits (`engines.open_problem`). test: held-out conditions of the same model, or None. names
    (n,): of the fitted parameters. members (m, n): their values on the PEtab scale.

    Columns: set (train, test), group, condition, observable, time, measurement, scale (lin, log, log10: of the
    observable), noise (standard deviation on that scale, by the best member), mean, sd, median over the members that
    could be simulated (sd is that of a sample, missing for one member), member0, member1 and so on.

    A group is the set of conditions that share a scaling of their own (`groups_of`), else each condition is one. The
    factor of a group that was not fitted is estimated for each member from the first condition of the group alone, by
    weighted least squares on the observables' scale; that condition, the control, is then left out. This is our choice.

    Raises
    ------
    InputError
        If a problem is of PEtab version 2, the fits lack a parameter that `test` estimates, or held-out groups mix
        linear and logarithmic observables.
    """
    parts = {"train": train} | ({"test": test} if test else {})
    for part, problem in parts.items():
        require_version_1(problem.petab, f"{part} problem", "prediction")
    groups = groups_of({part: problem.petab.measurement_df for part, problem in parts.items()})
    tables = []
    for part, problem in parts.items():
        table, simulated = _simulate(problem, names, members, part)
        group, scaling = groups[part]
        table.insert(1, "group", group)
        held_out = ~np.isin(scaling, list(train.petab.parameter_df.index)) & (scaling != "")
        control = np.zeros(len(table), bool)
        for name in dict.fromkeys(scaling[held_out]):
            rows = scaling == name
            first = rows & (table["condition"] == table["condition"][rows].iloc[0])
            simulated[rows] *= _factors(table[first], simulated[first])
            control |= first
        tables.append(_summary(table, simulated)[~control])
    return pd.concat(tables, ignore_index=True)


def groups_of(measurements: dict) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return for each set of measurements the group and the group's scaling ("" without one) of every row.

    measurements: PEtab measurement tables by set. A group's scaling is the one parameter that all measurements of a
    condition share as an observable parameter and that not every condition has. Unless there is exactly one for each
    condition, conditions are groups by themselves.
    """
    every = pd.concat(measurements)
    condition = condition_names(every)
    overrides = every.reindex(columns=["observableParameters"])["observableParameters"]
    names = [frozenset(filter(is_name, str(text).split(";"))) if pd.notna(text) else frozenset() for text in overrides]
    shared = {}
    for key, own in zip(condition, names, strict=True):
        shared[key] = shared.get(key, own) & own
    everywhere = frozenset.intersection(*shared.values())
    shared = {key: own - everywhere for key, own in shared.items()}
    scaled = all(len(own) == 1 for own in shared.values())
    scaling = np.array([next(iter(shared[key])) if scaled else "" for key in condition], dtype=object)
    group = np.array([name.removeprefix("scaling_") for name in scaling] if scaled else condition, dtype=object)
    ends = np.cumsum([len(table) for table in measurements.values()])[:-1]
    return dict(zip(measurements, zip(np.split(group, ends), np.split(scaling, ends), strict=True), strict=True))


def _simulate(problem, names, members, part) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the measurements of a problem, and their simulations (measurements, members); NaN where one failed."""
    measured = problem.petab.measurement_df
    scales = problem.petab.observable_df.reindex(columns=["observableTransformation"])["observableTransformation"]
    table = pd.DataFrame(
        {
            "set": part,
            "condition": condition_names(measured),
            "observable": measured["observableId"].to_numpy(),
            "time": measured["time"].to_numpy(float),
            "measurement": measured["measurement"].to_numpy(float),
        }
    )
    table["scale"] = table["observable"].map(scales).fillna("lin")
    simulated = np.full((len(table), len(members)), np.nan)
    noise = simulated.copy()
    column = {name: index for index, name in enumerate(list(problem.model.get_observable_ids()))}
    rows_of = table.groupby("condition", sort=False).indices
    for number, member in enumerate(members):
        theta = _theta(problem, names, member)
        for condition, result in zip(problem.condition_names, _results(problem, theta), strict=True):
            if result.status != 0:
                continue
            rows = rows_of[condition]
            place = np.searchsorted(result.ts, table["time"].to_numpy()[rows])
            observable = table["observable"].iloc[rows].map(column).to_numpy()
            simulated[rows, number] = result.y[place, observable]
            noise[rows, number] = result.sigmay[place, observable]
    table["noise"] = pd.DataFrame(noise).bfill(axis=1)[0].to_numpy() if len(members) else np.nan
    return table, simulated


def _results(problem, theta):
    """Yield the simulation of every condition."""
    for first in range(0, problem.n_conditions, TOGETHER):
        yield from problem.simulate(theta, np.arange(first, min(first + TOGETHER, problem.n_conditions)))


def _theta(problem, names, member) -> np.ndarray:
    values = dict(zip(names, member, strict=True))
    for name in problem.names:
        if name not in values:
            raise InputError(f"the held-out conditions need the parameter '{name}', which was not fitted")
    return np.array([values[name] for name in problem.names])


def _factors(control, simulated) -> np.ndarray:
    """Return the factor of each member (m,) that fits the measurements of a control condition best."""
    weights = 1 / control["noise"].to_numpy()[:, None] ** 2
    measured = control["measurement"].to_numpy()[:, None]
    logarithmic = control["scale"] != "lin"
    if logarithmic.all():
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = np.log(measured / simulated)
        weights = np.where(np.isfinite(ratio), weights, 0)
        return np.exp((weights * np.nan_to_num(ratio, posinf=0, neginf=0)).sum(axis=0) / weights.sum(axis=0))
    if logarithmic.any():
        raise InputError("held-out groups need observables that are all linear or all logarithmic")
    with np.errstate(invalid="ignore"):  # all zero: all factors are equally good
        return np.maximum((weights * measured * simulated).sum(axis=0) / (weights * simulated**2).sum(axis=0), 0)


def _summary(table, simulated) -> pd.DataFrame:
    members = pd.DataFrame(simulated, columns=[f"member{index}" for index in range(simulated.shape[1])])
    return table.assign(mean=members.mean(axis=1), sd=members.std(axis=1), median=members.median(axis=1)).join(members)
