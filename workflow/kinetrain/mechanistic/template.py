"""Templates of artificial data: PEtab problems with all inputs, observables and parameters, but without data.

The model of artificial data is compiled from its template, once for all replicates.
"""

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import petab.v1 as petab
import yaml

from kinetrain.cache import write_text
from kinetrain.errors import InputError
from kinetrain.files import save_table
from kinetrain.mechanistic.artificial_options import ArtificialOptions
from kinetrain.mechanistic.petab_checks import is_number
from kinetrain.mechanistic.petab_files import sbml_file
from kinetrain.mechanistic.petab_reader import read_petab_1
from kinetrain.mechanistic.sbml_model import initial_value

NEARLY_ZERO = 1e-9
# Ours: true factors, of a standard deviation of 0.3 (log10), lie well within.
SCALING_BOUNDS = 1e-2, 1e2


def write_template(path, options: ArtificialOptions, folder) -> list[str]:
    """Write the template (`folder`/problem.yaml) of artificial data; return estimated parameters that it lacks.

    `path` is the PEtab problem to start from. The template has the chosen observables, one condition with the own
    values of all inputs, and one dummy measurement for each observable, which shows its parameters: those of the
    measured row that has most of them. Noise formulas become plain placeholders, since the noise of artificial data is
    known; with groups, observables get one more factor.
    Parameters that nothing needs, parameters that are inputs, and objective priors are left out.

    Raises
    ------
    InputError
        If an observable or an input is unknown, an input has no own value that is a number, or a parameter has no
        nominal value.
    """
    problem = read_petab_1(path)
    if (unknown := problem.parameter_df["nominalValue"].isna()).any():
        raise InputError(f"{path}: artificial data need a true value, but '{unknown.idxmax()}' has no nominalValue")
    chosen = _chosen(problem, options.observables, path)
    conditions = _conditions(problem, options, path)
    measurements = _measurements(problem, chosen, conditions.index[0], options, path)
    observables = problem.observable_df.loc[chosen].copy()
    observables["noiseFormula"] = [f"noiseParameter1_{name}" for name in chosen]
    if options.groups and options.groups.scaling:
        for name, formula in observables["observableFormula"].items():
            last = f"observableParameter{_count_placeholders(formula, name) + 1}_{name}"
            observables.loc[name, "observableFormula"] = f"{last} * ({formula})"
    parameters = _parameters(problem, observables, measurements, conditions)
    if options.start_width is not None:
        parameters = _with_starts(parameters, options.start_width)
    if options.groups and options.groups.scaling:
        first = scaling_rows(parameters, {options.groups.names()[0]: 1.0})
        measurements["observableParameters"] = with_scaling(measurements["observableParameters"], first.index[0])
        parameters = pd.concat([parameters, first])
    tables = {"conditions": conditions, "observables": observables, "parameters": parameters}
    write_tables(folder, sbml_file(path), {**tables, "measurements": measurements})
    estimated = problem.parameter_df.index[problem.parameter_df["estimate"] == 1]
    return [name for name in estimated if name not in parameters.index]


def scaling_rows(parameters, factors: dict) -> pd.DataFrame:
    """Return rows for the parameter table with the scaling of each group, by its true factor."""
    names = [f"scaling_{group}" for group in factors]
    low, high = SCALING_BOUNDS
    rows = {"parameterScale": "log10", "lowerBound": low, "upperBound": high, "estimate": 1}
    index = pd.Index(names, name="parameterId")
    table = pd.DataFrame({**rows, "nominalValue": list(factors.values())}, index=index)
    return table.reindex(columns=parameters.columns)


def with_scaling(overrides, scaling) -> pd.Series:
    """Return the observable parameters of measurements with one more, the scaling of their group."""
    text = overrides.astype(object)
    return text.where(text.isna(), text.astype(str) + ";" + scaling).fillna(scaling)


def write_tables(folder, sbml, tables: dict, suffix: str = "") -> Path:
    """Write a PEtab problem of four tables (`{name}{suffix}.tsv`) and a copy of its model; return its YAML."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(sbml, folder / "model.xml")
    for name, table in tables.items():
        save_table(table if name == "measurements" else table.reset_index(), folder / f"{name}{suffix}.tsv")
    files = {f"{one.removesuffix('s')}_files": [f"{one}{suffix}.tsv"] for one in tables if one != "parameters"}
    description = {
        "format_version": 1,
        "parameter_file": f"parameters{suffix}.tsv",
        "problems": [{"sbml_files": ["model.xml"], **files}],
    }
    path = folder / (f"{suffix.strip('_')}.yaml" if suffix else "problem.yaml")
    write_text(path, yaml.safe_dump(description, sort_keys=False))
    return path


def _chosen(problem, wanted, path) -> list[str]:
    known = list(problem.observable_df.index)
    for name in wanted or []:
        if name not in known:
            raise InputError(f"observable '{name}' is not in {path} (it has {', '.join(known)})")
    return list(dict.fromkeys(wanted or known))


def _conditions(problem, options, path) -> pd.DataFrame:
    """Return the first condition as the only one, with a column and a number for each input that is drawn."""
    row = problem.condition_df.iloc[0].drop("conditionName", errors="ignore").to_dict()
    for name in options.drawn():
        row[name] = _own_value(row.get(name, name), problem, name, path)
    for name in (options.groups and options.groups.control) or {}:
        if name not in row:
            raise InputError(
                f"'control' of the groups sets '{name}', which no protocol draws and is no column of {path}"
            )
    return pd.DataFrame([row], index=pd.Index(["template"], name="conditionId"))


def _own_value(cell, problem, name, path) -> float:
    """Return the number that an input has in the condition table, the parameter table or the model."""
    if is_number(cell):
        return float(cell)
    if cell in problem.parameter_df.index:
        return float(problem.parameter_df.loc[cell, "nominalValue"])
    model = problem.model.sbml_model
    cell = name if pd.isna(cell) else str(cell)
    element = model.getElementBySId(cell)
    if element is None or not hasattr(element, "getConstant"):
        known = ", ".join(problem.condition_df.columns.drop("conditionName", errors="ignore"))
        raise InputError(
            f"input '{name}' is no column of the conditions of {path} ({known}), "
            "and no parameter, species or compartment of its model"
        )
    value = initial_value(model, cell)
    if value is None:
        raise InputError(f"input '{name}' has no number as its initial value in the model of {path}")
    return value


def _measurements(problem, chosen, condition, options, path) -> pd.DataFrame:
    """Return one dummy measurement for each observable, in the only condition."""
    measured = problem.measurement_df
    overrides = measured.reindex(columns=["observableParameters"])["observableParameters"]
    overrides = overrides.astype(object).where(overrides.notna(), None)
    richest = overrides.map(_count_names).groupby(measured["observableId"]).idxmax()
    rows = []
    for name in chosen:
        needed = _count_placeholders(problem.observable_df.loc[name, "observableFormula"], name)
        if needed and name not in richest:
            raise InputError(f"observable '{name}' has no measurement in {path} that shows its parameters")
        rows.append((name, condition, options.times[0], 1.0, overrides[richest[name]] if needed else None, 1.0))
    columns = [
        "observableId",
        "simulationConditionId",
        "time",
        "measurement",
        "observableParameters",
        "noiseParameters",
    ]
    return pd.DataFrame(rows, columns=columns)


def _parameters(problem, observables, measurements, conditions) -> pd.DataFrame:
    """Return the parameters that the model, a condition or an observable still needs, without objective priors."""
    texts = [*measurements["observableParameters"].dropna(), *observables["observableFormula"]]
    used = names_in(texts) | set(map(str, conditions.to_numpy().ravel()))
    table = problem.parameter_df
    table = table.drop(columns=[name for name in table.columns if name.startswith("objectivePrior")])
    keep = [name in used or problem.model.has_entity_with_id(name) for name in table.index]
    return table[[need and name not in conditions.columns for name, need in zip(table.index, keep, strict=True)]]


def _with_starts(parameters, width) -> pd.DataFrame:
    """Return the parameters with a box of starts around their nominal values, on their scales."""
    centres = {name: petab.scale(row["nominalValue"], row["parameterScale"]) for name, row in parameters.iterrows()}
    # PEtab's linter takes an end of exactly zero for the logarithm of zero.
    ends = {name: (x - width or NEARLY_ZERO, x + width or NEARLY_ZERO) for name, x in centres.items() if np.isfinite(x)}
    boxes = {name: f"{low};{high}" for name, (low, high) in ends.items()}
    ranges = parameters.index.map(boxes).where(parameters["estimate"] == 1)
    kind = pd.Series("parameterScaleUniform", index=parameters.index).where(ranges.notna())
    return parameters.assign(initializationPriorType=kind, initializationPriorParameters=ranges)


def names_in(formulas) -> set[str]:
    """Return all identifiers in some formulas."""
    return set(re.findall(r"[A-Za-z_]\w*", " ".join(map(str, formulas))))


def _count_placeholders(formula, observable) -> int:
    return len({name for name in names_in([formula]) if re.fullmatch(rf"observableParameter\d+_{observable}", name)})


def _count_names(overrides) -> int:
    return len(names_in(re.split(";", str(overrides)))) if overrides is not None else 0
