"""The fastest solver settings for a problem whose gradients are accurate, by measurement.

The measurement is made once for each problem; its JSON (`measure_solver.py`) fills what the settings of later steps
leave open, so that all of them solve the problem in the same way.
"""

import time
from dataclasses import asdict, replace
from itertools import product

import numpy as np

from kinetrain.mechanistic.petab_problem import PetabProblem
from kinetrain.mechanistic.solver_options import SolverOptions, filled

ACCURACY = 1e-4  # relative, as `_error` measures it: a small component of a gradient may be less accurate
TOLERANCES = (1e-9, 1e-8, 1e-7, 1e-6)
GRADIENT_TOLERANCES = (1e-6, 1e-5, 1e-4)
EXACT = {"absolute_tolerance": 1e-14, "relative_tolerance": 1e-11, "gradient_tolerance": 1e-9}
LONG = {"max_steps": 20_000, "max_steps_backward": 100_000}
GAIN = 1.15  # adjoint sensitivities must be that much faster than forward ones; less is within the noise
AS_FAST = 1.05  # of tolerances that are as fast as the fastest, the tightest are taken
FAR_SLOWER = 2.0
MOST_CONDITIONS, SAMPLE_SECONDS, ROUNDS = 12, 0.25, 3
STARTS, START_CONDITIONS, MORE_FAILURES = 20, 4, 0.1
MARGIN, BACKWARD = 3, 10  # step limits, relative to the most steps that were needed
STEPS, STEPS_BACKWARD = (1000, 10_000), (2000, 20_000)  # least and greatest limits
TOO_LARGE = 20_000  # parameters times states, beyond which forward sensitivities are not tried


def choose(path, model_folder, options: SolverOptions | None = None) -> dict:
    """Return the chosen settings of a PEtab problem (`chosen`) and all that was measured to choose them.

    What `options` pins is kept. Of either sensitivity method the fastest accurate tolerances are taken (at the nominal
    parameters and two points near them, against a reference at tight tolerances), then the faster method, unless it
    fails at many more random starts. Step limits are multiples of what the nominal parameters and random starts need.

    Accurate means that the gradients of a sample of conditions, as one vector, deviate by at most 1e-4 of its length,
    and the sum of their values by 1e-4. It is not claimed for single components, or far from the nominal parameters.

    Returns
    -------
    dict
        chosen: all fields of SolverOptions but priors and trials (information_weight is None unless it is one of its
        own: that of forward sensitivities beside adjoint ones, if they are accurate with the same settings). accurate:
        whether gradients keep to `accuracy`.
        candidates: sensitivities, tolerances, error (None: it failed), seconds (CPU time of the sample's gradient).
        starts: by method, unless it is far slower: how many random starts failed, the most steps of the others and of
        the nominal parameters.
        conditions: the sample. value_seconds, gradient_seconds: CPU time of one of them, with the chosen settings.

    Raises
    ------
    InputError
        As reading the problem and loading its model do.
    """
    options = options or SolverOptions()
    problem = PetabProblem(path, model_folder, options)
    methods = _methods(problem, options)
    sample = _sample(problem, methods[0])
    known = _references(problem, methods, sample)
    candidates, best = [], {}
    for method in methods:
        rows = _measure(problem, options, method, sample, known, best)
        candidates += rows
        best[method] = _pick(rows)
    best = {method: row for method, row in best.items() if row["seconds"] <= _longest(best)}
    starts = {method: _try_starts(problem, options, best[method], sample[:START_CONDITIONS]) for method in best}
    row = best[_decide(best, starts)]
    chosen = _solved_with(options, row, **_limits(starts[row["sensitivities"]]))
    value_seconds, gradient_seconds, weight = _weigh(problem.solved_by(chosen), sample, "value_and_gradient")
    chosen = filled(chosen, SolverOptions(gradient_weight=weight))
    if chosen.sensitivities == "adjoint" and "forward" in methods:
        weight = _weigh_information(problem, chosen, sample, known)
        chosen = filled(chosen, SolverOptions(information_weight=weight))
    return {
        "chosen": {name: value for name, value in asdict(chosen).items() if name not in ("priors", "trials")},
        "accurate": row["error"] <= ACCURACY,
        "accuracy": ACCURACY,
        "candidates": [{**row, "error": row["error"] if np.isfinite(row["error"]) else None} for row in candidates],
        "starts": starts,
        "conditions": [problem.condition_names[k] for k in sample],
        "value_seconds": value_seconds,
        "gradient_seconds": gradient_seconds,
    }


def _methods(problem, options) -> list[str]:
    """Return the sensitivity methods to compare; adjoint first, which bounds what forward may cost."""
    if options.sensitivities != "auto":
        return [options.sensitivities]
    too_large = len(problem.names) * problem.model.nx_solver > TOO_LARGE
    return ["adjoint"] if too_large else ["adjoint", "forward"]


def _sample(problem, method) -> np.ndarray:
    """Return evenly spaced conditions (m,), as many as their gradient takes a quarter of a second, but 4 to 12."""
    solved = problem.solved_by(SolverOptions(sensitivities=method, **LONG))
    seconds = min(_seconds(solved, problem.nominal, [0]) for _ in range(2))
    most = min(MOST_CONDITIONS, problem.n_conditions)
    count = int(np.clip(SAMPLE_SECONDS / seconds, min(START_CONDITIONS, most), most))
    return np.unique(np.linspace(0, problem.n_conditions - 1, count).round().astype(int))


def _references(problem, methods, sample) -> list[tuple]:
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
            values, gradients = _evaluate(exact, theta, sample)
            if np.isfinite(values).all():
                known.append((theta, values, gradients))
                break
    return known


def _measure(problem, options, method, sample, known, best) -> list[dict]:
    """Return a row for each pair of tolerances of a method, tightest first, with its error and its time.

    If the loosest is far slower than the `best` of another method, it stays the only one.
    """
    pairs = product(
        _open(options.relative_tolerance, TOLERANCES), _open(options.gradient_tolerance, GRADIENT_TOLERANCES)
    )
    rows = [
        {"sensitivities": method, "relative_tolerance": states, "gradient_tolerance": gradient}
        for states, gradient in pairs
    ]
    solved = [problem.solved_by(_solved_with(options, row, **LONG)) for row in rows]
    if _seconds(solved[-1], problem.nominal, sample) > _longest(best):
        rows, solved = rows[-1:], solved[-1:]
    for row, candidate in zip(rows, solved, strict=True):
        row["error"] = _error(candidate, sample, known)
    times = [[_seconds(candidate, problem.nominal, sample) for candidate in solved] for _ in range(ROUNDS)]
    for row, seconds in zip(rows, np.min(times, axis=0), strict=True):
        row["seconds"] = float(seconds)
    return rows


def _longest(best) -> float:
    """Return the CPU time beyond which a method is far slower than the best accurate one; failing is often fast."""
    accurate = (row["seconds"] for row in best.values() if row["error"] <= ACCURACY)
    return FAR_SLOWER * min(accurate, default=np.inf)


def _error(candidate, sample, known) -> float:
    """Return the largest relative error over known points: of the conditions' gradients, or the sum of their values.

    The gradients of all m conditions are one vector (m n,), compared in its 2-norm; their sum is next to nothing at an
    optimum. All of them can vanish there too: errors are relative to at least a tenth of the longest vector, and values
    to at least one.
    """
    least = max((0.1 * np.linalg.norm(gradients) for _, _, gradients in known), default=0.0)
    errors = []
    for theta, values, gradients in known:
        found, slopes = _evaluate(candidate, theta, sample)
        if not np.isfinite(found).all():
            return np.inf
        errors.append(np.linalg.norm(slopes - gradients) / max(least, np.linalg.norm(gradients)))
        errors.append(abs(found.sum() - values.sum()) / max(1.0, abs(values.sum())))
    return float(max(errors, default=np.inf))


def _evaluate(problem, theta, sample) -> tuple[np.ndarray, np.ndarray]:
    """Return the value (m,) and the gradient (m, n) of each of m conditions."""
    values, gradients = zip(*(problem.value_and_gradient(theta, [k]) for k in sample), strict=True)
    return np.array(values), np.array(gradients)


def _pick(rows) -> dict:
    """Return the tightest of the accurate rows that are about as fast as the fastest, or else the most accurate."""
    accurate = [row for row in rows if row["error"] <= ACCURACY]
    if not accurate:
        return min(rows, key=lambda row: row["error"])
    fastest = min(row["seconds"] for row in accurate)
    return next(row for row in accurate if row["seconds"] <= AS_FAST * fastest)


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
    """Return the method to take: forward, unless adjoint is clearly faster and fails at few more random starts.

    Unless both are accurate, the more accurate one is taken.
    """
    most_accurate = min(best, key=lambda method: best[method]["error"])
    if len(best) == 1 or max(row["error"] for row in best.values()) > ACCURACY:
        return most_accurate
    forward, adjoint = best["forward"], best["adjoint"]
    more = starts["adjoint"]["failed"] - starts["forward"]["failed"]
    slower = GAIN * adjoint["seconds"] >= forward["seconds"]
    return "forward" if slower or more > MORE_FAILURES * STARTS else "adjoint"


def _limits(start) -> dict[str, int]:
    """Return the step limits, to one digit, so that a repeated measurement finds the same.

    AMICI does not tell the steps of the backward problem below the first time point; up to seven times those of the
    states were seen.
    """

    def limit(steps, bounds):
        return int(float(f"{np.clip(steps, *bounds):.0e}"))

    backward = max(MARGIN * start["steps_backward"], BACKWARD * start["steps"])
    return {"max_steps": limit(MARGIN * start["steps"], STEPS), "max_steps_backward": limit(backward, STEPS_BACKWARD)}


def _weigh(solved, sample, name) -> tuple[float, float, float]:
    """Return the CPU time of a value of a condition, that of another evaluation by its name, and their median ratio.

    The ratio is rounded to two digits.
    """
    times = [
        [_seconds(solved, solved.nominal, [k], evaluation) for evaluation in ("value", name)]
        for _ in range(ROUNDS)
        for k in sample
    ]
    times = np.array(times).reshape(ROUNDS, -1, 2).min(axis=0)
    ratio = float(f"{np.median(times[:, 1] / times[:, 0]):.2g}")
    return (*(float(seconds) for seconds in times.mean(axis=0)), ratio)


def _weigh_information(problem, chosen, sample, known) -> float | None:
    """Return the cost of a gradient with the Fisher information where gradients are adjoint.

    None if forward sensitivities are not accurate with the same tolerances and step limits.
    """
    if _error(problem.solved_by(replace(chosen, sensitivities="forward")), sample, known) > ACCURACY:
        return None
    return _weigh(problem.solved_by(chosen), sample, "value_gradient_and_information")[-1]


def _solved_with(options, row, **limits) -> SolverOptions:
    """Return `options` with what they leave open taken from a row, and step limits."""
    absolute = float(f"{row['relative_tolerance'] / 100:.3g}")  # no 9.999999999999999e-10
    keys = ("sensitivities", "relative_tolerance", "gradient_tolerance")
    return filled(options, SolverOptions(absolute_tolerance=absolute, **{key: row[key] for key in keys}, **limits))


def _open(pinned, choices):
    return choices if pinned is None else (pinned,)


def _seconds(problem, theta, conditions, evaluation="value_and_gradient") -> float:
    """Return the CPU time of an evaluation."""
    evaluate = getattr(problem, evaluation)
    began = time.process_time()
    evaluate(theta, conditions)
    return time.process_time() - began
