"""The solver settings of the kinetics kernel for a problem, after a comparison with AMICI.

A kernel is generated code that nobody has reviewed, so it is compared with AMICI, which works differently, before it is
used. Work is counted, not timed, as in solver_measures.py.
"""

from dataclasses import asdict, replace
from typing import Any

import numpy as np

from kinetrain.errors import InputError
from kinetrain.mechanistic.gradient_check import (
    LONG,
    NEAR,
    NEGLIGIBLE,
    TIGHTNESS,
    Comparison,
    kinds_of,
    parameter_scales,
)
from kinetrain.mechanistic.kernel.elimination import LARGEST_STRAIGHT
from kinetrain.mechanistic.kernel.problem import KernelProblem
from kinetrain.mechanistic.measuring_point import measured_at
from kinetrain.mechanistic.petab_problem import PetabProblem
from kinetrain.mechanistic.solver_measures import (
    ACCURACY,
    MOST_CONDITIONS,
    evaluate,
    finite,
    largest_error,
    least_forward_work,
    work_of,
)
from kinetrain.mechanistic.solver_options import KERNEL, SolverOptions, filled

VALUE_ACCURACY = 0.1  # relative, of what differences are asked for
INFORMATION_ACCURACY = 1e-2  # of the largest element: it only shapes steps; rounding before steady states comes to 2e-3
EXACT = SolverOptions(relative_tolerance=1e-9, absolute_tolerance=1e-18, max_steps=100_000)  # of the kernel
CLOSEST: dict[str, Any] = {"relative_tolerance": 1e-13, "absolute_tolerance": 1e-18, "gradient_tolerance": 1e-11}
TOGETHER, ROUNDING = 24, 1e-9  # conditions in one batch, three for each lane; how exactly it is the sum of them
TOLERANCES = (1e-6, 1e-7, 1e-8)
# Absolute tolerances to try first for models of more than LARGEST_STRAIGHT states, whose gradients take tens of
# milliseconds: where states are molecules per cell, the default resolves growth from nothing that nothing depends on.
# They must be accurate at some random starts too.
LOOSE, LOOSE_ACCURACY, LOOSE_STARTS = (1e-2, 1e-4, 1e-6, 1e-8, 1e-10, 1e-12), 1e-5, 3
POINTS = 4  # the nominal parameters and random ones
SHARES = (1.0, 0.3, 0.1, 0.0)  # of the way from the nominal parameters to a random start, where AMICI fails further off
WORK = 1e9  # of all of AMICI's gradients, in steps times states: some 40 seconds
DIFFERENCES = 14  # values that a derivative along a direction takes


class KernelWrongError(InputError):
    """The kernel and AMICI disagree, or cannot be compared; the message says in which condition."""


def choose(path, model_folder, options: SolverOptions) -> dict:
    """Return the kernel's settings (`chosen`) for a PEtab problem, and what its check found (`check`).

    The tolerances are the loosest ones at which gradients are as accurate as those of AMICI must be
    (`solver_measures`), at the nominal parameters and two points near them, against those at tight tolerances. Other
    open values are the kernel's own constants; weights are counted operations.

    Raises
    ------
    KernelWrongError
        If the kernel disagrees with AMICI (`KernelCheck`).
    KernelUnsupportedError, CompilerError
        If there is no kernel for this model.
    """
    kernel = KernelProblem(path, replace(options, priors=False))
    amici, point = measured_at(PetabProblem(path, model_folder), path)
    kernel.nominal = amici.nominal
    check = KernelCheck(kernel, amici, path)
    rows = _measure(kernel, check.conditions, options)
    tolerances = {name: rows[-1][name] for name in ("relative_tolerance", "absolute_tolerance")}
    own = SolverOptions(
        **KERNEL | tolerances,
        gradient_weight=kernel.gradient_weight,
        information_weight=kernel.information_weight,
        engine="kernel",
    )
    chosen = filled(options, own)
    return {
        "chosen": {name: value for name, value in asdict(chosen).items() if name not in ("priors", "trials")},
        "accurate": rows[-1]["error"] <= ACCURACY,
        "accuracy": ACCURACY,
        "point": point,
        "candidates": [{**row, "error": finite(row["error"])} for row in rows],
        "check": check.record(),
    }


def _measure(kernel, conditions, options) -> list[dict]:
    """Return rows of tolerances with their errors (`solver_measures`), loosest first, up to the first accurate ones."""
    exact, rng = kernel.solved_by(EXACT), np.random.default_rng(0)
    sample = conditions[:: -(-len(conditions) // MOST_CONDITIONS)]

    def solved(points):
        found = [(theta, *evaluate(exact, theta, sample)) for theta in points]
        return [one for one in found if np.isfinite(one[1]).all()]

    around = [kernel.nominal, *(kernel.nominal + rng.normal(0, NEAR, len(kernel.names)) for _ in range(2))]
    near = solved(np.clip(theta, kernel.lower, kernel.upper) for theta in around)
    relative = TOLERANCES if options.relative_tolerance is None else (options.relative_tolerance,)
    absolute = options.absolute_tolerance or KERNEL["absolute_tolerance"]
    tolerances = [(one, absolute, ACCURACY, [near]) for one in relative]
    if options.absolute_tolerance is None and len(kernel.model.get_state_ids()) > LARGEST_STRAIGHT:
        far = solved(kernel.draw_start(rng) for _ in range(LOOSE_STARTS))
        tolerances[:0] = [(relative[0], one, LOOSE_ACCURACY, [near, far]) for one in LOOSE if far]
    rows = []
    for relative_tolerance, absolute_tolerance, accuracy, points in tolerances:
        row = {"relative_tolerance": relative_tolerance, "absolute_tolerance": absolute_tolerance}
        candidate = kernel.solved_by(replace(kernel.options, **row))
        rows.append(row | {"error": max(largest_error(candidate, sample, known) for known in points)})
        if rows[-1]["error"] <= accuracy:
            break
    return rows


class KernelCheck:
    """A kernel (without priors) compared with AMICI, both at tight tolerances, when this object is made.

    Of each kind of condition (`PetabProblem.structures`) one is compared by its value, gradient and Fisher information,
    at a random start, the nominal parameters, and two more random starts, or nearer to the nominal parameters where
    AMICI fails. Gradients are AMICI's by forward sensitivities, all components; where these take too much work,
    differences of AMICI's values along a random direction. Where forward sensitivities deviate such differences decide,
    so that an error of AMICI is not taken for one of the kernel. There are fewer points where it would take minutes.

    Attributes
    ----------
    conditions: the first of each kind.

    Raises
    ------
    KernelWrongError
        If the kernel is wrong in some condition, or AMICI fails in it at all points.
    """

    def __init__(self, kernel: KernelProblem, amici: PetabProblem, path):
        self.kernel, self.amici, self.path = kernel.solved_by(EXACT), amici, path
        self.conditions = [members[0] for members in kinds_of(amici)]
        self._scale = parameter_scales(amici)
        self._failed, self._blamed, self._compared = 0, 0, dict.fromkeys(self.conditions, 0)
        self._errors = {"value": 0.0, "gradient": 0.0, "information": 0.0}
        self._forward, most = self._plan()
        for k, number in [(k, number) for number in (1, 0, 2, 3) for k in self.conditions][:most]:
            self._compared[k] += self._compare(k, number)
        for k, count in self._compared.items():
            if not count:
                name = amici.condition_names[k]
                raise KernelWrongError(f"{path}: AMICI fails in the condition '{name}', so the kernel is not checked")
        self._add_up(kernel)

    def record(self) -> dict:
        """Return comparisons and results, for JSON; errors are relative to value and largest component."""
        reference = "forward sensitivities" if self._forward else "values, by differences along a direction"
        return {
            "reference": f"AMICI's {reference}",
            "kinds_of_conditions": len(self.conditions),
            "compared": sum(self._compared.values()),
            "amici_failed": self._failed,
            "amici_wrong": self._blamed,
            "largest_errors": {name: float(f"{error:.1g}") for name, error in self._errors.items()},
            "instructions": self.kernel.engine.removeprefix("kernel-"),
        }

    def _plan(self) -> tuple[bool, int]:
        """Return whether forward sensitivities are not too much work, and how many comparisons are not."""
        size, each = 10 + self.amici.model.nx_solver, len(self.conditions) * POINTS
        value, parameters = self._work(None), len(self.amici.structures()[self.conditions[0]][0])
        forward = least_forward_work(value, parameters)
        if size * forward * each <= WORK:  # else to count their steps may take longer than all comparisons
            forward = self._work("forward")
        takes_forward = size * forward * each <= WORK
        work = size * (forward if takes_forward else DIFFERENCES * value)
        return takes_forward, max(len(self.conditions), int(WORK / work) if np.isfinite(work) else 0)

    def _work(self, method) -> float:
        solved = self.amici.solved_by(SolverOptions("forward", **TIGHTNESS[0][0], **LONG))
        return work_of(solved, self.amici.nominal, self.conditions[:1], method)[0]

    def _compare(self, k, number) -> bool:
        """Compare one condition at one point; return whether AMICI could solve it."""
        rng = np.random.default_rng([k, number])
        way = rng.uniform(self.amici.start_lower, self.amici.start_upper) - self.amici.nominal
        direction = rng.choice([-1, 1], len(way)) * rng.uniform(0.5, 1.5, len(way))
        for level, (tolerances, _) in enumerate(TIGHTNESS):
            solved = self.amici.solved_by(SolverOptions("forward", **tolerances, **LONG))
            for share in SHARES if number else (0.0,):
                theta = self.amici.nominal + share * way
                faults = self._faults(solved, level, k, theta, direction)
                if faults is None:
                    continue
                if faults and self._is_right_at_last(k, theta, direction):
                    self._blamed += 1
                elif faults:
                    where = f"{share:.0%} of the way to random start {number}" if number else "the nominal parameters"
                    name = self.amici.condition_names[k]
                    raise KernelWrongError(f"{self.path}: the kernel {faults} in the condition '{name}', at {where}")
                return True
        self._failed += 1
        return False

    def _is_right_at_last(self, k, theta, direction) -> bool:
        """Return whether the kernel agrees with AMICI at its tightest tolerances, as it should with nothing looser.

        Where states are smaller than AMICI's absolute tolerance, logarithms of them can be off by percents without a
        warning: of Bachmann's model far from the nominal parameters 7e-5 of the value at 1e-14, 1e-8 at 1e-18.
        """
        closest = self.amici.solved_by(SolverOptions("forward", **CLOSEST, **LONG))
        return self._faults(closest, 0, k, theta, direction) == ""

    def _faults(self, solved, level, k, theta, direction) -> str | None:
        """Return what is wrong with the kernel, if anything; None where AMICI fails."""
        right = solved.value(theta, [k])
        slope, information = None, None
        if np.isfinite(right) and self._forward:
            _, slope, information = solved.value_gradient_and_information(theta, [k])
        if not np.isfinite(right) or (slope is not None and not np.isfinite(slope).all()):
            return None
        value, gradient = self.kernel.value_and_gradient(theta, [k])
        if not np.isfinite(value):
            return "fails, and AMICI does not,"
        accuracy = TIGHTNESS[level][1]
        error = abs(value - right) / max(1.0, abs(right))
        if error > VALUE_ACCURACY * accuracy:
            return f"gives {value:.9g} and AMICI {right:.9g}"
        self._note(value=error)
        gradients = {"kernel": (value, gradient)}
        if slope is not None:
            length = max(np.abs(slope * self._scale).max(initial=0), NEGLIGIBLE * max(1.0, abs(right)))
            error = np.abs((gradient - slope) * self._scale).max(initial=0) / length
            if error <= ACCURACY:
                self._note(gradient=error)
                return self._fault_of_information(k, theta, slope, length, information)
            gradients["forward"] = right, slope
        found = Comparison(lambda point: solved.value(point, [k]), theta, self._scale, gradients, level)
        found.look_along(direction)
        found.look_between()
        if found.is_vague:
            return None if slope is None else "and AMICI have other gradients"
        fault = found.fault("kernel")
        if fault:
            return f"({found.describe('kernel', self.kernel.names)})"
        if slope is not None and found.fault("forward") is None:
            return f"and AMICI have other gradients (by {error:.1g} of the largest component)"
        self._blamed += slope is not None
        self._note(gradient=found.error("kernel"))
        return ""

    def _fault_of_information(self, k, theta, slope, length, right) -> str:
        _, gradient, information = self.kernel.value_gradient_and_information(theta, [k])
        if not np.isfinite(information).all():
            return "fails with the Fisher information"
        if not np.abs((gradient - slope) * self._scale).max(initial=0) <= ACCURACY * length:
            return "has another gradient with the Fisher information than without it"
        scale = np.outer(self._scale, self._scale)
        error = np.abs((information - right) * scale).max(initial=0) / max(1e-9, np.abs(right * scale).max(initial=0))
        self._note(information=error)
        return "" if error <= INFORMATION_ACCURACY else "and AMICI have another Fisher information"

    def _add_up(self, kernel):
        """Compare a batch of conditions, side by side in lanes, with the sum of them one by one.

        At the usual tolerances, as both take the same steps at any.
        """
        theta = kernel.nominal
        batch = list(dict.fromkeys([*self.conditions, *range(kernel.n_conditions)]))
        batch = batch[: max(TOGETHER, len(self.conditions))]
        values, gradients = zip(*(kernel.value_and_gradient(theta, [k]) for k in batch), strict=True)
        value, gradient = kernel.value_and_gradient(theta, batch)
        alone = np.sum(gradients, axis=0)
        size = np.abs(gradients).sum(axis=0).max(initial=1)
        if np.isfinite(values).all() and not (
            abs(value - sum(values)) <= ROUNDING * np.abs(values).sum()
            and np.abs(gradient - alone).max(initial=0) <= ROUNDING * size
        ):
            raise KernelWrongError(
                f"{self.path}: the kernel gives another value for a batch than for its conditions one by one"
            )

    def _note(self, **errors):
        for name, error in errors.items():
            self._errors[name] = max(self._errors[name], float(error))
