"""Strict reading of YAML files: what YAML would drop or change silently is refused."""

import json
import os
import re
from pathlib import Path

import yaml

from kinetrain.errors import InputError

LARGEST_FILE = 2_000_000  # bytes
LARGEST_CONTENT = 100_000  # values, those behind aliases counted as often as they are used


def read_yaml(path) -> dict:
    """Return the content of a YAML (or JSON) file whose top level is a mapping.

    Raises
    ------
    InputError
        If it is no such file, or too large; a key stands twice in a mapping (names both lines) or is no text, such as
        `on`; or aliases expand to more values than any configuration has.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such configuration file")
    if os.path.getsize(path) > LARGEST_FILE:
        raise InputError(f"{path}: larger than {LARGEST_FILE // 10**6} MB, which no configuration is")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start})") from None
    try:
        if path.suffix == ".json":
            content = json.loads(text, object_pairs_hook=lambda pairs: _refuse_repeated(path, pairs))
        else:
            _check(path, yaml.compose(text, Loader=yaml.SafeLoader), {})
            content = yaml.safe_load(text) or {}
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InputError(f"{path}{line}: not valid YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: not valid YAML: {error}") from None
    except RecursionError:
        raise InputError(f"{path}: nested too deeply") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: expected a mapping of keys at the top level")
    return content


def _check(path, node, sizes: dict) -> int:
    """Return the number of values below a node, aliases expanded; refuse keys that are twice or no text.

    `sizes` holds those of the nodes that were seen, so that each is walked once however often it is used.
    """
    if node is None or isinstance(node, yaml.ScalarNode):
        _check_number(path, node)
        return 1
    if id(node) in sizes:
        if sizes[id(node)] is None:
            raise InputError(f"{path}, {_line(node)}: an alias that holds itself")
        return sizes[id(node)]
    sizes[id(node)] = None
    if isinstance(node, yaml.MappingNode):
        _check_keys(path, node)
        parts = [part for pair in node.value for part in pair]
    else:
        parts = node.value
    size = 1 + sum(_check(path, part, sizes) for part in parts)
    if size > LARGEST_CONTENT:
        raise InputError(f"{path}, {_line(node)}: aliases expand to more than {LARGEST_CONTENT} values")
    sizes[id(node)] = size
    return size


def _check_number(path, node) -> None:
    """Refuse numbers that YAML 1.1 reads to another base than people do: 010 is 8, and 1:30 is 90."""
    if node is None or node.style or str(node.tag).rpartition(":")[2] not in ("int", "float"):
        return
    if re.fullmatch(r"[+-]?0[0-9_]+|.*:.*", node.value):
        read = yaml.safe_load(node.value)
        raise InputError(f"{path}, {_line(node)}: YAML reads {node.value} as {read}: write the number without a base")


def _check_keys(path, node) -> None:
    first: dict[str, yaml.Node] = {}
    for key, _ in node.value:
        is_merge = key.tag == "tag:yaml.org,2002:merge"
        if not isinstance(key, yaml.ScalarNode) or not (is_merge or key.tag == "tag:yaml.org,2002:str"):
            kind = str(key.tag).rpartition(":")[2]
            written = f"'{key.value}'" if isinstance(key, yaml.ScalarNode) else "a list or mapping"
            raise InputError(f"{path}, {_line(key)}: the key {written} is read as {kind}, not text: put it in quotes")
        before = first.setdefault(key.value, key)
        if before is not key:
            raise InputError(
                f"{path}, {_line(key)}: the key '{key.value}' stands in {_line(before)} already, and only one of them "
                "could count: join them, or rename one"
            )


def _refuse_repeated(path, pairs) -> dict:
    """Return the pairs of a JSON object as a mapping."""
    names = [name for name, _ in pairs]
    if repeated := [name for name in names if names.count(name) > 1]:
        raise InputError(f"{path}: the key '{repeated[0]}' stands in an object twice")
    return dict(pairs)


def _line(node) -> str:
    return f"line {node.start_mark.line + 1}"
