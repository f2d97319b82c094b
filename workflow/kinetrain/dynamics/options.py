"""Settings turned into a checked record: unknown keys, missing keys and wrong types are told to the user."""

import dataclasses
import types
import typing

from kinetrain.errors import InputError


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
    """Return `value` as the type `kind` of a record's field: a plain type, a union, tuple[float, ...] or a record."""
    if dataclasses.is_dataclass(kind):
        return read_options(kind, value, where)
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
