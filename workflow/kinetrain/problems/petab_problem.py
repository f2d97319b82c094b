"""A PEtab problem simulated by AMICI, as a sum of negative log-likelihoods over conditions.

All that does not depend on the parameters (data, the mapping from estimated parameters to model parameters) is prepared
once; an evaluation only fills in parameters and runs the chosen conditions.
"""

import logging
import warnings

import numpy as np
import petab.v1 as petab
from amici.sim import sundials as amici

from kinetrain.errors import InputError
from kinetrain.problems.compiled import load_model
from kinetrain.problems.conditions import prepare
from kinetrain.problems.options import SolverOptions, filled, safe_options
from kinetrain.problems.petab_tables import (
    checksum,
    list_files,
    read_description,
    read_petab,
)
from kinetrain.problems.priors import Priors

# A failed solve is a number to us, not a message; gradients through switches of the input are checked in our tests.
for _name in [name for name in logging.root.manager.loggerDict if name.split(".")[0] == "amici"]:
    logging.getLogger(_name).setLevel(logging.CRITICAL)
warnings.filterwarnings("ignore", message="Adjoint sensitivity analysis for models with discontinuous")

SCALE = {"lin": lambda x: x, "log": np.log, "log10": np.log10}


class PetabProblem:
    """The objective of a PEtab problem, for any subset of its conditions.

    A condition is a distinct pair of pre-equilibration and simulation condition that has measurements.

    Parameters
    ----------
    path: the PEtab YAML.
    model_folder: where its model was compiled (`compiled.compile_model`).
    options: how to solve it (`options.merged`); safe constants stand in for what they leave open.
    tables: PEtab tables to use in place of those that the YAML names, for the same model.

    Attributes
    ----------
    names, lower, upper, nominal: of the n estimated parameters, on their PEtab scale.
    start_lower, start_upper: the box of starting points, from uniform initialization priors, else the bounds.
    n_conditions, condition_names: K conditions in the order of the measurement table.
    checksum: sha256 of all its files.
    gradient_weight: the cost of a gradient of one condition in solves without sensitivities.
    relaxed_solves: how many solves were repeated with looser tolerances so far (`SolverOptions.trials`).

    Source: Stapor et al. 2022 (conditions as the unit of mini-batches); PEtab 1 (likelihood, scales).
    """

    def __init__(self, path, model_folder, options: SolverOptions | None = None, tables: petab.Problem | None = None):
        self.petab = tables or read_petab(path)
        self.model = load_model(path, self.petab, model_folder)
        table = self.petab.parameter_df
        table = table[table["estimate"] == 1]
        self.names = list(table.index)
        options = filled(options or SolverOptions(), safe_options(len(self.names)))
        self.solver = _solver(self.model, options)
        self.adjoint = options.sensitivities == "adjoint"
        self.gradient_weight, self.relaxed_solves = options.gradient_weight, 0
        self.lower, self.upper, self.nominal = (
            _scaled(table, column) for column in ("lowerBound", "upperBound", "nominalValue")
        )
        self.start_lower, self.start_upper = _starting_box(table, self.lower, self.upper, path)
        self.priors = Priors(table) if options.priors else None
        self._conditions = prepare(self.petab, self.model, self.names, path)
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
    solver.set_max_steps_backward_problem(options.max_steps_backward)
    solver.set_return_data_reporting_mode(amici.RDataReporting.likelihood)
    return solver
