"""The YAML file of a PEtab problem, and the files that it names."""

import hashlib
import os
import re
import shutil
from pathlib import Path

import yaml

from kinetrain.data.text import refuse_repeated
from kinetrain.errors import InputError

FILE_KEYS = ("sbml_files", "condition_files", "observable_files", "measurement_files")
FILE_KEYS_2 = ("parameter_files", "observable_files", "measurement_files")
NAME = re.compile(r"[^\x00-\x1f\x7f]+")
VERSIONS = re.compile(r"[12](\.0(\.\d+)?)?")


def read_description(path, elsewhere: bool = False) -> dict:
    """Return the content of a PEtab YAML file, checked by `check_description`."""
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such PEtab file")
    try:
        description = yaml.safe_load(path.read_bytes())
    except yaml.YAMLError as error:
        raise InputError(f"{path}: not valid YAML ({' '.join(str(error).split())})") from None
    check_description(path, description, elsewhere)
    return description


def check_description(path, description, elsewhere: bool = False) -> None:
    """Raise InputError if the content of a PEtab YAML file lacks a key or names a file that is missing (`list_files`).

    elsewhere: whether files may lie outside the folder of the YAML.
    """
    if not isinstance(description, dict):
        raise InputError(f"{path}: not a PEtab file (wanted the keys format_version, parameter_file and problems)")
    version = description.get("format_version")
    if not VERSIONS.fullmatch(str(version)):
        raise InputError(f"{path}: 'format_version' is {version}; PEtab versions 1.0 and 2.0 are read")
    extensions = description.get("extensions") or {}
    if not isinstance(extensions, dict):
        raise InputError(f"{path}: 'extensions' must be a mapping, got {extensions!r}")
    if needed := [name for name, one in extensions.items() if not isinstance(one, dict) or one.get("required", True)]:
        raise InputError(f"{path}: it needs the PEtab extension '{needed[0]}', which is not known here")
    (_check_version_2 if is_version_2(description) else _check_version_1)(path, description)
    files = list_files(path, description, elsewhere)
    refuse_repeated(path, [str(file.resolve()) for file in files], "the file")
    for file in files:
        if not os.path.isfile(file):
            raise InputError(f"{path}: it names the table {file.name}, but {file} does not exist")


def _check_version_1(path, description) -> None:
    if not description.get("problems"):
        raise InputError(f"{path}: no key 'problems' (PEtab version 1 has a list of problems)")
    problems = description["problems"]
    if not isinstance(problems, list) or len(problems) != 1 or not isinstance(problems[0], dict):
        raise InputError(f"{path}: 'problems' must be a list of one problem with the keys {', '.join(FILE_KEYS)}")
    if not description.get("parameter_file"):
        raise InputError(f"{path}: no key 'parameter_file'")
    if not _are_names(parameter_files(description)):
        raise InputError(f"{path}: 'parameter_file' must be a file name, got {description['parameter_file']!r}")
    for key in FILE_KEYS:
        files = problems[0].get(key)
        if not files:
            raise InputError(f"{path}: no key '{key}' in its problem")
        if not _are_names(files):
            raise InputError(f"{path}: '{key}' must be a list of file names, got {files!r}")
    if len(problems[0]["sbml_files"]) > 1:
        raise InputError(f"{path}: 'sbml_files' must name one model, got {problems[0]['sbml_files']!r}")


def is_version_2(description: dict) -> bool:
    """Whether the content of a PEtab YAML file is of version 2."""
    return str(description.get("format_version")).split(".")[0] == "2"


def _check_version_2(path, description) -> None:
    for key in ("model_files", *FILE_KEYS_2):
        if not description.get(key):
            raise InputError(f"{path}: no key '{key}' (PEtab version 2)")
    for key, files in description.items():
        if key.endswith("_files") and key != "model_files" and not _are_names(files):
            raise InputError(f"{path}: '{key}' must be a list of file names, got {files!r}")
    models = description["model_files"]
    model = next(iter(models.values())) if isinstance(models, dict) and len(models) == 1 else None
    if not isinstance(model, dict) or not _are_names([model.get("location")]):
        raise InputError(f"{path}: 'model_files' must have one model with its location and language")
    if model.get("language") != "sbml":
        raise InputError(f"{path}: the language of its model is '{model.get('language')}'; only SBML models are read")


def list_files(path, description, elsewhere: bool = False) -> list[Path]:
    """Return the paths of all files that a PEtab YAML names and that are used here.

    Raises
    ------
    InputError
        If one of them is not in the folder of the YAML or below it, unless it may lie `elsewhere`: a problem that
        somebody else wrote must not make us read anything else.
    """
    return _paths(path, _file_names(description), elsewhere)


def visualization_files(path, description, elsewhere: bool = False) -> list[Path]:
    """Return the paths of the visualization tables of a PEtab 1 problem that are there; it can do without.

    InputError as of `list_files`.
    """
    return _paths(path, _visualization_names(path, description), elsewhere)


def _visualization_names(path, description) -> list[str]:
    names = [] if is_version_2(description) else description["problems"][0].get("visualization_files") or []
    if not _are_names(names):
        raise InputError(f"{path}: 'visualization_files' must be a list of file names, got {names!r}")
    return [name for name in names if (Path(path).parent / name).is_file()]


def _paths(path, names, elsewhere) -> list[Path]:
    folder = Path(path).parent
    for name in () if elsewhere else names:
        if not (folder / name).resolve().is_relative_to(folder.resolve()):
            raise InputError(
                f"{path}: it names the file '{name}', which is outside its folder; put the file into the folder, or "
                "the YAML into a folder that holds all files, or let it (tables_elsewhere: true of the problem)"
            )
    return [folder / name for name in names]


def gather(path, folder) -> None:
    """Copy a PEtab problem, whose files may lie anywhere, into `folder` (made here) as `problem.yaml` and its files."""
    description = read_description(path, elsewhere=True)
    new: dict[str, str] = {}
    for name in _file_names(description) + _visualization_names(path, description):
        new[name] = Path(name).name if Path(name).name not in new.values() else f"{len(new)}_{Path(name).name}"
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, copied in new.items():
        shutil.copyfile(Path(path).parent / name, Path(folder) / copied)
    text = yaml.safe_dump(_renamed(description, new), sort_keys=False, allow_unicode=True)
    (Path(folder) / "problem.yaml").write_text(text, encoding="utf-8")


def _renamed(part, new: dict[str, str]):
    """Return a part of a description in which files have their `new` names."""
    if isinstance(part, dict):
        return {key: _renamed(one, new) for key, one in part.items()}
    if isinstance(part, list):
        return [_renamed(one, new) for one in part]
    return new.get(part, part) if isinstance(part, str) else part


def _file_names(description) -> list[str]:
    if is_version_2(description):
        names = [model["location"] for model in description["model_files"].values()]
        keys = sorted(key for key in description if key.endswith("_files") and key != "model_files")
        return names + [name for key in keys for name in description[key]]
    names = parameter_files(description)
    return names + [name for key in FILE_KEYS for name in description["problems"][0][key]]


def parameter_files(description) -> list:
    """Return the names of the parameter tables of a PEtab problem."""
    files = description["parameter_files" if is_version_2(description) else "parameter_file"]
    return list(files) if isinstance(files, list) else [files]


def _are_names(files) -> bool:
    """Whether something is a list of file names: texts, without control characters."""
    return isinstance(files, list) and all(isinstance(file, str) and NAME.fullmatch(file) for file in files)


def sbml_file(path) -> Path:
    """Return the path of the SBML model of a PEtab 1 problem."""
    return Path(path).parent / read_description(path)["problems"][0]["sbml_files"][0]


def checksum_of_files(path) -> str:
    """Return the sha256 of all files of a PEtab problem."""
    return checksum(b"".join(file.read_bytes() for file in list_files(path, read_description(path))))


def checksum(text) -> str:
    """Return the sha256 of a text or of bytes, in hexadecimal."""
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()
