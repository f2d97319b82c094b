"""Artificial data for a compiled model: random conditions, simulated at the true parameters, with noise.

Source: Stapor et al. 2022, Fig. 2a (simulate, add noise, fit again). The paper's conditions are unknown to us; drawing
them from weighted protocols, and noise relative to each observable's maximum, are choices of ours. As in parPE's
examples the noise is known to the likelihood, and the nominal parameters are the true ones.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import petab.v1 as petab

from kinetrain.cache import write_json
from kinetrain.errors import InputError
from kinetrain.mechanistic.artificial_options import ArtificialOptions
from kinetrain.mechanistic.engines import open_problem
from kinetrain.mechanistic.petab_files import checksum, list_files, read_description, sbml_file
from kinetrain.mechanistic.petab_reader import read_petab_1
from kinetrain.mechanistic.random_conditions import controls, draw_conditions, draw_inputs
from kinetrain.mechanistic.solver_options import solver_options
from kinetrain.mechanistic.template import scaling_rows, with_scaling, write_tables
from kinetrain.seeds import CONDITIONS, GROUPS, generator

MOST_ROUNDS = 20
MOST_STEPS = 50_000  # of a simulation at the truth; more than in a fit, as data are drawn only once
SCALING_SD = 0.3  # of the true scalings of groups, in log10 units; our choice


def make_artificial(path, model_folder, replicate: int, options: ArtificialOptions, folder) -> dict:
    """Write an artificial PEtab problem (`folder`/problem.yaml) and return its truth.

    `path` is the template (`template.write_template`) that the model was compiled from. Groups that are held out are a
    problem of their own, `folder`/test.yaml, with their scalings fixed at one: a prediction has to estimate them.

    The truth (also `folder`/truth.json): objective at the true parameters, its expected value over the noise, standard
    deviation by observable, conditions redrawn because their simulation failed, measurements left out because a
    log-scale observable was not positive, true scalings of all groups, sha256 of each file.

    Raises
    ------
    InputError
        If the settings name inputs or groups that the template lacks, the replicate is beyond `replicates`, conditions
        cannot be simulated although they were redrawn often, or an observable is always zero.
    """
    folder = Path(folder)
    if options.replicates is not None and replicate >= options.replicates:
        raise InputError(f"replicate {replicate} was asked for, but 'replicates' is {options.replicates}")
    solver = replace(solver_options(options), max_steps=options.max_steps or MOST_STEPS)
    template = read_petab_1(path)
    rng, groups_rng = (generator(options.seed, replicate, use) for use in (CONDITIONS, GROUPS))
    own = template.condition_df.iloc[0].to_dict()
    conditions, members = draw_conditions(own, options, rng, groups_rng)
    factors = _scalings(options, groups_rng)
    blank = _blank_measurements(template.measurement_df, conditions.index, members, factors, options)
    parameters = _with_scalings(template.parameter_df, factors)

    def build(conditions):
        return open_problem(path, model_folder, solver, _tables(template, conditions, blank, parameters))

    fixed = controls(members, options)
    problem, observed, redrawn = _simulate(
        build, conditions, lambda number: draw_inputs(own, options, rng) | fixed.get(number, {})
    )
    scaled = np.array(list(factors.values()))[members] if factors else np.ones(len(members))
    measurements, known = _measure(problem, observed, scaled, options, rng)
    held_out = _held_out(members, options)
    written = _write(folder, sbml_file(path), problem.petab, measurements, held_out, factors)
    objective, expected = measurements.loc[~held_out[measurements["number"]], ["objective", "expected"]].sum()
    truth = {
        "J_true": float(objective),
        "expected_J_true": float(expected),
        **known,
        "conditions_drawn_again": redrawn,
        **({"scalings": factors} if factors else {}),
        "sha256": {file.name: checksum(file.read_bytes()) for yaml in written for file in _files(yaml)},
    }
    write_json(folder / "truth.json", truth)
    return truth


def _tables(template, conditions, measurements, parameters) -> petab.Problem:
    """Return the tables of a template, with others in place of some."""
    return petab.Problem(
        model=template.model,
        condition_df=conditions,
        measurement_df=measurements.drop(columns="number"),
        observable_df=template.observable_df,
        parameter_df=parameters,
    )


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
        raise InputError(
            f"the template has no parameter '{rows.index[0]}': write it again "
            "(write_template.py), with groups in its settings"
        )
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


def _simulate(build, conditions, redraw):
    """Return a problem whose conditions can all be simulated, their observables, and how many were redrawn.

    One condition at a time, as the results of AMICI for a large model take megabytes each.
    """
    observed, wrong, redrawn = [None] * len(conditions), np.arange(len(conditions)), 0
    for _ in range(MOST_ROUNDS):
        problem = build(conditions)
        for number in wrong:
            result = problem.simulate(problem.nominal, [number])[0]
            observed[number] = result.y if result.status == 0 else None
        wrong = np.array([number for number in wrong if observed[number] is None])
        if not wrong.size:
            return problem, observed, redrawn
        redrawn += wrong.size
        for number in wrong:
            for name, value in redraw(number).items():
                conditions.loc[conditions.index[number], name] = value
    raise InputError(
        f"after {MOST_ROUNDS} rounds {wrong.size} of {len(conditions)} conditions still cannot be simulated; "
        "other protocols, looser tolerances or more steps (max_steps) may help"
    )


def _measure(problem, observed, scaled, options, rng):
    """Return the table of noisy measurements, with their parts of the objective and of its expected value.

    `scaled` holds the true scaling of each condition's group. Also returned: facts about the measurements for the
    truth.
    """
    table = problem.petab.measurement_df
    chosen = list(dict.fromkeys(table["observableId"]))
    columns = [list(problem.model.get_observable_ids()).index(name) for name in chosen]
    clean = np.array([y[:, columns].T for y in observed])  # condition, observable, time
    scales = problem.petab.observable_df.reindex(columns=["observableTransformation"])["observableTransformation"]
    spread = {}
    noisy, constant, logarithm, noise = (np.zeros(clean.shape) for _ in range(4))
    for index, name in enumerate(chosen):
        scale = scales[name] if isinstance(scales[name], str) else "lin"
        y = clean[:, index]
        sd = options.noise * (np.abs(y / scaled[:, None]).max() if scale == "lin" else 1.0)
        if sd == 0:
            raise InputError(f"observable '{name}' is zero in all conditions, so it has no noise to add")
        added = rng.normal(0, sd, y.shape)
        noise[:, index], spread[name] = added / sd, float(sd)
        constant[:, index] = 0.5 * np.log(2 * np.pi * sd**2)
        noisy[:, index] = y + added
        if scale != "lin":
            factor = {"log": 1.0, "log10": np.log(10)}[scale]
            noisy[:, index] = np.where(y > 0, y, np.nan) * np.exp(factor * added)
            constant[:, index] += np.log(np.where(y > 0, y, np.nan) * factor)
            logarithm[:, index] = factor * added
    table = table.assign(
        measurement=noisy.ravel(),
        objective=(constant + logarithm + 0.5 * noise**2).ravel(),
        expected=(constant + 0.5).ravel(),
        number=np.repeat(np.arange(len(observed)), clean[0].size),
    )
    table["noiseParameters"] = table["observableId"].map(spread)
    left_out = int(table["measurement"].isna().sum())
    return table.dropna(subset="measurement"), {"noise": spread, "measurements_left_out": left_out}


def _held_out(members, options) -> np.ndarray:
    """Return whether each condition belongs to a group that is held out."""
    return members >= options.groups.count - options.groups.test if options.groups else np.zeros(len(members), bool)


def _write(folder, sbml, drawn, measurements, held_out, factors) -> list[Path]:
    """Write the problem, and that of held-out conditions where there are any; return their YAMLs."""
    tables = {"conditions": drawn.condition_df, "observables": drawn.observable_df}
    train = _part(tables, drawn.parameter_df, measurements, ~held_out, factors)
    written = [write_tables(folder, sbml, train)]
    if held_out.any():
        test = _part(tables, drawn.parameter_df, measurements, held_out, factors, estimated=False)
        written.append(write_tables(folder, sbml, test, "_test"))
    return written


def _part(tables, parameters, measurements, chosen, factors, estimated=True) -> dict:
    """Return the tables of some conditions, with the scalings of their groups, which are estimated or fixed at one."""
    rows = (
        measurements[chosen[measurements["number"]]]
        .drop(columns=["number", "objective", "expected"])
        .dropna(axis=1, how="all")
    )
    scalings = {f"scaling_{name}" for name in factors}
    if scalings:
        unused = scalings - set(rows["observableParameters"].str.rpartition(";")[2])
        parameters = parameters.drop(index=list(unused))
        if not estimated:
            parameters.loc[parameters.index.isin(scalings), ["estimate", "nominalValue"]] = 0, 1.0
    return {**tables, "conditions": tables["conditions"][chosen], "parameters": parameters, "measurements": rows}


def _files(yaml) -> list[Path]:
    return list_files(yaml, read_description(yaml))
