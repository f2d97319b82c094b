"""Artificial data for a compiled model: random conditions, simulated at the true parameters, with noise.

Source: Stapor et al. 2022, Fig. 2a (simulate, add noise, fit again). The paper's conditions are unknown to us; drawing
them from weighted protocols, and noise relative to each observable's maximum, are choices of ours. As in parPE's
examples the noise is known to the likelihood, and the nominal parameters are the true ones.
"""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from kinetrain.errors import InputError
from kinetrain.files import atomic, save_table
from kinetrain.problems.options import SolverOptions, solver_options
from kinetrain.problems.petab_problem import PetabProblem
from kinetrain.problems.petab_tables import (
    checksum,
    is_number,
    is_placeholder,
    list_files,
    read_description,
    read_petab,
)

MOST_ROUNDS = 20

DRAWS = {
    "log10_uniform": lambda rng, a, b: 10 ** rng.uniform(a, b),
    "uniform": lambda rng, a, b: rng.uniform(a, b),
    "log10_normal": lambda rng, mean, sd: 10 ** rng.normal(mean, sd),
    "constant": lambda rng, value: value,
    "choice": lambda rng, *values: values[rng.integers(len(values))],
}


@dataclass(frozen=True, kw_only=True)
class ArtificialOptions(SolverOptions):
    """Settings of artificial data, besides how the model is solved.

    conditions: how many. times: of the measurements, in the model's unit. observables: their ids (None: all).
    replicates: how many data sets there will be (None: any number), each with conditions and noise of its own.
    noise: standard deviation, as a fraction of the largest noise-free value of an observable over all conditions; for
    observables on a log scale it is the standard deviation on that scale.
    protocols: list of {weight, inputs: {column of the condition table: {how to draw it: numbers}}}.
    """

    conditions: int
    times: list
    protocols: list
    seed: int = 0
    observables: list | None = None
    replicates: int | None = None
    noise: float = 0.1

    def __post_init__(self):
        super().__post_init__()
        if self.conditions < 1 or not self.times or not self.protocols or self.noise <= 0:
            raise ValueError("'conditions' and 'noise' must be positive, 'times' and 'protocols' not empty")
        if sorted(set(self.times)) != list(self.times):
            raise ValueError(f"'times' must rise without repeats, got {self.times}")


def make_artificial(path, model_folder, replicate: int, options: ArtificialOptions, folder) -> dict:
    """Write an artificial PEtab problem (`folder`/problem.yaml) and return what is known of its truth.

    The truth (also `folder`/truth.json): objective at the true parameters, its expected value over the noise, standard
    deviation by observable, parameters that are not estimated, conditions drawn again because their simulation failed,
    measurements left out because a log-scale observable was not positive, sha256 of each file.

    Raises
    ------
    InputError
        If a protocol names an input that the compiled model does not take, or an observable is unknown or always zero.
    """
    folder = Path(folder)
    if options.replicates is not None and replicate >= options.replicates:
        raise InputError(f"replicate {replicate} was asked for, but 'replicates' is {options.replicates}")
    template = read_petab(path)
    estimated = template.parameter_df.index[template.parameter_df["estimate"] == 1]
    chosen = _chosen(template, options.observables or [], path)
    rng = np.random.default_rng([options.seed, replicate, 2])
    skeleton = _skeleton(template, chosen, options, path)
    problem, results, redrawn = _simulate_conditions(skeleton, path, model_folder, options, rng)
    measurements, truth = _measure(problem, results, chosen, options, rng)
    _write(folder, path, problem.petab, measurements)
    path_written = folder / "problem.yaml"
    written = PetabProblem(path_written, model_folder, solver_options(options))
    truth = {
        "J_true": written.value(written.nominal, np.arange(written.n_conditions)),
        **truth,
        "not_estimated": sorted(set(estimated) - set(written.names)),
        "conditions_drawn_again": redrawn,
        "sha256": {
            file.name: checksum(file.read_bytes()) for file in list_files(path_written, read_description(path_written))
        },
    }
    with atomic(folder / "truth.json") as temporary:
        temporary.write_text(json.dumps(truth, indent=2) + "\n")
    return truth


def _chosen(template, wanted, path) -> list[str]:
    for name in wanted:
        if name not in template.observable_df.index:
            known = ", ".join(template.observable_df.index)
            raise InputError(f"observable '{name}' is not in {path} (it has {known})")
    return list(wanted or template.observable_df.index)


def _skeleton(template, chosen, options, path):
    """Return the template without parameters that nothing needs, and the rows which each condition measures."""
    rows = template.measurement_df.drop_duplicates("observableId").set_index("observableId")
    for name in chosen:
        if name not in rows.index:
            raise InputError(f"observable '{name}' has no measurement in {path} that shows its parameters")
    rows = rows.reindex(columns=["observableParameters", "noiseParameters"]).loc[chosen]
    parameters = template.parameter_df.copy()
    parameters = parameters.drop(columns=[name for name in parameters.columns if name.startswith("objectivePrior")])
    formulas = template.observable_df.loc[chosen]
    for name, formula in formulas["noiseFormula"].items():
        if is_placeholder(formula):
            rows.loc[name, "noiseParameters"] = 1.0  # until the size of the observable is known
        elif formula in parameters.index:
            parameters.loc[formula, "estimate"] = 0
        elif not is_number(formula):
            raise InputError(f"{path}: the noise formula '{formula}' of '{name}' is neither a number nor one parameter")
    overrides = set(re.findall(r"[A-Za-z_]\w*", " ".join(rows["observableParameters"].dropna().astype(str))))
    used = overrides | _names_in(formulas["observableFormula"]) | _names_in(formulas["noiseFormula"])
    every = template.observable_df
    elsewhere = _names_in(every["observableFormula"]) | _names_in(every["noiseFormula"])
    for name in parameters.index:
        in_model = template.model.has_entity_with_id(name) or name in template.condition_df.to_numpy().ravel().tolist()
        if name not in used and not in_model:
            if name in elsewhere:
                parameters.loc[name, "estimate"] = 0  # the compiled model needs a number for it
            else:
                parameters = parameters.drop(index=name)
    template.parameter_df = parameters
    grid = pd.MultiIndex.from_product([chosen, np.asarray(options.times, float)], names=["observableId", "time"])
    per_condition = grid.to_frame(index=False).join(rows, on="observableId")
    return template, per_condition


def _simulate_conditions(skeleton, path, model_folder, options, rng):
    """Return a problem whose conditions can all be simulated, its simulations, and how many had to be drawn again."""
    template, per_condition = skeleton
    conditions = pd.DataFrame([_draw(template, options, rng, path) for _ in range(options.conditions)])
    conditions.index = pd.Index([f"c{number:04d}" for number in range(options.conditions)], name="conditionId")
    redrawn = 0
    for _ in range(MOST_ROUNDS):
        template.condition_df = conditions
        template.measurement_df = _blank_measurements(per_condition, conditions.index)
        problem = PetabProblem(path, model_folder, solver_options(options), template)
        results = problem.simulate(problem.nominal, range(problem.n_conditions))
        failed = [number for number, result in enumerate(results) if result.status != 0]
        if not failed:
            return problem, results, redrawn
        redrawn += len(failed)
        for number in failed:
            conditions.iloc[number] = pd.Series(_draw(template, options, rng, path))
    raise InputError(f"after {MOST_ROUNDS} rounds some conditions of the protocols still cannot be simulated")


def _draw(template, options, rng, path) -> dict:
    """Return one random row of the condition table; inputs that the protocol leaves out are as in the first row."""
    weights = np.array([protocol.get("weight", 1.0) for protocol in options.protocols], float)
    protocol = options.protocols[rng.choice(len(weights), p=weights / weights.sum())]
    row = template.condition_df.iloc[0].drop("conditionName", errors="ignore").to_dict()
    for name, rule in protocol["inputs"].items():
        if name not in row:
            raise InputError(f"input '{name}' is no column of the conditions of {path} ({', '.join(row)})")
        if not isinstance(rule, dict) or len(rule) != 1 or next(iter(rule)) not in DRAWS:
            raise InputError(f"input '{name}' is drawn by {rule}; wanted one of {', '.join(DRAWS)}")
        kind, numbers = next(iter(rule.items()))
        row[name] = float(DRAWS[kind](rng, *(numbers if isinstance(numbers, list) else [numbers])))
    return row


def _blank_measurements(per_condition, names) -> pd.DataFrame:
    repeated = pd.concat([per_condition] * len(names), ignore_index=True)
    repeated.insert(1, "simulationConditionId", np.repeat(np.asarray(names), len(per_condition)))
    repeated["measurement"] = 0.0
    return repeated


def _measure(problem, results, chosen, options, rng):
    """Return the table of noisy measurements and the expected objective at the truth."""
    table = problem.petab.measurement_df
    columns = [list(problem.model.get_observable_ids()).index(name) for name in chosen]
    clean = np.array([result.y[:, columns].T for result in results])  # condition, observable, time
    scales = problem.petab.observable_df.reindex(columns=["observableTransformation"])["observableTransformation"]
    known = problem.petab.observable_df["noiseFormula"]
    noisy, expected, spread = np.full(clean.shape, np.nan), 0.0, {}
    for index, name in enumerate(chosen):
        scale = scales[name] if isinstance(scales[name], str) else "lin"
        y = clean[:, index]
        relative = options.noise * (np.abs(y).max() if scale == "lin" else 1.0)
        sd = float(known[name]) if is_number(known[name]) else relative
        if sd == 0:
            raise InputError(f"observable '{name}' is zero in all conditions, so it has no noise to add")
        factor = {"lin": 0.0, "log": 1.0, "log10": np.log(10)}[scale]
        noise = rng.normal(0, sd, y.shape)
        positive = y > 0
        noisy[:, index] = y + noise if scale == "lin" else np.where(positive, y * np.exp(factor * noise), np.nan)
        terms = np.full(y.shape, 0.5 * np.log(2 * np.pi * sd**2) + 0.5)
        if scale != "lin":
            terms = np.where(positive, terms + np.log(np.where(positive, y, 1.0) * factor), 0.0)
        expected += terms.sum()
        spread[name] = sd
    table = table.assign(measurement=noisy.ravel())
    placeholder = table["observableId"].map(lambda name: is_placeholder(known[name]))
    table["noiseParameters"] = table["observableId"].map(spread).where(placeholder)
    for name in chosen:
        if known[name] in problem.petab.parameter_df.index:
            problem.petab.parameter_df.loc[known[name], "nominalValue"] = spread[name]
    left_out = int(table["measurement"].isna().sum())
    truth = {"expected_J_true": float(expected), "noise": spread, "measurements_left_out": left_out}
    return table.dropna(subset="measurement").dropna(axis=1, how="all"), truth


def _write(folder, path, problem, measurements):
    folder.mkdir(parents=True, exist_ok=True)
    sbml = next(file for file in list_files(path, read_description(path)) if file.suffix in (".xml", ".sbml"))
    shutil.copyfile(sbml, folder / "model.xml")
    save_table(problem.condition_df.reset_index(), folder / "conditions.tsv")
    save_table(problem.observable_df.reset_index(), folder / "observables.tsv")
    save_table(problem.parameter_df.reset_index(), folder / "parameters.tsv")
    save_table(measurements, folder / "measurements.tsv")
    description = {
        "format_version": 1,
        "parameter_file": "parameters.tsv",
        "problems": [
            {
                "sbml_files": ["model.xml"],
                "condition_files": ["conditions.tsv"],
                "observable_files": ["observables.tsv"],
                "measurement_files": ["measurements.tsv"],
            }
        ],
    }
    with atomic(folder / "problem.yaml") as temporary:
        temporary.write_text(yaml.safe_dump(description, sort_keys=False))


def _names_in(formulas) -> set[str]:
    return set(re.findall(r"[A-Za-z_]\w*", " ".join(formulas.astype(str))))
