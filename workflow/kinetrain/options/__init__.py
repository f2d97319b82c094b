"""Options: dataclasses whose fields declare type, default, meaning and bounds, and their reading from plain values.

A field is declared once, by `option`. Reading from JSON or YAML, checks, the documentation of the configuration and its
JSON Schema are made from the declaration.
"""

import dataclasses
import json
import typing
from dataclasses import dataclass
from typing import Any

from kinetrain.cache import load_json
from kinetrain.errors import InputError
from kinetrain.options.reading import out_of_bounds, read, read_record, shortened
from kinetrain.options.types import ABSENT, JSON, LARGEST_SEED, REQUIRED, Each, Known, Name, Text, kinds

__all__ = [
    "ABSENT",
    "LARGEST_SEED",
    "REQUIRED",
    "Each",
    "Known",
    "Name",
    "Options",
    "Text",
    "option",
    "plain",
    "read_options",
    "read_settings",
    "try_options",
]
Record = typing.TypeVar("Record")


def option(
    default: Any,
    doc: str,
    *,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    below: float | None = None,
    infinite: bool = False,
    unique: bool = False,
    filled: bool = False,
) -> Any:
    """A field of options.

    Parameters
    ----------
    default : a plain value, REQUIRED or ABSENT.
    doc : what it means, with units; one or more sentences.
    least, above, most, below : bounds of every number in the value, `above` and `below` exclusive.
    infinite : whether a number may be infinite.
    unique, filled : of lists: no value twice, at least one value.
    """
    bounds = {"least": least, "above": above, "most": most, "below": below}
    marks = {"doc": doc, "infinite": infinite, "unique": unique, "filled": filled, "absent": default is ABSENT}
    metadata = marks | {name: bound for name, bound in bounds.items() if bound is not None}
    if default is REQUIRED:
        return dataclasses.field(metadata=metadata)
    if default is ABSENT:
        return dataclasses.field(default=None, metadata=metadata)
    if isinstance(default, dict):
        return dataclasses.field(default_factory=lambda: dict(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Options:
    """Base of all options: types of scalars, choices and bounds hold for every instance.

    Raises
    ------
    ValueError
        Names the first field whose value is out of its bounds.
    """

    exactly_one: typing.ClassVar[tuple[str, ...]] = ()  # of these fields must be given

    def __post_init__(self) -> None:
        record: Any = type(self)
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            wrong: list[str] = []
            if type(value) in JSON and not (value is None and field.metadata.get("absent")):
                read(kinds(record)[field.name], value, field.name, wrong)
            if not wrong and (problem := out_of_bounds(value, field.metadata)):
                wrong = [f"{field.name} = {shortened(value)}: {problem}"]
            if wrong:
                raise ValueError(wrong[0])


def read_settings(text: str) -> dict[str, Any]:
    """Return the settings in `text`, which is JSON or the path of a .json file.

    Raises
    ------
    InputError
        If the file is missing, or the text is not a JSON object.
    """
    in_file = text.endswith(".json")
    try:
        settings = load_json(text) if in_file else json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"--settings: not valid JSON ({error})") from None
    if not isinstance(settings, dict):
        origin = text if in_file else "--settings"
        raise InputError(f"{origin}: expected a JSON object {{...}}, got {type(settings).__name__}")
    return settings


def read_options(record: type[Record], settings: Any, origin: str = "settings") -> Record:
    """Return the options `record` filled from plain values; keys that are not given keep their defaults.

    Raises
    ------
    InputError
        Names every key that is unknown, missing or has a wrong value, and says what would be right.
    """
    options, wrong = try_options(record, settings, origin)
    if options is None:
        raise InputError("; ".join(wrong))
    return options


def try_options(record: type[Record], settings: Any, origin: str) -> tuple[Record | None, list[str]]:
    """Return the options `record` filled from plain values, or None, and a line for everything that is wrong."""
    wrong: list[str] = []
    options = read_record(record, settings, origin, wrong)
    return options, wrong


def plain(value: Any) -> Any:
    """Return options as JSON has them: mappings, lists and scalars; absent options are left out."""
    if dataclasses.is_dataclass(value):
        pairs = [(field, getattr(value, field.name)) for field in dataclasses.fields(value)]
        absent = [field for field, one in pairs if one is None and field.metadata.get("absent")]
        return {field.name: plain(one) for field, one in pairs if field not in absent}
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list | tuple) else value
