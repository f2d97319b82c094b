"""Measured and simulated time courses of a fitted PEtab problem."""

from pathlib import Path

import numpy as np
import pandas as pd

from kinetrain.mechanistic.condition_labels import labels_of_version_1, labels_of_version_2
from kinetrain.mechanistic.petab_files import read_description
from kinetrain.mechanistic.petab_tables import condition_names, is_version_1, read_tables, text_column
from kinetrain.mechanistic.visualization import curves

BETWEEN = 100  # even times at which a course is simulated, in addition to the measured ones
LOOK = ["panel", "title", "label", "x_label", "y_label", "x_scale", "y_scale", "x_offset", "y_offset"]
COLUMNS = ["condition", "observable", "time", "measurement", "noise", "noise_scale", "fitted", "nominal"]


def time_courses(problem, path, theta) -> pd.DataFrame:
    """Return measurements and simulations of the curves of `visualization.curves`: a row per measurement and time.

    problem: that was fitted, from the PEtab YAML `path`. theta (n,): the parameters of the best fit.

    Columns: LOOK, curves, panels (how many there are), and COLUMNS. measurement is missing at times between
    measurements. noise: standard deviation that the fit assumes, on noise_scale (lin, log, log10). fitted, nominal: the
    simulation at theta and at the nominal parameters; missing where it failed, or where the problem has no nominal
    parameters.
    """
    measured, titles = _measured(problem, path)
    points = {"fitted": np.asarray(theta)} | ({"nominal": problem.nominal} if problem.has_nominal else {})
    chosen = curves(path, measured, titles)
    column = {name: index for index, name in enumerate(list(problem.model.get_observable_ids()))}
    simulated, parts = {}, [pd.DataFrame(columns=[*LOOK, "curves", "panels", *COLUMNS])]
    for curve in chosen.itertuples(index=False):
        rows = measured.loc[curve.rows]
        condition, observable = rows[["condition", "simulated"]].iloc[0]
        if condition not in simulated:
            k = [list(problem.condition_names).index(condition)]
            simulated[condition] = {
                name: problem.simulate(point, k, between=BETWEEN)[0] for name, point in points.items()
            }
        part = _course(rows, simulated[condition], column[observable]).assign(condition=condition)
        named = {name: getattr(curve, name) for name in [*LOOK, "curves", "panels"]}
        parts.append(part.assign(observable=rows["observable"].iloc[0], **named))
    return pd.concat([part for part in parts if len(part)] or parts)[list(parts[0])].reset_index(drop=True)


def _course(rows, results, observable) -> pd.DataFrame:
    """Return measurements and simulations (by the name of their parameters) of one observable, by time."""
    fitted = results["fitted"]
    times = np.asarray(fitted.ts, dtype=float)
    place = np.searchsorted(times, rows["time"]) + rows["replicate"]
    between = np.flatnonzero(np.isfinite(times) & ~np.isin(times, rows["time"]))
    between = between[np.unique(times[between], return_index=True)[1]]
    at = np.concatenate([place, between])
    table = pd.DataFrame({"time": times[at], "noise_scale": rows["noise_scale"].iloc[0]})
    missing = np.full(len(between), np.nan)
    table["measurement"] = np.concatenate([rows["measurement"], missing])
    noise = np.asarray(fitted.sigmay)[place, observable] if fitted.status == 0 else np.full(len(place), np.nan)
    table["noise"] = np.concatenate([noise, missing])
    for name in ("fitted", "nominal"):
        result = results.get(name)
        known = result is not None and result.status == 0
        table[name] = np.asarray(result.y)[at, observable] if known else np.nan
    return table.sort_values("time", kind="stable")


def _measured(problem, path) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return all measurements, as `visualization.curves` takes them, and the titles of observables.

    Further columns: measurement, noise_scale, replicate (number among equal measurements, which have rows of their own
    in a simulation).
    """
    table, titles = (_of_version_1 if is_version_1(problem.petab) else _of_version_2)(problem, path)
    table["replicate"] = table.groupby(["condition", "simulated", "time"]).cumcount()
    return table, titles


def _of_version_1(problem, path):
    read, observables = problem.petab.measurement_df, problem.petab.observable_df
    # As the files have them: an observable whose overrides vary was made several.
    files = read_description(path)["problems"][0]["measurement_files"]
    original = read_tables([Path(path).parent / name for name in files], None)
    labels, condition = labels_of_version_1(problem.petab), condition_names(read)
    scales = text_column(observables, "observableTransformation", "lin")
    table = pd.DataFrame(
        {
            "observable": original["observableId"].to_numpy(),
            "simulated": read["observableId"].to_numpy(),
            "dataset": original.reindex(columns=["datasetId"])["datasetId"].to_numpy(),
            "condition": condition,
            "label": [labels[name] for name in condition],
            "time": read["time"].to_numpy(float),
            "measurement": read["measurement"].to_numpy(float),
            "noise_scale": read["observableId"].map(scales).to_numpy(),
        }
    )
    titles = observables.reindex(columns=["observableName"])["observableName"].dropna()
    return table, {str(name): str(title) for name, title in titles.items()}


def _of_version_2(problem, path):
    tables = problem.petab.problem
    scales = {one.id: "log" if one.noise_distribution.value.startswith("log") else "lin" for one in tables.observables}
    rows = [(one.observable_id, one.experiment_id or "", one.time, one.measurement) for one in tables.measurements]
    table = pd.DataFrame(rows, columns=["observable", "condition", "time", "measurement"])
    table = table.astype({"time": float, "measurement": float})
    table["label"] = table["condition"].map(labels_of_version_2(tables)).fillna("")
    table["simulated"], table["dataset"] = table["observable"], None
    table["noise_scale"] = table["observable"].map(scales)
    return table, {one.id: one.name for one in tables.observables if one.name}
