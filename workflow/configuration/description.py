"""The documentation of all keys, as Markdown tables and as a JSON Schema for editors, made from their classes."""

import dataclasses
import inspect
import json
import typing

from configuration.keys import SECTIONS, Configuration
from kinetrain.options import REQUIRED, Each, Known, Text, plain
from kinetrain.options.types import JSON, choices, kinds, resolve
from kinetrain.pruning.methods import find_method, known_methods

WORDS = {bool: "true or false", int: "whole number", float: "number", str: "text", type(None): "null", dict: "mapping"}
BOUNDS = {
    "least": ("minimum", "≥"),
    "above": ("exclusiveMinimum", ">"),
    "most": ("maximum", "≤"),
    "below": ("exclusiveMaximum", "<"),
}
ENDLESS = 1e5  # bounds from here on only keep nonsense away
TITLES = {record: title for title, record in SECTIONS.items()}


def describe() -> str:
    """Return the documentation of every key of the configuration: Markdown tables, one per section."""
    parts = [f"### {title}\n\n{_table(_rows(record))}" for title, record in SECTIONS.items()]
    return "\n".join([*parts, f"### Options of the methods\n\n{_table(_method_rows(), method=True)}"])


def _table(rows: list[str], method: bool = False) -> str:
    header = "| key | value | default | meaning |\n| --- | --- | --- | --- |"
    if method:
        header = "| method | key | value | default | meaning |\n| --- | --- | --- | --- | --- |"
    return "\n".join([header, *rows]) + "\n"


def _method_rows() -> list[str]:
    rows = []
    for name in known_methods():
        own = [f"| `{name}` {row}" for row in _rows(find_method(name))]
        rows += own or [f"| `{name}` | | | | No options. |"]
    return rows


def _rows(record, prefix: str = "") -> list[str]:
    """Return a row per key of a record, followed by those of mappings and lists that are written inside it."""
    rows, own = [], inspect.get_annotations(record)
    for field in sorted(dataclasses.fields(record), key=lambda field: field.name not in own):
        kind = kinds(record)[field.name]
        key, default = f"{prefix}{field.name}", _default(field)
        shown = "(required)" if default is REQUIRED else "" if default is None else f"`{json.dumps(default[0])}`"
        rows.append(f"| `{key}` | {_kind(kind, field.metadata)} | {shown} | {field.metadata['doc']} |")
        inner, step = _inside(kind)
        if dataclasses.is_dataclass(inner) and inner not in TITLES:
            rows += _rows(inner, f"{key}{step}.")
    return rows


def _default(field):
    """Return (default,) in plain values, REQUIRED, or None for a key that is absent unless it is given."""
    if field.metadata.get("absent"):
        return None
    if field.default is not REQUIRED:
        value = field.default
    elif field.default_factory is not REQUIRED:
        value = field.default_factory()
    else:
        return REQUIRED
    return ({},) if dataclasses.is_dataclass(value) else (plain(value),)


def _inside(kind) -> tuple:
    """Return what a mapping or a list holds, and how that is written in a key; else the type itself."""
    kind, mark = resolve(kind)
    if isinstance(mark, Each):
        return None, ""
    if typing.get_origin(kind) is dict:
        return next(iter(choices(typing.get_args(kind)[1]))), ".NAME"
    if typing.get_origin(kind) is tuple:
        return typing.get_args(kind)[0], ""
    return kind, ""


def _kind(kind, marks=None) -> str:
    """Return in words what a value is, with its bounds."""
    kind, mark = resolve(kind)
    shown = {name: bound for name, bound in (marks or {}).items() if name in BOUNDS and bound < ENDLESS}
    limits = f" ({', '.join(f'{BOUNDS[name][1]} {bound:g}' for name, bound in shown.items())})" if shown else ""
    if isinstance(mark, Text):
        return mark.title
    if isinstance(mark, Known):
        return ", ".join(f"`{name}`" for name in mark.names())
    parts = choices(kind)
    if len(parts) > 1:
        return " or ".join(_kind(part) for part in parts) + limits
    if typing.get_origin(kind) is typing.Literal:
        return ", ".join(f"`{one}`" for one in typing.get_args(kind))
    if typing.get_origin(kind) is tuple:
        items = typing.get_args(kind)
        item = items[0]
        return f"pair of {_kind(item)}s{limits}" if items[-1] is not Ellipsis else f"list of {_plural(item)}{limits}"
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return TITLES.get(kind, "mapping")
    if typing.get_origin(kind) is dict:
        value = resolve(typing.get_args(kind)[1])[0]
        inner = next(iter(choices(value)))
        return f"mapping of names to {_plural(inner)}" if inner is not dict else "mapping"
    return WORDS[kind] + limits


def _plural(kind) -> str:
    kind, mark = resolve(kind)
    if isinstance(mark, Known):
        return ", ".join(f"`{name}`" for name in mark.names())
    if len(parts := choices(kind)) > 1:
        return " or ".join(_plural(part) for part in parts)
    if typing.get_origin(kind) is typing.Literal:
        return _kind(kind)
    word = mark.title if isinstance(mark, Text) else _kind(kind)
    return f"{word.replace('pair', 'pairs')}" if word.startswith("pair") else "texts" if word == "text" else f"{word}s"


def schema(overlay: bool = False) -> dict:
    """Return the JSON Schema by which editors complete and check a configuration; in an overlay nothing is required."""
    definitions: dict[str, dict] = {}
    root = _record_schema(Configuration, definitions)
    for part in definitions.values() if overlay else ():
        part.pop("required", None)
        part.pop("oneOf", None)
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": dialect, "title": "Configuration of a Kinetrain run", **root, "$defs": definitions}


def _record_schema(record, definitions: dict) -> dict:
    properties, required = {}, []
    for field in dataclasses.fields(record):
        default = _default(field)
        part = _schema(kinds(record)[field.name], field.metadata, definitions)
        properties[field.name] = {**part, "description": field.metadata["doc"]}
        if default is REQUIRED:
            required.append(field.name)
        elif default is not None:
            properties[field.name]["default"] = default[0]
    made = {"type": ["object", "null"], "additionalProperties": False, "properties": properties}
    if required:
        made |= {"type": "object", "required": required}
    if rivals := record.exactly_one:
        made |= {"type": "object", "oneOf": [{"required": [name]} for name in rivals]}
    return {"description": (record.__doc__ or "").partition("\n")[0], **made}


def _schema(kind, marks, definitions: dict) -> dict:
    """Return the schema of a type; that of a record is put among the definitions and referred to."""
    kind, mark = resolve(kind)
    if isinstance(mark, Text):
        return {"type": "string", "pattern": f"^({mark.pattern})$"}
    if isinstance(mark, Known):
        return {"enum": mark.names()}
    if isinstance(mark, Each):
        named = {name: _schema(mark.find(name), {}, definitions) for name in mark.names()}
        return {"type": ["object", "null"], "additionalProperties": False, "properties": named}
    if len(parts := choices(kind)) > 1:
        return {"anyOf": [_schema(part, marks, definitions) for part in parts]}
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return {"enum": list(arguments)}
    if origin is tuple:
        return {"type": "array", "items": _schema(arguments[0], marks, definitions), **_lengths(arguments, marks)}
    if origin is dict:
        names = _schema(arguments[0], {}, definitions)
        values = _schema(arguments[1], marks, definitions)
        return {"type": ["object", "null"], "propertyNames": names, "additionalProperties": values}
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        name = TITLES.get(kind, f"{kind.__module__.rpartition('.')[2]}_{kind.__name__}".lower())
        if name not in definitions:
            definitions[name] = {}
            definitions[name] = _record_schema(kind, definitions)
        return {"$ref": f"#/$defs/{name}"}
    limits = {key: marks[name] for name, (key, _) in BOUNDS.items() if name in marks} if kind in (int, float) else {}
    return {"type": ["object", "null"]} if kind is dict else {"type": JSON[kind], **limits}


def _lengths(arguments, marks) -> dict:
    if arguments[-1] is not Ellipsis:
        return {"minItems": len(arguments), "maxItems": len(arguments)}
    lengths = {"minItems": 1} if marks.get("filled") else {}
    return lengths | ({"uniqueItems": True} if marks.get("unique") else {})
