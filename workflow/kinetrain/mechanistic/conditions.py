"""The conditions of a PEtab problem for AMICI: data, constants, and positions of estimated parameters."""

import copy
import re
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pandas as pd
import petab.v1 as petab
from amici.importers.utils import RESERVED_SYMBOLS
from amici.sim import sundials as amici
from amici.sim.sundials.petab.v1._parameter_mapping import create_parameter_mapping

from kinetrain.errors import InputError
from kinetrain.mechanistic.petab_checks import PAIR, PREEQUILIBRATION, SIMULATION, is_number
from kinetrain.mechanistic.petab_tables import condition_name, for_amici, is_version_1, known_noise

AMICI = "amici_"  # what it puts before the ids that it needs itself
INITIAL = "initial_{}_sim"  # AMICI's name for the parameter of a species that the condition table sets
PLACEHOLDER = re.compile(r"(observable|noise)Parameter\d+_")
SCALES = {"lin": amici.ParameterScaling.none, "log": amici.ParameterScaling.ln, "log10": amici.ParameterScaling.log10}


@dataclass
class Condition:
    """One initial value problem.

    data: AMICI's ExpData. parameters (p,): of the model, on their scales; those at `to_model` (m,) are estimated and
    filled in from the elements `from_theta` (m,) of the problem's parameters.
    """

    data: amici.ExpData
    parameters: np.ndarray
    to_model: np.ndarray
    from_theta: np.ndarray


def petab_ids(ids) -> list[str]:
    """Return ids of a compiled model as PEtab has them: AMICI renames those that it needs itself (`k`, say)."""
    return [name.removeprefix(AMICI) if name.removeprefix(AMICI) in RESERVED_SYMBOLS else name for name in ids]


def prepare(problem: petab.Problem, model, names, path) -> list[Condition]:
    """Return the prepared conditions of a problem, in the order of their first measurement.

    PEtab's own mapping takes milliseconds for each condition. Conditions that differ only in numbers which the compiled
    model takes as constants (doses, say) or as initial values, or in the names of
    estimated parameters (one scaling per group, say), share one mapping, so that it is computed once for thousands.

    Raises
    ------
    InputError
        If the compiled model takes an estimated parameter as a constant, or has a parameter without value.
    """
    if not is_version_1(problem):
        return problem.prepare(model, names)
    problem = for_amici(problem, path)
    measurements = _measurements(problem)
    known = known_noise(problem).to_numpy()
    pairs = list(measurements[PAIR].drop_duplicates().itertuples(index=False, name=None))
    doses = _doses(problem, model)
    initial = _initial_values(problem, model, pairs)
    kinds = _kinds(problem, model, measurements, known, [*doses.columns, *initial.columns], names)
    shown = {}  # of each kind, the pair that is mapped
    for pair in pairs:
        shown.setdefault(kinds[pair].pattern, pair)
    mapped = _map(problem, model, measurements, known, set(shown.values()), path)
    templates = {pattern: _resolve(mapped[pair], model, names, path, bool(pair[0])) for pattern, pair in shown.items()}
    fill_doses = _filler(doses, petab_ids(model.get_fixed_parameter_ids()))
    fill_initial = _filler(initial.rename(columns=INITIAL.format), petab_ids(model.get_free_parameter_ids()))
    data = _experiments(measurements, known, model)

    def condition(pair):
        kind, experiment = kinds[pair], data[pair]
        template = templates[kind.pattern]
        experiment.pscale = template.scales
        experiment.plist = template.plist
        experiment.fixed_parameters = fill_doses(template.constants, pair[1])
        if pair[0]:
            experiment.fixed_parameters_pre_equilibration = fill_doses(template.constants_before, pair[0])
            experiment.reinitialization_state_idxs_sim = _reset_states(problem, model, pair[1])
        from_theta = _exchange(template.from_theta, kinds[shown[kind.pattern]].names, kind.names, names)
        # Without initial values of their own, conditions of a kind share the array that parameters are filled into.
        return Condition(experiment, fill_initial(template.parameters, pair[1]), template.to_model, from_theta)

    return [condition(pair) for pair in pairs]


def _measurements(problem) -> pd.DataFrame:
    """Return the measurement table, in which conditions of pre-equilibration are text, empty where there is none."""
    table = problem.measurement_df.reset_index(drop=True)
    before = table.reindex(columns=[PREEQUILIBRATION])[PREEQUILIBRATION].astype(object)
    return table.assign(**{PREEQUILIBRATION: before.where(before.notna(), "").astype(str)})


def _filler(table, ids):
    """Return a function that puts the numbers of a row of `table` in their places among values that belong to `ids`."""
    places = [list(ids).index(name) for name in table.columns]
    rows = dict(zip(table.index, table.to_numpy(), strict=True))

    def fill(values, name):
        if places:
            values = values.copy()
            values[places] = rows[name]
        return values

    return fill


def _exchange(from_theta, shown, own, names) -> np.ndarray:
    """Return positions in `names`, with those of the names `shown` exchanged for those of `own`."""
    if shown == own:
        return from_theta
    renamed = np.arange(len(names))
    renamed[[names.index(name) for name in shown]] = [names.index(name) for name in own]
    return renamed[from_theta]


def _doses(problem, model) -> pd.DataFrame:
    """Return the columns of the condition table that hold nothing but numbers for constants of the compiled model."""
    table = problem.condition_df
    constants = set(petab_ids(model.get_fixed_parameter_ids()))
    columns = [name for name in table.columns if name in constants and table[name].map(is_number).all()]
    return table[columns].astype(float)


def _initial_values(problem, model, pairs) -> pd.DataFrame:
    """Return the columns of the condition table that hold nothing but initial numbers of species.

    AMICI's import gives each of them a parameter of the model. With pre-equilibration there are two, and none is
    returned.
    """
    table, free = problem.condition_df, set(petab_ids(model.get_free_parameter_ids()))
    columns = [name for name in table.columns if INITIAL.format(name) in free and table[name].map(is_number).all()]
    return table[[] if any(before for before, _ in pairs) else columns].astype(float)


@dataclass
class _Kind:
    """What determines the mapping of parameters, apart from doses and initial values: a pattern, and its names."""

    pattern: tuple
    names: tuple


def _kinds(problem, model, measurements, known, plain, names) -> dict:
    """Return the kind of each pair of conditions; `plain` columns of the condition table have no part in it."""
    overrides = measurements.reindex(columns=["observableId", "observableParameters", "noiseParameters"])
    overrides["noiseParameters"] = overrides["noiseParameters"].astype(object).mask(known, "")
    distinct = pd.concat([measurements[PAIR], overrides.astype(object).fillna("").astype(str)], axis=1)
    distinct = distinct.drop_duplicates().sort_values("observableId", kind="stable")
    cells = {}
    for before, after, *row in distinct.itertuples(index=False, name=None):
        cells.setdefault((before, after), []).extend(part for text in row for part in (*text.split(";"), "\t"))
    rest = problem.condition_df.drop(columns=[*plain, "conditionName"], errors="ignore").astype(str)
    rest = {name: tuple(row) for name, row in zip(rest.index, rest.to_numpy(), strict=True)}
    # Only what does not stand in the model itself can be exchanged; its scale must stay the same.
    scales = problem.parameter_df.loc[names, "parameterScale"]
    free = {name: scales[name] for name in set(names).difference(petab_ids(model.get_free_parameter_ids()))}
    return {
        (before, after): _kind((bool(before), *rest.get(before, ()), "\t", *rest[after], "\t", *own), free)
        for (before, after), own in cells.items()
    }


def _kind(cells, free) -> _Kind:
    """Return cells of tables as a pattern, in which `free` names (with their scales) are numbered as they appear."""
    number = {}
    pattern = tuple((number.setdefault(cell, len(number)), free[cell]) if cell in free else cell for cell in cells)
    return _Kind(pattern, tuple(number))


def _map(problem, model, measurements, known, pairs, path) -> dict:
    """Return AMICI's parameter mapping of each pair of conditions."""
    # PEtab takes noise that changes over time, and tables in which some conditions have no pre-equilibration, for
    # overrides that it cannot map.
    measurements = measurements.copy()
    if "noiseParameters" in measurements:
        noise = measurements["noiseParameters"].astype(object)
        measurements["noiseParameters"] = noise.mask(known, 1.0)
    ids = SimpleNamespace(
        get_free_parameter_ids=lambda: petab_ids(model.get_free_parameter_ids()),
        get_fixed_parameter_ids=lambda: petab_ids(model.get_fixed_parameter_ids()),
    )
    mappings = {}
    for columns in (PAIR, [SIMULATION]):
        chosen = [pair for pair in pairs if bool(pair[0]) == (PREEQUILIBRATION in columns)]
        if chosen:
            rows = pd.MultiIndex.from_frame(measurements[PAIR]).isin(chosen)
            part = copy.copy(problem)
            part.measurement_df = measurements[rows].drop(columns=set(PAIR).difference(columns))
            table = pd.DataFrame(chosen, columns=PAIR)[columns]
            try:
                found = create_parameter_mapping(part, table, scaled_parameters=True, amici_model=ids)
            except (NotImplementedError, ValueError) as error:
                raise InputError(f"{path}: AMICI cannot map its parameters: {error}") from error
            mappings.update(zip(chosen, found, strict=True))
    return mappings


@dataclass
class _Template:
    """What conditions of one kind share: parameters on their scale, the estimated ones among them, and constants."""

    parameters: np.ndarray
    scales: object
    plist: list
    to_model: np.ndarray
    from_theta: np.ndarray
    constants: np.ndarray
    constants_before: np.ndarray | None


def _resolve(mapping, model, names, path, before) -> _Template:
    """Return a mapping as arrays; a model parameter is a number, an estimated parameter, or refers to another one.

    `before`: whether there is a pre-equilibration, which has constants of its own.
    """
    position = {name: index for index, name in enumerate(names)}
    everything = {**mapping.map_sim_fix, **mapping.map_sim_var}

    def follow(value):
        while isinstance(value, str) and value not in position and everything.get(value, value) != value:
            value = everything[value]
        return value

    def number(name, value, scale="lin"):
        if value in position:
            raise InputError(
                f"{path}: '{value}' is estimated, but the compiled model takes '{name}' as a constant; "
                "compile a model for this problem"
            )
        # Parameters of observables that a condition does not measure are NaN in PEtab and would spoil derivatives.
        if not is_number(value) and not (PLACEHOLDER.match(name) and pd.isna(value)):
            raise InputError(f"{path}: '{name}' has no value, neither in the tables nor in the model")
        return 0.0 if pd.isna(value) else petab.unscale(float(value), scale)

    def constants(fixed, scales):
        values = {name: follow(fixed.get(name)) for name in petab_ids(model.get_fixed_parameter_ids())}
        return np.array([number(name, value, scales.get(name, "lin")) for name, value in values.items()])

    free = petab_ids(model.get_free_parameter_ids())
    values = [follow(mapping.map_sim_var.get(name)) for name in free]
    estimated = [index for index, value in enumerate(values) if value in position]
    numbers = [0.0 if value in position else number(name, value) for name, value in zip(free, values, strict=True)]
    return _Template(
        np.array(numbers),
        amici.parameter_scaling_from_int_vector([SCALES[mapping.scale_map_sim_var[name]] for name in free]),
        estimated,
        np.array(estimated, dtype=int),
        np.array([position[values[index]] for index in estimated], dtype=int),
        constants(mapping.map_sim_fix, mapping.scale_map_sim_fix),
        constants(mapping.map_preeq_fix, mapping.scale_map_preeq_fix) if before else None,
    )


def _reset_states(problem, model, condition) -> list[int]:
    """Return the states that a simulation condition resets after pre-equilibration."""
    row = problem.condition_df.loc[condition].dropna()
    return [index for index, name in enumerate(petab_ids(model.get_state_ids())) if name in row.index]


def _experiments(measurements, known, model) -> dict:
    """Return AMICI's data objects by pair of conditions: time points (repeated for replicates), data, known noise."""
    observables = {name: index for index, name in enumerate(list(model.get_observable_ids()))}
    table = measurements[[*PAIR, "observableId", "time", "measurement"]].copy()
    table["time"] = table["time"].astype(float)
    table["replicate"] = table.groupby([*PAIR, "observableId", "time"]).cumcount()
    noise = measurements.reindex(columns=["noiseParameters"])["noiseParameters"]
    table["noise"] = pd.to_numeric(noise.where(known), errors="coerce")
    table["column"] = table["observableId"].map(observables)
    table = table.sort_values(["time", "replicate"], kind="stable")
    numbers = table[["time", "replicate", "column", "measurement", "noise"]].to_numpy(float)
    experiments = {}
    for pair, rows in table.reset_index().groupby(PAIR, sort=False).indices.items():
        time, replicate, column, measured, noise = numbers[rows].T
        new = np.append(True, (time[1:] != time[:-1]) | (replicate[1:] != replicate[:-1]))
        slot, values = np.cumsum(new) - 1, np.full((2, new.sum(), len(observables)), np.nan)
        values[:, slot, column.astype(int)] = measured, noise
        experiment = amici.ExpData(len(observables), 0, 0)
        experiment.id = condition_name(*pair)
        experiment.set_timepoints(time[new])
        experiment.set_measurements(values[0].ravel())
        experiment.set_noise_scales(values[1].ravel())
        experiments[pair] = experiment
    return experiments
