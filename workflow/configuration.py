"""What a run consists of: the configuration and the manifest of downloads, checked before anything starts."""

import csv
import difflib
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator

SCHEMA = Path(__file__).parent / "schemas" / "config.schema.yaml"
COLUMNS = ("name", "path", "url", "bytes", "checksum", "licence")


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
        if tuple(header := next(lines, [])) != COLUMNS:
            raise ConfigurationError(
                f"{path}, line 1: expected the columns {', '.join(COLUMNS)}, got {', '.join(header)}"
            )
        for number, fields in enumerate(lines, start=2):
            where = f"{path}, line {number}"
            if len(fields) != len(COLUMNS):
                raise ConfigurationError(f"{where}: expected {len(COLUMNS)} tab-separated fields, got {len(fields)}")
            line = dict(zip(COLUMNS, fields, strict=True))
            for column, pattern, right in (
                ("name", r"[^/\s]+/[^/\s]+", "<data set>/<file>"),
                ("path", r"(?!.*\.\.)[^/\s][^\s]*", "a relative path without '..' or blanks"),
                ("url", r"https?://\S+", "an http(s) address"),
                ("bytes", r"\d*", "a whole number, or nothing when unknown"),
                (
                    "checksum",
                    r"sha256:[0-9a-f]{64}|git-sha1:[0-9a-f]{40}",
                    "sha256:<64 hex digits> or git-sha1:<40 hex digits>",
                ),
                ("licence", r".*\S.*", "the licence of the file"),
            ):
                if not re.fullmatch(pattern, line[column]):
                    raise ConfigurationError(f"{where}: {column} is '{line[column]}', expected {right}")
            if line["name"] in downloads:
                raise ConfigurationError(f"{where}: the name '{line['name']}' stands in the file twice")
            line["bytes"] = int(line["bytes"]) if line["bytes"] else None
            downloads[line["name"]] = Download(**line)
    return downloads


def complete(config: dict, schema: dict | None = None) -> dict:
    """Return the configuration with every default of the schema filled in.

    Raises
    ------
    ConfigurationError
        Lists every key that is unknown or has a wrong value, with what would be right.
    """
    schema = schema or load_schema()
    problems = [_explain(error) for error in Draft202012Validator(schema).iter_errors(config)]
    if problems:
        raise ConfigurationError("the configuration is wrong:\n" + "\n".join(f"  - {line}" for line in problems))
    return _with_defaults(config, schema, schema)


def overridden(section: dict, override: dict, name: str, key: str) -> dict:
    """Return a top-level section (`fits`, `training`, `pruning`) with the single keys that `name` overrides, checked."""
    definition = {"$ref": f"#/$defs/{key}", "$defs": load_schema()["$defs"]}
    merged = _merge(section, override)
    errors = list(Draft202012Validator(definition).iter_errors(merged))
    if errors:
        raise ConfigurationError(
            "the configuration is wrong:\n"
            + "\n".join(f"  - {_explain(error, prefix=f'{name}.{key}')}" for error in errors)
        )
    return merged


def _merge(base: dict, override: dict) -> dict:
    """Return `base` with the keys of `override`; a mapping of settings is merged, a mapping of named things replaced."""
    merged = dict(base)
    for key, value in override.items():
        nested = isinstance(value, dict) and isinstance(base.get(key), dict) and key != "schedules"
        merged[key] = _merge(base[key], value) if nested else value
    return merged


def _resolve(schema: dict, root: dict) -> dict:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    target = root
    for part in reference.removeprefix("#/").split("/"):
        target = target[part]
    return {**target, **{key: value for key, value in schema.items() if key != "$ref"}}


def _with_defaults(value, schema: dict, root: dict):
    schema = _resolve(schema, root)
    if not isinstance(value, dict):
        return value
    known = schema.get("properties", {})
    filled = {
        key: subschema["default"]
        for key, subschema in ((key, _resolve(subschema, root)) for key, subschema in known.items())
        if "default" in subschema
    }
    other = schema.get("additionalProperties")
    other = other if isinstance(other, dict) else {}
    return {key: _with_defaults(item, known.get(key, other), root) for key, item in {**filled, **value}.items()}


def _explain(error, prefix: str = "") -> str:
    """Return one line for one error of the validator: key, value, and what would be right."""
    key = ".".join(filter(None, [prefix, *(str(part) for part in error.absolute_path)])) or "(top level)"
    known = list(error.schema.get("properties", {})) if isinstance(error.schema, dict) else []
    if error.validator == "additionalProperties" and known:
        unknown = [name for name in error.instance if name not in known]
        hints = {name: difflib.get_close_matches(str(name), known, n=1) for name in unknown}
        said = ", ".join(
            f"'{name}'" + (f" (did you mean '{close[0]}'?)" if close else "") for name, close in hints.items()
        )
        return f"{key}: unknown key {said}; known keys: {', '.join(known)}"
    if error.validator == "oneOf":
        choices = " or ".join(", ".join(choice["required"]) for choice in error.validator_value)
        return f"{key}: exactly one of {choices} must be given, got {', '.join(map(str, error.instance)) or 'none'}"
    if error.validator == "required":
        return f"{key}: {error.message}"
    described = error.schema.get("description") if isinstance(error.schema, dict) else None
    hint = f"; {described}" if described else ""
    if isinstance(error.instance, str) and re.fullmatch(r"[+-]?\d+e[+-]?\d+", error.instance):
        hint += " (YAML reads this as text: write 1.0e-3 for 1e-3)"
    return f"{key} = {error.instance!r}: {error.message}{hint}"


DOWNLOADS = "<resources>/downloads"


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
        Lists what is wrong: unknown keys, wrong values, missing files, impossible combinations.
    """

    def __init__(self, config: dict, manifest: dict[str, Download], places=(Path(),)):
        self.manifest, self.places = manifest, places
        self.config = complete(config)
        mirror = self.config["mirror"]
        if mirror is not None and not Path(mirror).is_dir():
            raise ConfigurationError(
                f"mirror = '{mirror}': no such folder (give the folder that holds <owner>/<repo>/…, or null)"
            )
        self.problems = {name: self._problem(name, problem) for name, problem in self.config["problems"].items()}
        self.datasets = {name: self._dataset(name, dataset) for name, dataset in self.config["datasets"].items()}

    def file(self, value: str, key: str) -> str:
        """Return where the file `value` of the configuration is, or will be once it is downloaded."""
        if value in self.manifest:
            return f"{DOWNLOADS}/{self.manifest[value].path}"
        for place in self.places:
            if (place / value).is_file():
                return str(place / value)
        close = difflib.get_close_matches(value, self.manifest, n=1)
        hint = f"; did you mean '{close[0]}'?" if close else ""
        raise ConfigurationError(
            f"{key} = '{value}': neither a name in resources/datasets.tsv nor an existing file{hint}"
        )

    def petab_files(self, value: str, key: str) -> list[str]:
        """Return the PEtab YAML `value` and all files that belong to it."""
        if value in self.manifest:
            group = value.partition("/")[0]
            names = [name for name in self.manifest if name.partition("/")[0] == group and name != value]
            return [self.file(name, key) for name in [value, *names]]
        yaml_file = Path(self.file(value, key))
        content = yaml.safe_load(yaml_file.read_text())
        try:
            named = [content["parameter_file"]]
            for problem in content["problems"]:
                for tables in ("sbml_files", "condition_files", "measurement_files", "observable_files"):
                    named += problem[tables]
        except (KeyError, TypeError) as error:
            raise ConfigurationError(
                f"{key} = '{value}': not a PEtab problem, {error} is missing in {yaml_file}"
            ) from None
        for name in named:
            if not (yaml_file.parent / name).is_file():
                raise ConfigurationError(
                    f"{key} = '{value}': the file '{name}' that it names is missing in {yaml_file.parent}"
                )
        return [str(yaml_file), *(str(yaml_file.parent / name) for name in named)]

    def fit_labels(self, problem: str) -> list[str]:
        """Return the settings in which a problem is fitted, as they stand in the names of the result files."""
        fits = self.problems[problem]["fits"]
        batched = fits["mini_batch"]
        return [
            f"{optimizer}-{schedule}-batch{size}"
            for optimizer in batched["optimizers"]
            for schedule in batched["schedules"]
            for size in batched["batch_sizes"]
        ] + list(fits["full_batch"]["optimizers"])

    def mini_batch_settings(self, problem: str, schedule: str, batch_size: int) -> dict:
        """Return the settings of a mini-batch fit."""
        fits = self.problems[problem]["fits"]
        return {
            "schedule": {"name": schedule, **fits["mini_batch"]["schedules"][schedule]},
            "batch_size": batch_size,
            "rescue": fits["mini_batch"]["rescue"],
            **self.full_batch_settings(problem),
        }

    def full_batch_settings(self, problem: str) -> dict:
        """Return what all fits of a problem have in common: budget, seed and solver."""
        fits = self.problems[problem]["fits"]
        return {"epochs": fits["epochs"], "seed": fits["seed"], **self.problems[problem]["solver"]}

    def training_settings(self, dataset: str, method: str) -> dict:
        """Return how a method is trained on a data set."""
        planned = self.datasets[dataset]
        return {**planned["training"], "pruning": planned["pruning"], **planned["methods"][method]}

    def expression_settings(self, dataset: str) -> dict:
        """Return how measured expression is read: everything of its section that is no file."""
        section = self.datasets[dataset]["expression"]
        return {option: value for option, value in section.items() if option not in ("train", "test", "genes")}

    def has_gene_sets(self, dataset: str) -> bool:
        """Return whether pathways can be tested: a simulated data set brings its own gene sets."""
        return "simulate" in self.datasets[dataset] or "gene_sets" in self.datasets[dataset]

    def _problem(self, name: str, problem: dict) -> dict:
        key = f"problems.{name}"
        fits = overridden(self.config["fits"], problem["fits"], key, "fits")
        artificial = problem.get("artificial")
        largest = max(fits["mini_batch"]["batch_sizes"])
        if artificial and largest > artificial["conditions"]:
            raise ConfigurationError(
                f"{key}: batch_sizes has {largest}, but there are only {artificial['conditions']} conditions; give at most that"
            )
        return {
            **problem,
            "fits": fits,
            "files": self.petab_files(problem["petab"], f"{key}.petab"),
            "replicates": range(artificial["replicates"]) if artificial else range(1),
        }

    def _dataset(self, name: str, dataset: dict) -> dict:
        key = f"datasets.{name}"
        planned = {
            **dataset,
            "training": overridden(self.config["training"], dataset["training"], key, "training"),
            "pruning": overridden(self.config["pruning"], dataset["pruning"], key, "pruning"),
            "methods": {
                method: {**own, **dataset["methods"].get(method, {})} for method, own in self.config["methods"].items()
            },
        }
        unknown = sorted(set(dataset["methods"]) - set(self.config["methods"]))
        if unknown:
            raise ConfigurationError(f"{key}.methods: '{unknown[0]}' is not among the methods that are run")
        for role in ("expression", "truth", "prior", "coregulation"):
            if role in dataset:
                planned[role] = {
                    option: self.file(value, f"{key}.{role}.{option}")
                    if option in ("train", "test", "genes", "edges", "matrix")
                    else value
                    for option, value in dataset[role].items()
                }
        if "gene_sets" in dataset:
            planned["gene_sets"] = self.file(dataset["gene_sets"], f"{key}.gene_sets")
        if "expression" in dataset and "prior" not in dataset:
            raise ConfigurationError(
                f"{key}: measured expression needs a prior network, give {key}.prior.edges or .matrix"
            )
        first, epochs = planned["pruning"]["first_epoch"], planned["training"]["epochs"]
        if first > epochs:
            raise ConfigurationError(
                f"{key}: pruning.first_epoch is {first}, but training.epochs is {epochs}: nothing would be pruned"
            )
        return planned


def describe(schema: dict | None = None) -> str:
    """Return the documentation of every key of the configuration as Markdown tables, one per section of the schema."""
    schema = schema or load_schema()
    sections = [("Top level", schema)] + [
        (name, part) for name, part in schema["$defs"].items() if part.get("properties")
    ]
    return "\n".join(_describe_section(title, section, schema) for title, section in sections)


def _describe_section(title: str, section: dict, root: dict) -> str:
    rows = ["| key | value | default | meaning |", "| --- | --- | --- | --- |"]
    for prefix, key, definition in _keys(section, root):
        default = f"`{json.dumps(definition['default'])}`" if "default" in definition else ""
        if key in section.get("required", ()):
            default = "(required)"
        rows.append(f"| `{prefix}{key}` | {_kind(definition)} | {default} | {definition.get('description', '')} |")
    return f"### {title}\n\n" + "\n".join(rows) + "\n"


def _keys(section: dict, root: dict, prefix: str = ""):
    for key, definition in section["properties"].items():
        resolved = _resolve(definition, root)
        yield prefix, key, resolved | ({"type": definition["$ref"].rpartition("/")[2]} if "$ref" in definition else {})
        if "$ref" not in definition:
            inner = resolved.get("items") or resolved.get("additionalProperties") or resolved
            if isinstance(inner, dict) and inner.get("properties"):
                yield from _keys(
                    inner,
                    root,
                    f"{prefix}{key}{'.NAME' if 'additionalProperties' in resolved and inner is not resolved else ''}.",
                )


def _kind(definition: dict) -> str:
    if "enum" in definition:
        return ", ".join(f"`{value}`" for value in definition["enum"])
    kind = definition.get("type", "")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def main():
    """`results CONFIG` prints the folder of results; `describe` prints the documentation of all keys."""
    match sys.argv[1:]:
        case ["results", path]:
            print(((yaml.safe_load(Path(path).read_text()) or {}).get("pathvars") or {}).get("results", "results"))
        case ["describe"]:
            print(describe())
        case _:
            sys.exit(f"usage: {sys.argv[0]} results CONFIG | describe")


if __name__ == "__main__":
    main()
