"""What a run consists of: the configuration and the manifest of downloads, checked before anything starts."""

import csv
import difflib
import json
import os
import re
import sys
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import method_settings
import yaml
from jsonschema import Draft202012Validator

from kinetrain.mechanistic.petab_files import list_files

SCHEMA = Path(__file__).parent / "schemas" / "config.schema.yaml"
UPDATERS = Path(__file__).parent / "kinetrain" / "training" / "update_rules.py"
DOWNLOADS = "<resources>/downloads"
FILES = ("train", "test", "genes", "edges", "matrix", "equations")  # keys of a data set that name files
GRID = ("optimizers", "schedules", "batch_sizes", "safeguards")  # what a grid of mini-batch fits combines
# keys of a random network
RANDOM = ("genes", "regulators", "inputs", "modules", "in_degree", "exponents", "half", "decay_spread")

# Columns of the manifest: what they must look like, and how that is told.
COLUMNS = {
    "name": (r"[^/\s]+/[^/\s]+", "<data set>/<file>"),
    "path": (r"(?!.*\.\.)[^/\s]\S*", "a relative path without '..' or blanks"),
    "url": (r"https?://\S+", "an http(s) address"),
    "bytes": (r"\d*", "a whole number, or nothing when unknown"),
    "checksum": (r"sha256:[0-9a-f]{64}|git-sha1:[0-9a-f]{40}", "sha256:<64 hex digits> or git-sha1:<40 hex digits>"),
    "licence": (r".*\S.*", "the licence of the file"),
}


class ConfigurationError(Exception):
    """The configuration or the manifest is wrong; the message names file, key, value and what would be right."""


@dataclass(frozen=True)
class Download:
    """One line of the manifest: a file that can be downloaded, and how to know that it is the right one."""

    name: str
    path: str
    url: str
    bytes: int | None
    checksum: str
    licence: str


def load_schema() -> dict:
    """Return the JSON Schema of the configuration."""
    return yaml.safe_load(SCHEMA.read_text())


def load_manifest(path) -> dict[str, Download]:
    """Return the lines of the manifest by name.

    Raises
    ------
    ConfigurationError
        Names the file, the line and the column that is malformed.
    """
    downloads = {}
    with open(path, newline="") as file:
        lines = csv.reader(file, delimiter="\t")
        header = next(lines, [])
        if header != list(COLUMNS):
            wanted = ", ".join(COLUMNS)
            raise ConfigurationError(f"{path}, line 1: expected the columns {wanted}, got {', '.join(header)}")
        for number, fields in enumerate(lines, start=2):
            download = _read_line(fields, f"{path}, line {number}")
            if download.name in downloads:
                raise ConfigurationError(f"{path}, line {number}: the name '{download.name}' stands in the file twice")
            downloads[download.name] = download
    return downloads


def _read_line(fields: list[str], where: str) -> Download:
    if len(fields) != len(COLUMNS):
        raise ConfigurationError(f"{where}: expected {len(COLUMNS)} fields with tabs between them, got {len(fields)}")
    line = dict(zip(COLUMNS, fields, strict=True))
    for column, (pattern, right) in COLUMNS.items():
        if not re.fullmatch(pattern, line[column]):
            raise ConfigurationError(f"{where}: {column} is '{line[column]}', expected {right}")
    return Download(**line | {"bytes": int(line["bytes"]) if line["bytes"] else None})


def complete(config: dict) -> dict:
    """Return the configuration with every default of the schema filled in.

    Raises
    ------
    ConfigurationError
        Lists every key that is unknown or has a wrong value, with what would be right.
    """
    schema = load_schema()
    _refuse(Draft202012Validator(schema).iter_errors(config))
    return _with_defaults(config, schema, schema)


def overridden(section: dict, override: dict, name: str, key: str) -> dict:
    """Return a top-level section (`fits`, `training`, `pruning`) with the keys that `name` overrides, checked."""
    definition = {"$ref": f"#/$defs/{key}", "$defs": load_schema()["$defs"]}
    merged = _merge(section, override)
    _refuse(Draft202012Validator(definition).iter_errors(merged), prefix=f"{name}.{key}")
    return _with_defaults(merged, definition, definition)


def _refuse(errors, prefix: str = "") -> None:
    """Raise ConfigurationError with one line for each error of the validator, if there is any."""
    lines = [f"  - {_explain(error, prefix)}" for error in errors]
    if lines:
        raise ConfigurationError("\n".join(["the configuration is wrong:", *lines]))


def _merge(base: dict, override: dict) -> dict:
    """Return `base` with the keys of `override`; mappings are merged, all else is replaced."""
    merged = dict(base)
    for key, value in override.items():
        nested = isinstance(value, dict) and isinstance(base.get(key), dict)
        merged[key] = _merge(base[key], value) if nested else value
    return merged


def _resolve(schema: dict, root: dict) -> dict:
    """Return a schema with its reference followed; what stands beside the reference counts more."""
    reference = schema.get("$ref")
    if reference is None:
        return schema
    target = root
    for part in reference.removeprefix("#/").split("/"):
        target = target[part]
    return {**target, **{key: value for key, value in schema.items() if key != "$ref"}}


def _with_defaults(value, schema: dict, root: dict):
    schema = _resolve(schema, root)
    if isinstance(value, list):
        return [_with_defaults(item, schema.get("items", {}), root) for item in value]
    if not isinstance(value, dict):
        return value
    known = {key: _resolve(definition, root) for key, definition in schema.get("properties", {}).items()}
    other = schema.get("additionalProperties")
    other = other if isinstance(other, dict) else {}
    filled = {key: definition["default"] for key, definition in known.items() if "default" in definition} | value
    return {key: _with_defaults(item, known.get(key, other), root) for key, item in filled.items()}


def _explain(error, prefix: str) -> str:
    """Return one line for one error of the validator: key, value, and what would be right."""
    key = ".".join(filter(None, [prefix, *(str(part) for part in error.absolute_path)])) or "(top level)"
    known = list(error.schema.get("properties", {}))
    if error.validator == "additionalProperties" and known:
        unknown = [f"'{name}'{_close(name, known)}" for name in error.instance if name not in known]
        return f"{key}: unknown key {', '.join(unknown)}; known keys: {', '.join(known)}"
    if error.validator == "oneOf":
        choices = " or ".join(", ".join(choice["required"]) for choice in error.validator_value)
        return f"{key}: exactly one of {choices} must be given, got {', '.join(error.instance) or 'none'}"
    if error.validator == "required":
        return f"{key}: {error.message}"
    if error.validator == "not":
        return f"{key}: {error.schema['description']}"
    hint = f"; {error.schema['description']}" if "description" in error.schema else ""
    return f"{key} = {error.instance!r}: {error.message}{hint}{_about_text(error.instance)}"


def _about_text(value) -> str:
    """Return a remark if the value is text that looks like a number, which YAML reads otherwise than people do."""
    looks = isinstance(value, str) and re.fullmatch(r"[+-]?\d+[eE][+-]?\d+", value)
    return " (YAML reads this as text: write 1.0e-3 for 1e-3)" if looks else ""


def _close(name, known) -> str:
    """Return a question for the known name that is most like an unknown one, if any is."""
    close = difflib.get_close_matches(str(name), known, n=1)
    return f" (did you mean '{close[0]}'?)" if close else ""


def _check_methods(methods: dict, key: str) -> None:
    """Refuse methods that do not exist, settings that a method does not have, and values of another kind."""
    known = method_settings.known_methods()
    for method, given in methods.items():
        if method not in known:
            raise ConfigurationError(
                f"{key}.{method}: unknown method{_close(method, known)}; known methods: {', '.join(known)}"
            )
        settings = method_settings.settings(method)
        for name, value in given.items():
            if name not in settings:
                raise ConfigurationError(
                    f"{key}.{method}: unknown key '{name}'{_close(name, settings)}; "
                    f"known keys: {', '.join(settings) or 'none'}"
                )
            if not settings[name].allows(value):
                raise ConfigurationError(
                    f"{key}.{method}.{name} = {value!r}: expected {settings[name].kind}{_about_text(value)}"
                )


def _check_grid(method: str, grid: dict, key: str) -> None:
    """Refuse a grid of settings that the method does not have, or of values of another kind."""
    for name, values in grid.items():
        listed = values if isinstance(values, list) else [[value, value] for value in values["each"]]
        for value in listed:
            _check_methods({method: {name: value}}, key)


class Plan:
    """Everything that a configuration asks for, with defaults filled in and overrides applied.

    Parameters
    ----------
    config
        The configuration as the user wrote it.
    manifest
        Downloads by name, from `load_manifest`.
    places
        Folders in which a relative path of the configuration is looked for, in this order.

    Raises
    ------
    ConfigurationError
        Says what is wrong: unknown keys, wrong values, missing files, impossible combinations.

    Attributes
    ----------
    config, problems, datasets
        The completed configuration, and its problems and data sets with their overrides applied.
    downloads
        Lines of the manifest that the configuration needs, by name.
    """

    def __init__(self, config: dict, manifest: dict[str, Download], places=(Path(),)):
        self.manifest, self.places = manifest, places
        self.downloads: dict[str, Download] = {}
        self.config = complete(config)
        mirror = self.config["mirror"]
        if mirror is not None and not Path(mirror).is_dir():
            raise ConfigurationError(f"mirror = '{mirror}': no such folder (wanted: one that holds <owner>/<repo>/…)")
        _check_methods(self.config["methods"], "methods")
        self.problems = {
            name: self._problem(name, problem) for name, problem in self.config["problems"].items() if problem["run"]
        }
        self.datasets = {
            name: self._dataset(name, dataset) for name, dataset in self.config["datasets"].items() if dataset["run"]
        }

    def file(self, value: str, key: str) -> str:
        """Return where the file `value` of the configuration is, or will be once it is downloaded."""
        if value in self.manifest:
            self.downloads[value] = self.manifest[value]
            return f"{DOWNLOADS}/{self.manifest[value].path}"
        for place in self.places:
            if (place / value).is_file():
                return str(place / value)
        raise ConfigurationError(
            f"{key} = '{value}': neither a name in resources/datasets.tsv{_close(value, self.manifest)} nor a file"
        )

    def petab_files(self, value: str, key: str) -> list[str]:
        """Return the PEtab YAML `value` and all files that belong to it."""
        if value in self.manifest:
            group = value.partition("/")[0]
            names = [name for name in self.manifest if name.partition("/")[0] == group and name != value]
            return [self.file(name, key) for name in [value, *names]]
        path = Path(self.file(value, key))
        try:
            files = list_files(path, yaml.safe_load(path.read_text()))
        except yaml.YAMLError as error:
            raise ConfigurationError(f"{key}: {path} is not valid YAML: {error}") from None
        except (KeyError, TypeError, AttributeError) as error:
            raise ConfigurationError(f"{key}: {path} is not a PEtab problem: {error} is missing") from None
        missing = [file for file in files if not file.is_file()]
        if missing:
            name = os.path.relpath(missing[0], path.parent)
            raise ConfigurationError(f"{key}: {path} names the file '{name}', which is not in {path.parent}")
        return [str(path), *map(str, files)]

    def fit_labels(self, problem: str) -> list[str]:
        """Return the settings in which a problem is fitted, as they stand in the names of the result files."""
        fits = self.problems[problem]["fits"]
        labels = [
            f"{optimizer}-{schedule}-batch{size}-{safeguard}"
            for grid in filter(None, fits["mini_batch"].values())
            for optimizer, schedule, size, safeguard in product(*(grid[key] for key in GRID))
        ]
        return list(dict.fromkeys(labels)) + fits["full_batch"]["optimizers"]

    @property
    def varied(self) -> set[str]:
        """Which of optimizers, schedules, batch sizes and safeguards the mini-batch fits of some problem vary."""
        grids = [list(filter(None, problem["fits"]["mini_batch"].values())) for problem in self.problems.values()]
        return {key for key in GRID for some in grids if len({value for grid in some for value in grid[key]}) > 1}

    def mini_batch_settings(self, problem: str, optimizer: str, schedule: str, batch_size: str, safeguard: str) -> dict:
        """Return the settings of a mini-batch fit."""
        fits = self.problems[problem]["fits"]
        return {
            "optimizer": fits["optimizers"].get(optimizer, {"rule": optimizer}),
            "schedule": {"name": schedule, **fits["schedules"][schedule]},
            "batch_size": batch_size if batch_size == "full" else int(batch_size),
            "safeguard": {"name": safeguard, **fits["safeguards"][safeguard]},
            **self.full_batch_settings(problem),
        }

    def full_batch_settings(self, problem: str) -> dict:
        """Return what all fits of a problem have in common: budget, seed and solver."""
        planned = self.problems[problem]
        return {"epochs": planned["fits"]["epochs"], "seed": planned["fits"]["seed"], **planned["solver"]}

    def expression_settings(self, dataset: str) -> dict:
        """Return how measured expression is read: everything of its section that is no file."""
        section = self.datasets[dataset]["expression"]
        return {option: value for option, value in section.items() if option not in ("train", "test", "genes")}

    def simulation_settings(self, dataset: str) -> dict:
        """Return what is simulated: sizes of a random network or exponents of a published one, and its trajectories."""
        section = self.datasets[dataset]["simulate"]
        own = ("network", "train", "test", *(RANDOM if "network" in section else ()))
        exponents = {"exponents": section["network"]["exponents"]} if "network" in section else {}
        return {option: value for option, value in section.items() if option not in own} | exponents

    def training_settings(self, dataset: str, method: str) -> dict:
        """Return how a method is trained on a data set."""
        planned = self.datasets[dataset]
        return {**planned["training"], "pruning": planned["pruning"], "method": planned["methods"][method]}

    def tuning(self, dataset: str, method: str) -> dict | None:
        """Return how the settings of a method are chosen by cross-validation, None if they are not."""
        return self.datasets[dataset]["tuning"].get(method)

    def tests_pathways(self, dataset: str, method: str) -> bool:
        """Return whether pathways are tested: there must be gene sets, which a random network brings along."""
        planned = self.datasets[dataset]
        wanted = planned["enrichment"]["methods"]
        random_network = "simulate" in planned and "network" not in planned["simulate"]
        return (random_network or "gene_sets" in planned) and (wanted is None or method in wanted)

    def _problem(self, name: str, problem: dict) -> dict:
        key = f"problems.{name}"
        fits = overridden(self.config["fits"], problem["fits"], key, "fits")
        artificial = problem.get("artificial")
        groups = (artificial or {}).get("groups")
        if groups and groups["test"] >= groups["count"]:
            raise ConfigurationError(f"{key}.artificial.groups: test must be below count, or nothing is left to fit")
        for name, grid in fits["mini_batch"].items():
            _check_fits(f"{key}.fits.mini_batch.{name}", grid, fits, artificial)
        files = self.petab_files(problem["petab"], f"{key}.petab")
        if artificial and problem["petab"] not in self.manifest:
            _check_artificial(f"{key}.artificial", artificial, files)
        return {
            **problem,
            "fits": fits,
            "files": files,
            "replicates": range(artificial["replicates"]) if artificial else range(1),
        }

    def _dataset(self, name: str, dataset: dict) -> dict:
        key = f"datasets.{name}"
        methods, own = self.config["methods"], dataset["methods"]
        for section in ("methods", "tuning"):
            unknown = {**self.config[section], **dataset[section]}.keys() - methods
            if unknown:
                where = f"{key}.{section}" if unknown & dataset[section].keys() else section
                raise ConfigurationError(
                    f"{where}.{min(unknown)}: not among the methods that are run: {', '.join(methods)}"
                )
        if set(dataset["leave_out"]) - set(methods):
            raise ConfigurationError(
                f"{key}.leave_out: '{min(set(dataset['leave_out']) - set(methods))}' is not among the methods that are "
                f"run: {', '.join(methods)}"
            )
        _check_methods(own, f"{key}.methods")
        planned = {
            **dataset,
            "seeds": dataset.get("seeds", self.config["seeds"]),
            "levels": dataset.get("levels", list(product(dataset["noise"], dataset["prior_corruption"]))),
            "training": overridden(self.config["training"], dataset["training"], key, "training"),
            "pruning": overridden(self.config["pruning"], dataset["pruning"], key, "pruning"),
            "enrichment": overridden(self.config["enrichment"], dataset["enrichment"], key, "enrichment"),
            "tuning": {**self.config["tuning"], **dataset["tuning"]},
            "methods": {method: {**settings, **own.get(method, {})} for method, settings in methods.items()},
        }
        for method, tuned in planned["tuning"].items():
            _check_grid(method, tuned["grid"], f"{key}.tuning")
        for role in {"expression", "simulate", "truth", "prior", "coregulation"} & set(dataset):
            planned[role] = self._files(dataset[role], f"{key}.{role}")
        if "gene_sets" in dataset:
            planned["gene_sets"] = self.file(dataset["gene_sets"], f"{key}.gene_sets")
        if "expression" in dataset and "prior" not in dataset:
            _check_without_prior(key, planned)
        if "simulate" in dataset and "truth" in dataset:
            raise ConfigurationError(f"{key}.truth: a simulated data set has its own; leave it out")
        for role in {"truth", "prior", "coregulation"} & set(dataset):
            if {"edges", "genes"} <= set(dataset[role]):
                raise ConfigurationError(f"{key}.{role}.genes: an edge list names its genes; leave it out")
        _check_training(key, planned)
        if "simulate" in dataset:
            _check_simulation(f"{key}.simulate", dataset["simulate"])
        return planned

    def _files(self, section: dict, key: str) -> dict:
        """Return a section of a data set with the paths of the files that it names."""
        named = [option for option in FILES if isinstance(section.get(option), str)]  # a number of genes is no file
        found = {option: self.file(section[option], f"{key}.{option}") for option in named}
        if "network" in section:
            found["network"] = self._files(section["network"], f"{key}.network")
        return {**section, **found}


def known_rules() -> list[str]:
    """Return the names of the update rules, read from their file: the library is not installed where this runs."""
    return re.findall(r"(?m)^def ([a-z]\w*)\(moments, gradient, t\)", UPDATERS.read_text())


def _check_fits(key: str, grid: dict | None, fits: dict, artificial: dict | None) -> None:
    """Refuse names in a grid of fits that nothing defines, and mini-batches of more conditions than there are."""
    if grid is None:
        return
    rules = known_rules()
    for name, optimizer in fits["optimizers"].items():
        if optimizer.get("rule", rules[0]) not in rules:
            rule = optimizer["rule"]
            raise ConfigurationError(
                f"fits.optimizers.{name}.rule: unknown rule '{rule}'{_close(rule, rules)}; known: {', '.join(rules)}"
            )
    known = {
        "optimizers": [*rules, *fits["optimizers"]],
        "schedules": fits["schedules"],
        "safeguards": fits["safeguards"],
    }
    for kind, names in known.items():
        for name in grid[kind]:
            if name not in names:
                raise ConfigurationError(
                    f"{key}.{kind}: unknown name '{name}'{_close(name, names)}; known: {', '.join(names)}"
                )
    largest = max((size for size in grid["batch_sizes"] if size != "full"), default=0)
    if artificial and largest > _training_conditions(artificial):
        raise ConfigurationError(
            f"{key}: batch_sizes has {largest}, but there are {_training_conditions(artificial)} conditions"
        )


def _training_conditions(artificial: dict) -> int:
    """Return the number of conditions of artificial data that are fitted: those of the groups not held out."""
    groups = artificial.get("groups", {"count": 1, "test": 0})
    return artificial["conditions"] * (groups["count"] - groups["test"]) // groups["count"]


def _check_without_prior(key: str, planned: dict) -> None:
    """Refuse what a measured data set without a prior network cannot have."""
    needy = [one for one in planned["methods"] if one not in planned["leave_out"] and method_settings.uses_prior(one)]
    if needy:
        raise ConfigurationError(
            f"{key}.prior: {', '.join(needy)} need a prior network: give prior.edges or prior.matrix, or leave them "
            f"out: `leave_out: [{', '.join(needy)}]`"
        )
    if "coregulation" in planned:
        raise ConfigurationError(f"{key}.coregulation: is used together with a prior only: give it, or leave this out")
    if any(corruption for _, corruption in planned["levels"]):
        raise ConfigurationError(f"{key}.prior_corruption: there is no prior to corrupt: give one, or leave this out")


def _check_training(key: str, planned: dict) -> None:
    """Refuse numbers of a training that cannot go together."""
    training, first = planned["training"], planned["pruning"]["first_epoch"]
    if first > training["epochs"]:
        raise ConfigurationError(
            f"{key}: nothing is pruned: pruning.first_epoch {first} > training.epochs {training['epochs']}"
        )
    if training["minimum_learning_rate"] > training["learning_rate"]:
        raise ConfigurationError(
            f"{key}: training.minimum_learning_rate {training['minimum_learning_rate']} is above "
            f"training.learning_rate {training['learning_rate']}"
        )


def _check_simulation(key: str, simulate: dict) -> None:
    """Refuse a gene network that cannot be: inputs are regulators, regulators are genes, modules are made of genes."""
    for part, whole in (("inputs", "regulators"), ("regulators", "genes"), ("modules", "genes")):
        if simulate[part] > simulate[whole]:
            raise ConfigurationError(f"{key}: {part} {simulate[part]} > {whole} {simulate[whole]}; give at most that")
    if simulate["in_degree"] is not None and simulate["in_degree"] >= simulate["regulators"]:
        raise ConfigurationError(
            f"{key}.in_degree {simulate['in_degree']}: must be below the {simulate['regulators']} regulators"
        )
    for name, most in (("exponents", float("inf")), ("half", 1)):
        low, high = simulate[name]
        if not 0 < low <= high < most:
            limit = "above 0" if name == "exponents" else "between 0 and 1"
            raise ConfigurationError(f"{key}.{name}: must be {limit}, the smaller first, got {low} and {high}")
    low, high = simulate.get("network", {}).get("exponents", (1, 2))
    if not 0 < low < high:
        raise ConfigurationError(f"{key}.network.exponents: must be above 0, the smaller first, got {low} and {high}")
    if "train" not in simulate and max(simulate["validation"], default=0) >= simulate["trajectories"]:
        raise ConfigurationError(
            f"{key}.validation has {max(simulate['validation'])}, but the trajectories are counted from 0 to "
            f"{simulate['trajectories'] - 1}"
        )
    apart = simulate["validation_fraction"] + simulate["test_fraction"]
    if apart >= 1:
        raise ConfigurationError(f"{key}: validation_fraction + test_fraction = {apart:g} leaves nothing to train on")


def _check_artificial(key: str, artificial: dict, files: list[str]) -> None:
    """Refuse inputs and observables that a local PEtab problem does not have, and empty ranges."""
    folder = Path(files[0]).parent
    content = yaml.safe_load(Path(files[0]).read_text())["problems"][0]
    inputs = (folder / content["condition_files"][0]).read_text().splitlines()[0].split("\t")
    inputs += re.findall(r'\bid="(\w+)"', (folder / content["sbml_files"][0]).read_text())
    rows = (folder / content["observable_files"][0]).read_text().splitlines()[1:]
    observables = [row.partition("\t")[0] for row in rows]
    drawn = {f"protocols.{number}": protocol["inputs"] for number, protocol in enumerate(artificial["protocols"])}
    for part, group in (drawn | {"groups": artificial.get("groups", {}).get("inputs", {})}).items():
        for name, distribution in group.items():
            where = f"{key}.{part}.inputs.{name}"
            if name not in inputs:
                raise ConfigurationError(f"{where}: the problem has no such input{_close(name, inputs)}")
            low, high = distribution.get("uniform", distribution.get("log10_uniform", (0, 1)))
            if low >= high:
                raise ConfigurationError(f"{where}: the range {low} to {high} is empty; give the lower end first")
    for name in artificial["observables"] or ():
        if name not in observables:
            raise ConfigurationError(f"{key}.observables: the problem has no '{name}'{_close(name, observables)}")


def describe() -> str:
    """Return the documentation of every key of the configuration: Markdown tables, one per section of the schema."""
    schema = load_schema()
    sections = {"Top level": schema} | {name: part for name, part in schema["$defs"].items() if "properties" in part}
    described = [_describe_section(title, section, schema) for title, section in sections.items()]
    return "\n".join([*described, _describe_methods()])


def _describe_section(title: str, section: dict, root: dict) -> str:
    rows = ["| key | value | default | meaning |", "| --- | --- | --- | --- |"]
    for key, definition in _keys(section, root):
        default = f"`{json.dumps(definition['default'])}`" if "default" in definition else ""
        default = "(required)" if key in section.get("required", ()) else default
        rows.append(f"| `{key}` | {_kind(definition)} | {default} | {definition.get('description', '')} |")
    return f"### {title}\n\n" + "\n".join(rows) + "\n"


def _describe_methods() -> str:
    """Return one table of the settings of all methods, as their files have them."""
    rows = ["| method | key | value | default | meaning |", "| --- | --- | --- | --- | --- |"]
    for method in method_settings.known_methods():
        settings = method_settings.settings(method)
        rows += [f"| `{method}` | | | | No settings. |"] if not settings else []
        for name, setting in settings.items():
            kind = ", ".join(f"`{choice}`" for choice in setting.choices) or setting.kind
            rows.append(f"| `{method}` | `{name}` | {kind} | `{json.dumps(setting.default)}` | {setting.meaning} |")
    return "### Settings of the methods\n\n" + "\n".join(rows) + "\n"


def _keys(section: dict, root: dict, prefix: str = ""):
    """Yield (key, definition) of a section and of the mappings and lists that are written inside it."""
    for key, definition in section["properties"].items():
        resolved = _resolve(definition, root)
        if "$ref" in definition:
            yield prefix + key, resolved | {"type": definition["$ref"].rpartition("/")[2]}
            continue
        yield prefix + key, resolved
        for inner, step in (
            (resolved, ""),
            (resolved.get("items"), ""),
            (resolved.get("additionalProperties"), ".NAME"),
        ):
            if isinstance(inner, dict) and "properties" in inner:
                yield from _keys(inner, root, f"{prefix}{key}{step}.")


def _kind(definition: dict) -> str:
    if "enum" in definition:
        return ", ".join("`null`" if value is None else f"`{value}`" for value in definition["enum"])
    kind = definition.get("type", "")
    return " or ".join(kind) if isinstance(kind, list) else kind


def main():
    """`results CONFIG...` prints the folder of results (later files overlay the first), `describe` all keys."""
    match sys.argv[1:]:
        case ["results", *paths] if paths:
            given = [(yaml.safe_load(Path(path).read_text()) or {}).get("pathvars", {}) for path in paths]
            print({key: value for one in given for key, value in one.items()}.get("results", "results"))
        case ["describe"]:
            print(describe(), end="")
        case _:
            sys.exit(f"usage: {sys.argv[0]} results CONFIG... | describe")


if __name__ == "__main__":
    main()
