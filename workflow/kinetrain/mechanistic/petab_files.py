"""The YAML file of a PEtab problem, and the files that it names."""

import hashlib
from pathlib import Path

import yaml

from kinetrain.data.text import refuse_repeated
from kinetrain.errors import InputError

FILE_KEYS = ("sbml_files", "condition_files", "observable_files", "measurement_files")
FILE_KEYS_2 = ("parameter_files", "observable_files", "measurement_files")


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
    if is_version_2(description):
        return _check_description_2(path, description)
    if str(version).split(".")[0] != "1":
        raise InputError(f"{path}: 'format_version' is {version}; PEtab versions 1 and 2 are read")
    if not description.get("problems"):
        raise InputError(f"{path}: no key 'problems' (PEtab version 1 has a list of problems)")
    problems = description["problems"]
    if not isinstance(problems, list) or len(problems) != 1 or not isinstance(problems[0], dict):
        raise InputError(f"{path}: 'problems' must be a list of one problem with the keys {', '.join(FILE_KEYS)}")
    if "parameter_file" not in description:
        raise InputError(f"{path}: no key 'parameter_file'")
    if not _are_names(parameter_files(description)):
        raise InputError(f"{path}: 'parameter_file' must be a file name, got {description['parameter_file']!r}")
    for key in FILE_KEYS:
        files = problems[0].get(key)
        if not files:
            raise InputError(f"{path}: no key '{key}' in its problem")
        if not _are_names(files):
            raise InputError(f"{path}: '{key}' must be a list of file names, got {files!r}")
    _check_files(path, description)
    return description


def is_version_2(description: dict) -> bool:
    """Whether the content of a PEtab YAML file is of version 2."""
    return str(description.get("format_version")).split(".")[0] == "2"


def _check_description_2(path, description) -> dict:
    for key in ("model_files", *FILE_KEYS_2):
        if not description.get(key):
            raise InputError(f"{path}: no key '{key}' (PEtab version 2)")
    for key, files in description.items():
        if key.endswith("_files") and key != "model_files" and not _are_names(files):
            raise InputError(f"{path}: '{key}' must be a list of file names, got {files!r}")
    models = description["model_files"]
    model = next(iter(models.values())) if isinstance(models, dict) and len(models) == 1 else None
    if not isinstance(model, dict) or not isinstance(model.get("location"), str):
        raise InputError(f"{path}: 'model_files' must have one model with its location and language")
    if model.get("language") != "sbml":
        raise InputError(f"{path}: the language of its model is '{model.get('language')}'; only SBML models are read")
    extensions = description.get("extensions") or {}
    if needed := [name for name, one in dict(extensions).items() if not isinstance(one, dict) or one.get("required")]:
        raise InputError(f"{path}: it needs the PEtab extension '{needed[0]}', which is not known here")
    _check_files(path, description)
    return description


def _check_files(path, description):
    files = list_files(path, description)
    refuse_repeated(path, [str(file.resolve()) for file in files], "the file")
    for file in files:
        if not file.is_file():
            raise InputError(f"{path}: it names the table {file.name}, but {file} does not exist")


def list_files(path, description) -> list[Path]:
    """Return the paths of all files that a PEtab YAML names and that are used here.

    Raises
    ------
    InputError
        If one of them is not in the folder of the YAML or below it: a problem that somebody else wrote must not make
        us read anything else.
    """
    if is_version_2(description):
        names = [model["location"] for model in description["model_files"].values()]
        keys = sorted(key for key in description if key.endswith("_files") and key != "model_files")
        names += [name for key in keys for name in description[key]]
    else:
        names = parameter_files(description)
        names += [name for key in FILE_KEYS for name in description["problems"][0][key]]
    folder = Path(path).parent
    for name in names:
        if not (folder / name).resolve().is_relative_to(folder.resolve()):
            raise InputError(
                f"{path}: it names the file '{name}', which is outside its folder; put the file into the folder, or "
                "the YAML into a folder that holds all files"
            )
    return [folder / name for name in names]


def parameter_files(description) -> list:
    """Return the names of the parameter tables of a PEtab 1 problem."""
    files = description["parameter_file"]
    return list(files) if isinstance(files, list) else [files]


def _are_names(files) -> bool:
    return isinstance(files, list) and all(isinstance(file, str) for file in files)


def sbml_file(path) -> Path:
    """Return the path of the SBML model of a PEtab 1 problem."""
    return Path(path).parent / read_description(path)["problems"][0]["sbml_files"][0]


def checksum(text) -> str:
    """Return the sha256 of a text or of bytes, in hexadecimal."""
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()
