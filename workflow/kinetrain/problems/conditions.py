"""The conditions of a PEtab problem as AMICI takes them: data, constants, and where estimated parameters go."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import petab.v1 as petab
from amici.sim import sundials as amici
from amici.sim.sundials.petab.v1._parameter_mapping import create_parameter_mapping

from kinetrain.errors import InputError
from kinetrain.problems.petab_tables import is_number, is_placeholder

PREEQUILIBRATION, SIMULATION = "preequilibrationConditionId", "simulationConditionId"
PAIR = [PREEQUILIBRATION, SIMULATION]
INITIAL = "initial_{}_sim"  # AMICI's name for the parameter of a species that the condition table sets
SCALES = {"lin": amici.ParameterScaling.none, "log": amici.ParameterScaling.ln, "log10": amici.ParameterScaling.log10}
UNSCALE = {"lin": lambda x: x, "log": np.exp, "log10": lambda x: 10.0**x}


@dataclass
class Condition:
    """One initial value problem: its data, its model parameters, and where the estimated ones go (model <- theta)."""

    data: object
    parameters: np.ndarray
    to_model: np.ndarray
    from_theta: np.ndarray


def prepare(problem: petab.Problem, model, names, path) -> list[Condition]:
    """Return the prepared conditions of a problem, in the order of their first measurement.

    PEtab's own mapping takes milliseconds for each condition. Conditions that differ only in numbers which the compiled
    model takes as constants (doses, say), or as initial values, share one mapping: a thousand doses cost one.
    """
    measurements = problem.measurement_df.reset_index(drop=True)
    if PREEQUILIBRATION not in measurements:
        measurements[PREEQUILIBRATION] = ""
    before = measurements[PREEQUILIBRATION].astype(object)
    measurements[PREEQUILIBRATION] = before.where(before.notna(), "").astype(str)
    pairs = list(measurements[PAIR].drop_duplicates().itertuples(index=False, name=None))
    doses = _doses(problem, model)
    initial = _initial_values(problem, model, pairs)
    kinds = _kinds(problem, measurements, [*doses.columns, *initial.columns])
    representatives = {}
    for pair in pairs:
        representatives.setdefault(kinds[pair], pair)
    mapped = [_resolve(mapping, model, names, path) for mapping in _map(problem, model, representatives.values())]
    templates = dict(zip(representatives, mapped, strict=True))
    places = [list(model.get_fixed_parameter_ids()).index(name) for name in doses.columns]
    starts = [list(model.get_free_parameter_ids()).index(INITIAL.format(name)) for name in initial.columns]
    data = _experiments(problem, measurements, model)

    def condition(pair):
        template, experiment = templates[kinds[pair]], data[pair]
        experiment.pscale = amici.parameter_scaling_from_int_vector(template.scales)
        experiment.plist = [int(index) for index in template.to_model]
        experiment.fixed_parameters = _replace(template.constants, places, doses.loc[pair[1]])
        if pair[0]:
            before = _replace(template.constants_before, places, doses.loc[pair[0]])
            experiment.fixed_parameters_pre_equilibration = before
            experiment.reinitialization_state_idxs_sim = _reset_states(problem, model, pair[1])
        parameters = _replace(template.parameters, starts, initial.loc[pair[1]])
        return Condition(experiment, parameters, template.to_model, template.from_theta)

    return [condition(pair) for pair in pairs]


def _doses(problem, model) -> pd.DataFrame:
    """Return the columns of the condition table that hold nothing but numbers for constants of the compiled model."""
    table = problem.condition_df
    constants = set(model.get_fixed_parameter_ids())
    columns = [name for name in table.columns if name in constants and table[name].map(is_number).all()]
    return table[columns].astype(float)


def _initial_values(problem, model, pairs) -> pd.DataFrame:
    """Return the columns of the condition table that hold nothing but initial numbers of species.

    AMICI's import gives each of them a parameter of the model. With pre-equilibration there are two, and none is
    returned.
    """
    table, free = problem.condition_df, set(model.get_free_parameter_ids())
    columns = [name for name in table.columns if INITIAL.format(name) in free and table[name].map(is_number).all()]
    return table[[] if any(before for before, _ in pairs) else columns].astype(float)


def _kinds(problem, measurements, plain) -> dict:
    """Return for each pair of conditions what, besides `plain` columns, decides how parameters are mapped."""
    overrides = measurements.reindex(columns=["observableId", "observableParameters", "noiseParameters"])
    direct = overrides["observableId"].map(_noise_is_placeholder(problem)) & overrides["noiseParameters"].map(is_number)
    overrides["noiseParameters"] = overrides["noiseParameters"].astype(object).mask(direct, "")
    text = overrides.astype(object).fillna("").astype(str).agg("\t".join, axis=1)
    distinct = pd.concat([measurements[PAIR], text.rename("text")], axis=1).drop_duplicates()
    texts = distinct.groupby(PAIR)["text"].agg(lambda values: tuple(sorted(values)))
    rest = problem.condition_df.drop(columns=[*plain, "conditionName"], errors="ignore").astype(str)
    rest = {name: tuple(row) for name, row in zip(rest.index, rest.to_numpy(), strict=True)}
    return {pair: (bool(pair[0]), rest.get(pair[0]), rest[pair[1]], texts[pair]) for pair in texts.index}


def _noise_is_placeholder(problem) -> dict[str, bool]:
    formulas = problem.observable_df["noiseFormula"]
    return {name: is_placeholder(formula) for name, formula in formulas.items()}


def _map(problem, model, pairs):
    """Return AMICI's parameter mapping of each pair of conditions."""
    table = pd.DataFrame(list(pairs), columns=PAIR)
    if (table[PREEQUILIBRATION] == "").all():
        table = table.drop(columns=PREEQUILIBRATION)
    else:
        table[PREEQUILIBRATION] = table[PREEQUILIBRATION].replace("", np.nan)
    return create_parameter_mapping(problem, table, scaled_parameters=True, amici_model=model)


@dataclass
class _Template:
    """What conditions of one kind share: parameters on their scale, the estimated ones among them, and constants."""

    parameters: np.ndarray
    scales: list
    to_model: np.ndarray
    from_theta: np.ndarray
    constants: np.ndarray
    constants_before: np.ndarray


def _resolve(mapping, model, names, path) -> _Template:
    """Return a mapping as arrays; a model parameter is a number, an estimated parameter, or refers to another one."""
    position = {name: index for index, name in enumerate(names)}
    everything = {**mapping.map_sim_fix, **mapping.map_sim_var}

    def follow(value):
        while isinstance(value, str) and value not in position and everything.get(value, value) != value:
            value = everything[value]
        return value

    def constants(fixed, scales):
        values = []
        for name in model.get_fixed_parameter_ids():
            value = follow(fixed.get(name, 0.0))
            if isinstance(value, str):
                raise InputError(
                    f"{path}: '{value}' is estimated, but the compiled model takes '{name}' as a constant; "
                    "compile a model for this problem"
                )
            values.append(UNSCALE[scales.get(name, "lin")](float(value)))
        return np.nan_to_num(np.array(values), nan=0.0)

    free = model.get_free_parameter_ids()
    values = [follow(mapping.map_sim_var[name]) for name in free]
    estimated = [index for index, value in enumerate(values) if isinstance(value, str)]
    # Parameters of observables that a condition does not measure are NaN in PEtab and would spoil derivatives.
    numbers = np.nan_to_num(np.array([0.0 if isinstance(value, str) else float(value) for value in values]), nan=0.0)
    return _Template(
        numbers,
        [SCALES[mapping.scale_map_sim_var[name]] for name in free],
        np.array(estimated, dtype=int),
        np.array([position[values[index]] for index in estimated], dtype=int),
        constants(mapping.map_sim_fix, mapping.scale_map_sim_fix),
        constants(mapping.map_preeq_fix, mapping.scale_map_preeq_fix),
    )


def _replace(values, places, numbers) -> np.ndarray:
    values = values.copy()
    values[places] = numbers
    return values


def _reset_states(problem, model, condition) -> list[int]:
    """Return the states that a simulation condition sets anew after pre-equilibration."""
    row = problem.condition_df.loc[condition]
    return [index for index, name in enumerate(model.get_state_ids()) if name in row.index and not pd.isna(row[name])]


def _experiments(problem, measurements, model) -> dict:
    """Return AMICI's data objects by pair of conditions: time points (repeated for replicates), data, known noise."""
    observables = {name: index for index, name in enumerate(model.get_observable_ids())}
    table = measurements[[*PAIR, "observableId", "time", "measurement"]].copy()
    table["time"] = table["time"].astype(float)
    table["replicate"] = table.groupby([*PAIR, "observableId", "time"]).cumcount()
    noise = measurements.reindex(columns=["noiseParameters"])["noiseParameters"]
    known = table["observableId"].map(_noise_is_placeholder(problem)) & noise.map(is_number)
    table["noise"] = pd.to_numeric(noise.where(known), errors="coerce")
    experiments = {}
    for pair, rows in table.groupby(PAIR, sort=False):
        slots, place = np.unique(rows[["time", "replicate"]].to_numpy(float), axis=0, return_inverse=True)
        column = rows["observableId"].map(observables).to_numpy()
        values = np.full((2, len(slots), len(observables)), np.nan)
        values[:, place.ravel(), column] = rows["measurement"].to_numpy(float), rows["noise"].to_numpy(float)
        experiment = amici.ExpData(model)
        experiment.id = pair[1] + (f"+{pair[0]}" if pair[0] else "")
        experiment.set_timepoints(slots[:, 0])
        experiment.set_measurements(values[0].ravel())
        experiment.set_noise_scales(values[1].ravel())
        experiments[pair] = experiment
    return experiments
