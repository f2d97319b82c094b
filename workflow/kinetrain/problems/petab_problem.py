"""A PEtab problem simulated by AMICI, as a sum of negative log-likelihoods over conditions.

All that does not depend on the parameters (data, the mapping from estimated parameters to model parameters) is prepared
once; an evaluation only fills in parameters and runs the chosen conditions.
"""

import logging
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
import petab.v1 as petab
from amici.sim import sundials as amici
from amici.sim.sundials.petab.v1._parameter_mapping import create_parameter_mapping

from kinetrain.errors import InputError
from kinetrain.problems.compiled import load_model
from kinetrain.problems.options import SolverOptions
from kinetrain.problems.petab_tables import (
    checksum,
    is_number,
    is_placeholder,
    list_files,
    read_description,
    read_petab,
)
from kinetrain.problems.priors import Priors

# A failed solve is a number to us, not a message; gradients through switches of the input are checked in our tests.
for _name in [name for name in logging.root.manager.loggerDict if name.split(".")[0] == "amici"]:
    logging.getLogger(_name).setLevel(logging.CRITICAL)
warnings.filterwarnings("ignore", message="Adjoint sensitivity analysis for models with discontinuous")

PREEQUILIBRATION, SIMULATION = "preequilibrationConditionId", "simulationConditionId"
PAIR = [PREEQUILIBRATION, SIMULATION]
SCALES = {"lin": amici.ParameterScaling.none, "log": amici.ParameterScaling.ln, "log10": amici.ParameterScaling.log10}
SCALE = {"lin": lambda x: x, "log": np.log, "log10": np.log10}
UNSCALE = {"lin": lambda x: x, "log": np.exp, "log10": lambda x: 10.0**x}


@dataclass
class _Condition:
    """One initial value problem: its data, its model parameters, and where the estimated ones go (model <- theta)."""

    data: object
    parameters: np.ndarray
    to_model: np.ndarray
    from_theta: np.ndarray


class PetabProblem:
    """The objective of a PEtab problem, for any subset of its conditions.

    A condition is a distinct pair of pre-equilibration and simulation condition that has measurements.

    Parameters
    ----------
    path: the PEtab YAML.
    model_folder: where its model was compiled (`compiled.compile_model`).
    options: how to solve it.
    tables: PEtab tables to use in place of those that the YAML names, for the same model.

    Attributes
    ----------
    names, lower, upper, nominal: of the n estimated parameters, on their PEtab scale.
    start_lower, start_upper: the box of starting points, from uniform initialization priors, else the bounds.
    n_conditions, condition_names: K conditions in the order of the measurement table.
    checksum: sha256 of all its files.

    Source: Stapor et al. 2022 (conditions as the unit of mini-batches); PEtab 1 (likelihood, scales).
    """

    def __init__(self, path, model_folder, options: SolverOptions | None = None, tables: petab.Problem | None = None):
        options = options or SolverOptions()
        self.petab = tables or read_petab(path)
        self.model = load_model(path, self.petab, model_folder)
        self.solver = _solver(self.model, options)
        self.adjoint = options.sensitivities == "adjoint"
        table = self.petab.parameter_df
        table = table[table["estimate"] == 1]
        self.names = list(table.index)
        self.lower, self.upper, self.nominal = (
            _scaled(table, column) for column in ("lowerBound", "upperBound", "nominalValue")
        )
        self.start_lower, self.start_upper = _starting_box(table, self.lower, self.upper, path)
        self.priors = Priors(table) if options.priors else None
        self._conditions = _prepare(self.petab, self.model, self.names, path)
        self.condition_names = [condition.data.id for condition in self._conditions]
        self.n_conditions = len(self._conditions)
        self.checksum = checksum(b"".join(file.read_bytes() for file in list_files(path, read_description(path))))

    def value(self, theta, conditions) -> float:
        """Return the sum of the negative log-likelihoods of `conditions` at theta (n,); `inf` if a solve failed."""
        results = self._simulate(theta, conditions, amici.SensitivityOrder.none)
        if results is None:
            return np.inf
        value = -sum(result.llh for result in results)
        if self.priors:
            value += self._share(conditions) * self.priors.value(theta)
        return float(value) if np.isfinite(value) else np.inf

    def value_and_gradient(self, theta, conditions) -> tuple[float, np.ndarray]:
        """Return the sum over `conditions` and its gradient (n,) on the PEtab scale.

        The value is `inf`, the gradient NaN, where a solve failed or either of them is not finite.
        """
        value, gradient, _ = self._first_order(theta, conditions, information=False)
        return value, gradient

    def value_gradient_and_information(self, theta, conditions) -> tuple[float, np.ndarray, np.ndarray]:
        """Return the sum over `conditions`, its gradient (n,) and the Fisher information (n, n); forward mode only."""
        return self._first_order(theta, conditions, information=True)

    def simulate(self, theta, conditions):
        """Return AMICI's results (`y`, `x`, `status`, ...) for each condition at theta (n,), without sensitivities."""
        self.solver.set_return_data_reporting_mode(amici.RDataReporting.full)
        try:
            self.solver.set_sensitivity_order(amici.SensitivityOrder.none)
            return amici.run_simulations(self.model, self.solver, self._fill(theta, conditions), failfast=False)
        finally:
            self.solver.set_return_data_reporting_mode(amici.RDataReporting.likelihood)

    def _first_order(self, theta, conditions, information):
        n = len(theta)
        failed = np.inf, np.full(n, np.nan), np.full((n, n), np.nan)
        results = self._simulate(theta, conditions, amici.SensitivityOrder.first)
        if results is None:
            return failed
        value, gradient, fisher = 0.0, np.zeros(n), np.zeros((n, n))
        for k, result in zip(conditions, results, strict=True):
            condition = self._conditions[k]
            value -= result.llh
            np.subtract.at(gradient, condition.from_theta, result.sllh)
            if information:
                np.add.at(fisher, (condition.from_theta[:, None], condition.from_theta[None, :]), result.FIM)
        if self.priors:
            value += self._share(conditions) * self.priors.value(theta)
            gradient += self._share(conditions) * self.priors.gradient(theta)
        finite = np.isfinite(value) and np.isfinite(gradient).all() and np.isfinite(fisher).all()
        return (float(value), gradient, fisher) if finite else failed

    def _share(self, conditions) -> float:
        # The prior counts once in the full objective, so each condition carries 1/K of it.
        return len(conditions) / self.n_conditions

    def _simulate(self, theta, conditions, order):
        """Return one result per condition, or None at the first failure."""
        if not (np.asarray(theta) < np.inf).all():  # NaN too; -inf is a zero on a logarithmic scale
            return None
        self.solver.set_sensitivity_order(order)
        results = amici.run_simulations(self.model, self.solver, self._fill(theta, conditions), failfast=True)
        return results if all(result.status == amici.AMICI_SUCCESS for result in results) else None

    def _fill(self, theta, conditions) -> list:
        theta = np.asarray(theta, dtype=float)
        filled = []
        for k in conditions:
            condition = self._conditions[k]
            condition.parameters[condition.to_model] = theta[condition.from_theta]
            condition.data.free_parameters = condition.parameters
            filled.append(condition.data)
        return filled


def _scaled(table, column) -> np.ndarray:
    """Return a column of the parameter table on each parameter's scale."""
    values = table[column].to_numpy(float)
    with np.errstate(divide="ignore"):  # zero on a logarithmic scale
        return np.array([SCALE[scale](value) for scale, value in zip(table["parameterScale"], values, strict=True)])


def _starting_box(table, lower, upper, path) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds of starting points; initialization priors other than `parameterScaleUniform` are not used."""
    lower, upper = lower.copy(), upper.copy()
    columns = table.reindex(columns=["initializationPriorType", "initializationPriorParameters"])
    for index, (name, kind, numbers) in enumerate(columns.itertuples(name=None)):
        if kind == "parameterScaleUniform":
            low, high = (float(number) for number in numbers.split(";"))
            lower[index], upper[index] = max(low, lower[index]), min(high, upper[index])
            if lower[index] > upper[index]:
                raise InputError(
                    f"{path}: parameter table: initializationPriorParameters of '{name}' are out of bounds"
                )
    return lower, upper


def _solver(model, options: SolverOptions):
    """Return a CVODES solver. Sensitivities and the backward problem are solved more loosely than the states."""
    solver = model.create_solver()
    solver.set_sensitivity_method(getattr(amici.SensitivityMethod, options.sensitivities))
    solver.set_absolute_tolerance(options.absolute_tolerance)
    solver.set_relative_tolerance(options.relative_tolerance)
    # Forward sensitivities with AMICI's own atol of 1e-16 fail on many models; the backward problem has another scale.
    solver.set_absolute_tolerance_fsa(1e-6)
    solver.set_relative_tolerance_fsa(1e-6)
    solver.set_absolute_tolerance_b(1e-8)
    solver.set_relative_tolerance_b(1e-6)
    solver.set_absolute_tolerance_quadratures(1e-8)
    solver.set_relative_tolerance_quadratures(1e-6)
    solver.set_max_steps(options.max_steps)
    solver.set_max_steps_backward_problem(10 * options.max_steps)  # the default of 100 makes failures cost seconds
    solver.set_return_data_reporting_mode(amici.RDataReporting.likelihood)
    return solver


def _prepare(problem: petab.Problem, model, names, path) -> list[_Condition]:
    """Return the prepared conditions of a problem, in the order of their first measurement.

    PEtab's own mapping takes milliseconds for each condition. Conditions that differ only in numbers which the compiled
    model takes as constants (doses, say) share one mapping, so that a thousand doses cost one.
    """
    measurements = problem.measurement_df.reset_index(drop=True)
    if PREEQUILIBRATION not in measurements:
        measurements[PREEQUILIBRATION] = ""
    before = measurements[PREEQUILIBRATION].astype(object)
    measurements[PREEQUILIBRATION] = before.where(before.notna(), "").astype(str)
    pairs = list(measurements[PAIR].drop_duplicates().itertuples(index=False, name=None))
    doses = _doses(problem, model)
    kinds = _kinds(problem, measurements, doses)
    representatives = {}
    for pair in pairs:
        representatives.setdefault(kinds[pair], pair)
    mapped = [_resolve(mapping, model, names, path) for mapping in _map(problem, model, representatives.values())]
    templates = dict(zip(representatives, mapped, strict=True))
    places = [list(model.get_fixed_parameter_ids()).index(name) for name in doses.columns]
    data = _experiments(problem, measurements, model)

    def prepare(pair):
        template, experiment = templates[kinds[pair]], data[pair]
        experiment.pscale = amici.parameter_scaling_from_int_vector(template.scales)
        experiment.plist = [int(index) for index in template.to_model]
        experiment.fixed_parameters = _replace(template.constants, places, doses.loc[pair[1]])
        if pair[0]:
            before = _replace(template.constants_before, places, doses.loc[pair[0]])
            experiment.fixed_parameters_pre_equilibration = before
            experiment.reinitialization_state_idxs_sim = _reset_states(problem, model, pair[1])
        return _Condition(experiment, template.parameters.copy(), template.to_model, template.from_theta)

    return [prepare(pair) for pair in pairs]


def _doses(problem, model) -> pd.DataFrame:
    """Return the columns of the condition table that hold nothing but numbers for constants of the compiled model."""
    table = problem.condition_df
    constants = set(model.get_fixed_parameter_ids())
    columns = [name for name in table.columns if name in constants and table[name].map(is_number).all()]
    return table[columns].astype(float)


def _kinds(problem, measurements, doses) -> dict:
    """Return for each pair of conditions what, besides doses, decides how parameters are mapped to the model."""
    overrides = measurements.reindex(columns=["observableId", "observableParameters", "noiseParameters"])
    direct = overrides["observableId"].map(_noise_is_placeholder(problem)) & overrides["noiseParameters"].map(is_number)
    overrides["noiseParameters"] = overrides["noiseParameters"].astype(object).mask(direct, "")
    text = overrides.astype(object).fillna("").astype(str).agg("\t".join, axis=1)
    distinct = pd.concat([measurements[PAIR], text.rename("text")], axis=1).drop_duplicates()
    texts = distinct.groupby(PAIR)["text"].agg(lambda values: tuple(sorted(values)))
    rest = problem.condition_df.drop(columns=[*doses.columns, "conditionName"], errors="ignore").astype(str)
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
