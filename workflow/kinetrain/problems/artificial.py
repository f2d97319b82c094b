"""Artificial data for a compiled model: random conditions, simulated at the true parameters, with noise.

Source: Stapor et al. 2022, Fig. 2a (simulate, add noise, fit again). The paper's conditions are unknown to us; drawing
them from weighted protocols, and noise relative to each observable's maximum, are choices of ours. As in parPE's
examples the noise is known to the likelihood, and the nominal parameters are the true ones.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import petab.v1 as petab

from kinetrain.errors import InputError
from kinetrain.files import atomic
from kinetrain.problems.drawing import ArtificialOptions, draw_conditions, draw_inputs
from kinetrain.problems.options import solver_options
from kinetrain.problems.petab_problem import PetabProblem
from kinetrain.problems.petab_tables import checksum, list_files, read_description, read_petab
from kinetrain.problems.template import sbml_file, scaling_rows, with_scaling, write_tables

MOST_ROUNDS = 20
SCALING_SD = 0.3  # of the true scalings of groups, in log10 units; our choice


def make_artificial(path, model_folder, replicate: int, options: ArtificialOptions, folder) -> dict:
    """Write an artificial PEtab problem (`folder`/problem.yaml) and return what is known of its truth.

    `path` is the template (`template.write_template`) that the model was compiled from. Groups that are held out are a
    problem of their own, `folder`/test.yaml, with their scalings fixed at one: a prediction has to estimate them.

    The truth (also `folder`/truth.json): objective at the true parameters, its expected value over the noise, standard
    deviation by observable, conditions drawn again because their simulation failed, measurements left out because a
    log-scale observable was not positive, true scalings of all groups, sha256 of each file.

    Raises
    ------
    InputError
        If the settings name inputs or groups that the template lacks, or an observable is always zero.
    """
    folder = Path(folder)
    if options.replicates is not None and replicate >= options.replicates:
        raise InputError(f"replicate {replicate} was asked for, but 'replicates' is {options.replicates}")
    template = read_petab(path)
    rng, groups_rng = (np.random.default_rng([options.seed, replicate, stream]) for stream in (2, 3))
    own = template.condition_df.iloc[0].to_dict()
    conditions, members = draw_conditions(own, options, rng, groups_rng)
    factors = _scalings(options, groups_rng)
    blank = _blank_measurements(template.measurement_df, conditions.index, members, factors, options)
    parameters = _with_scalings(template.parameter_df, factors)
    simulated = (template.model, template.observable_df, parameters)
    problem, results, redrawn = _simulate(simulated, conditions, blank, own, path, model_folder, options, rng)
    measurements, known = _measure(problem, results, options, rng)
    held_out = _held_out(members, options)
    tables = {"conditions": problem.petab.condition_df, "observables": problem.petab.observable_df}
    sbml = sbml_file(path)
    written = [write_tables(folder, sbml, _part(tables, parameters, measurements, ~held_out, factors))]
    if held_out.any():
        test = _part(tables, parameters, measurements, held_out, factors, estimated=False)
        written.append(write_tables(folder, sbml, test, "_test"))
    fitted = PetabProblem(written[0], model_folder, solver_options(options))
    truth = {
        "J_true": fitted.value(fitted.nominal, np.arange(fitted.n_conditions)),
        "expected_J_true": float(measurements["expected"][~held_out[measurements["number"]]].sum()),
        **known,
        "conditions_drawn_again": redrawn,
        **({"scalings": factors} if factors else {}),
        "sha256": {file.name: checksum(file.read_bytes()) for yaml in written for file in _files(yaml)},
    }
    with atomic(folder / "truth.json") as temporary:
        temporary.write_text(json.dumps(truth, indent=2) + "\n")
    return truth


def _scalings(options, rng) -> dict[str, float]:
    """Return the true scaling of each group, by its name; none without scaled groups."""
    if options.groups is None or not options.groups.scaling:
        return {}
    names = options.groups.names()
    return dict(zip(names, map(float, 10 ** rng.normal(0, SCALING_SD, len(names))), strict=True))


def _with_scalings(parameters, factors) -> pd.DataFrame:
    """Return the parameter table with the scalings of all groups in place of the template's one."""
    if not factors:
        return parameters
    rows = scaling_rows(parameters, factors)
    if rows.index[0] not in parameters.index:
        raise InputError(f"the template has no parameter '{rows.index[0]}'; write it anew for settings with groups")
    return pd.concat([parameters.drop(index=rows.index[0]), rows]).astype(parameters.dtypes)


def _blank_measurements(rows, names, members, factors, options) -> pd.DataFrame:
    """Return the rows of the measurement table without measurements, by condition, observable and time."""
    grid = pd.MultiIndex.from_product([names, rows["observableId"], np.asarray(options.times, float)])
    table = grid.set_names(["simulationConditionId", "observableId", "time"]).to_frame(index=False)
    table["number"] = np.repeat(np.arange(len(names)), len(rows) * len(options.times))
    table["measurement"], table["noiseParameters"] = 0.0, 1.0
    by_observable = rows.reindex(columns=["observableId", "observableParameters"]).set_index("observableId")
    table["observableParameters"] = table["observableId"].map(by_observable["observableParameters"])
    if factors:
        scalings = np.array([f"scaling_{name}" for name in factors])
        own = table["observableParameters"].str.rpartition(";")[0].replace("", np.nan)
        table["observableParameters"] = with_scaling(own, pd.Series(scalings[members[table["number"]]]))
    return table


def _simulate(simulated, conditions, blank, own, path, model_folder, options, rng):
    """Return a problem whose conditions can all be simulated, its simulations, and how many had to be drawn again."""
    model, observables, parameters = simulated
    results, wrong, redrawn = [None] * len(conditions), np.arange(len(conditions)), 0
    for _ in range(MOST_ROUNDS):
        tables = petab.Problem(
            model=model,
            condition_df=conditions,
            measurement_df=blank.drop(columns="number"),
            observable_df=observables,
            parameter_df=parameters,
        )
        problem = PetabProblem(path, model_folder, solver_options(options), tables)
        for number, result in zip(wrong, problem.simulate(problem.nominal, wrong), strict=True):
            results[number] = result
        wrong = np.array([number for number in wrong if results[number].status != 0])
        if not wrong.size:
            return problem, results, redrawn
        redrawn += wrong.size
        for number in wrong:
            for name, value in draw_inputs(own, options, rng).items():
                conditions.loc[conditions.index[number], name] = value
    raise InputError(f"after {MOST_ROUNDS} rounds some conditions of the protocols still cannot be simulated")


def _measure(problem, results, options, rng):
    """Return the table of noisy measurements, with their expected share of the objective, and what is known of them."""
    table = problem.petab.measurement_df
    formulas = problem.petab.observable_df
    chosen = list(dict.fromkeys(table["observableId"]))
    columns = [list(problem.model.get_observable_ids()).index(name) for name in chosen]
    clean = np.array([result.y[:, columns].T for result in results])  # condition, observable, time
    scales = formulas.reindex(columns=["observableTransformation"])["observableTransformation"]
    noisy, expected, spread = np.full(clean.shape, np.nan), np.zeros(clean.shape), {}
    for index, name in enumerate(chosen):
        scale = scales[name] if isinstance(scales[name], str) else "lin"
        y = clean[:, index]
        sd = options.noise * (np.abs(y).max() if scale == "lin" else 1.0)
        if sd == 0:
            raise InputError(f"observable '{name}' is zero in all conditions, so it has no noise to add")
        factor = {"lin": 0.0, "log": 1.0, "log10": np.log(10)}[scale]
        noise = rng.normal(0, sd, y.shape)
        positive = y > 0
        noisy[:, index] = y + noise if scale == "lin" else np.where(positive, y * np.exp(factor * noise), np.nan)
        terms = np.full(y.shape, 0.5 * np.log(2 * np.pi * sd**2) + 0.5)
        if scale != "lin":
            terms = np.where(positive, terms + np.log(np.where(positive, y, 1.0) * factor), 0.0)
        expected[:, index] = terms
        spread[name] = float(sd)
    number = np.repeat(np.arange(len(results)), clean[0].size)
    table = table.assign(measurement=noisy.ravel(), expected=expected.ravel(), number=number)
    table["noiseParameters"] = table["observableId"].map(spread)
    left_out = int(table["measurement"].isna().sum())
    return table.dropna(subset="measurement"), {"noise": spread, "measurements_left_out": left_out}


def _held_out(members, options) -> np.ndarray:
    """Return whether each condition belongs to a group that is held out."""
    return members >= options.groups.count - options.groups.test if options.groups else np.zeros(len(members), bool)


def _part(tables, parameters, measurements, chosen, factors, estimated=True) -> dict:
    """Return the tables of some conditions, with the scalings of their groups, which are estimated or fixed at one."""
    rows = measurements[chosen[measurements["number"]]].drop(columns=["number", "expected"]).dropna(axis=1, how="all")
    scalings = {f"scaling_{name}" for name in factors}
    if scalings:
        unused = scalings - set(rows["observableParameters"].str.rpartition(";")[2])
        parameters = parameters.drop(index=list(unused))
        if not estimated:
            parameters.loc[parameters.index.isin(scalings), ["estimate", "nominalValue"]] = 0, 1.0
    return {**tables, "conditions": tables["conditions"][chosen], "parameters": parameters, "measurements": rows}


def _files(yaml) -> list[Path]:
    return list_files(yaml, read_description(yaml))
