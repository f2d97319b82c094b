"""Hierarchical optimization: scalings, offsets and noise levels are computed analytically at every evaluation.

The optimizer moves the outer parameters only. At the optimum of the inner ones their gradient vanishes (or a
bound holds them), so the gradient over the outer parameters is that of the whole objective there.

Source: Schmiester et al. 2020, doi 10.1093/bioinformatics/btz581, solved by pyPESTO; here a simulation without
sensitivities, the inner solution, and one evaluation of the whole objective, each counted.
"""

from collections.abc import Callable

import numpy as np
from pypesto.hierarchical.base_problem import InnerProblem
from pypesto.hierarchical.relative.parameter import RelativeInnerParameter
from pypesto.hierarchical.relative.solver import AnalyticalInnerSolver

from kinetrain.mechanistic.inner_parameters import Inner, inner_parameters, places
from kinetrain.mechanistic.petab_tables import require_version_1
from kinetrain.mechanistic.scales import TO_SCALE
from kinetrain.training.cost import Counted

DUMMY = {"scaling": 1.0, "offset": 0.0, "sigma": 1.0}


class Hierarchical:
    """The full objective of a PEtab problem at the best inner parameters, as a function of the outer ones.

    It is a `full_batch.Reduced` problem, whose conditions are evaluated together; `counted` counts them, and must be
    set first. `outer` (m,) and `inner` (n - m,) are the indices of outer and inner parameters; `kinds`: what the inner
    ones are.

    Raises
    ------
    InputError
        If the problem has no parameters that can be computed analytically, or is one of PEtab version 2; the message
        has the problem's `name`.
    """

    def __init__(self, problem, name: str):
        require_version_1(problem.petab, name, "hierarchical optimization")
        self.problem, self.n_conditions = problem, problem.n_conditions
        self.counted: Counted  # set by the optimization
        found = inner_parameters(problem.petab, problem.priors is not None, name)
        names = list(problem.names)
        self.kinds = {name: parameter.kind for name, parameter in found.items()}
        self.inner = np.array([names.index(name) for name in found])
        self.outer = np.setdiff1d(np.arange(len(names)), self.inner)
        self._scales = [TO_SCALE[problem.petab.parameter_df.loc[name, "parameterScale"]] for name in found]
        with np.errstate(divide="ignore"):  # an offset of zero is -inf on a logarithmic scale
            dummies = [scale(DUMMY[kind]) for scale, kind in zip(self._scales, self.kinds.values(), strict=True)]
        self._dummies = np.array(dummies, dtype=float)
        self._logarithms = self._observable_scales()
        self._task = self._inner_problem(found)

    @property
    def cost(self):
        """The cost that was counted."""
        return self.counted.cost

    @cost.setter
    def cost(self, cost):
        self.counted.cost = cost

    def value(self, outer, conditions) -> float:
        """Return the objective at outer parameters (m,); costs two solves, `inf` if one failed."""
        theta = self._counted(outer)
        return np.inf if theta is None else self.counted.value(theta, conditions)

    def value_and_gradient(self, outer, conditions) -> tuple[float, np.ndarray]:
        """Return objective and gradient (m,); costs a solve and a gradient."""
        theta = self._counted(outer)
        if theta is None:
            return np.inf, np.full(len(self.outer), np.nan)
        value, gradient = self.counted.value_and_gradient(theta, conditions)
        return value, gradient[self.outer]

    def value_gradient_and_information(self, outer, conditions) -> tuple[float, np.ndarray, np.ndarray]:
        """Return objective, gradient (m,) and the Fisher information (m, m) with the inner parameters following."""
        theta = self._counted(outer)
        m = len(self.outer)
        if theta is None:
            return np.inf, np.full(m, np.nan), np.full((m, m), np.nan)
        value, gradient, full = self.counted.value_gradient_and_information(theta, conditions)
        if not np.isfinite(value):
            return value, gradient[self.outer], full[np.ix_(self.outer, self.outer)]
        between, within = full[np.ix_(self.outer, self.inner)], full[np.ix_(self.inner, self.inner)]
        information = full[np.ix_(self.outer, self.outer)] - between @ np.linalg.pinv(within) @ between.T
        return value, gradient[self.outer], information

    def _counted(self, outer):
        theta = self._complete(outer, self.counted.simulate)
        self.cost.failed_evaluations += theta is None
        return theta

    def complete(self, outer) -> np.ndarray | None:
        """Return all parameters (n,) at outer ones (m,), the inner ones at their best; None if a solve failed.

        Not counted. It can be applied to the parameters of any fit, to replace their scalings by the best ones.
        """
        return self._complete(outer, self.problem.simulate)

    def _complete(self, outer, simulate):
        theta = np.empty(len(self.outer) + len(self.inner))
        theta[self.outer], theta[self.inner] = outer, self._dummies
        results = simulate(theta, np.arange(self.n_conditions))
        simulations = [self._transformed(result.y) for result in results]
        if not all(np.isfinite(y[mask]).all() for y, mask in zip(simulations, self._task.data_mask, strict=True)):
            return None
        noise = [np.array(result.sigmay) for result in results]
        best = AnalyticalInnerSolver().solve(self._task, simulations, noise, scaled=False)
        lower, upper = self.problem.lower[self.inner], self.problem.upper[self.inner]
        with np.errstate(divide="ignore", invalid="ignore"):  # what is not positive goes to the lower bound
            values = [scale(best[name]) for scale, name in zip(self._scales, self.kinds, strict=True)]
        theta[self.inner] = np.clip(np.nan_to_num(values, nan=-np.inf), lower, upper)
        return theta

    def _observable_scales(self) -> list[tuple[int, Callable]]:
        """Return index and logarithm of the observables that are compared on a logarithmic scale."""
        table, names = self.problem.petab.observable_df, list(self.problem.model.get_observable_ids())
        scales = table.get("observableTransformation", {})
        return [
            (names.index(name), TO_SCALE[scale]) for name, scale in dict(scales).items() if scale in ("log", "log10")
        ]

    def _transformed(self, values) -> np.ndarray:
        values = np.array(values, dtype=float)
        with np.errstate(divide="ignore", invalid="ignore"):
            for index, logarithm in self._logarithms:
                values[:, index] = logarithm(values[:, index])
        return values

    def _inner_problem(self, found: dict[str, Inner]) -> InnerProblem:
        """Return pyPESTO's inner problem: the data, and for each parameter bounds and masks of its measurements."""
        petab, observables = self.problem.petab, list(self.problem.model.get_observable_ids())
        place = places(petab, observables, self.problem.condition_names)
        measurements = petab.measurement_df["measurement"].to_numpy(float)
        data = []
        for k in range(self.n_conditions):
            here = place[:, 0] == k
            values = np.full((place[here, 1].max() + 1, len(observables)), np.nan)
            values[place[here, 1], place[here, 2]] = measurements[here]
            data.append(self._transformed(values))
        parameters = {}
        for name, inner in found.items():
            masks = [np.zeros(values.shape, dtype=bool) for values in data]
            for condition, slot, observable in place[inner.rows]:
                masks[condition][slot, observable] = True
            row = petab.parameter_df.loc[name]
            free = (0.0, np.inf) if inner.kind == "sigma" else (row["lowerBound"], row["upperBound"])
            parameters[name] = RelativeInnerParameter(name, inner.kind, "lin", *free, masks)
        for name, inner in found.items():
            partners = [
                other for other, at in found.items() if set(at.rows) & set(inner.rows) and at.kind != inner.kind
            ]
            for other in partners:
                if {inner.kind, found[other].kind} == {"scaling", "offset"}:
                    parameters[name].coupled = parameters[other]
        return InnerProblem(list(parameters.values()), data)
