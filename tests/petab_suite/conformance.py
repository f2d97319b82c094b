"""Run the PEtab test suite and write what passes and what is refused as a table in Markdown.

Of each case: log-likelihood, chi2 and simulations at the nominal parameters against those of the suite, and gradients
by forward sensitivities and by the chosen solver settings against finite differences of the value.
"""

import argparse
import sys
import tempfile
import traceback
import warnings
from importlib import metadata
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from kinetrain.errors import InputError, InputWarning
from kinetrain.files import atomic
from kinetrain.mechanistic.compiled_model import compile_model
from kinetrain.mechanistic.engines import choose, open_problem
from kinetrain.mechanistic.petab_problem import PetabProblem
from kinetrain.mechanistic.solver_options import SolverOptions

SUITE = Path("PEtab-dev/petab_test_suite")
VERSIONS = {"1": "v1.0.0", "2": "v2.0.0"}
TIGHT = {"engine": "amici", "absolute_tolerance": 1e-14, "relative_tolerance": 1e-12, "gradient_tolerance": 1e-9}
TIGHT |= {"max_steps": 100_000}
STEP, GRADIENT = 1e-3, 1e-4  # of finite differences, relative to parameters above 1; how far gradients may be off
COLUMNS = [
    "case",
    "log-likelihood",
    "chi2",
    "simulations",
    "forward gradient",
    "chosen method",
    "its gradient",
    "result",
]
INTRODUCTION = """# Conformance with PEtab

Written by `make test-petab MIRROR=folder`, which runs the [PEtab test suite](https://github.com/PEtab-dev/petab_test_suite)
(commit {commit}) with AMICI {amici} and petab {petab}: all SBML cases of PEtab 1 and 2. Log-likelihood, chi2 and
simulations are compared with the suite's within its own tolerances, at the solver settings that are chosen for each
problem. Gradients are compared with finite differences of the value; given is the largest deviation, relative to the
largest component. A case passes only if all of it agrees.

"""


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mirror", required=True, type=Path, help="folder with the downloads (data set PETAB-TESTS)")
    parser.add_argument("--output", type=Path, help="Markdown to write; without it the table is only shown")
    parser.add_argument("cases", nargs="*", help="names such as 1/0012; without them all cases are run")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    warnings.simplefilter("ignore", InputWarning)
    commits = sorted((arguments.mirror / SUITE).glob("*"))
    if not commits:
        sys.exit(f"no PEtab test suite in {arguments.mirror / SUITE} (data set PETAB-TESTS)")
    rows = []
    for version, folder in VERSIONS.items():
        for case in sorted((commits[-1] / "petabtests/cases" / folder / "sbml").iterdir()):
            name = f"{version}/{case.name}"
            if not arguments.cases or name in arguments.cases:
                rows.append({"case": name, **run(case / f"_{case.name}.yaml")})
                print(" | ".join(str(rows[-1].get(column, "")) for column in COLUMNS), flush=True)
    table = pd.DataFrame(rows, columns=COLUMNS).fillna("")
    if arguments.output:
        versions = {name: metadata.version(name) for name in ("amici", "petab")}
        introduction = INTRODUCTION.format(commit=commits[-1].name, **versions)
        passed = f"Of {len(table)} cases {(table['result'] == 'passes').sum()} pass.\n\n"
        lines = ["| " + " | ".join(row) + " |" for row in [COLUMNS, ["---"] * len(COLUMNS), *table.to_numpy().tolist()]]
        with atomic(arguments.output) as temporary:
            temporary.write_text(introduction + passed + "\n".join(lines) + "\n")
    sys.exit(int(table["result"].str.startswith(("wrong", "defect")).any()))


def run(path: Path) -> dict[str, str]:
    """Return the cells of a case's row."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            compile_model(path, folder)
            return compare(path, folder)
        except InputError as error:
            return {"result": f"refused: {str(error).replace(f'{path}: ', '')}"}
        except Exception as error:
            traceback.print_exc()
            return {"result": f"defect: {type(error).__name__}"}


def compare(path: Path, folder) -> dict[str, str]:
    """Return how far a case is from what the suite gives."""
    solution = yaml.safe_load(path.with_name(f"{path.stem}_solution.yaml").read_text())
    tight = PetabProblem(path, folder, SolverOptions(sensitivities="forward", **TIGHT))
    chosen = SolverOptions(**choose(path, folder)["chosen"])
    problem = open_problem(path, folder, chosen)
    conditions, theta = range(problem.n_conditions), problem.nominal
    expected = pd.concat([pd.read_csv(path.parent / name, sep="\t") for name in solution["simulation_files"]])
    simulated, chi2 = simulations(problem, theta)
    slopes = finite_differences(tight, theta)
    (exact, by_forward), (value, by_chosen) = (one.value_and_gradient(theta, conditions) for one in (tight, problem))
    values = np.array([problem.value(theta, conditions), exact, value])
    differences = {
        "log-likelihood": (np.abs(values + solution["llh"]).max(), solution["tol_llh"]),
        "chi2": (abs(chi2 - solution["chi2"]), solution["tol_chi2"]),
        "simulations": (np.abs(simulated - expected["simulation"]).max(), solution["tol_simulations"]),
    }
    for column, found in (("forward gradient", by_forward), ("its gradient", by_chosen)):
        differences[column] = np.abs(found - slopes).max() / max(1.0, np.abs(slopes).max()), GRADIENT
    wrong = [column for column, (error, most) in differences.items() if not error <= most]
    return {
        **{column: f"{error:.0e}" for column, (error, _) in differences.items()},
        "chosen method": "kernel" if chosen.engine == "kernel" else chosen.sensitivities,
        "result": f"wrong: {', '.join(wrong)}" if wrong else "passes",
    }


def simulations(problem, theta) -> tuple[np.ndarray, float]:
    """Return the simulation of each measurement, in the order of the table, and the sum of squared residuals."""
    results = dict(zip(problem.condition_names, problem.simulate(theta, range(problem.n_conditions)), strict=True))
    observables = list(problem.model.get_observable_ids())
    found, chi2 = [], 0.0
    for condition, observable, time, measured, logarithm in measurements(problem.petab):
        result, column = results[condition], observables.index(observable)
        slot = int(np.flatnonzero(np.asarray(result.ts) == time)[0])
        simulated, sigma = result.y[slot, column], result.sigmay[slot, column]
        found.append(simulated)
        chi2 += ((logarithm(measured) - logarithm(simulated)) / sigma) ** 2
    return np.array(found), chi2


def measurements(problem):
    """Yield condition, observable, time, measured number and its transformation, of each measurement."""
    scales = {"lin": float, "log": np.log, "log10": np.log10}
    if hasattr(problem, "measurement_df"):
        of = dict(problem.observable_df.get("observableTransformation", {}))
        for row in problem.measurement_df.to_dict("records"):
            before, scale = row.get("preequilibrationConditionId"), of.get(row["observableId"])
            condition = row["simulationConditionId"] + (f"+{before}" if isinstance(before, str) and before else "")
            logarithm = scales[scale if isinstance(scale, str) else "lin"]
            yield condition, row["observableId"], row["time"], row["measurement"], logarithm
        return
    for one in problem.problem.measurements:
        distribution = problem.problem[one.observable_id].noise_distribution.value
        logarithm = scales["log" if distribution.startswith("log") else "lin"]
        yield one.experiment_id or "__default__", one.observable_id, one.time, one.measurement, logarithm


def finite_differences(problem, theta) -> np.ndarray:
    """Return the gradient (n,) of the value by central differences of fourth order."""
    weights = {-2: 1 / 12, -1: -2 / 3, 1: 2 / 3, 2: -1 / 12}
    conditions, slopes = range(problem.n_conditions), []
    for index in range(len(theta)):
        step = np.zeros(len(theta))
        step[index] = STEP * max(1.0, abs(theta[index]))
        slopes.append(sum(w * problem.value(theta + k * step, conditions) for k, w in weights.items()) / step[index])
    return np.array(slopes)


if __name__ == "__main__":
    main()
