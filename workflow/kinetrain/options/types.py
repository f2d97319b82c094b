"""The types of options: marks of names and mappings, and the values of a type in words."""

import dataclasses
import functools
import itertools
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

REQUIRED = dataclasses.MISSING  # default of an option that must be given
ABSENT = object()  # default of an option that is None, and is left out by `plain`, unless it is given
LARGEST = 2**31 - 1  # of a whole number that has no bound of its own
LARGEST_SEED = 2**32 - 1

JSON = {bool: "boolean", int: "integer", float: "number", str: "string", types.NoneType: "null"}
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
    """Mark of a mapping: the value of each of its names is read as the options `find(name)`."""

    what: str
    names: Callable[[], list[str]]
    find: Callable[[str], type]


Name = typing.Annotated[
    str, Text("name", r"[A-Za-z][A-Za-z0-9_]{0,79}", "letters, digits and underscores, a letter first, at most 80")
]


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
    return typing.get_args(kind) if isinstance(kind, types.UnionType) or is_a(kind, typing.Union) else (kind,)


def in_words(kind: Any) -> str:
    """Return a description of the values of a type, for messages."""
    kind, mark = resolve(kind)
    if isinstance(mark, Text):
        return mark.title
    if isinstance(mark, Known):
        return f"the name of {mark.what}"
    if len(parts := choices(kind)) > 1 or is_a(kind, typing.Literal):
        named = [typing.get_args(part) if is_a(part, typing.Literal) else (part,) for part in parts]
        words = [in_words(one) if _is_type(one) else repr(one) for one in itertools.chain(*named)]
        return listed(words)
    if is_a(kind, tuple):
        items = typing.get_args(kind)
        if items[-1] is not Ellipsis:
            return f"a list of {len(items)} {_MANY[items[0]]}"
        item = resolve(items[0])[0]
        many = {part: _MANY.get(part) or in_words(part) for part in choices(item)}
        return "a list of " + (listed(list(many.values())) if not dataclasses.is_dataclass(item) else "mappings")
    return _WORDS.get(typing.get_origin(kind) or kind, "a mapping")


def is_a(kind: Any, origin: Any) -> bool:
    """Return whether a type is made of another one: tuple[int, ...] of tuple."""
    return typing.get_origin(kind) is origin


def _is_type(one: Any) -> bool:
    return isinstance(one, type) or typing.get_origin(one) is not None


def listed(words: list[str]) -> str:
    """Return words as a choice: a, b or c."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
