"""The plan of a run: the configuration with defaults and overrides, checked before anything starts."""

import glob
import os
from dataclasses import is_dataclass
from itertools import product
from pathlib import Path

from configuration.checks import (
    ConfigurationError,
    check_artificial,
    check_grid,
    check_methods,
    check_networks,
    check_reactions,
    check_simulation,
    check_tuning,
    check_without_prior,
    checked,
    count_conditions,
    limit_batches,
    naming,
    optimizer_and_schedule,
    part,
    refuse_own,
    usable,
)
from configuration.keys import Artificial, Configuration, Dataset, File
from configuration.manifest import Download
from configuration.neural_problems import check_neural, only_noise, training_conditions
from configuration.yaml_files import read_yaml
from kinetrain.data.options import Preparation
from kinetrain.errors import did_you_mean
from kinetrain.mechanistic.artificial_options import Groups
from kinetrain.mechanistic.given_starts import estimated_parameters, files_of, read_starts
from kinetrain.mechanistic.petab_files import check_description, list_files, visualization_files
from kinetrain.mechanistic.reaction_prior import read_reaction_prior
from kinetrain.neural.options import NeuralOptions
from kinetrain.options import plain, read_options, try_options
from kinetrain.options.types import kinds
from kinetrain.pruning.methods import find_method
from kinetrain.simulation.options import PublishedSimulation, Simulation
from kinetrain.yardsticks.methods import YARDSTICKS

DOWNLOADS = "<resources>/downloads"
GRID = ("optimizers", "schedules", "batch_sizes", "safeguards")  # what a grid of mini-batch fits combines


def complete(config: dict) -> dict:
    """Return the configuration with every default filled in; options of methods stay as given.

    Raises
    ------
    ConfigurationError
        Lists every key that is unknown or has a wrong value, with what would be right.
    """
    read, wrong = try_options(Configuration, config, "")
    if wrong:
        raise ConfigurationError("\n".join(["the configuration is wrong:", *(f"  - {line}" for line in wrong)]))
    completed = plain(read)
    completed["methods"] = _given_methods(config)
    for name, dataset in completed["datasets"].items():
        dataset["methods"] = _given_methods(config["datasets"][name])
    return completed


def _given_methods(section: dict) -> dict:
    """Return the options of methods as given, so that those of a data set can override them."""
    return {name: dict(options or {}) for name, options in (section.get("methods") or {}).items()}


def merge(base: dict, override: dict) -> dict:
    """Return `base` with the keys of `override`; mappings are merged, all else is replaced."""
    merged = dict(base)
    for key, value in override.items():
        nested = isinstance(value, dict) and isinstance(base.get(key), dict)
        merged[key] = merge(base[key], value) if nested else value
    return merged


class Plan:
    """Everything that a configuration asks for, with defaults filled in and overrides applied.

    Parameters
    ----------
    config
        The configuration as the user wrote it.
    manifest
        Downloads by name, from `load_manifest`.
    places
        Folders in which a relative path of the configuration is looked for, in this order; the last is the project's.
    objectives
        Published objectives of problems of the manifest, from `load_objectives`.

    Raises
    ------
    ConfigurationError
        Says what is wrong: unknown keys, wrong values, missing files, impossible combinations.

    Attributes
    ----------
    config, problems, datasets
        The completed configuration, and its problems and data sets with their overrides applied.
    sources
        The data sets that are trained on, and those that vector fields among the problems are fitted to.
    downloads
        Lines of the manifest that the configuration needs, by name.
    own_files
        The other files that it names, and those that its PEtab problems name.
    """

    def __init__(self, config: dict, manifest: dict[str, Download], places=(Path(),), objectives=None):
        self.given, self.manifest, self.places, self.objectives = config, manifest, places, objectives or {}
        self.downloads: dict[str, Download] = {}
        self.own_files: list[str] = []
        self.config = complete(config)
        self.sources: dict[str, dict] = {}
        mirror = self.config["mirror"]
        if mirror is not None and not Path(mirror).is_dir():
            raise ConfigurationError(f"mirror = '{mirror}': no such folder (wanted: one that holds <owner>/<repo>/…)")
        for name in {"results", "logs"} & self.config["pathvars"].keys():
            refuse_own(f"pathvars.{name}", self.config["pathvars"][name], Path(places[-1]))
        self.problems = {name: self._problem(name) for name in self._wanted("mechanistic", "problems")}
        self.datasets = {name: self._source(name) for name in self._wanted("neural", "datasets")}

    def _wanted(self, arm: str, section: str) -> list[str]:
        """Return the names of the problems or data sets to run: of `only` if it is given, else those with `run`."""
        only, run = self.config["only"], [name for name, one in self.config[section].items() if one["run"]]
        if only is None:
            return run
        known = ["mechanistic", "neural", *self.config["problems"], *self.config["datasets"]]
        for name in only:
            if name not in known:
                raise ConfigurationError(
                    f"only: '{name}' is no arm, problem or data set ({', '.join(known)}){did_you_mean(name, known)}"
                )
        return [name for name in self.config[section] if name in only or (arm in only and name in run)]

    def file(self, value: str, key: str) -> str:
        """Return the path of the file `value` of the configuration, which may still have to be downloaded."""
        if value in self.manifest:
            self.downloads[value] = self.manifest[value]
            return f"{DOWNLOADS}/{self.manifest[value].path}"
        for place in self.places:
            if os.path.isfile(place / value):  # Path.is_file() raises on names that are too long
                return usable(place / value, key)
        folder = os.path.dirname(value)
        beside = {file for place in self.places for file in glob.glob("*", root_dir=Path(place, folder))}
        known = [*self.manifest, *(os.path.join(folder, file) for file in sorted(beside))]
        begin = " or ".join(dict.fromkeys(str(Path(place).resolve()) for place in self.places))
        raise ConfigurationError(
            f"{key} = '{value}': neither a name in resources/datasets.tsv nor a file{did_you_mean(value, known)}; "
            f"paths begin in {begin}, where the command runs, not at the configuration"
        )

    def petab_files(self, value: str, key: str, elsewhere: bool = False) -> list[str]:
        """Return the PEtab YAML `value` and all files that belong to it, which may be allowed to lie `elsewhere`."""
        if value in self.manifest:
            group = value.partition("/")[0]
            names = [name for name in self.manifest if name.partition("/")[0] == group and name != value]
            return [self.file(name, key) for name in [value, *names]]
        path = Path(self.file(value, key))
        with naming(key):
            description = read_yaml(path)
            check_description(path, description, elsewhere)
        files = list_files(path, description, elsewhere) + visualization_files(path, description, elsewhere)
        named = [usable(file, key) for file in files]
        self.own_files += named
        return [str(path), *named]

    def fit_labels(self, problem: str) -> list[str]:
        """Return the settings in which a problem is fitted, as they stand in the names of the result files."""
        fits = self.problems[problem]["fits"]
        labels = [
            f"{optimizer}-{schedule}-batch{size}-{safeguard}"
            for grid in filter(None, fits["mini_batch"].values())
            for optimizer, schedule, size, safeguard in product(*(grid[key] for key in GRID))
        ]
        return list(dict.fromkeys(labels)) + fits["full_batch"]["optimizers"]

    def scaled_groups(self, problem: str) -> list[str]:
        """Return the groups of artificial data that are fitted with scalings of their own."""
        groups = self.problems[problem].get("artificial", {}).get("groups")
        if not groups or not groups["scaling"]:
            return []
        return read_options(Groups, groups).names()[: groups["count"] - groups["test"]]

    @property
    def varied(self) -> set[str]:
        """Which of optimizers, schedules, batch sizes and safeguards the mini-batch fits of some problem vary."""
        grids = [list(filter(None, problem["fits"]["mini_batch"].values())) for problem in self.problems.values()]
        return {key for key in GRID for some in grids if len({value for grid in some for value in grid[key]}) > 1}

    def mini_batch_settings(self, problem: str, optimizer: str, schedule: str, batch_size: str, safeguard: str) -> dict:
        """Return the options of a mini-batch fit."""
        fits = self.problems[problem]["fits"]
        return {
            **optimizer_and_schedule(fits, optimizer, schedule),
            "batch_size": batch_size if batch_size == "full" else int(batch_size),
            "safeguard": {"name": safeguard, **fits["safeguards"][safeguard]},
            "side_by_side": fits["side_by_side"],
            **self._shared_settings(problem),
        }

    def full_batch_settings(self, problem: str) -> dict:
        """Return the options of a full-batch fit."""
        restarts = self.problems[problem]["fits"]["full_batch"]["restarts"]
        return {"restarts": restarts, **self._shared_settings(problem)}

    def reaction_settings(self, problem: str) -> dict:
        """Return the options for pruning the reactions of a problem."""
        planned = self.problems[problem]
        pruning = {
            name: value for name, value in planned["reactions"].items() if name not in ("prior", "methods", "begin")
        }
        return {**pruning, "seed": planned["fits"]["seed"], **planned["solver"]}

    def _shared_settings(self, problem: str) -> dict:
        """Return the options that all fits of a problem share: budget, seed and, of PEtab problems, the solver."""
        planned = self.problems[problem]
        solver = planned["solver"] if "petab" in planned else {}
        return {"epochs": planned["fits"]["epochs"], "seed": planned["fits"]["seed"], **solver}

    def neural_settings(self, problem: str) -> dict:
        """Return the options of the vector field of a problem, those of `training` that a fit depends on."""
        training = self.sources[self.problems[problem]["neural"]["dataset"]]["training"]
        return {key: training[key] for key in ("model", "hidden", "multipliers", "integrator", "steps", "device")}

    def expression_settings(self, dataset: str) -> dict:
        """Return the options for reading measured expression: its section without files."""
        return part(Preparation, self.sources[dataset]["expression"])

    def simulation_settings(self, dataset: str) -> dict:
        """Return the options of a simulation: network (or exponents of a published one) and trajectories."""
        section = self.sources[dataset]["simulate"]
        if "network" in section:
            return part(PublishedSimulation, section | section["network"])
        return part(Simulation, section)

    def training_settings(self, dataset: str, method: str) -> dict:
        """Return the options for training a method on a data set."""
        planned = self.datasets[dataset]
        return {**planned["training"], "pruning": planned["pruning"], "method": planned["methods"][method]}

    def tuning(self, dataset: str, method: str) -> dict | None:
        """Return the options of the cross-validation of a method, None if it is not tuned."""
        return self.datasets[dataset]["tuning"].get(method)

    def yardsticks(self, dataset: str) -> list[str]:
        """Return the yardsticks that are inferred from a data set."""
        return [name for name in YARDSTICKS if name not in self.datasets[dataset]["leave_out"]]

    def tests_pathways(self, dataset: str, method: str) -> bool:
        """Return whether pathways are tested: there must be gene sets, which a random network brings along."""
        planned = self.datasets[dataset]
        wanted = planned["enrichment"]["methods"]
        random_network = "simulate" in planned and "network" not in planned["simulate"]
        return (random_network or "gene_sets" in planned) and (wanted is None or method in wanted)

    def _overridden(self, section: str, own: dict, key: str) -> dict:
        """Return a top-level section with the keys that a problem or a data set overrides, checked and completed."""
        merged = merge(self.config[section], own[section])
        return plain(checked(kinds(Configuration)[section], merged, f"{key}.{section}"))

    def _problem(self, name: str) -> dict:
        key, problem = f"problems.{name}", self.config["problems"][name]
        fits = self._overridden("fits", problem, key)
        artificial = read_options(Artificial, problem["artificial"]) if "artificial" in problem else None
        for label, grid in fits["mini_batch"].items():
            check_grid(f"{key}.fits.mini_batch.{label}", grid, fits)
        if "neural" in problem:
            return self._neural_problem(name, problem, fits)
        files = self.petab_files(problem["petab"], f"{key}.petab", problem["tables_elsewhere"])
        if artificial:
            conditions = artificial.fitted_conditions()
            limit_batches(key, fits["mini_batch"], conditions, refuse=self._gives_grids(problem))
        elif problem["petab"] not in self.manifest and (measured := count_conditions(Path(files[0]))):
            limit_batches(key, fits["mini_batch"], measured, refuse=False)
        if artificial and problem["petab"] not in self.manifest:
            check_artificial(f"{key}.artificial", artificial, files)
        if "start_from" in fits:
            fits["start_from"] = self._starts(fits, f"{key}.fits.start_from", artificial, problem["petab"])
        if "reactions" in problem:
            check_reactions(f"{key}.reactions", problem["reactions"], artificial, fits)
            prior = self._reaction_prior(problem["reactions"]["prior"], f"{key}.reactions.prior", problem["petab"])
            problem = {**problem, "reactions": {**problem["reactions"], "prior": prior}}
        # Published objectives are those of the measured data, without priors.
        comparable = problem["petab"] in self.manifest and not artificial and not problem["solver"]["priors"]
        return {
            **(self.objectives.get(problem["petab"], {}) if comparable else {}),
            **problem,
            "fits": fits,
            "files": files,
            "replicates": range(artificial.replicates) if artificial else range(1),
        }

    def _neural_problem(self, name: str, problem: dict, fits: dict) -> dict:
        key, neural = f"problems.{name}", problem["neural"]
        check_neural(key, self.given["problems"][name], fits, self.config["datasets"])
        dataset = self._source(neural["dataset"])
        if conditions := training_conditions(dataset):
            limit_batches(key, fits["mini_batch"], conditions, refuse=self._gives_grids(problem))
        noise = neural["noise"] if "noise" in neural else only_noise(f"{key}.neural", dataset["levels"])
        return {**problem, "neural": {**neural, "noise": noise}, "fits": fits, "files": [], "replicates": range(1)}

    def _gives_grids(self, problem: dict) -> bool:
        """Return whether the grids of a problem's fits are given, not the default ones."""
        return "mini_batch" in (self.given.get("fits") or {}) or "mini_batch" in problem["fits"]

    def _source(self, name: str) -> dict:
        """Return a data set that is trained on or fitted, with its overrides applied."""
        if name not in self.sources:
            self.sources[name] = self._dataset(name, self.config["datasets"][name])
        return self.sources[name]

    def _starts(self, fits: dict, key: str, artificial: Artificial | None, petab: str) -> str:
        """Return the path of given starts, checked where the parameters of the problem are at hand.

        Those of artificial data, and of files that are still to be downloaded, are checked by the rule `check_starts`.
        """
        path = self.file(fits["start_from"], key)
        results = Path(self.config["pathvars"]["results"]).resolve()
        if Path(path).resolve().is_relative_to(results):
            raise ConfigurationError(
                f"{key} = '{fits['start_from']}': this run writes into {results} itself; copy the files to another "
                "folder, or take another `pathvars.results`"
            )
        self.own_files += [self.file(needed, key) for needed in files_of(path)]
        yaml = self._petab(petab, key)
        if not artificial and yaml.is_file():
            with naming(key):
                read_starts(path, estimated_parameters(yaml), fits["starts"])
        return path

    def _petab(self, petab: str, key: str) -> Path:
        """Return where the PEtab YAML of a problem is, or will be when it was downloaded."""
        mirror = self.config["mirror"]
        if mirror and petab in self.manifest:
            return Path(mirror, self.manifest[petab].path)
        return Path(self.file(petab, key))

    def _reaction_prior(self, value: str, key: str, petab: str) -> str:
        """Return the path of the confidences in reactions, checked where the problem is at hand."""
        path = self.file(value, key)
        self.own_files.append(path)
        yaml = self._petab(petab, key)
        if yaml.is_file() and Path(path).is_file():
            with naming(key):
                read_reaction_prior(path, estimated_parameters(yaml))
        return path

    def _dataset(self, name: str, dataset: dict) -> dict:
        key, config = f"datasets.{name}", self.config
        check_methods(key, config, dataset)
        planned = {
            **self._with_paths(Dataset, dataset, key),
            "seeds": dataset.get("seeds", config["seeds"]),
            "levels": _levels(dataset, key),
            **{section: self._overridden(section, dataset, key) for section in ("training", "pruning", "enrichment")},
            "tuning": config["tuning"] | dataset["tuning"],
            "methods": {method: own | dataset["methods"].get(method, {}) for method, own in config["methods"].items()},
        }
        checked(NeuralOptions, planned["training"] | {"pruning": planned["pruning"]}, key)
        for method, options in planned["methods"].items():
            checked(find_method(method), options, f"{key}.methods.{method}")
        for method, tuned in planned["tuning"].items():
            check_tuning(method, tuned["grid"], f"{key}.tuning.{method}")
        check_networks(key, dataset)
        if "expression" in dataset and "prior" not in dataset:
            check_without_prior(key, planned)
        if "simulate" in dataset:
            check_simulation(f"{key}.simulate", dataset["simulate"], self.given["datasets"][name]["simulate"] or {})
        return planned

    def _with_paths(self, record, section: dict, key: str) -> dict:
        """Return a section with the paths of the files that it, or a section in it, names."""
        found = {}
        for option, kind in kinds(record).items():
            if option in section and (kind == File or is_dataclass(kind)):
                where, given = f"{key}.{option}", section[option]
                found[option] = self.file(given, where) if kind == File else self._with_paths(kind, given, where)
        return section | found


def _levels(dataset: dict, key: str) -> list[tuple]:
    """Return the pairs of noise and corruption of the prior of a data set, as they stand in names of files."""
    levels = list(dataset.get("levels") or product(dataset["noise"], dataset["prior_corruption"]))
    for _, corruption in levels:
        if corruption > 1:
            raise ConfigurationError(f"{key}.levels: a corruption of the prior of {corruption:g} is above 1")
    return [tuple(int(one) if one == int(one) else one for one in level) for level in levels]
