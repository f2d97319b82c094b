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
        If the YAML, a key in it, or a table is missing, if a number is missing or out of its range, or if the PEtab
        linter finds errors.
    """
    path = Path(path)
    description = read_description(path)
    tables = {key: value for key, value in description["problems"][0].items() if key != "visualization_files"}
    try:
        problem = petab.Problem.from_yaml({**description, "problems": [tables]}, base_path=str(path.parent))
    except Exception as error:
        raise InputError(f"{path}: a table cannot be read ({error})") from error
    _check_numbers(problem, path)
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
    if not isinstance(description, dict):
        raise InputError(f"{path}: not a PEtab file (wanted the keys format_version, parameter_file and problems)")
    version = description.get("format_version")
    if str(version).split(".")[0] != "1":
        raise InputError(f"{path}: 'format_version' is {version}; only PEtab version 1 is read (format_version: 1)")
    if not description.get("problems"):
        raise InputError(f"{path}: no key 'problems' (PEtab version 1 has a list of problems)")
    problems = description["problems"]
    if not isinstance(problems, list) or len(problems) != 1 or not isinstance(problems[0], dict):
        raise InputError(f"{path}: 'problems' must be a list of one problem with the keys {', '.join(FILE_KEYS)}")
    if "parameter_file" not in description:
        raise InputError(f"{path}: no key 'parameter_file'")
    for key in FILE_KEYS:
        files = problems[0].get(key)
        if not files:
            raise InputError(f"{path}: no key '{key}' in its problem")
        if not isinstance(files, list) or not all(isinstance(file, str) for file in files):
            raise InputError(f"{path}: '{key}' must be a list of file names, got {files!r}")
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


def is_placeholder(formula) -> bool:
    """Whether a noise formula is nothing but a placeholder that the measurement table fills in."""
    return is_name(formula) and str(formula).startswith("noiseParameter")


def _check_numbers(problem, path):
    """Raise InputError unless parameters, times, measurements and known noise are numbers in their range."""
    parameters, measurements = problem.parameter_df, problem.measurement_df
    where = f"{path}: parameter table"
    estimated = parameters[parameters["estimate"].astype(str) == "1"]
    if estimated.empty:
        raise InputError(f"{where}: 'estimate' is 1 for no parameter")
    _numbers(parameters, "nominalValue", where)
    logarithmic = estimated.reindex(columns=["parameterScale"])["parameterScale"].isin(["log", "log10"])
    for column in ("nominalValue", "lowerBound", "upperBound"):
        values = _numbers(estimated, column, where)
        zero_is_wrong = column != "nominalValue"  # some published models have nominal values of zero
        for name, value in values[logarithmic & ((values < 0) | (values == 0) & zero_is_wrong)].items():
            raise InputError(f"{where}: {column} of '{name}' is {value:g}, but its scale is logarithmic")
    for column in ("time", "measurement"):
        _numbers(measurements, column, f"{path}: measurement table")
    formulas = problem.observable_df.reindex(columns=["noiseFormula"])["noiseFormula"]
    noise = measurements.reindex(columns=["observableId", "noiseParameters"])
    for row, name, value in noise.itertuples(name=None):
        if is_placeholder(formulas.get(name)) and is_number(value) and float(value) <= 0:
            raise InputError(f"{path}: measurement table: noiseParameters in row {row} is {value}; it must be positive")


def _numbers(table, column, where):
    """Return a column as numbers, by row; InputError where it is missing or holds something else."""
    if column not in table:
        raise InputError(f"{where}: no column '{column}'")
    for row, value in table[column].items():
        if not is_number(value):
            found = "empty" if value != value or value == "" else f"'{value}'"
            raise InputError(f"{where}: {column} of row '{row}' is {found}; a number is needed")
    return table[column].astype(float)


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
    except Exception as error:
        raise InputError(f"{path}: the PEtab linter cannot read its tables ({error})") from error
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate
    if failed:
        found = "; ".join(message for message in messages if message != "Not OK")
        raise InputError(f"{path}: not a valid PEtab problem: {found}")
