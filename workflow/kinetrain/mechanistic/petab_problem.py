"""A PEtab problem simulated by AMICI, as a sum of negative log-likelihoods over conditions.

Data and the mapping from estimated parameters to model parameters are prepared once; an evaluation only fills in
parameters and simulates the chosen conditions, in solvers that keep their memory.
"""

import copy
import logging
import warnings
from dataclasses import replace

import numpy as np
import petab.v1 as petab
from amici._installation.amici import run_simulation
from amici.sim import sundials as amici

from kinetrain.mechanistic.compiled_model import load_model
from kinetrain.mechanistic.conditions import prepare
from kinetrain.mechanistic.parameter_priors import Priors
from kinetrain.mechanistic.petab_files import checksum_of_files
from kinetrain.mechanistic.petab_reader import read_petab
from kinetrain.mechanistic.simulated_times import even_times
from kinetrain.mechanistic.solver_options import SolverOptions, filled, safe_options
from kinetrain.mechanistic.starting_points import (
    nominal_values,
    scaled,
    starting_box,
    starting_quantiles,
    starting_rows,
)
from kinetrain.problem import StartingBox


def silence_amici():
    """Silence AMICI: we report failed solves as numbers. Its imports turn messages on again."""
    for name in [name for name in logging.root.manager.loggerDict if name.split(".")[0] == "amici"]:
        logging.getLogger(name).setLevel(logging.CRITICAL)


silence_amici()
# Gradients through switches of the input are checked in our tests.
warnings.filterwarnings("ignore", message="Adjoint sensitivity analysis for models with discontinuous")

RELAXATION = 100.0  # of tolerances, from trial to trial (parPE)
# Tolerances of steady states and their sensitivities, relative to those of the solve. AMICI's own 100 stops where slow
# species are still far from their steady state, and saves nothing: near it an integrator takes ever longer steps.
STEADY = 1e-2


class PetabProblem(StartingBox):
    """The objective of a PEtab problem, for any subset of its conditions.

    A condition is a distinct pair of pre-equilibration and simulation condition that has measurements.

    Parameters
    ----------
    path: the PEtab YAML.
    model_folder: where its model was compiled (`compiled_model.compile_model`).
    options: of the solver (`solver_options.merged`); open values get safe constants.
    tables: PEtab tables to use in place of those that the YAML names, for the same model.

    Attributes
    ----------
    names, lower, upper, nominal: of the n estimated parameters, on their PEtab scale.
    has_nominal: whether the tables give all nominal values; else the middle of the bounds stands in for the others.
    start_lower, start_upper: the box of starting points, from uniform initialization priors, else the bounds.
    start_quantiles: of initialization priors that are not uniform, quantile functions by the parameter's position.
    n_conditions, condition_names: K conditions in the order of the measurement table. n_measurements: of all of them.
    checksum: sha256 of all its files.
    options: how it is solved, with nothing left open.
    gradient_weight, information_weight: the cost of a gradient of one condition, without and with the Fisher
    information, in solves without sensitivities; the latter is None where the information is not to be used.
    relaxed_solves: how many solves were repeated with looser tolerances so far (`SolverOptions.trials`).
    engine: what solves it, `amici`.

    Source: Stapor et al. 2022 (conditions as the unit of mini-batches); PEtab 1 (likelihood, scales).
    """

    engine = "amici"

    def __init__(self, path, model_folder, options: SolverOptions | None = None, tables: petab.Problem | None = None):
        self.petab = tables or read_petab(path)
        self.model = load_model(path, self.petab, model_folder)
        table = self.petab.parameter_df
        table = table[table["estimate"] == 1]
        self.names = list(table.index)
        self.lower, self.upper = (scaled(table, column) for column in ("lowerBound", "upperBound"))
        self.has_nominal = bool(np.isfinite(table["nominalValue"]).all())
        self.start_lower, self.start_upper = starting_box(table, self.lower, self.upper, path)
        self.nominal = nominal_values(table, self.start_lower, self.start_upper)
        self.start_quantiles = starting_quantiles(starting_rows(table), path)
        self.priors = Priors(table) if options and options.priors else None
        self._conditions = prepare(self.petab, self.model, self.names, path)
        self.condition_names = [condition.data.id for condition in self._conditions]
        self.n_conditions = len(self._conditions)
        measured = (np.asarray(condition.data.get_measurements()) for condition in self._conditions)
        self.n_measurements = int(sum(np.isfinite(values).sum() for values in measured))
        self.checksum = checksum_of_files(path)
        self._solve_by(options or SolverOptions())

    def solved_by(self, options: SolverOptions) -> "PetabProblem":
        """Return this problem, solved otherwise (priors stay as they are); nothing is read again."""
        other = copy.copy(self)
        other._solve_by(options)
        return other

    def _solve_by(self, options):
        self.options = filled(options, safe_options(len(self.names)))
        self.gradient_weight, self.relaxed_solves = self.options.gradient_weight, 0
        self.information_weight = self.options.information_weight
        if self.information_weight is None and self.options.sensitivities == "forward":
            self.information_weight = self.gradient_weight
        self._solvers = {}

    def structures(self) -> list[tuple]:
        """Return of each condition what decides how it is simulated; conditions of equal ones differ in doses only.

        It is which parameters act and on which scales, what is pre-equilibrated and reset, which constants are zero,
        when is measured and which observables are.
        """
        return [_structure(condition) for condition in self._conditions]

    def value(self, theta, conditions) -> float:
        """Return the sum of the negative log-likelihoods of `conditions` at theta (n,); `inf` if a solve failed."""
        value = 0.0
        for _, result in self._solves(theta, conditions, amici.SensitivityOrder.none, self.options):
            if result is None:
                return np.inf
            value -= result.llh
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
        """Return value, gradient (n,) and Fisher information (n, n), always by forward sensitivities.

        The information is that of the measurements; priors are part of value and gradient alone. All three are `inf` or
        NaN where a solve failed or one of them is not finite.
        """
        return self._first_order(theta, conditions, information=True)

    def simulate(self, theta, conditions, derivatives: bool = False, between: int = 0):
        """Return AMICI's results (`y`, `x`, `status`, `numsteps`, ...) for each condition at theta (n,).

        They are tried once, whatever `trials` says; a failed one has another `status` than zero. With derivatives the
        first time point is the start, measured or not: AMICI reports the backward steps between time points alone.
        between: how many even times from the start to the last finite one are added to the measured times.
        """
        solver = make_solver(self.model, self.options, amici.SensitivityOrder(int(derivatives)))
        solver.set_return_data_reporting_mode(amici.RDataReporting.full)
        data = [self._fill(theta, k).data for k in conditions]
        if derivatives:
            data = [_with_times(one, [self.model.t0()], self.model) for one in data]
        if between:
            data = [_with_times(one, even_times(one.t_start, _times(one), between), self.model) for one in data]
        return amici.run_simulations(self.model, solver, data, failfast=False)

    def values_with_ones(self, theta, k):
        """Yield parameters of problem and model, and constants, by name, with the value of condition k where it is one.

        All others are as at theta (n,).
        """
        condition, model = self._fill(theta, k), self.model
        linear = np.array(list(map(int, condition.data.pscale))) == int(amici.ParameterScaling.none)
        numbers = set(range(len(linear))).difference(condition.to_model)
        acting = sorted(set(condition.from_theta))
        free = [(self.names[own], condition.to_model[condition.from_theta == own]) for own in acting]
        free += [(name, [place]) for place, name in enumerate(model.get_free_parameter_ids()) if place in numbers]
        fixed = [(name, [place]) for place, name in enumerate(model.get_fixed_parameter_ids())]
        constants = "fixed_parameters", "fixed_parameters_pre_equilibration"
        for own, attributes, ones in (
            (free, ("free_parameters",), linear.astype(float)),
            (fixed, constants, np.ones(len(fixed))),
        ):
            for name, places in own:
                data = amici.ExpData(condition.data)
                for attribute in attributes:
                    values = np.array(getattr(data, attribute))
                    if len(values):  # none without pre-equilibration
                        values[places] = ones[places]
                        setattr(data, attribute, values)
                result = self._solve(replace(condition, data=data), amici.SensitivityOrder.none, self.options)
                yield name, np.inf if result is None else -result.llh

    def _first_order(self, theta, conditions, information):
        n = len(theta)
        failed = np.inf, np.full(n, np.nan), np.full((n, n), np.nan) if information else None
        value, gradient, fisher = 0.0, np.zeros(n), np.zeros((n, n)) if information else None
        options = replace(self.options, sensitivities="forward") if information else self.options
        for places, result in self._solves(theta, conditions, amici.SensitivityOrder.first, options):
            if result is None:
                return failed
            value -= result.llh
            if not len(places):  # no estimated parameter acts here; AMICI would then take all of the model's
                continue
            np.subtract.at(gradient, places, np.array(result.sllh))
            if information:
                part = np.array(result.FIM).reshape(len(places), len(places))
                np.add.at(fisher, (places[:, None], places[None, :]), part)
        if self.priors:
            value += self._share(conditions) * self.priors.value(theta)
            gradient += self._share(conditions) * self.priors.gradient(theta)
        finite = np.isfinite(value) and np.isfinite(gradient).all() and (not information or np.isfinite(fisher).all())
        return (float(value), gradient, fisher) if finite else failed

    def _share(self, conditions) -> float:
        # The prior counts once in the full objective, so each condition carries 1/K of it.
        return len(conditions) / self.n_conditions

    def _solves(self, theta, conditions, order, options):
        """Yield for each condition where its derivatives belong in theta, and its result; None is the first failure."""
        theta = np.asarray(theta, dtype=float)
        if not (theta < np.inf).all():  # NaN too; -inf is a zero on a logarithmic scale
            yield None, None
            return
        for k in conditions:
            condition = self._fill(theta, k)
            acts = len(condition.to_model) > 0
            result = self._solve(condition, order if acts else amici.SensitivityOrder.none, options)
            yield condition.from_theta, result
            if result is None:
                return

    def _solve(self, condition, order, options):
        """Return the result of a filled condition, or None if all trials failed."""
        states = gradient = 1.0
        for trial in range(options.trials):
            key = options.sensitivities, order, len(condition.to_model), states, gradient
            # A solver keeps its memory for the next condition with as many sensitivities, but not after a failure.
            # AMICI's own run_simulations copies solver and model and wraps the result for each condition.
            solver = self._solvers.pop(key, None) or make_solver(self.model, options, order, states, gradient)
            result = run_simulation(solver.get(), condition.data, self.model.get())
            self.relaxed_solves += trial > 0
            if result.status == amici.AMICI_SUCCESS:
                self._solvers[key] = solver
                return result
            if np.isfinite(result.llh):  # only the backward problem failed
                gradient *= RELAXATION
            else:
                states *= RELAXATION
        return None

    def _fill(self, theta, k):
        """Return condition k with the estimated parameters among its own set to theta (n,)."""
        condition = self._conditions[k]
        condition.parameters[condition.to_model] = theta[condition.from_theta]
        condition.data.free_parameters = condition.parameters
        return condition


def _times(data) -> np.ndarray:
    return np.array(data.get_timepoints())


def _with_times(data, added, model):
    """Return a copy of AMICI's data that has these times among its time points, where it lacks them."""
    data, times = amici.ExpData(data), _times(data)
    added = np.setdiff1d(added, times)
    order = np.argsort(np.concatenate([times, added]), kind="stable")
    nothing = np.full((len(added), model.nytrue), np.nan)
    measured, noise = (np.reshape(one, (len(times), -1)) for one in (data.get_measurements(), data.get_noise_scales()))
    data.set_timepoints(np.concatenate([times, added])[order])
    data.set_measurements(np.concatenate([measured, nothing])[order].ravel())
    data.set_noise_scales(np.concatenate([noise, nothing])[order].ravel())
    return data


def _structure(condition) -> tuple:
    data = condition.data
    numbers = np.delete(condition.parameters, condition.to_model)
    constants = data.fixed_parameters, data.fixed_parameters_pre_equilibration, numbers
    measured = np.isfinite(np.reshape(data.get_measurements(), (len(data.get_timepoints()), -1))).any(axis=0)
    return (
        tuple(condition.to_model),
        tuple(map(int, data.pscale)),
        *(tuple(np.asarray(values) == 0) for values in constants),
        tuple(data.reinitialization_state_idxs_sim),
        tuple(data.get_timepoints()),
        tuple(np.atleast_1d(measured)),
    )


def make_solver(model, options: SolverOptions, order, states: float = 1.0, gradient: float = 1.0):
    """Return a CVODES solver of a model, for derivatives up to `order` (amici.SensitivityOrder).

    `options` have no open value (`solver_options.filled`). `states` is a factor on the tolerances of the states,
    `gradient` on those of sensitivities, backward problem and quadratures, which are one tolerance (`SolverOptions`).
    """
    assert options.absolute_tolerance and options.relative_tolerance and options.gradient_tolerance
    solver = model.create_solver()
    solver.set_sensitivity_method(getattr(amici.SensitivityMethod, options.sensitivities))
    solver.set_sensitivity_order(order)
    solver.set_absolute_tolerance(states * options.absolute_tolerance)
    solver.set_relative_tolerance(states * options.relative_tolerance)
    # Forward sensitivities with AMICI's own atol of 1e-16 fail on many models; the backward problem has another scale.
    tolerance = gradient * options.gradient_tolerance
    solver.set_absolute_tolerance_fsa(tolerance)
    solver.set_relative_tolerance_fsa(tolerance)
    solver.set_absolute_tolerance_b(0.1 * tolerance)
    solver.set_relative_tolerance_b(tolerance)
    solver.set_absolute_tolerance_quadratures(0.1 * tolerance)
    solver.set_relative_tolerance_quadratures(tolerance)
    solver.set_steady_state_tolerance_factor(STEADY)
    solver.set_steady_state_sensi_tolerance_factor(STEADY)
    solver.set_max_steps(options.max_steps)
    solver.set_max_steps_backward_problem(options.max_steps_backward)  # with AMICI's own a failure takes seconds
    solver.set_return_data_reporting_mode(amici.RDataReporting.likelihood)
    return solver
