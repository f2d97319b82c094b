"""The choice of AMICI's settings for a problem: of least work among those with right and accurate gradients.

It is made once for each problem; its JSON (`measure_solver.py`) fills the open settings of later steps, so that all of
them solve the problem in the same way. Work is counted, not timed: seconds depend on the load of the machine, and
results on the choice.
"""

from dataclasses import asdict, replace
from itertools import product

import numpy as np

from kinetrain.mechanistic.gradient_check import EXACT, LONG, GradientCheck
from kinetrain.mechanistic.measuring_point import measured_at
from kinetrain.mechanistic.petab_problem import PetabProblem
from kinetrain.mechanistic.solver_measures import ACCURACY, MOST_CONDITIONS, evaluate, finite, largest_error, work_of
from kinetrain.mechanistic.solver_options import AMICI, SolverOptions, filled

TOLERANCES = (1e-9, 1e-8, 1e-7, 1e-6)
GRADIENT_TOLERANCES = (1e-6, 1e-5, 1e-4)
WEIGHTS = 1, 1.5, 2, 3, 5, 7  # and ten times these, and so on: what weights are rounded to
GAIN = 1.15  # adjoint sensitivities must take that much less work than forward ones; less is rounding
AS_FAST = 1.05  # of tolerances that take as little work as the least, the tightest are taken
FAR_SLOWER = 2.0
SAMPLE_WORK = 6e6  # in steps times states
STARTS, START_CONDITIONS, MORE_FAILURES = 20, 4, 0.1
MARGIN, BACKWARD = 3, 10  # step limits, relative to the most steps that were needed
STEPS, STEPS_BACKWARD = (1000, 10_000), (2000, 20_000)  # least and greatest limits
TOO_LARGE = 20_000  # parameters times states, beyond which forward sensitivities are not tried


def choose(path, model_folder, options: SolverOptions | None = None) -> dict:
    """Return the chosen settings of a PEtab problem (`chosen`) and all that was measured to choose them.

    Values that are set in `options` are kept. Sensitivity methods that are wrong in any condition are left out
    (`GradientCheck`). Of either other one the accurate tolerances of least work are taken (at the nominal parameters
    and two points near them, against a reference at tight tolerances), then the method of less work, unless it fails at
    many more random starts. Step limits are multiples of what the nominal parameters and random starts need.

    Accurate means that the gradients of a sample of conditions, as one vector, deviate by at most 1e-4 of its length,
    and the sum of their values by 1e-4. It is not claimed for single components, or far from the nominal parameters.

    Returns
    -------
    dict
        chosen: all fields of SolverOptions but priors and trials; information_weight is set only where gradients are
        adjoint and forward sensitivities are accurate with the same settings. accurate: whether gradients keep to
        `accuracy`. check: of the methods in all conditions (`GradientCheck.record`).
        candidates: sensitivities, tolerances, error (None: it failed), work (of the sample's gradient).
        starts: by method, unless it is far slower: how many random starts failed, the most steps of the others and of
        the nominal parameters.
        point: where it was measured, the nominal parameters if they can be evaluated (`measuring_point`).
        conditions: the sample. value_work, gradient_work: mean work of one of them, with the chosen settings.

    Raises
    ------
    InputError
        As reading the problem and loading its model do; or if no method gives right gradients in all conditions.
    """
    options = options or SolverOptions()
    problem, point = measured_at(PetabProblem(path, model_folder, options), path)
    check = GradientCheck(problem.solved_by(replace(options, priors=False)), _methods(problem, options), path)
    while True:
        choice = _choose_among(check.methods, problem, options)
        if check.holds(choice["chosen"]["sensitivities"]):
            return {**choice, "point": point, "check": check.record()}


def _choose_among(methods, problem, options) -> dict:
    """Return the choice (`choose`) among methods that are right."""
    sample = sampled(problem, methods[0])
    known = references(problem, methods, sample)
    candidates, best = [], {}
    for method in methods:
        rows = _measure(problem, options, method, sample, known, best)
        candidates += rows
        best[method] = _pick(rows)
    best = {method: row for method, row in best.items() if row["work"] <= _longest(best)}
    starts = {method: _try_starts(problem, options, best[method], sample[:START_CONDITIONS]) for method in best}
    row = best[_decide(best, starts)]
    chosen = _solved_with(options, row, **_limits(starts[row["sensitivities"]]))
    works = {method: work_of(problem.solved_by(chosen), problem.nominal, sample, method) for method in (None, *methods)}
    weight = _weight(works[chosen.sensitivities], works[None])
    chosen = filled(chosen, SolverOptions(gradient_weight=weight, engine="amici"))
    if chosen.sensitivities == "adjoint" and "forward" in methods and _informs(problem, chosen, sample, known):
        chosen = filled(chosen, SolverOptions(information_weight=_weight(works["forward"], works[None])))
    return {
        "chosen": {name: value for name, value in asdict(chosen).items() if name not in ("priors", "trials")},
        "accurate": row["error"] <= ACCURACY,
        "accuracy": ACCURACY,
        "candidates": [{**row, "error": finite(row["error"]), "work": finite(row["work"])} for row in candidates],
        "starts": starts,
        "conditions": [problem.condition_names[k] for k in sample],
        "value_work": finite(works[None].mean().round()),
        "gradient_work": finite(works[chosen.sensitivities].mean().round()),
    }


def _methods(problem, options) -> list[str]:
    """Return the sensitivity methods to compare; adjoint first, whose work bounds what forward may take."""
    if options.sensitivities != "auto":
        return [options.sensitivities]
    too_large = len(problem.names) * problem.model.nx_solver > TOO_LARGE
    return ["adjoint"] if too_large else ["adjoint", "forward"]


def sampled(problem, method) -> np.ndarray:
    """Return evenly spaced conditions (m,): as many as their gradient takes some quarter of a second, but 4 to 12."""
    solved = problem.solved_by(SolverOptions(method, **LONG))
    work = work_of(solved, problem.nominal, [0], method)[0]
    most = min(MOST_CONDITIONS, problem.n_conditions)
    count = int(np.clip(SAMPLE_WORK / (work * (10 + problem.model.nx_solver)), min(START_CONDITIONS, most), most))
    return np.unique(np.linspace(0, problem.n_conditions - 1, count).round().astype(int))


def references(problem, methods, sample) -> list[tuple]:
    """Return theta, value and gradient at tight tolerances for the nominal parameters and two points near them.

    Points where no method succeeds are left out.
    """
    rng = np.random.default_rng(0)
    near = [problem.nominal + rng.normal(0, 0.1, len(problem.names)) for _ in range(2)]
    known = []
    for theta in (problem.nominal, *near):
        theta = np.clip(theta, problem.lower, problem.upper)
        for method in methods:
            exact = problem.solved_by(SolverOptions(sensitivities=method, **EXACT, **LONG))
            values, gradients = evaluate(exact, theta, sample)
            if np.isfinite(values).all():
                known.append((theta, values, gradients))
                break
    return known


def _measure(problem, options, method, sample, known, best) -> list[dict]:
    """Return a row for each pair of tolerances of a method, tightest first, with its error and its work.

    If the loosest takes far more than the `best` of another method, it stays the only one.
    """
    pairs = product(
        _open(options.relative_tolerance, TOLERANCES), _open(options.gradient_tolerance, GRADIENT_TOLERANCES)
    )
    rows = [
        {"sensitivities": method, "relative_tolerance": states, "gradient_tolerance": gradient}
        for states, gradient in pairs
    ]
    solved = [problem.solved_by(_solved_with(options, row, **LONG)) for row in rows]
    works = [work_of(solved[-1], problem.nominal, sample, method)]
    if works[0].sum() > _longest(best):
        rows, solved = rows[-1:], solved[-1:]
    works = [*(work_of(candidate, problem.nominal, sample, method) for candidate in solved[:-1]), *works]
    for row, candidate, work in zip(rows, solved, works, strict=True):
        row["error"] = largest_error(candidate, sample, known)
        row["work"] = float(work.sum().round())
    return rows


def _longest(best) -> float:
    """Return the work beyond which a method is far slower than the best accurate one; failing often takes little."""
    accurate = (row["work"] for row in best.values() if row["error"] <= ACCURACY)
    return FAR_SLOWER * min(accurate, default=np.inf)


def _pick(rows) -> dict:
    """Return the tightest of the accurate rows that take about the least work, or else the most accurate."""
    accurate = [row for row in rows if row["error"] <= ACCURACY]
    if not accurate:
        return min(rows, key=lambda row: row["error"])
    least = min(row["work"] for row in accurate)
    return next(row for row in accurate if row["work"] <= AS_FAST * least)


def _try_starts(problem, options, row, conditions) -> dict:
    """Return at how many of the random starts a method fails, and the most steps that solved conditions take.

    The steps are those of the nominal parameters too, which may be more than those of any start.
    """
    solved = problem.solved_by(_solved_with(options, row, max_steps=STEPS[1], max_steps_backward=STEPS_BACKWARD[1]))
    starts = np.random.default_rng(0).uniform(problem.start_lower, problem.start_upper, (STARTS, len(problem.names)))
    failed, steps, backward = 0, [0], [0]
    for number, theta in enumerate([*starts, problem.nominal]):
        results = solved.simulate(theta, conditions, derivatives=True)
        good = [result for result in results if result.status == 0 and np.isfinite(result.sllh).all()]
        failed += number < STARTS and len(good) < len(results)
        for result in good:
            steps.append(int(np.max(result.numsteps)))
            if result.numsteps_b is not None:
                backward.append(int(np.max(result.numsteps_b)))
    return {"tried": STARTS, "failed": failed, "steps": max(steps), "steps_backward": max(backward)}


def _decide(best, starts) -> str:
    """Return the method to take: forward, unless adjoint takes clearly less work and fails at few more random starts.

    Unless both are accurate, the more accurate one is taken.
    """
    most_accurate = min(best, key=lambda method: best[method]["error"])
    if len(best) == 1 or max(row["error"] for row in best.values()) > ACCURACY:
        return most_accurate
    forward, adjoint = best["forward"], best["adjoint"]
    more = starts["adjoint"]["failed"] - starts["forward"]["failed"]
    no_gain = GAIN * adjoint["work"] >= forward["work"]
    return "forward" if no_gain or more > MORE_FAILURES * STARTS else "adjoint"


def _limits(start) -> dict[str, int]:
    """Return the step limits, to one digit, so that a repeated measurement finds the same.

    The backward problem may take up to seven times the steps of the states, and more far from the nominal parameters.
    """

    def limit(steps, bounds):
        return int(float(f"{np.clip(steps, *bounds):.0e}"))

    backward = max(MARGIN * start["steps_backward"], BACKWARD * start["steps"])
    return {"max_steps": limit(MARGIN * start["steps"], STEPS), "max_steps_backward": limit(backward, STEPS_BACKWARD)}


def _weight(gradients, values) -> float:
    """Return the median ratio of works (m,), rounded to what `WEIGHTS` has; the safe constant where none was solved."""
    ratios = (gradients / values)[np.isfinite(gradients) & np.isfinite(values)]
    if not len(ratios):
        return AMICI["gradient_weight"]
    ratio = max(1.0, float(np.median(ratios)))
    size = 10.0 ** np.floor(np.log10(ratio))
    return float(size * min((*WEIGHTS, 10), key=lambda one: abs(np.log(ratio / (size * one)))))


def _informs(problem, chosen, sample, known) -> bool:
    """Whether forward sensitivities, which give the Fisher information, are accurate as adjoint ones are solved."""
    return largest_error(problem.solved_by(replace(chosen, sensitivities="forward")), sample, known) <= ACCURACY


def _solved_with(options, row, **limits) -> SolverOptions:
    """Return `options` with open values taken from a row, and step limits."""
    absolute = float(f"{row['relative_tolerance'] / 100:.3g}")  # no 9.999999999999999e-10
    keys = ("sensitivities", "relative_tolerance", "gradient_tolerance")
    return filled(options, SolverOptions(absolute_tolerance=absolute, **{key: row[key] for key in keys}, **limits))


def _open(pinned, choices):
    return choices if pinned is None else (pinned,)
