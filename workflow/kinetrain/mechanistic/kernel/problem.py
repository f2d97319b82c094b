"""A PEtab problem solved by a kernel made for its model: the same interface as `PetabProblem`.

In short: `KernelProblem(yaml, options)`; `value`, `value_and_gradient`, `value_gradient_and_information`, `simulate` as
there; `values`, `values_and_gradients` for several points of the parameters at once, each with conditions of its own,
which share the lanes of the processor: so a batch of one condition fills them with other starts.
"""

import copy
import json
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np

from kinetrain.compiler import runnable
from kinetrain.files import load_checkpoint, save_checkpoint
from kinetrain.mechanistic.kernel import build
from kinetrain.mechanistic.kernel.evaluation import GRADIENT, INFORMATION, INFORMATION_BY_ADJOINTS, VALUE, Evaluator
from kinetrain.mechanistic.kernel.mapping import BOXES, TYPES, Arrays, Names
from kinetrain.mechanistic.kernel.work import weights
from kinetrain.mechanistic.parameter_priors import Priors
from kinetrain.mechanistic.petab_files import checksum_of_files
from kinetrain.mechanistic.solver_options import KERNEL, SolverOptions
from kinetrain.problem import StartingBox


@dataclass
class Simulation:
    """A simulated condition with r rows (times, repeated for replicates): `ts` (r,), `y`, `sigmay` (r, observables).

    status: 0, or why it failed: 1 too many steps, 2 a step too small, 3 not finite. numsteps: attempts of a step.
    llh: the log-likelihood, `-inf` where it is not finite, as that of a measurement of zero on a logarithmic scale.
    """

    ts: np.ndarray
    y: np.ndarray
    sigmay: np.ndarray
    status: int
    numsteps: int
    llh: float


class KernelProblem(StartingBox):
    """The objective of a PEtab problem, for any subset of its conditions, as `PetabProblem`.

    Parameters
    ----------
    path: the PEtab YAML.
    options: how to solve it; what is open is as in `solver_options.KERNEL`, steps being attempts of a step.
    tables: PEtab tables to use in place of those that the YAML names, for the same model.
    variant: `plain`, `avx2` or `avx512`; the best one of this processor if None.

    Attributes
    ----------
    As of `PetabProblem`; engine: `kernel-` and the variant, as other instructions round differently. model: the names
    of its observables, parameters and states. counts: attempts of a step by all lanes together, those by lanes that had
    work, and accepted ones, so far.

    Raises
    ------
    KernelUnsupportedError
        If the model has something that the kernel does not support.
    CompilerError
        If it cannot be compiled.
    """

    nominal: np.ndarray

    def __init__(self, path, options: SolverOptions | None = None, tables=None, variant: str | None = None):
        self._path, self._tables = Path(path), tables
        self.checksum = checksum_of_files(path)
        prepared = _prepared(self._path, self.checksum) if tables is None else _prepare(self._path, tables)
        self._read(*prepared)
        variant = variant or runnable()[0]
        self._library, self.engine = build.load(self.kernel, variant), f"kernel-{variant}"
        facts = build.facts_of(self.kernel)
        assert facts is not None  # kept with the kernel
        sizes = build.sizes_of(self._library)
        gradient, information = weights(facts, sizes)
        self._carried = bool((self._arrays.preequilibration >= 0).any())
        self._weights = gradient, round(information + gradient * self._carried, 1)
        self._information, measurements = INFORMATION, self._arrays.most_measurements
        # The adjoint of a pre-equilibration is that of all measurements together: there, sensitivities serve alone.
        if measurements and not self._carried and weights(facts, sizes, measurements)[1] < information:
            self._information, self._weights = INFORMATION_BY_ADJOINTS, weights(facts, sizes, measurements)
        self.priors = Priors.of_terms(self._terms) if options and options.priors else None
        self._solve_by(options or SolverOptions())

    def _read(self, facts, arrays):
        self.kernel, self.model = facts["kernel"], Names(build.facts_of(facts["kernel"]))
        self.names, self.condition_names = facts["names"], facts["condition_names"]
        self._terms, self._arrays = facts["prior_terms"], arrays
        self.has_nominal = facts["has_nominal"]
        self.start_quantiles = {}
        if facts["starting_rows"]:
            from kinetrain.mechanistic.starting_points import starting_quantiles

            self.start_quantiles = starting_quantiles(facts["starting_rows"], self._path)
        for name in BOXES:
            setattr(self, name, np.array(facts[name]))
        self.n_conditions = len(self.condition_names)
        self.n_measurements = int(np.isfinite(self._arrays.measured).sum())

    @cached_property
    def petab(self):
        """The tables of the problem (`petab_reader.read_petab`), read where they are asked for."""
        from kinetrain.mechanistic.petab_reader import read_petab

        return self._tables or read_petab(self._path)

    def solved_by(self, options: SolverOptions) -> "KernelProblem":
        """Return this problem, solved otherwise (priors stay as they are); nothing is read again."""
        other = copy.copy(self)
        other._solve_by(options)
        return other

    def _solve_by(self, options):
        self.options = options
        gradient, information = self._weights
        self.gradient_weight = options.gradient_weight or gradient
        self.information_weight = options.information_weight or information
        self.relaxed_solves = 0
        self._evaluator = Evaluator(
            self._library,
            self._arrays,
            options.relative_tolerance or KERNEL["relative_tolerance"],
            options.absolute_tolerance or KERNEL["absolute_tolerance"],
            options.max_steps or KERNEL["max_steps"],
        )

    @property
    def counts(self) -> np.ndarray:
        """Attempts of a step by all lanes together, by lanes that had work, and accepted ones, so far."""
        return self._evaluator.counts

    def value(self, theta, conditions) -> float:
        """Return the sum of the negative log-likelihoods of `conditions` at theta (n,); `inf` if a solve failed."""
        return float(self.values([theta], [conditions])[0])

    def values(self, thetas, batches) -> np.ndarray:
        """Return the values (S,) of S points (S, n), each for its own conditions; `inf` where a solve failed."""
        return self._evaluate(thetas, batches, VALUE)[0]

    def value_and_gradient(self, theta, conditions) -> tuple[float, np.ndarray]:
        """Return the sum over `conditions` and its gradient (n,) on the PEtab scale.

        The value is `inf`, the gradient NaN, where a solve failed or either of them is not finite.
        """
        values, gradients = self.values_and_gradients([theta], [conditions])
        return float(values[0]), gradients[0]

    def values_and_gradients(self, thetas, batches) -> tuple[np.ndarray, np.ndarray]:
        """Return values (S,) and gradients (S, n) of S points (S, n), each for its own conditions.

        They are those of each point alone, but for rounding.
        """
        return self._evaluate(thetas, batches, GRADIENT)[:2]

    def value_gradient_and_information(self, theta, conditions) -> tuple[float, np.ndarray, np.ndarray]:
        """Return value, gradient (n,) and Fisher information (n, n).

        The information comes from sensitivities by all parameters or, where that takes fewer operations, from an
        adjoint for each measurement of a condition. It is that of the measurements; priors are part of value and
        gradient alone. All three are `inf` or NaN where a solve failed or one of them is not finite. With
        pre-equilibrations the gradient is the adjoint one: rounding grows in sensitivities that are carried along until
        a steady state, up to 3e-4 of Isensee's gradient.
        """
        values, gradients, information = self._evaluate([theta], [conditions], self._information)
        if self._carried and np.isfinite(values[0]):
            values, gradients = self.values_and_gradients([theta], [conditions])
        return float(values[0]), gradients[0], information[0]

    def simulate(self, theta, conditions, between: int = 0) -> list[Simulation]:
        """Return the simulation of each condition at theta (n,); a failed one has another `status` than zero.

        between: how many even times from the start to the last finite one are added to the measured times.
        """
        if between:
            finer = copy.copy(self)
            finer._arrays = self._arrays.with_times(between)
            finer._solve_by(self.options)
            return finer.simulate(theta, conditions)
        conditions = np.asarray(conditions, dtype=np.int32)
        ends = self._arrays.row_end
        times = [self._arrays.time[(ends[k - 1] if k else 0) : ends[k]] for k in conditions]
        lengths = [len(one) for one in times]
        y, sigma = np.full((2, sum(lengths), self._arrays.measured.shape[1]), np.nan)
        theta = np.asarray(theta, dtype=float)[None]
        if not (theta < np.inf).all():
            theta = np.full_like(theta, np.nan)
        found = self._evaluator.evaluate(theta, conditions, np.zeros(len(conditions)), VALUE, y, sigma)
        cuts = np.cumsum(lengths)[:-1]
        parts = zip(
            times, np.split(y, cuts), np.split(sigma, cuts), found.status, found.attempts, found.value, strict=True
        )
        return [Simulation(t, y, s, int(status), int(steps), -value) for t, y, s, status, steps, value in parts]

    def _evaluate(self, thetas, batches, order):
        thetas = np.ascontiguousarray(thetas, dtype=float)
        lengths = [len(batch) for batch in batches]
        conditions = np.concatenate([np.asarray(batch, dtype=np.int32) for batch in batches])
        points = np.repeat(np.arange(len(thetas), dtype=np.int32), lengths)
        usable = (thetas < np.inf).all(axis=1)  # not NaN; -inf is a zero on a logarithmic scale
        kept = usable[points]
        found = self._evaluator.evaluate(thetas, conditions[kept], points[kept], order)
        values = np.bincount(found.point, found.value, minlength=len(thetas)).astype(float)  # of no pairs it is integer
        values[~usable] = np.inf
        gradients, information = found.gradient, found.information
        if self.priors:
            for point in np.flatnonzero(usable):
                share = lengths[point] / self.n_conditions  # the prior counts once in the full objective
                values[point] += share * self.priors.value(thetas[point])
                if order:
                    gradients[point] += share * self.priors.gradient(thetas[point])
        failed = ~np.isfinite(values)
        if order:
            failed |= ~np.isfinite(gradients).all(axis=1)
            gradients[failed] = np.nan
        if order >= INFORMATION:
            failed |= ~np.isfinite(information).all(axis=(1, 2))
            gradients[failed] = information[failed] = np.nan
        values[failed] = np.inf
        return values, gradients, information


def _prepared(path, content) -> tuple[dict, Arrays]:
    """Return what is known of a problem whose files have this checksum, from the cache if it was there before."""
    file = build.problem_file(content)
    if kept := load_checkpoint(file, content):
        facts = json.loads(str(kept["facts"]))
        if build.facts_of(facts["kernel"]) is not None:
            return facts, Arrays(**{name: np.ascontiguousarray(kept[name], dtype=TYPES[name]) for name in TYPES})
    facts, found = _prepare(path)
    arrays = {field.name: getattr(found, field.name) for field in fields(Arrays)}
    save_checkpoint(file, content, facts=np.array(json.dumps(facts)), **arrays)
    return facts, found


def _prepare(path, tables=None) -> tuple[dict, Arrays]:
    """Return what is known of a problem, from its files (or tables): AMICI reads the model, code is generated."""
    from kinetrain.mechanistic.kernel.preparation import prepare

    return prepare(path, tables)
