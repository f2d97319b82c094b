"""Reading PEtab problems (version 1), and telling clearly what is wrong with one."""

import hashlib
import logging
import re
from pathlib import Path

import petab.v1 as petab
import yaml

from kinetrain.errors import InputError

FILE_KEYS = ("sbml_files", "condition_files", "observable_files", "measurement_files")


def read_petab(path) -> petab.Problem:
    """Return the checked PEtab problem of a YAML file, ready to be simulated by AMICI.

    Plots (visualization files) are left out. Overrides of observable or noise parameters that differ between time
    points become observables of their own, except plain numbers for the noise, which AMICI takes as they are.

    Raises
    ------
    InputError
        If the YAML, a key in it, or a table is missing, or if the PEtab linter finds errors.
    """
    path = Path(path)
    description = read_description(path)
    tables = {key: value for key, value in description["problems"][0].items() if key != "visualization_files"}
    try:
        problem = petab.Problem.from_yaml({**description, "problems": [tables]}, base_path=str(path.parent))
    except Exception as error:
        raise InputError(f"{path}: a table cannot be read ({error})") from error
    _check(problem, path)
    if petab.lint.measurement_table_has_timepoint_specific_mappings(
        problem.measurement_df,
        allow_scalar_numeric_noise_parameters=not petab.lint.observable_table_has_nontrivial_noise_formula(
            problem.observable_df
        ),
    ):
        petab.flatten_timepoint_specific_output_overrides(problem)
    return problem


def read_description(path) -> dict:
    """Return the content of a PEtab YAML file; InputError if it lacks a key or names a file that is not there."""
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such PEtab file")
    try:
        description = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise InputError(f"{path}: not valid YAML ({error})") from None
    if not isinstance(description, dict) or not description.get("problems"):
        raise InputError(f"{path}: no key 'problems' (PEtab version 1 has format_version: 1 and a list of problems)")
    if "parameter_file" not in description:
        raise InputError(f"{path}: no key 'parameter_file'")
    for key in FILE_KEYS:
        if not description["problems"][0].get(key):
            raise InputError(f"{path}: no key '{key}' in its first problem")
    for file in list_files(path, description):
        if not file.is_file():
            raise InputError(f"{path}: it names the table {file.name}, but {file} does not exist")
    return description


def list_files(path, description) -> list[Path]:
    """Return the paths of all files that a PEtab YAML names and that are used here."""
    parameters = description["parameter_file"]
    names = list(parameters) if isinstance(parameters, list) else [parameters]
    names += [name for key in FILE_KEYS for name in description["problems"][0][key]]
    return [Path(path).parent / name for name in names]


def checksum(text) -> str:
    """Return the sha256 of a text or of bytes, in hexadecimal."""
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()


def is_number(text) -> bool:
    """Whether a cell of a table (text or number) is a number."""
    try:
        return float(text) == float(text)
    except (TypeError, ValueError):
        return False


def is_name(text) -> bool:
    """Whether a formula is a single identifier."""
    return re.fullmatch(r"[A-Za-z_]\w*", str(text).strip()) is not None


def _check(problem, path):
    messages = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: messages.append(str(record.getMessage()))
    logger = logging.getLogger("petab.v1.lint")
    level, propagate = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.ERROR)
    logger.propagate = False
    try:
        failed = petab.lint_problem(problem)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate
    if failed:
        found = "; ".join(message for message in messages if message != "Not OK")
        raise InputError(f"{path}: not a valid PEtab problem: {found}")
