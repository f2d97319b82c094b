"""Options: dataclasses whose fields declare type, default, meaning and bounds, and their reading from plain values.

A field is declared once, by `option`. Reading from JSON or YAML, checks, the documentation of the configuration and its
JSON Schema are made from the declaration.
"""

import dataclasses
import difflib
import functools
import itertools
import json
import math
import re
import reprlib
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kinetrain.errors import InputError

Record = typing.TypeVar("Record")
REQUIRED = dataclasses.MISSING  # default of an option that must be given
ABSENT = object()  # default of an option that is None, and is left out by `plain`, unless it is given
LARGEST = 2**31 - 1  # of a whole number that has no bound of its own
LARGEST_SEED = 2**32 - 1

_JSON = {bool: "boolean", int: "integer", float: "number", str: "string", types.NoneType: "null"}
_WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    types.NoneType: "null",
    dict: "a mapping",
}
_MANY = {int: "whole numbers", float: "numbers", str: "names", bool: "true or false"}


@dataclass(frozen=True)
class Text:
    """Mark of a text: its name in the documentation, its pattern, and that pattern in words."""

    title: str
    pattern: str
    words: str


@dataclass(frozen=True)
class Known:
    """Mark of a text that must be one of the names that `names()` returns when it is read."""

    what: str
    names: Callable[[], list[str]]


@dataclass(frozen=True)
class Each:
    """Mark of a mapping: what stands under each of its names is read as the options `find(name)`."""

    what: str
    names: Callable[[], list[str]]
    find: Callable[[str], type]


Name = typing.Annotated[
    str, Text("name", r"[A-Za-z][A-Za-z0-9_]{0,79}", "letters, digits and underscores, a letter first, at most 80")
]


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
            if type(value) in _JSON and not (value is None and field.metadata.get("absent")):
                _read(kinds(record)[field.name], value, field.name, wrong)
            if not wrong and (problem := _out_of_bounds(value, field.metadata)):
                wrong = [f"{field.name} = {_shown(value)}: {problem}"]
            if wrong:
                raise ValueError(wrong[0])


def read_settings(text: str) -> dict[str, Any]:
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
    options = _read_record(record, settings, origin, wrong)
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


@functools.cache
def kinds(record: Any) -> dict[str, Any]:
    """Return the types of the fields of a record, with their marks."""
    return typing.get_type_hints(record, include_extras=True)


def resolve(kind: Any) -> tuple[Any, Any]:
    """Return a type without its mark, and the mark (`Text`, `Known`, `Each`), None where it has none."""
    if typing.get_origin(kind) is typing.Annotated:
        return kind.__origin__, kind.__metadata__[0]
    return kind, None


def choices(kind: Any) -> tuple[Any, ...]:
    """Return the types of a union, or the only one."""
    return typing.get_args(kind) if isinstance(kind, types.UnionType) or _is(kind, typing.Union) else (kind,)


def did_you_mean(name: object, known: Iterable[object]) -> str:
    """Return a question for the known name that is most like an unknown one, if any is."""
    close = difflib.get_close_matches(str(name), [str(one) for one in known], n=1)
    return f" (did you mean '{close[0]}'?)" if close else ""


def in_words(kind: Any) -> str:
    """Return a description of the values of a type, for messages."""
    kind, mark = resolve(kind)
    if isinstance(mark, Text):
        return mark.title
    if isinstance(mark, Known):
        return f"the name of {mark.what}"
    if len(parts := choices(kind)) > 1 or _is(kind, typing.Literal):
        named = [typing.get_args(part) if _is(part, typing.Literal) else (part,) for part in parts]
        words = [in_words(one) if _is_type(one) else repr(one) for one in itertools.chain(*named)]
        return _listed(words)
    if _is(kind, tuple):
        items = typing.get_args(kind)
        if items[-1] is not Ellipsis:
            return f"a list of {len(items)} {_MANY[items[0]]}"
        item = resolve(items[0])[0]
        many = {part: _MANY.get(part) or in_words(part) for part in choices(item)}
        return "a list of " + (_listed(list(many.values())) if not dataclasses.is_dataclass(item) else "mappings")
    return _WORDS.get(typing.get_origin(kind) or kind, "a mapping")


def _shown(value: object) -> str:
    """Return a value as Python writes it, shortened where it is long."""
    short = reprlib.Repr()
    short.maxstring = short.maxother = 80
    short.maxlist = short.maxtuple = short.maxdict = 8
    short.maxlevel = 3
    return short.repr(value)


def _is(kind: Any, origin: Any) -> bool:
    return typing.get_origin(kind) is origin


def _is_type(one: Any) -> bool:
    return isinstance(one, type) or typing.get_origin(one) is not None


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _read_record(record: Any, settings: Any, key: str, wrong: list[str]) -> Any:
    """Return a record filled from a mapping (an empty one for None), None if something of it is wrong."""
    settings, here = {} if settings is None else settings, key or "(top level)"
    fields = {field.name: field for field in dataclasses.fields(record)}
    if not isinstance(settings, dict):
        wrong.append(f"{here} = {_shown(settings)}: expected a mapping with the keys {', '.join(fields)}")
        return None
    before, values = len(wrong), {}
    if (rivals := getattr(record, "exactly_one", ())) and len(set(rivals) & set(settings)) != 1:
        got = ", ".join(map(str, settings)) or "none"
        wrong.append(f"{here}: exactly one of {_listed(list(rivals))} must be given, got {got}")
    if unknown := [name for name in settings if name not in fields]:
        named = ", ".join(f"{_shown(name)}{did_you_mean(name, fields)}{_about_key(name)}" for name in unknown)
        wrong.append(f"{here}: unknown key {named}; known keys: {', '.join(fields) or 'none'}")
    for name, field in fields.items():
        if name in settings:
            where = name if key == "" else f"{key}.{name}"
            values[name] = _read_field(kinds(record)[name], settings[name], where, field.metadata, wrong)
        elif field.default is REQUIRED and field.default_factory is REQUIRED:
            wrong.append(f"{here}: '{name}' is a required property")
    if len(wrong) > before:
        return None
    try:
        return record(**values)
    except ValueError as error:
        # A message that begins with a key of the record, or a key and its value, goes on from the path to the record.
        begins = re.match(r"(\w+)(\.\w+)*( = .*?| \S+)?: ", str(error))
        wrong.append(f"{key}.{error}" if begins and begins[1] in fields else f"{key}: {error}")
        return None


def _read_field(kind: Any, value: Any, key: str, marks: Mapping[str, Any], wrong: list[str]) -> Any:
    """Return the value of a field; what is wrong with it is added to `wrong`."""
    before = len(wrong)
    if value is None and marks.get("absent") and not dataclasses.is_dataclass(kind):
        return None
    result = _read(kind, value, key, wrong)
    hint = f"; {_first_sentence(marks['doc'])}" if marks.get("doc") else ""
    if len(wrong) > before:
        ours = [number for number in range(before, len(wrong)) if wrong[number].startswith(f"{key} = ")]
        for number in ours:
            wrong[number] += hint
    elif problem := _out_of_bounds(result, marks):
        wrong.append(f"{key} = {_shown(value)}: {problem}{hint}")
    return result


def _read(kind: Any, value: Any, key: str, wrong: list[str]) -> Any:
    """Return `value` as a type: scalar, choice, list, mapping, record or a union of these."""
    kind, mark = resolve(kind)
    if isinstance(mark, Each):
        return _read_each(mark, value, key, wrong)
    if isinstance(mark, Known):
        known = mark.names()
        if value not in known:
            close = did_you_mean(value, known)
            wrong.append(f"{key}: unknown {mark.what} {_shown(value)}{close}; known: {', '.join(known)}")
        return value
    for part in choices(kind):
        if dataclasses.is_dataclass(resolve(part)[0]) and (isinstance(value, dict) or part is kind):
            return _read_record(part, value, key, wrong)
        if _is(part, tuple) and isinstance(value, list | tuple):
            return _read_list(part, value, key, wrong)
        if (part is dict or _is(part, dict)) and (isinstance(value, dict) or (part is kind and value is None)):
            return _read_mapping(part, value or {}, key, wrong)
    return _read_scalar(kind, mark, value, key, wrong)


def _read_scalar(kind: Any, mark: Any, value: Any, key: str, wrong: list[str]) -> Any:
    literals = [one for part in choices(kind) if _is(part, typing.Literal) for one in typing.get_args(part)]
    if any(type(value) is type(one) and value == one for one in literals):
        return value
    allowed = [part for part in choices(kind) if part in _JSON]
    if type(value) is int and float in allowed and int not in allowed:
        try:
            value = float(value)
        except OverflowError:
            value = math.inf
    if type(value) not in allowed:
        plainly = " or ".join(f"'{_JSON[part]}'" for part in allowed)
        simple = allowed and not literals and len(allowed) == len(choices(kind))
        expected = f"{_shown(value)} is not of type {plainly}" if simple else f"expected {in_words(kind)}"
        close = did_you_mean(value, literals) if isinstance(value, str) else ""
        wrong.append(f"{key} = {_shown(value)}: {expected}{close}{_about_text(value)}")
    elif isinstance(mark, Text) and not re.fullmatch(mark.pattern, value):
        wrong.append(f"{key} = {_shown(value)}: expected {mark.words}")
    return value


def _read_list(kind: Any, value: Any, key: str, wrong: list[str]) -> tuple[Any, ...] | None:
    items, found = typing.get_args(kind), []
    if items[-1] is not Ellipsis and len(value) != len(items):
        wrong.append(f"{key} = {_shown(value)}: expected {in_words(kind)}, got {len(value)}")
        return None
    for number, item in enumerate(value):
        where = f"{key}.{number}"
        inner: list[str] = []
        found.append(_read(items[0], item, where, inner))
        if dataclasses.is_dataclass(resolve(items[0])[0]):
            wrong += inner
        else:
            wrong += [f"{key} = {_shown(value)}: expected {in_words(kind)}, but {one}" for one in inner]
    return tuple(found)


def _read_mapping(kind: Any, value: dict[Any, Any], key: str, wrong: list[str]) -> dict[Any, Any]:
    """Return a mapping of names to values of one type; a plain `dict` may hold whatever JSON may."""
    if kind is dict:
        _refuse_unplain(value, key, wrong)
        return value
    name_kind, item_kind = typing.get_args(kind)
    found = {}
    for name, item in value.items():
        where = f"{key}.{name}"
        if not _is_name(name_kind, name, key, wrong):
            continue
        found[name] = _read(item_kind, item, where, wrong)
    return found


def _read_each(mark: Each, value: Any, key: str, wrong: list[str]) -> dict[str, Any] | None:
    if value is not None and not isinstance(value, dict):
        wrong.append(f"{key} = {_shown(value)}: expected a mapping with the names of {mark.what}s")
        return None
    known, found = mark.names(), {}
    for name, item in (value or {}).items():
        if name not in known:
            wrong.append(
                f"{key}.{name}: unknown {mark.what}{did_you_mean(name, known)}{_about_key(name)}; "
                f"known {mark.what}s: {', '.join(known)}"
            )
        else:
            found[name] = _read_record(mark.find(name), item, f"{key}.{name}", wrong)
    return found


def _is_name(kind: Any, name: object, key: str, wrong: list[str]) -> bool:
    """Whether a key of a mapping is a name of its kind; what is wrong is added to `wrong`."""
    _, mark = resolve(kind)
    if not isinstance(name, str):
        wrong.append(f"{key}: the key {_shown(name)} is not text{_about_key(name)}")
    elif isinstance(mark, Text) and not re.fullmatch(mark.pattern, name):
        wrong.append(f"{key}: the {mark.title} {_shown(name)} is not possible: expected {mark.words}")
    else:
        return True
    return False


def _refuse_unplain(value: object, key: str, wrong: list[str]) -> None:
    """Refuse what JSON cannot hold, and numbers that are not finite, anywhere in a mapping."""
    if isinstance(value, dict):
        for name, item in value.items():
            if not isinstance(name, str):
                wrong.append(f"{key}: the key {_shown(name)} is not text{_about_key(name)}")
            _refuse_unplain(item, f"{key}.{name}", wrong)
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            _refuse_unplain(item, f"{key}.{number}", wrong)
    elif type(value) not in _JSON:
        wrong.append(f"{key} = {_shown(value)}: expected a number, text, true, false or null")
    elif isinstance(value, float) and not math.isfinite(value):
        wrong.append(f"{key} = {_shown(value)}: {_shown(value)} is not a finite number")


def _out_of_bounds(value: Any, marks: Mapping[str, Any]) -> str:
    """Return what is wrong with a value of the right type, nothing if it is within the bounds of its field."""
    if isinstance(value, list | tuple):
        if marks.get("filled") and not value:
            return "expected at least one value"
        if marks.get("unique") and len(set(map(str, value))) < len(value):
            return f"{_shown(value)} has a value twice"
        inner = {name: bound for name, bound in marks.items() if name not in ("filled", "unique")}
        return next(filter(None, (_out_of_bounds(one, inner) for one in value)), "")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    shown = _shown(value)
    if isinstance(value, float) and (math.isnan(value) or (math.isinf(value) and not marks.get("infinite"))):
        return f"{shown} is not a finite number"
    most = marks.get("most", LARGEST if isinstance(value, int) else None)
    if (least := marks.get("least")) is not None and value < least:
        return f"{shown} is less than the minimum of {least}"
    if (above := marks.get("above")) is not None and value <= above:
        return f"{shown} is not above {above}"
    if most is not None and value > most:
        return f"{shown} is greater than the maximum of {most}"
    if (below := marks.get("below")) is not None and value >= below:
        return f"{shown} is not below {below}"
    return ""


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=\.) (?=[A-Z`])", text)[0]


def _about_text(value: object) -> str:
    """Return a remark where YAML reads a value otherwise than people do."""
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d+[eE][+-]?\d+", value):
        return " (YAML reads this as text: write 1.0e-3 for 1e-3)"
    return _about_key(value) if isinstance(value, bool) else ""


def _about_key(name: object) -> str:
    """Return a remark for keys that YAML 1.1 does not read as text."""
    if isinstance(name, bool):
        return " (YAML reads on, off, yes, no, true and false as true or false: put the word in quotes)"
    return "" if isinstance(name, str) else " (put it in quotes)"
