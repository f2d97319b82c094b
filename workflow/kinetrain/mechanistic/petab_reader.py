"""PEtab problems of either version, read from their YAML file, checked and made ready for AMICI."""

import re
from pathlib import Path

import petab.v1 as petab
from petab.v1.models.sbml_model import SbmlModel

from kinetrain.mechanistic.initial_assignments import remove_overridden
from kinetrain.mechanistic.petab_checks import PAIR, check_problem
from kinetrain.mechanistic.petab_files import is_version_2, parameter_files, read_description
from kinetrain.mechanistic.petab_tables import known_noise, read_tables, require_version_1
from kinetrain.mechanistic.sbml_model import read_sbml

INDEX = {"condition_files": "conditionId", "observable_files": "observableId", "measurement_files": None}


def read_petab(path) -> petab.Problem:
    """Return the checked PEtab problem of a YAML file, ready to be simulated by AMICI (`ProblemOfVersion2`, if it is).

    Plots (visualization files) are left out. Overrides of observable or noise parameters that differ between time
    points become observables of their own, except plain numbers for the noise, which AMICI takes as they are.

    Raises
    ------
    InputError
        If the YAML, a key in it, or a table is missing, if a number is missing or out of its range, if a name or a
        formula would harm AMICI or what it compiles, or if the PEtab linter finds errors.
    """
    path = Path(path)
    description = read_description(path)
    if is_version_2(description):
        from kinetrain.mechanistic.petab_v2 import ProblemOfVersion2  # here: its imports take a second

        return ProblemOfVersion2(path, description)
    files = description["problems"][0]
    model = SbmlModel(sbml_document=read_sbml(path.parent / files["sbml_files"][0]))
    tables = [
        read_tables([path.parent / name for name in parameter_files(description)], "parameterId"),
        *(read_tables([path.parent / name for name in files[key]], INDEX[key]) for key in INDEX),
    ]
    parameters, conditions, observables, measurements = tables
    problem = petab.Problem(
        model=model,
        parameter_df=parameters,
        condition_df=conditions,
        observable_df=observables,
        measurement_df=measurements,
    )
    check_problem(problem, path)
    problem.measurement_df = problem.measurement_df.reset_index(drop=True)
    _separate_overrides(problem)
    _overrule_model(problem, path)
    return problem


def read_petab_1(path) -> petab.Problem:
    """Return the problem of a YAML file as `read_petab`, for what works with the tables of version 1 only."""
    problem = read_petab(path)
    require_version_1(problem, path, "drawing artificial data")
    return problem


def _separate_overrides(problem):
    """Give an observable whose overrides change within a condition a copy for each of them.

    AMICI maps parameters once for each condition. PEtab's own function makes copies for each condition too.
    """
    table = problem.measurement_df
    keys = ["observableId", *PAIR]
    overrides = ["observableParameters", "noiseParameters"]
    cells = table.reindex(columns=[*keys, *overrides]).astype(object)
    cells["noiseParameters"] = cells["noiseParameters"].mask(known_noise(problem))
    cells = cells.fillna("").astype(str)
    taken = {*problem.observable_df.index, *problem.parameter_df.index, *problem.condition_df.columns}
    distinct = cells.drop_duplicates()
    number = distinct.groupby(keys).cumcount().rename("number")
    cells = cells.merge(distinct.assign(number=number), how="left")
    for name in cells.loc[cells["number"] > 0, "observableId"].unique():
        mine = (cells["observableId"] == name) & (cells["number"] > 0)
        for copied in sorted(cells.loc[mine, "number"].unique()):
            new = f"{name}_{copied + 1}"
            while not {new, f"sigma_{new}"}.isdisjoint(taken) or problem.model.has_entity_with_id(new):
                new += "_"
            taken.add(new)
            row = problem.observable_df.loc[name].copy()
            for column in ("observableFormula", "noiseFormula"):
                row[column] = re.sub(rf"\b((?:observable|noise)Parameter\d+)_{name}\b", rf"\1_{new}", str(row[column]))
            problem.observable_df.loc[new] = row
            table.loc[mine & (cells["number"] == copied), "observableId"] = new


def _overrule_model(problem, path):
    """Remove initial assignments of the model that the parameter table or the condition table overrides."""
    conditions = problem.condition_df.drop(columns="conditionName", errors="ignore")
    empty = set(conditions.columns[conditions.isna().any()])
    remove_overridden(problem.model.sbml_model, [*problem.parameter_df.index, *conditions.columns], empty, str(path))
