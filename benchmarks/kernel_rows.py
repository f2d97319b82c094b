"""Rows of the benchmark (mechanistic.py) on the kinetics kernel and AMICI, in the solver settings chosen for it.

Variants take turns in one process; the first one is AMICI's. All gradients and values are at a point near the nominal
parameters. Deviations are from the kernel at a tight tolerance, which was compared with AMICI before: of values
relative, of gradients relative to the largest component.
"""

import os
import resource
import tempfile
import time
from functools import partial
from pathlib import Path
from unittest.mock import patch

import numpy as np
import yaml as yaml_format
from measures import cpu_seconds, matrix_peak

MOST_AMICI = 100  # conditions of AMICI's turns; seconds are per condition
SECONDS_OF_TURNS = 20.0  # of AMICI
STARTS_IN_LANES = 8
WRONG = 1e-4  # relative, of a value
PAPER = Path(__file__).resolve().parents[1] / "config/paper-mechanistic.yaml"
ARTIFICIAL = {  # problems of the paper's configuration by the model that they are drawn for
    "Fujita_SciSignal2010": "fujita1000",
    "Bachmann_MSB2011": "bachmann",
    "Lucarelli_CellSystems2018": "lucarelli",
}
ROBUST = tuple(ARTIFICIAL)


def kernel_rows(name: str, path, amici, turns: int, starts: int, tell) -> list[dict]:
    """Return the rows of a problem: use of the kernel, measured and artificial conditions, lanes, robustness.

    amici: the problem in the settings chosen for AMICI. starts: of the robustness.
    """
    from kinetrain.mechanistic.kernel.problem import KernelProblem

    tell(f"{name}: kernel")
    rows = first_and_second_use(path)
    kernel = KernelProblem(path)
    rows += compared(amici, kernel, path, turns, f"{amici.n_conditions} measured conditions")
    rows += starts_in_lanes(amici, kernel, turns)
    if name in ROBUST:
        tell(f"{name}: {starts} random starts")
        rows += robustness(amici, kernel, starts)
    return rows


def artificial_rows(name: str, path, options, folder, turns: int, tell) -> list[dict]:
    """Return the rows of the artificial problem that the paper's configuration draws for a model.

    options: of AMICI, as chosen for the measured problem.
    """
    from kinetrain.mechanistic.artificial_data import make_artificial
    from kinetrain.mechanistic.artificial_options import ArtificialOptions
    from kinetrain.mechanistic.compiled_model import compile_model
    from kinetrain.mechanistic.kernel.problem import KernelProblem
    from kinetrain.mechanistic.petab_problem import PetabProblem
    from kinetrain.mechanistic.template import write_template
    from kinetrain.options import read_options

    tell(f"{name}: artificial data")
    settings = yaml_format.safe_load(PAPER.read_text())["problems"][ARTIFICIAL[name]]["artificial"]
    drawn, template, model = read_options(ArtificialOptions, settings), folder / "template", folder / "artificial_model"
    write_template(path, drawn, template)
    compile_model(template / "problem.yaml", model)
    make_artificial(template / "problem.yaml", model, 0, drawn, folder / "artificial")
    made = folder / "artificial/problem.yaml"
    amici = PetabProblem(made, model, options)
    return compared(amici, KernelProblem(made), made, turns, f"{amici.n_conditions} artificial conditions")


def first_and_second_use(path) -> list[dict]:
    """Return rows of the CPU time until a kernel can be used, made anew or found in the cache, compiler included."""
    from kinetrain.mechanistic.kernel import build
    from kinetrain.mechanistic.kernel.problem import KernelProblem

    def seconds():
        build.load.cache_clear()
        began = _cpu_with_children()
        KernelProblem(path)
        return _cpu_with_children() - began

    with tempfile.TemporaryDirectory() as empty, patch.dict(os.environ, XDG_CACHE_HOME=empty):
        first, second = seconds(), seconds()
    work = {"work": "kernel, generate and compile"}
    return [
        {**work, "variant": "first use", "seconds": first, "ratio": 1.0},
        {**work, "variant": "second use", "seconds": second, "ratio": first / second},
    ]


def compared(amici, kernel, path, turns, what) -> list[dict]:
    """Return rows of values and gradients of all conditions by AMICI and by the kernel, its AVX2 variant too."""
    from kinetrain.mechanistic.kernel import build
    from kinetrain.mechanistic.kernel.problem import KernelProblem
    from kinetrain.mechanistic.kernel.work import operations
    from kinetrain.mechanistic.kernel_choice import EXACT

    kernels = {"kernel": kernel}
    if kernel.engine == "kernel-avx512":
        kernels["kernel-avx2"] = KernelProblem(path, variant="avx2")
    theta = near(amici)
    some = np.unique(np.linspace(0, amici.n_conditions - 1, min(MOST_AMICI, amici.n_conditions)).astype(int))
    everything = np.arange(amici.n_conditions)
    exact = kernel.solved_by(EXACT).value_and_gradient(theta, some)
    counted = operations(build.facts_of(kernel.kernel), build.sizes_of(kernel._library))
    rows, peak = [], matrix_peak("float64")
    for order, call in (("value", "value"), ("gradient", "value_and_gradient")):
        problems = {"objective": (amici, some), **{key: (one, everything) for key, one in kernels.items()}}
        calls = {key: (partial(getattr(one, call), theta, batch), len(batch)) for key, (one, batch) in problems.items()}
        for row in take_turns(calls, turns):
            one = problems[row["variant"]][0]
            row |= {"work": f"{order}, {what}", "deviation": deviation(getattr(one, call)(theta, some), exact)}
            if one is not amici:
                before = one.counts
                getattr(one, call)(theta, everything)
                attempts = (one.counts - before)[1] / len(everything)
                gflops = 1e-9 * counted[order] * attempts / row["seconds"]
                row |= {"steps": attempts, "gflops": gflops, "percent_of_peak": 100 * gflops / peak}
            rows.append(row)
    return rows


def starts_in_lanes(amici, kernel, turns) -> list[dict]:
    """Return rows of gradients of one condition at eight points, one by one and side by side."""
    rng = np.random.default_rng(1)
    thetas = np.clip(
        amici.nominal + rng.normal(0, 0.05, (STARTS_IN_LANES, len(amici.nominal))), amici.lower, amici.upper
    )
    batches = [[k] for k in range(min(6, amici.n_conditions))]

    def one_by_one(problem):
        return [problem.value_and_gradient(theta, batch) for batch in batches for theta in thetas]

    def in_lanes():
        return [kernel.values_and_gradients(thetas, [batch] * len(thetas)) for batch in batches]

    count = len(batches) * len(thetas)
    calls = {
        "objective": (partial(one_by_one, amici), count),
        "kernel": (partial(one_by_one, kernel), count),
        "kernel-lanes-over-starts": (in_lanes, count),
    }
    return [{**row, "work": f"gradient, one condition, {STARTS_IN_LANES} starts"} for row in take_turns(calls, turns)]


def robustness(amici, kernel, starts: int) -> list[dict]:
    """Return rows of gradients at random starts over the bounds: how many fail, and how many values are wrong.

    A value is wrong if it deviates by 1e-4 from that of AMICI at tight tolerances, where this finishes.
    """
    from kinetrain.mechanistic.gradient_check import EXACT, LONG
    from kinetrain.mechanistic.solver_options import SolverOptions

    rng, everything = np.random.default_rng(2), np.arange(amici.n_conditions)
    thetas = rng.uniform(amici.lower, amici.upper, (starts, len(amici.lower)))
    exact = amici.solved_by(SolverOptions("forward", **EXACT, **LONG))
    known = np.array([exact.value(theta, everything) for theta in thetas])
    rows = []
    for variant, problem in (("objective", amici), ("kernel", kernel)):
        began = time.process_time()
        found = np.array([problem.value_and_gradient(theta, everything)[0] for theta in thetas])
        seconds = (time.process_time() - began) / starts / len(everything)
        both = np.isfinite(known) & np.isfinite(found)
        errors = np.abs(found[both] - known[both]) / np.maximum(1.0, np.abs(known[both]))
        rows.append(
            {
                "work": f"gradient, {starts} random starts ({np.isfinite(known).sum()} known)",
                "variant": variant,
                "seconds": seconds,
                "deviation": errors.max(initial=0.0),
                "failures": int((~np.isfinite(found)).sum()),
                "wrong": int((errors > WRONG).sum()),
            }
        )
    return [{**row, "ratio": rows[0]["seconds"] / row["seconds"]} for row in rows]


def near(problem) -> np.ndarray:
    """Return a point near the nominal parameters, at which no gradient vanishes."""
    rng = np.random.default_rng(0)
    return np.clip(problem.nominal + rng.normal(0, 0.05, len(problem.nominal)), problem.lower, problem.upper)


def take_turns(calls: dict, turns: int) -> list[dict]:
    """Return a row by variant: median CPU seconds per condition, and the ratio of the first variant's to them.

    calls: a function and how many conditions it evaluates, by variant.
    """
    first = next(iter(calls.values()))[0]
    turns = int(np.clip(SECONDS_OF_TURNS / max(cpu_seconds(first), 1e-9), 3, turns))
    for evaluate, _ in calls.values():
        evaluate()
    times = np.array(
        [
            [cpu_seconds(evaluate, 1 + 9 * (n > 0)) / count for n, (evaluate, count) in enumerate(calls.values())]
            for _ in range(turns)
        ]
    )
    seconds = np.median(times, axis=0)
    return [
        {"variant": variant, "seconds": seconds[n], "ratio": float(np.median(times[:, 0] / times[:, n]))}
        for n, variant in enumerate(calls)
    ]


def deviation(found, exact) -> float:
    """Return the relative error of a value, or of a gradient with its value relative to the largest component."""
    if not isinstance(found, tuple):
        return abs(found - exact[0]) / max(1.0, abs(exact[0]))
    return float(np.abs(found[1] - exact[1]).max() / np.abs(exact[1]).max())


def _cpu_with_children() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
