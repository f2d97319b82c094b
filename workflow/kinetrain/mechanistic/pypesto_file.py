"""The fits of a problem as a result file of pyPESTO, which its readers and figures open.

pyPESTO is not imported, which takes five seconds: a test reads such a file with it. Its layout is that of
`pypesto.store` 0.7: https://pypesto.readthedocs.io/en/latest/example/hdf5_storage.html
"""

import h5py
import numpy as np
import pandas as pd
import petab.v1 as petab

from kinetrain.cache import atomic
from kinetrain.mechanistic.estimates import places
from kinetrain.training.starts import end_points


def write_results(problem, settings: dict[str, tuple[pd.DataFrame, dict]], path) -> None:
    """Write the fits of `problem` as an HDF5 file.

    settings: by the name of an optimizer and its setting, the table of its starts and the arrays that fit.py writes. A
    fit is called `SETTING-startN`. Parameters are all those of the PEtab problem, on their scales; those that are not
    estimated are fixed at their nominal values. Failed fits have an infinite objective and no parameters (NaN).
    """
    with atomic(path) as temporary, h5py.File(temporary, "w") as file:
        whole, free = _write_problem(file.create_group("problem"), problem)
        results = file.create_group("optimization/results")
        for label, (fits, arrays) in settings.items():
            points = end_points(fits, arrays)[:, places(problem, arrays)]
            for fit in fits.to_dict("records"):
                name = f"{label}-start{fit['start']}"
                point = whole.copy()
                point[free] = points[fit["start"]]
                _write_fit(results.create_group(name), name, label, fit, point)


def _write_problem(group, problem) -> tuple[np.ndarray, list[int]]:
    """Write the parameters, and return their nominal values on their scales, with the places of the estimated ones."""
    table = problem.petab.parameter_df
    names = list(table.index)
    scales = list(table["parameterScale"])
    with np.errstate(divide="ignore"):  # a bound of 0 on a logarithmic scale
        nominal, lower, upper = (
            np.array(list(petab.map_scale(table[column].astype(float), scales)))
            for column in ("nominalValue", "lowerBound", "upperBound")
        )
    free = [names.index(name) for name in problem.names]
    fixed = [place for place in range(len(names)) if place not in free]
    group["config"] = str({"type": "PEtab", "file": "petab/problem.yaml"})
    group.attrs["dim_full"] = len(names)
    for name, values in (("x_names", names), ("x_scales", scales)):
        group.create_dataset(name, data=values, dtype=h5py.string_dtype())
    for name in ("lb_full", "lb_init_full"):
        group[name] = lower
    for name in ("ub_full", "ub_init_full"):
        group[name] = upper
    group["x_fixed_indices"], group["x_fixed_vals"] = np.array(fixed, dtype=int), nominal[fixed]
    return nominal, free


def _write_fit(group, name, label, fit, point) -> None:
    group["x"] = point
    conditions = fit["conditions"]
    known = {
        "id": name,
        "fval": fit["objective"],
        "n_fval": round(fit["value_solves"] / conditions),  # in evaluations of all conditions
        "n_grad": round(fit["gradient_solves"] / conditions),
        "time": fit["wall_seconds"],
        "exitflag": 0 if fit["status"] == "finished" else -1,
        "message": fit["message"],
        "optimizer": label,
    }
    for key, value in known.items():
        if not pd.isna(value):
            group.attrs[key] = value
