"""Speed of the objective of PEtab problems, compared in one run: bare AMICI, pyPESTO, ours, and the kernel.

All variants of a work solve the same conditions in one thread, with the solver settings that were chosen for the
problem, and take turns, so that a busy machine slows all of them alike. The first variant of a work is the one that
the others are compared with.

work, variant:  what is done, and by what; `bare` is AMICI's run_simulations on conditions that are filled in already
seconds:        median CPU time per condition; of the whole where a work is no gradient or value (time of day for
                compiling and set-up; of `two processes` CPU time of a core per gradient of all conditions)
ratio:          how many times faster than the first variant of this work; of `gradient against value` how many times
                the seconds of a value, of `two processes` how many times the work of one in the same time on free cores
deviation:      of gradients and values: relative, from the first variant; where tolerances differ: from a reference at
                tight tolerances at the nominal parameters, as solver_measures.py measures it; inf where a solve failed
peak_memory_mb: of a process that loads the problem and makes a gradient of all conditions, libraries included
steps, gflops, percent_of_peak: of the kernel: attempts of a step per condition, floating-point operations of steps per
                second (10^9), and these relative to a multiplication of large matrices on the same core
failures, wrong: of gradients at random starts over the bounds: those that fail, and whose value deviates by 1e-4 from
                AMICI's at tight tolerances, where this finishes

`objective` is AMICI in its chosen settings, the fastest of those that are accurate, and what the variants of the kernel
are compared with (kernel_rows.py): `kernel` with the instructions that this processor has, `kernel-avx2`, and
`kernel-lanes-over-starts`, which evaluates batches of one condition of several starts together.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from unittest.mock import patch

from measures import cpu_seconds, finish, memory_mb

OUTPUT = "results/benchmarks/mechanistic.tsv"
EMBEDDED = Path(__file__).resolve().parents[1] / "resources/models/egf_akt/problem.yaml"
COLLECTION = "Benchmarking-Initiative/Benchmark-Models-PEtab/4d2085084b289f6215a95475b1ee639fd7d42283/Benchmark-Models"
DEFAULT = ("egf_akt", "Fujita_SciSignal2010", "Bachmann_MSB2011", "Lucarelli_CellSystems2018")
ON_REQUEST = ("Isensee_JCB2018", "Chen_MSB2009")
MANY = 1000  # conditions of the set-up
SECONDS_OF_PROCESSES = 5.0


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=15, metavar="N", help="of all variants of a work (default 15)")
    text = "random starts of the robustness (default 200)"
    parser.add_argument("--starts", type=int, default=200, metavar="N", help=text)
    names = [*DEFAULT, *ON_REQUEST]
    parser.add_argument("--work", action="append", choices=names, help="only this problem (may be repeated)")
    mirror = os.environ.get("KINETRAIN_MIRROR")
    parser.add_argument("--mirror", default=mirror, help="folder with published problems (default $KINETRAIN_MIRROR)")
    parser.add_argument("--output", default=OUTPUT, metavar="TSV", help=f"table to write (default {OUTPUT})")
    parser.add_argument("--once", nargs=4, metavar=("YAML", "MODEL", "SOLVER", "VARIANT"), help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=0.0, help=argparse.SUPPRESS)
    return parser.parse_args()


def measure(name: str, yaml: Path, turns: int, starts: int, folder: Path, tell=lambda text: None) -> list[dict]:
    """Return the rows of one problem; its model is compiled anew into `folder`."""
    import kernel_rows

    from kinetrain.mechanistic.petab_problem import PetabProblem
    from kinetrain.mechanistic.solver_choice import choose
    from kinetrain.mechanistic.solver_options import SolverOptions

    model, solver = folder / "model", folder / "solver.json"
    tell(f"{name}: compile")
    rows = compile_twice(yaml, model)
    tell(f"{name}: choose solver settings")
    choice = choose(yaml, model)
    solver.write_text(json.dumps(choice))
    problem = PetabProblem(yaml, model, SolverOptions(**choice["chosen"]))
    memory = {variant: peak_memory(yaml, model, solver, variant) for variant in ("objective", "pypesto")}
    for order in ("value", "gradient"):
        for size in (1, problem.n_conditions):
            tell(f"{name}: {order}, batch size {size}")
            evaluations = evaluators(problem, order, size, None if size == 1 else pypesto_objective(problem))
            part = compare(evaluations, turns, problem.n_conditions)
            rows += [{"work": f"{order}, batch size {size}", **row} for row in part]
    for row in rows:
        row["peak_memory_mb"] = memory.get(row["variant"]) if "batch size" in row["work"] else None
    tell(f"{name}: against AMICI's tolerances, gradient against value, two processes")
    rows += against_defaults(problem, turns)
    rows += against_value(problem, turns)
    rows += two_processes(yaml, model, solver, tell)
    rows += kernel_rows.kernel_rows(name, yaml, problem, turns, starts, tell)
    if name in kernel_rows.ARTIFICIAL:
        rows += kernel_rows.artificial_rows(name, yaml, problem.options, folder, turns, tell)
    if name == "Fujita_SciSignal2010":
        rows += set_up(yaml, model, problem)
    return [{**row, "work": f"{name}, {row['work']}"} for row in rows]


def compile_twice(yaml, model) -> list[dict]:
    """Return rows of the first use of a model (import and compilation) and of a second one (until it is loaded)."""
    from kinetrain.mechanistic.compiled_model import compile_model
    from kinetrain.mechanistic.petab_problem import PetabProblem

    with tempfile.TemporaryDirectory() as empty, patch.dict(os.environ, XDG_CACHE_HOME=empty):
        began = time.perf_counter()
        compile_model(yaml, model)
        first = time.perf_counter() - began
    began = time.perf_counter()
    compile_model(yaml, model)
    PetabProblem(yaml, model)
    second = time.perf_counter() - began
    work = {"work": "import and compile"}
    return [
        {**work, "variant": "first use", "seconds": first, "ratio": 1.0},
        {**work, "variant": "second use", "seconds": second, "ratio": first / second},
    ]


def evaluators(problem, order: str, size: int, pypesto=None) -> dict:
    """Return functions by variant that evaluate all conditions at theta, `size` at once: sum (and its gradient)."""
    import numpy as np
    from amici.sim import sundials as amici

    from kinetrain.mechanistic.petab_problem import make_solver

    derivatives = order == "gradient"
    solver = make_solver(problem.model, problem.options, amici.SensitivityOrder(int(derivatives)))
    batches = np.array_split(np.arange(problem.n_conditions), problem.n_conditions // size)
    for condition in range(problem.n_conditions):
        problem._fill(problem.nominal, condition)
    filled = [[problem._conditions[k].data for k in batch] for batch in batches]

    def bare():
        return [result for batch in filled for result in amici.run_simulations(problem.model, solver, batch)]

    def total(results):
        gradient = np.zeros(len(problem.names))
        for condition, result in zip(problem._conditions, results, strict=True):
            if derivatives:
                np.subtract.at(gradient, condition.from_theta, result.sllh)
        return np.append(-sum(result.llh for result in results), gradient)

    def objective():
        evaluate = problem.value_and_gradient if derivatives else problem.value
        return [evaluate(problem.nominal, batch) for batch in batches]

    def published():
        return pypesto(problem.nominal, sensi_orders=(0, 1) if derivatives else (0,))

    def flat(found):
        return np.append(*found) if derivatives else np.append(found, np.zeros(len(problem.names)))

    variants = {"bare": (bare, total), "objective": (objective, lambda parts: sum(map(flat, parts)))}
    return variants | ({"pypesto": (published, flat)} if pypesto else {})


def compare(evaluations: dict, turns: int, conditions: int) -> list[dict]:
    """Return a row for each variant; only the evaluation is timed, not what makes its results comparable."""
    import numpy as np

    results = {variant: finish(evaluate()) for variant, (evaluate, finish) in evaluations.items()}
    times = np.array([[cpu_seconds(evaluate) for evaluate, _ in evaluations.values()] for _ in range(turns)])
    seconds = np.median(times, axis=0) / conditions
    first = results[next(iter(evaluations))]
    scale = np.linalg.norm(first)
    return [
        {
            "variant": variant,
            "seconds": seconds[number],
            "ratio": float(np.median(times[:, 0] / times[:, number])),
            "deviation": np.linalg.norm(results[variant] - first) / scale,
        }
        for number, variant in enumerate(evaluations)
    ]


def pypesto_objective(problem):
    """Return pyPESTO's objective for the same compiled model and solver settings."""
    import numpy as np
    import pypesto.petab
    from amici.sim import sundials as amici

    from kinetrain.mechanistic.petab_problem import make_solver

    solver = make_solver(problem.model, problem.options, amici.SensitivityOrder.none)
    creator = pypesto.petab.PetabImporter(problem.petab, validate_petab=False).create_objective_creator()
    objective = creator.create_objective(model=problem.model, solver=solver, verbose=False)
    every = problem.petab.x_nominal_scaled
    free = problem.petab.x_free_indices
    fixed = [index for index in range(len(every)) if index not in set(free)]
    objective.update_from_problem(len(every), free, fixed, np.array(every)[fixed])
    return objective


def against_defaults(problem, turns: int) -> list[dict]:
    """Return rows of gradients of a few conditions with AMICI's own settings and with the chosen ones.

    The sensitivity method is the chosen one for all. AMICI's own tolerances of the states fail on many problems; `but
    states` has the chosen ones and step limits, and AMICI's for sensitivities, backward problem and quadratures.
    """
    import numpy as np
    from amici.sim import sundials as amici

    from kinetrain.mechanistic import solver_choice, solver_measures

    sample = solver_choice.sampled(problem, problem.options.sensitivities)[:4]
    known = solver_choice.references(problem, ["adjoint", "forward"], sample)[:1]
    method = getattr(amici.SensitivityMethod, problem.options.sensitivities)
    solvers = {name: problem.model.create_solver() for name in ("amici-defaults", "amici-defaults but states")}
    for solver in solvers.values():
        solver.set_sensitivity_method(method)
        solver.set_sensitivity_order(amici.SensitivityOrder.first)
        solver.set_return_data_reporting_mode(amici.RDataReporting.likelihood)
    solver.set_absolute_tolerance(problem.options.absolute_tolerance)
    solver.set_relative_tolerance(problem.options.relative_tolerance)
    solver.set_max_steps(problem.options.max_steps)
    solver.set_max_steps_backward_problem(problem.options.max_steps_backward)
    variants = {name: Bare(problem, solver) for name, solver in solvers.items()} | {"objective": problem}
    rows = []
    for name, variant in variants.items():
        error = solver_measures.largest_error(variant, sample, known)
        calls = turns if cpu_seconds(partial(variant.value_and_gradient, problem.nominal, sample)) < 1 else 1
        times = [cpu_seconds(partial(variant.value_and_gradient, problem.nominal, sample)) for _ in range(calls)]
        seconds = np.median(times) / len(sample) if np.isfinite(error) else np.nan
        rows.append({"work": "gradient, settings", "variant": name, "seconds": seconds, "deviation": error})
    return [{**row, "ratio": rows[0]["seconds"] / row["seconds"]} for row in rows]


class Bare:
    """A problem solved by a given solver of AMICI."""

    def __init__(self, problem, solver):
        self.problem, self.solver = problem, solver

    def value_and_gradient(self, theta, conditions):
        """Return the sum over conditions and its gradient (n,)."""
        import numpy as np
        from amici.sim import sundials as amici

        value, gradient = 0.0, np.zeros(len(theta))
        for k in conditions:
            condition = self.problem._fill(theta, k)
            result = amici.run_simulations(self.problem.model, self.solver, [condition.data])[0]
            if result.status != amici.AMICI_SUCCESS:
                return np.inf, gradient
            value -= result.llh
            np.subtract.at(gradient, condition.from_theta, result.sllh)
        return value, gradient


def against_value(problem, turns: int) -> list[dict]:
    """Return a row of how much a gradient costs in values, on all conditions."""
    import numpy as np

    everything = np.arange(problem.n_conditions)
    calls = [partial(call, problem.nominal, everything) for call in (problem.value, problem.value_and_gradient)]
    times = [[cpu_seconds(call) for call in calls] for _ in range(turns)]
    value, gradient = np.median(times, axis=0) / problem.n_conditions
    work = {"work": f"gradient ({problem.options.sensitivities}) against value", "variant": "objective"}
    return [{**work, "seconds": gradient, "ratio": gradient / value}]


def two_processes(yaml, model, solver, tell) -> list[dict]:
    """Return rows of the gradients of one process, and of two at once (independent starts), in the same CPU time each.

    In CPU time, since other processes on the machine would halve what two get of it.
    """
    if len(os.sched_getaffinity(0)) < 2:
        tell("one core only: two processes are left out")
        return []
    command = [sys.executable, "-W", "ignore", __file__, "--once", yaml, model, solver, "objective"]
    command = [str(part) for part in [*command, "--seconds", SECONDS_OF_PROCESSES]]

    def speed(count):
        processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(count)]
        return sum(float(process.communicate()[0].split()[1]) for process in processes)

    alone = speed(1)
    both = speed(2)
    alone = (alone + speed(1)) / 2
    work = {"work": "two processes on two cores"}
    return [
        {**work, "variant": "one", "seconds": 1 / alone, "ratio": 1.0},
        {**work, "variant": "two", "seconds": 1 / both, "ratio": both / alone},
    ]


def set_up(yaml, model, problem) -> list[dict]:
    """Return a row of the set-up of a thousand conditions, which are copies of the problem's own with other doses."""
    import copy

    import pandas as pd

    from kinetrain.mechanistic.petab_problem import PetabProblem

    tables = copy.deepcopy(problem.petab)
    own = list(tables.condition_df.index)
    chosen = [own[number % len(own)] for number in range(MANY)]
    names = [f"condition_{number}" for number in range(MANY)]
    conditions = tables.condition_df.loc[chosen].set_axis(names, axis=0).rename_axis(tables.condition_df.index.name)
    groups = dict(list(tables.measurement_df.groupby("simulationConditionId")))
    parts = [
        groups[old].assign(simulationConditionId=new) for old, new in zip(chosen, names, strict=True) if old in groups
    ]
    tables.condition_df, tables.measurement_df = conditions, pd.concat(parts, ignore_index=True)
    began = time.perf_counter()
    PetabProblem(yaml, model, tables=tables)
    seconds = time.perf_counter() - began
    return [{"work": f"set-up of {MANY} conditions", "variant": "objective", "seconds": seconds, "ratio": 1.0}]


def peak_memory(yaml, model, solver, variant) -> float:
    """Return the peak memory (MB) of a process of its own that makes a gradient of all conditions."""
    command = [sys.executable, "-W", "ignore", __file__, "--once", *map(str, (yaml, model, solver)), variant]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[0])


def once(yaml, model, solver, variant, seconds) -> None:
    """Print the peak memory (MB) of this process after a gradient, and its gradients per second of some CPU seconds."""
    import numpy as np

    from kinetrain.mechanistic.petab_problem import PetabProblem
    from kinetrain.mechanistic.solver_options import SolverOptions, merged

    problem = PetabProblem(yaml, model, merged(SolverOptions(), solver))
    gradient = partial(problem.value_and_gradient, problem.nominal, np.arange(problem.n_conditions))
    if variant == "pypesto":
        gradient = partial(pypesto_objective(problem), problem.nominal, sensi_orders=(0, 1))
    gradient()
    began, count = time.process_time(), 0
    while time.process_time() < began + seconds:
        gradient()
        count += 1
    print(memory_mb(), count / max(time.process_time() - began, 1e-9))


def find(name: str, mirror, tell) -> Path | None:
    """Return the YAML of a problem, or None (and say so) where it is not to be had."""
    if name == "egf_akt":
        return EMBEDDED
    if not mirror:
        tell(f"{name}: no --mirror with published problems is given; left out")
        return None
    yaml = Path(mirror) / COLLECTION / name / f"{name}.yaml"
    if not yaml.is_file():
        tell(f"{name}: {yaml} does not exist; left out")
        return None
    return yaml


def main():
    arguments = parse_arguments()
    if arguments.once:
        return once(*arguments.once, arguments.seconds)

    import pandas as pd

    tell, rows = partial(print, file=sys.stderr), []
    for name in arguments.work or DEFAULT:
        yaml = find(name, arguments.mirror, tell)
        if yaml:
            with tempfile.TemporaryDirectory() as folder:
                rows += measure(name, yaml, arguments.turns, arguments.starts, Path(folder), tell)
    columns = ["work", "variant", "seconds", "ratio", "deviation", "peak_memory_mb"]
    columns += ["steps", "gflops", "percent_of_peak", "failures", "wrong"]
    return finish(pd.DataFrame(rows, columns=columns), arguments.output)


if __name__ == "__main__":
    main()
