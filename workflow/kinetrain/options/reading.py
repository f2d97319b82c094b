"""Reading of options from plain values: what is unknown, missing, of a wrong type or out of bounds is refused."""

import dataclasses
import math
import re
import reprlib
import typing
from collections.abc import Mapping
from typing import Any

from kinetrain.errors import did_you_mean
from kinetrain.options.types import (
    JSON,
    LARGEST,
    REQUIRED,
    Each,
    Known,
    Text,
    choices,
    in_words,
    is_a,
    kinds,
    listed,
    resolve,
)


def read_record(record: Any, settings: Any, key: str, wrong: list[str]) -> Any:
    """Return a record filled from a mapping (an empty one for None), None if something of it is wrong."""
    settings, here = {} if settings is None else settings, key or "(top level)"
    fields = {field.name: field for field in dataclasses.fields(record)}
    if not isinstance(settings, dict):
        wrong.append(f"{here} = {shortened(settings)}: expected a mapping with the keys {', '.join(fields)}")
        return None
    before, values = len(wrong), {}
    empty = [name for name, field in fields.items() if name in settings and _is_left_out(record, field, settings[name])]
    if (rivals := getattr(record, "exactly_one", ())) and len(set(rivals) & (set(settings) - set(empty))) != 1:
        got = ", ".join(f"{name} (empty)" if name in empty else str(name) for name in settings) or "none"
        wrong.append(f"{here}: exactly one of {listed(list(rivals))} must be given, got {got}")
    if unknown := [name for name in settings if name not in fields]:
        named = ", ".join(f"{shortened(name)}{did_you_mean(name, fields)}{_about_key(name)}" for name in unknown)
        wrong.append(f"{here}: unknown key {named}; known keys: {', '.join(fields) or 'none'}")
    for name, field in fields.items():
        if name in settings and name not in empty:
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


def _is_left_out(record: Any, field: Any, value: object) -> bool:
    """Return whether a key without a value counts as not given; an empty section takes its defaults."""
    return (
        value is None
        and field.metadata.get("absent", False)
        and not dataclasses.is_dataclass(kinds(record)[field.name])
    )


def _read_field(kind: Any, value: Any, key: str, marks: Mapping[str, Any], wrong: list[str]) -> Any:
    """Return the value of a field; what is wrong with it is added to `wrong`."""
    before = len(wrong)
    result = read(kind, value, key, wrong)
    hint = f"; {_first_sentence(marks['doc'])}" if marks.get("doc") else ""
    if len(wrong) > before:
        ours = [number for number in range(before, len(wrong)) if wrong[number].startswith(f"{key} = ")]
        for number in ours:
            wrong[number] += hint
    elif problem := out_of_bounds(result, marks):
        wrong.append(f"{key} = {shortened(value)}: {problem}{hint}")
    return result


def read(kind: Any, value: Any, key: str, wrong: list[str]) -> Any:
    """Return `value` as a type: scalar, choice, list, mapping, record or a union of these."""
    kind, mark = resolve(kind)
    if isinstance(mark, Each):
        return _read_each(mark, value, key, wrong)
    if isinstance(mark, Known):
        known = mark.names()
        if value not in known:
            close = did_you_mean(value, known)
            wrong.append(f"{key}: unknown {mark.what} {shortened(value)}{close}; known: {', '.join(known)}")
        return value
    for part in choices(kind):
        if dataclasses.is_dataclass(resolve(part)[0]) and (isinstance(value, dict) or part is kind):
            return read_record(part, value, key, wrong)
        if is_a(part, tuple) and isinstance(value, list | tuple):
            return _read_list(part, value, key, wrong)
        if (part is dict or is_a(part, dict)) and (isinstance(value, dict) or (part is kind and value is None)):
            return _read_mapping(part, value or {}, key, wrong)
    return _read_scalar(kind, mark, value, key, wrong)


def _read_scalar(kind: Any, mark: Any, value: Any, key: str, wrong: list[str]) -> Any:
    literals = [one for part in choices(kind) if is_a(part, typing.Literal) for one in typing.get_args(part)]
    if any(type(value) is type(one) and value == one for one in literals):
        return value
    allowed = [part for part in choices(kind) if part in JSON]
    if type(value) is int and float in allowed and int not in allowed:
        try:
            value = float(value)
        except OverflowError:
            value = math.inf
    if type(value) not in allowed:
        plainly = " or ".join(f"'{JSON[part]}'" for part in allowed)
        simple = allowed and not literals and len(allowed) == len(choices(kind))
        expected = f"{shortened(value)} is not of type {plainly}" if simple else f"expected {in_words(kind)}"
        close = did_you_mean(value, literals) if isinstance(value, str) else ""
        wrong.append(f"{key} = {shortened(value)}: {expected}{close}{_about_text(value)}")
    elif isinstance(mark, Text) and not re.fullmatch(mark.pattern, value):
        wrong.append(f"{key} = {shortened(value)}: expected {mark.words}")
    return value


def _read_list(kind: Any, value: Any, key: str, wrong: list[str]) -> tuple[Any, ...] | None:
    items, found = typing.get_args(kind), []
    if items[-1] is not Ellipsis and len(value) != len(items):
        wrong.append(f"{key} = {shortened(value)}: expected {in_words(kind)}, got {len(value)}")
        return None
    for number, item in enumerate(value):
        where = f"{key}.{number}"
        inner: list[str] = []
        found.append(read(items[0], item, where, inner))
        if dataclasses.is_dataclass(resolve(items[0])[0]):
            wrong += inner
        else:
            wrong += [f"{key} = {shortened(value)}: expected {in_words(kind)}, but {one}" for one in inner]
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
        found[name] = read(item_kind, item, where, wrong)
    return found


def _read_each(mark: Each, value: Any, key: str, wrong: list[str]) -> dict[str, Any] | None:
    if value is not None and not isinstance(value, dict):
        wrong.append(f"{key} = {shortened(value)}: expected a mapping with the names of {mark.what}s")
        return None
    known, found = mark.names(), {}
    for name, item in (value or {}).items():
        if name not in known:
            wrong.append(
                f"{key}.{name}: unknown {mark.what}{did_you_mean(name, known)}{_about_key(name)}; "
                f"known {mark.what}s: {', '.join(known)}"
            )
        else:
            found[name] = read_record(mark.find(name), item, f"{key}.{name}", wrong)
    return found


def _is_name(kind: Any, name: object, key: str, wrong: list[str]) -> bool:
    """Whether a key of a mapping is a name of its kind; what is wrong is added to `wrong`."""
    _, mark = resolve(kind)
    if not isinstance(name, str):
        wrong.append(f"{key}: the key {shortened(name)} is not text{_about_key(name)}")
    elif isinstance(mark, Text) and not re.fullmatch(mark.pattern, name):
        wrong.append(f"{key}: the {mark.title} {shortened(name)} is not possible: expected {mark.words}")
    else:
        return True
    return False


def _refuse_unplain(value: object, key: str, wrong: list[str]) -> None:
    """Refuse what JSON cannot hold, and numbers that are not finite, anywhere in a mapping."""
    if isinstance(value, dict):
        for name, item in value.items():
            if not isinstance(name, str):
                wrong.append(f"{key}: the key {shortened(name)} is not text{_about_key(name)}")
            _refuse_unplain(item, f"{key}.{name}", wrong)
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            _refuse_unplain(item, f"{key}.{number}", wrong)
    elif type(value) not in JSON:
        wrong.append(f"{key} = {shortened(value)}: expected a number, text, true, false or null")
    elif isinstance(value, float) and not math.isfinite(value):
        wrong.append(f"{key} = {shortened(value)}: {shortened(value)} is not a finite number")


def out_of_bounds(value: Any, marks: Mapping[str, Any]) -> str:
    """Return what is wrong with a value of the right type, nothing if it is within the bounds of its field."""
    if isinstance(value, list | tuple):
        if marks.get("filled") and not value:
            return "expected at least one value"
        if marks.get("unique") and len(set(map(str, value))) < len(value):
            return f"{shortened(value)} has a value twice"
        inner = {name: bound for name, bound in marks.items() if name not in ("filled", "unique")}
        return next(filter(None, (out_of_bounds(one, inner) for one in value)), "")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    shown = shortened(value)
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


def shortened(value: object) -> str:
    """Return a value as Python writes it, shortened where it is long."""
    short = reprlib.Repr()
    short.maxstring = short.maxother = 80
    short.maxlist = short.maxtuple = short.maxdict = 8
    short.maxlevel = 3
    return short.repr(value)


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
