"""Checks of a configuration beyond its keys: files, combinations, and what a local PEtab problem holds."""

import contextlib
import csv
import os
import warnings
from itertools import product
from pathlib import Path
from xml.etree import ElementTree

from configuration.keys import Artificial
from configuration.yaml_files import read_yaml
from kinetrain.errors import InputError, InputWarning, did_you_mean
from kinetrain.mechanistic.petab_files import is_version_2
from kinetrain.options import read_options
from kinetrain.pruning.methods import find_method
from kinetrain.simulation.options import PublishedSimulation
from kinetrain.training.options import MinibatchOptions
from kinetrain.training.update_rules import known_rules
from kinetrain.yardsticks.methods import YARDSTICKS

# Folders of the project, in which no results may be written.
OWN = (
    "benchmarks",
    "config",
    "docs",
    "envs",
    "profiles",
    "resources",
    "tests",
    "workflow",
    ".git",
    ".snakemake",
    ".venv",
)
# Keys of a random network, and why a published one has none of them.
RANDOM = {
    "genes": "a published network has its own genes; leave out `genes` or `network`",
    "regulators": "a published network has its own regulators; leave out `regulators` or `network`",
    "inputs": "a published network has its own inputs; leave out `inputs` or `network`",
    "modules": "a published network has no modules; leave out `modules` or `network`",
    "in_degree": "a published network has its own edges; leave out `in_degree` or `network`",
    "exponents": "a published network has its own kinetics; give `network.exponents`",
    "half": "a published network has its own kinetics; leave out `half` or `network`",
    "decay_spread": "a published network has equal rates; leave out `decay_spread` or `network`",
}


class ConfigurationError(InputError):
    """The configuration is wrong; the message names the key, the value and what would be right."""


@contextlib.contextmanager
def naming(key: str):
    """Let wrong input that is found inside be a ConfigurationError, which begins with the key that leads to it."""
    try:
        yield
    except InputError as error:
        raise ConfigurationError(f"{key}: {error}") from None


def part(record, section: dict) -> dict:
    """Return the keys of a section that are options of `record`."""
    return {name: value for name, value in section.items() if name in record.__dataclass_fields__}


def checked(record, settings, key: str):
    """Return options read from a section; ConfigurationError if something is wrong."""
    try:
        return read_options(record, settings, key)
    except InputError as error:
        raise ConfigurationError(str(error)) from None


def usable(path: Path, key: str) -> str:
    """Return a path as text, unless it holds what Snakemake's patterns of paths are made of."""
    if set("{}<>\n") & set(str(path)):
        raise ConfigurationError(f"{key} = {str(path)!r}: Snakemake takes {{ }} < > in a path for a pattern; rename it")
    return str(path)


def refuse_own(key: str, folder: str, project: Path) -> None:
    """Refuse a folder of results that the project itself lies in, or that is one of its own."""
    found, project = Path(folder).resolve(), project.resolve()
    if any(map(os.path.isfile, (found, *found.parents))):
        raise ConfigurationError(f"{key} = '{folder}': a file is there already, where a folder is wanted")
    if project.is_relative_to(found) or any(found.is_relative_to(project / own) for own in OWN):
        raise ConfigurationError(f"{key} = '{folder}': is a folder of the project itself; take another one")


def check_methods(key: str, config: dict, dataset: dict) -> None:
    """Refuse options of a data set for methods that are not run, and to leave out what would not be run."""
    methods = config["methods"]
    for section in ("methods", "tuning"):
        if unknown := {**config[section], **dataset[section]}.keys() - methods:
            where = f"{key}.{section}" if unknown & dataset[section].keys() else section
            raise ConfigurationError(
                f"{where}.{min(unknown)}: not among the methods that are run: {', '.join(methods)}"
            )
    if unknown := set(dataset["leave_out"]) - {*methods, *YARDSTICKS}:
        raise ConfigurationError(
            f"{key}.leave_out: '{min(unknown)}' is neither among the methods that are run ({', '.join(methods)}) "
            f"nor a yardstick ({', '.join(YARDSTICKS)})"
        )


def check_tuning(method: str, grid: dict, key: str) -> None:
    """Refuse a grid of options that the method does not have, or of wrong values."""
    for name, values in grid.items():
        for value in values if isinstance(values, list) else [[one, one] for one in values["each"]]:
            checked(find_method(method), {name: value}, key)


def check_grid(key: str, grid: dict | None, fits: dict) -> None:
    """Refuse names in a grid of fits that nothing defines, and schedules that do not fit the budget."""
    known = {
        "optimizers": [*known_rules(), *fits["optimizers"]],
        "schedules": fits["schedules"],
        "safeguards": fits["safeguards"],
    }
    for kind, names in known.items():
        for name in grid[kind] if grid else ():
            if name not in names:
                raise ConfigurationError(
                    f"{key}.{kind}: unknown name '{name}'{did_you_mean(name, names)}; known: {', '.join(names)}"
                )
    for optimizer, schedule in product(grid["optimizers"], grid["schedules"]) if grid else ():
        settings = {**optimizer_and_schedule(fits, optimizer, schedule), "epochs": fits["epochs"], "batch_size": "full"}
        checked(MinibatchOptions, settings, f"{key} ({optimizer}, {schedule})")


def optimizer_and_schedule(fits: dict, optimizer: str, schedule: str) -> dict:
    """Return the definitions of an optimizer and of a schedule by their names; update rules need none."""
    return {
        "optimizer": fits["optimizers"].get(optimizer, {"rule": optimizer}),
        "schedule": {"name": schedule, **fits["schedules"][schedule]},
    }


def limit_batches(key: str, grids: dict, conditions: int, refuse: bool) -> None:
    """Take full batches in place of mini-batches of all conditions; of more, `refuse` them or warn."""
    for name, grid in grids.items():
        sizes = [size for size in (grid or {}).get("batch_sizes", ()) if size != "full" and size >= conditions]
        if not sizes:
            continue
        grid["batch_sizes"] = list(dict.fromkeys("full" if one in sizes else one for one in grid["batch_sizes"]))
        if max(sizes) > conditions and refuse:
            raise ConfigurationError(
                f"{key}.fits.mini_batch.{name}: batch_sizes has {max(sizes)}, but there are {conditions} conditions"
            )
        if max(sizes) > conditions:
            warnings.warn(
                f"{key}: {max(sizes)} conditions per mini-batch are more than the {conditions} that there are: full "
                "batches are taken",
                InputWarning,
                stacklevel=2,
            )


def count_conditions(path: Path) -> int | None:
    """Return how many conditions a local PEtab problem measures, None where its tables do not say so plainly."""
    description = read_yaml(path)
    if is_version_2(description):
        ids, files = ["experimentId"], description["measurement_files"]
    else:
        ids = ["preequilibrationConditionId", "simulationConditionId"]
        files = description["problems"][0]["measurement_files"]
    found = set()
    for file in files:
        header, *rows = _table(path.parent / file)
        if ids[-1] not in header or any(len(row) > len(header) for row in rows):
            return None
        named = [dict(zip(header, row, strict=False)) for row in rows if any(row)]
        found |= {tuple(row.get(name, "").strip() for name in ids) for row in named}
    return len(found) or None


def check_networks(key: str, dataset: dict) -> None:
    """Refuse a truth beside that of a simulation, and names of genes beside an edge list."""
    if "simulate" in dataset and "truth" in dataset:
        raise ConfigurationError(f"{key}.truth: a simulated data set has its own; leave it out")
    for role in {"truth", "prior", "coregulation"} & dataset.keys():
        if {"edges", "genes"} <= dataset[role].keys():
            raise ConfigurationError(f"{key}.{role}.genes: an edge list names its genes; leave it out")
        if "rows" in dataset[role] and ("edges" in dataset[role] or role == "coregulation"):
            reason = "co-regulation has no direction" if role == "coregulation" else "an edge list names its regulators"
            raise ConfigurationError(f"{key}.{role}.rows: {reason}; leave it out")


def check_without_prior(key: str, planned: dict) -> None:
    """Refuse what a measured data set without a prior network cannot have."""
    run = [method for method in planned["methods"] if method not in planned["leave_out"]]
    if needy := [method for method in run if find_method(method).uses_prior]:
        raise ConfigurationError(
            f"{key}.prior: {', '.join(needy)} need a prior network: give prior.edges or prior.matrix, or leave them "
            f"out: `leave_out: [{', '.join(needy)}]`"
        )
    if "coregulation" in planned:
        raise ConfigurationError(f"{key}.coregulation: is used together with a prior only: give it, or leave this out")
    if any(corruption for _, corruption in planned["levels"]):
        raise ConfigurationError(f"{key}.prior_corruption: there is no prior to corrupt: give one, or leave this out")


def check_simulation(key: str, simulate: dict, given: dict) -> None:
    """Refuse keys of a random network for a published one, and the other way round; and trajectories that are not."""
    if "network" in simulate:
        for option in RANDOM.keys() & given.keys():
            raise ConfigurationError(f"{key}.{option}: {RANDOM[option]}")
        checked(PublishedSimulation, part(PublishedSimulation, simulate | simulate["network"]), f"{key}.network")
    else:
        for option in {"train", "test"} & given.keys():
            raise ConfigurationError(
                f"{key}.{option}: a random network has no published trajectories; give `network` too"
            )
    if "train" not in simulate and max(simulate["validation"], default=0) >= simulate["trajectories"]:
        raise ConfigurationError(
            f"{key}.validation has {max(simulate['validation'])}, but the trajectories are counted from 0 to "
            f"{simulate['trajectories'] - 1}"
        )


def check_artificial(key: str, artificial: Artificial, files: list[str]) -> None:
    """Refuse inputs and observables that a local PEtab problem does not have."""
    description = read_yaml(files[0])
    if "problems" not in description:
        raise ConfigurationError(f"{key}: artificial data start from a PEtab problem of version 1; {files[0]} is none")
    problem, folder = description["problems"][0], Path(files[0]).parent
    try:
        model = list(ElementTree.parse(folder / problem["sbml_files"][0]).iter())
    except ElementTree.ParseError as error:
        raise ConfigurationError(f"{key}: {problem['sbml_files'][0]}: not valid XML: {error}") from None
    inputs = [*_table(folder / problem["condition_files"][0])[0], *(part.get("id") for part in model if part.get("id"))]
    header, *rows = _table(folder / problem["observable_files"][0])
    if "observableId" not in header:
        raise ConfigurationError(f"{key}: {problem['observable_files'][0]}: no column 'observableId'")
    observables = [row[header.index("observableId")] for row in rows if len(row) == len(header)]
    drawn = {f"protocols.{number}": protocol.inputs for number, protocol in enumerate(artificial.protocols)}
    for part, group in (drawn | {"groups": artificial.groups.inputs if artificial.groups else {}}).items():
        for name in group:
            if name not in inputs:
                close = did_you_mean(name, inputs)
                raise ConfigurationError(f"{key}.{part}.inputs.{name}: the problem has no such input{close}")
    for name in artificial.observables or ():
        if name not in observables:
            close = did_you_mean(name, observables)
            raise ConfigurationError(f"{key}.observables: the problem has no '{name}'{close}")


def check_reactions(key: str, reactions: dict, artificial: Artificial | None, fits: dict) -> None:
    """Refuse to prune reactions where their truth, held-out conditions or fits to begin from are missing."""
    groups = artificial.groups if artificial else None
    if groups is None or not groups.test or groups.scaling:
        raise ConfigurationError(
            f"{key}: pruned models are judged by the truth and by held-out conditions: give `artificial` with `groups` "
            "that have `test` of at least 1 and `scaling: false`"
        )
    if reactions["begin"] not in fits["full_batch"]["optimizers"]:
        raise ConfigurationError(
            f"{key}.begin = '{reactions['begin']}': its fits are pruned, but it is not among "
            f"fits.full_batch.optimizers ({', '.join(fits['full_batch']['optimizers'])})"
        )


def _table(path: Path) -> list[list[str]]:
    """Return the rows of a TSV table, the header first."""
    text = path.read_bytes().decode("utf-8-sig", errors="replace")
    return list(csv.reader(text.splitlines(), delimiter="\t")) or [[]]
