"""Settings of a script: one JSON object, given as text or as the path of a .json file, and checked against a record."""

import dataclasses
import json
import types
import typing
from pathlib import Path

from kinetrain.errors import InputError


def read_settings(text: str) -> dict:
    """Return the settings in `text`, which is JSON or the path of a .json file.

    Raises
    ------
    InputError
        If the file is missing, or the text is not a JSON object.
    """
    origin = "--settings"
    if text.endswith(".json"):
        origin = text
        if not Path(text).is_file():
            raise InputError(f"{text}: no such settings file")
        text = Path(text).read_text()
    try:
        settings = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{origin}: not valid JSON ({error})") from None
    if not isinstance(settings, dict):
        raise InputError(f"{origin}: expected a JSON object {{...}}, got {type(settings).__name__}")
    return settings


def read_options(record, settings: dict, origin: str = "settings"):
    """Return the dataclass `record` filled from `settings`; keys that are not given keep the defaults of the record.

    Raises
    ------
    InputError
        If a key is unknown, a key without default is missing, or a value has the wrong type; the message names it.
    """
    fields = {field.name: field for field in dataclasses.fields(record)}
    if not isinstance(settings, dict):
        raise InputError(f"{origin}: expected an object with the keys {', '.join(fields)}, got {settings!r}")
    for key in settings:
        if key not in fields:
            raise InputError(f"{origin}: unknown key '{key}' (known: {', '.join(fields)})")
    values = {key: _convert(value, fields[key].type, f"{origin}: {key}") for key, value in settings.items()}
    for key, field in fields.items():
        has_default = field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
        if key not in values and not has_default:
            raise InputError(f"{origin}: the key '{key}' is missing")
    try:
        return record(**values)
    except ValueError as error:
        raise InputError(f"{origin}: {error}") from None


def _convert(value, kind, where: str):
    """Return `value` as the type `kind` of a field: plain, a union, tuple[float, ...], choices or a record."""
    if dataclasses.is_dataclass(kind):
        return read_options(kind, value, where)
    choices = typing.get_args(kind) if isinstance(kind, types.UnionType) else ()
    for choice in choices:
        if dataclasses.is_dataclass(choice) and isinstance(value, dict):
            return read_options(choice, value, where)
        if typing.get_origin(choice) is tuple and isinstance(value, list | tuple):
            return _convert(value, choice, where)
    if typing.get_origin(kind) is typing.Literal:
        if value not in (choices := typing.get_args(kind)):
            raise InputError(f"{where}: expected {' or '.join(map(repr, choices))}, got {value!r}")
        return value
    if typing.get_origin(kind) is tuple:
        if not isinstance(value, list | tuple):
            raise InputError(f"{where}: expected a list of numbers, got {value!r}")
        return tuple(_convert(item, typing.get_args(kind)[0], where) for item in value)
    allowed = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    if float in allowed and isinstance(value, int) and not isinstance(value, bool):
        return float(value) if int not in allowed else value
    if type(value) not in allowed:
        names = " or ".join("null" if one is type(None) else one.__name__ for one in allowed)
        raise InputError(f"{where}: expected {names}, got {value!r}")
    return value
