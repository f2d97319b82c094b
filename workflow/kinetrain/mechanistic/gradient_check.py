"""Check of gradients against finite differences of the objective, condition by condition.

AMICI's sensitivities are wrong for some kinds of conditions without a warning: adjoint ones where states are set anew
after pre-equilibration, and where several changes meet at a measured time, where even the value that is returned with
the gradient is wrong. That two methods of the same solver agree proves neither right.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from kinetrain.errors import InputError
from kinetrain.mechanistic.solver_options import SolverOptions

EXACT: dict[str, Any] = {"absolute_tolerance": 1e-14, "relative_tolerance": 1e-11, "gradient_tolerance": 1e-9}
LONG: dict[str, Any] = {"max_steps": 20_000, "max_steps_backward": 100_000}
ROUGH: dict[str, Any] = {"absolute_tolerance": 1e-10, "relative_tolerance": 1e-8, "gradient_tolerance": 1e-6}
# What is asked of derivatives along a direction (relative to the length of the gradient), and of values (relative), at
# tight tolerances, or where these cannot be met; right methods come to 1e-8 at the former.
TIGHTNESS = (EXACT, 1e-5), (ROUGH, 1e-3)
NEGLIGIBLE = 1e-3  # of the value (at least one): a gradient that is shorter counts as that long
VAGUE = 1e-2  # relative error of differences, beyond which they are inconclusive
NEAR, NEARBY, STARTS = 0.1, 3, 5  # points to try: some at this distance of the nominal parameters, then random starts
STEP, RATIO, LEVELS = 0.02, 2.0, 6  # of finite differences, in units of a parameter's scale
TOGETHER = 25  # conditions that differ in doses only are checked in sums of that many


@dataclass
class Verdict:
    """The result for a method: its largest error in any condition, and why it is dropped ("" if it is not)."""

    error: float = 0.0
    reason: str = ""


class GradientCheck:
    """Which sensitivity methods give right gradients for a problem, at points near its nominal parameters.

    One condition of each structure (`PetabProblem.structures`) is checked by itself when this object is made, with all
    methods; `holds` checks the others, which differ from these in doses only, in sums of 25, with one method.

    In each check the derivative along a random direction, which all parameters are part of, is compared with that of
    central differences of `value`, extrapolated from several steps with an estimate of their error (Ridders 1982, doi
    10.1016/S0141-1195(82)80057-0), and the value returned with the gradient with that of `value`, all at tight
    tolerances. Where two methods pass but differ, the direction between them decides.

    Attributes
    ----------
    methods: those not dropped so far, in the order given. verdicts: by method, those dropped too.
    vague: names of conditions whose differences were inconclusive.

    Raises
    ------
    InputError
        If no method is left, or a condition cannot be solved at any of the points tried.
    """

    def __init__(self, problem, methods, path):
        self.problem, self.path, self.vague = problem, path, []
        self.methods = list(methods)
        self.verdicts = {method: Verdict() for method in methods}
        self._solved = [
            {method: problem.solved_by(SolverOptions(method, **tolerances, **LONG)) for method in methods}
            for tolerances, _ in TIGHTNESS
        ]
        self._scale = parameter_scales(problem)
        kinds = kinds_of(problem)
        self._one_by_one = [members[0] for members in kinds]
        self._sums = [
            members[begin : begin + TOGETHER] for members in kinds for begin in range(1, len(members), TOGETHER)
        ]
        for k in self._one_by_one:
            self._check(k, list(self.methods))

    def holds(self, method) -> bool:
        """Return whether `method` is right in all other conditions too; if not, it is dropped."""
        for members in self._sums:
            if not self._agrees(members, method):
                for k in members:
                    self._check(k, [method])
            if method not in self.methods:
                return False
        return True

    def record(self) -> dict:
        """Return checks and results, for JSON."""
        return {
            "one_by_one": len(self._one_by_one),
            "in_sums": sum(map(len, self._sums)),
            "methods": {
                method: {"agrees": not verdict.reason, "largest_error": _short(verdict.error), "reason": verdict.reason}
                for method, verdict in self.verdicts.items()
            },
            "vague": self.vague,
        }

    def _agrees(self, members, method) -> bool:
        found = self._compare(members, [method])
        if found is None or found.is_vague or found.fault(method) is not None:
            return False
        self.verdicts[method].error = max(self.verdicts[method].error, found.error(method))
        return True

    def _check(self, k, methods):
        """Compare `methods` in condition k, and drop those that are wrong; InputError if none is left."""
        name = self.problem.condition_names[k]
        found = self._compare([k], methods)
        if found is None:
            raise InputError(
                f"{self.path}: condition '{name}' cannot be solved at the nominal parameters, at {NEARBY} points near "
                f"them, or at {STARTS} random starts, so that its gradient cannot be checked"
            )
        if found.is_vague:
            self.vague.append(name)
        for method in methods:
            verdict = self.verdicts[method]
            verdict.error = max(verdict.error, found.error(method))
            fault = found.fault(method)
            if fault:
                verdict.reason = f"{fault} in condition '{name}'"
                self.methods.remove(method)
        if not self.methods:
            raise InputError(self._refusal(found, methods, name))

    def _refusal(self, found, methods, name) -> str:
        details = "; ".join(f"{method}: {found.describe(method, self.problem.names)}" for method in methods)
        others = [method for method in self.verdicts if method not in methods]
        wrong = "".join(f"; {method}: {self.verdicts[method].reason}" for method in others)
        hint = "" if len(self.verdicts) > 1 else "; with 'sensitivities: auto' the other method is tried too"
        return (
            f"{self.path}: no method gives a right gradient of condition '{name}' ({details}{wrong}); "
            f"AMICI is known to be wrong for some models{hint}"
        )

    def _compare(self, conditions, methods):
        """Return a comparison in which no method fails and differences are accurate, else the best; None without any.

        Looser tolerances are tried only where tight ones cannot be met at any point near the nominal parameters.
        """
        tries = [(level, attempt) for level in range(len(TIGHTNESS)) for attempt in range(NEARBY + 1)]
        starts = [(len(TIGHTNESS) - 1, NEARBY + 1 + number) for number in range(STARTS)]
        best = None
        for level, attempt in tries + starts:
            if best is not None and (attempt > NEARBY or (level > best.level and not best.failing)):
                break
            found = self._compare_at(level, attempt, conditions, methods)
            if found is not None and (best is None or found.rank < best.rank):
                best = found
            if best is not None and not best.failing and best.resolution <= best.accuracy:
                break
        return best

    def _compare_at(self, level, attempt, conditions, methods):
        rng = np.random.default_rng([conditions[0], attempt])
        theta, solved = self._point(rng, attempt), self._solved[level]

        def value(point):
            return solved[methods[0]].value(point, conditions)

        if not np.isfinite(value(theta)):
            return None
        gradients = {method: solved[method].value_and_gradient(theta, conditions) for method in methods}
        found = Comparison(value, theta, self._scale, gradients, level)
        found.look_along(rng.choice([-1, 1], len(theta)) * rng.uniform(0.5, 1.5, len(theta)))
        found.look_between()
        return found

    def _point(self, rng, attempt) -> np.ndarray:
        """Return a point to check at, far enough within the bounds for steps."""
        problem, margin = self.problem, 2 * STEP * self._scale
        if attempt > NEARBY:
            theta = rng.uniform(problem.start_lower, problem.start_upper)
        else:  # the nominal parameters themselves, the last resort, are often a special point
            width = NEAR if attempt < NEARBY else 0.0
            theta = problem.nominal + width * self._scale * rng.normal(size=len(margin))
        return np.clip(theta, problem.lower + margin, problem.upper - margin)


def kinds_of(problem) -> list[list[int]]:
    """Return the conditions of each structure, which differ in doses only."""
    kinds = {}
    for k, structure in enumerate(problem.structures()):
        kinds.setdefault(structure, []).append(k)
    return list(kinds.values())


class Comparison:
    """Gradients (by method, with the values returned with them) at one point, and differences along some directions.

    Gradients and directions are in units of `scale` (n,), a typical change of each parameter.
    """

    def __init__(self, value, theta, scale, found, level):
        self._value, self._theta, self._scale, self._at = value, theta, scale, value(theta)
        self.level, (tolerances, self.accuracy) = level, TIGHTNESS[level]
        self._noise = tolerances["relative_tolerance"] * max(1.0, abs(self._at))
        self._values = {method: both[0] for method, both in found.items()}
        self._gradients = {method: both[1] * scale for method, both in found.items()}
        self.failing = [method for method, gradient in self._gradients.items() if not np.isfinite(gradient).all()]
        lengths = [np.linalg.norm(self._gradients[method]) for method in found if method not in self.failing]
        self._length = max([NEGLIGIBLE * max(1.0, abs(self._at)), *lengths])
        self._looks = []  # direction, derivative, its error

    def look_along(self, direction):
        """Take the differences along a direction (n,)."""

        def along(step):
            return self._value(self._theta + step * self._scale * direction)

        enough = 0.1 * self.accuracy * self._length
        slope, error = differences(along, self._noise, enough)
        slack = self.accuracy * self._length + 2 * error
        if any(abs(gradient @ direction - slope) > slack for gradient in self._gradients.values()):
            # A method is not called wrong by differences whose noise was only assumed.
            slope, error = differences(along, max(self._noise, 3 * roughness(along)), enough)
        self._looks.append((direction, slope, error))

    def look_between(self):
        """Let the direction between the two methods decide, if both pass but differ."""
        passing = [method for method in self._gradients if self.fault(method) is None]
        if len(passing) == 2:
            between = np.subtract(*(self._gradients[method] for method in passing))
            if np.linalg.norm(between) > self.accuracy * self._length:
                self.look_along(between / np.abs(between).max())

    @property
    def rank(self) -> tuple:
        """Comparisons of a smaller rank are preferred."""
        return len(self.failing), self.resolution

    @property
    def resolution(self) -> float:
        """The relative error of the least accurate differences."""
        return max(error for _, _, error in self._looks) / self._length

    @property
    def is_vague(self) -> bool:
        """Whether the differences are inconclusive."""
        return not self.resolution <= VAGUE

    def error(self, method) -> float:
        """Return the largest deviation of a method's derivatives from differences, relative to the gradient's length.

        It is infinite where the method fails, and zero where the differences are inconclusive.
        """
        if method in self.failing:
            return np.inf
        if self.is_vague:
            return 0.0
        return max(abs(self._gradients[method] @ along - slope) for along, slope, _ in self._looks) / self._length

    def fault(self, method) -> str | None:
        """Return what is wrong with a method, if anything."""
        if method in self.failing:
            return "fails, though the objective can be computed"
        if abs(self._values[method] - self._at) > self.accuracy * max(1.0, abs(self._at)):
            return "gives another objective with the gradient than without it"
        if self.error(method) > self.accuracy + 2 * self.resolution:
            return "disagrees with differences of the objective"
        return None

    def describe(self, method, names) -> str:
        """Return the fault of a method with its numbers, and the parameter whose derivative is furthest off."""
        fault = self.fault(method)
        if fault is None or "fails" in fault:
            return str(fault)
        if "another objective" in fault:
            return f"{fault}: {self._values[method]:.6g}, not {self._at:.6g}"
        slopes = np.array([self._slope_of(index) for index in range(len(names))])
        off = np.abs(self._gradients[method] - slopes)
        worst = int(np.nanargmax(off))
        derivative, right = (float(values[worst] / self._scale[worst]) for values in (self._gradients[method], slopes))
        return f"{fault}; the derivative by '{names[worst]}' is {derivative:.6g}, by differences {right:.6g}"

    def _slope_of(self, index) -> float:
        step = np.zeros(len(self._scale))
        step[index] = self._scale[index]
        return differences(lambda h: self._value(self._theta + h * step), 0.0, 0.0)[0]


def differences(value, noise, enough) -> tuple[float, float]:
    """Return the derivative of `value(step)` at zero by extrapolated central differences, and an estimate of its error.

    Steps are halved until the error is at most `enough`, or six times; `noise` is the largest error of the values. The
    error is infinite if no two steps could be evaluated.
    """
    slope, error, before = np.nan, np.inf, []
    for level in range(LEVELS):
        step = STEP / RATIO**level
        row = [(value(step) - value(-step)) / (2 * step)]
        for order, earlier in enumerate(before, start=1):
            gain = RATIO ** (2 * order)
            row.append((gain * row[-1] - earlier) / (gain - 1))
            estimate = max(abs(row[-1] - row[-2]), abs(row[-1] - earlier)) + 2 * noise / step
            if estimate < error:  # never with NaN
                slope, error = row[-1], estimate
        before = row
        if error <= enough:
            break
    return float(slope), float(error)


def roughness(value) -> float:
    """Return the standard deviation of what is not smooth in `value(step)` near zero, from its fourth differences.

    Source: More and Wild 2011, doi 10.1137/100786125.
    """
    step = STEP / RATIO ** (LEVELS + 1)
    fourth = np.diff([value(number * step) for number in range(-4, 5)], n=4)
    return float(np.sqrt(np.mean(fourth**2) / 70))  # 70 is the sum of the squared binomial coefficients


def parameter_scales(problem) -> np.ndarray:
    """Return a typical change of each parameter: one for logarithmic ones, their own size for others.

    It is at most a quarter of the distance of the bounds.
    """
    width = (problem.upper - problem.lower) / 4
    logarithmic = problem.petab.parameter_df.loc[problem.names, "parameterScale"].to_numpy() != "lin"
    size = np.abs(problem.nominal)
    return np.minimum(np.where(logarithmic | (size == 0), 1.0, size), width)


def _short(error) -> float | None:
    return float(f"{error:.1g}") if np.isfinite(error) else None
