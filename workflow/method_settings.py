"""The settings of the pruning methods, read from the text of their files: nothing is loaded, torch least of all."""

import ast
import re
from dataclasses import dataclass, replace
from pathlib import Path

PRUNING = Path(__file__).parent / "kinetrain" / "pruning"

# What a type of a field in the code asks for in the configuration.
KINDS = {
    "bool": ("true or false", lambda value: isinstance(value, bool)),
    "int": ("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool)),
    "float": ("a number", lambda value: isinstance(value, int | float) and not isinstance(value, bool)),
    "str": ("text", lambda value: isinstance(value, str)),
    "None": ("null", lambda value: value is None),
    "tuple[float, ...]": (
        "a list of numbers",
        lambda value: isinstance(value, list) and all(KINDS["float"][1](item) for item in value),
    ),
}


@dataclass(frozen=True)
class Setting:
    """One setting of a method: its type as written in the code, its default, and what its documentation says."""

    type: str
    default: object
    meaning: str

    @property
    def choices(self) -> list:
        """Values to choose from, none where there is no such list."""
        return list(ast.literal_eval(self.type.removeprefix("Literal"))) if self.type.startswith("Literal") else []

    @property
    def kind(self) -> str:
        """What a value must be, in words."""
        if self.choices:
            return " or ".join(map(repr, self.choices))
        return " or ".join(KINDS[part][0] if part in KINDS else part for part in self.type.split(" | "))

    def allows(self, value) -> bool:
        """Return whether a value of the configuration is of the right kind, as far as that is known here."""
        if self.choices:
            return value in self.choices
        return any(KINDS[part][1](value) if part in KINDS else True for part in self.type.split(" | "))


def known_methods() -> list[str]:
    """Return the names of the pruning methods: the files of the library's pruning room with a class `Method`."""
    return sorted(path.stem for path in PRUNING.glob("*.py") if re.search(r"(?m)^class Method\(", _text(path.stem)))


def settings(method: str) -> dict[str, Setting]:
    """Return the settings of a method by name: the fields of its class, after those of a method that it builds on.

    What a setting means stands in the documentation of the class, on a line of its own after `name: `.

    Raises
    ------
    ValueError
        If a setting has no default, or one that is not a plain value.
    """
    classes = [node for node in ast.parse(_text(method)).body if isinstance(node, ast.ClassDef)]
    found = next(node for node in classes if node.name == "Method")
    bases = [base.value.id for base in found.bases if isinstance(base, ast.Attribute)]
    before = {name: one for base in bases if base != "method" for name, one in settings(base).items()}
    fields = {
        node.target.id: node
        for node in found.body
        if isinstance(node, ast.AnnAssign) and not ast.unparse(node.annotation).startswith("ClassVar")
    }
    meanings = _meanings(ast.get_docstring(found) or "", {**before, **fields})
    inherited = {name: replace(one, meaning=meanings.get(name, one.meaning)) for name, one in before.items()}
    own = {
        name: Setting(ast.unparse(node.annotation), _plain(node.value, f"{method}.py: {name}"), meanings.get(name, ""))
        for name, node in fields.items()
    }
    return {**inherited, **own}


def uses_prior(method: str) -> bool:
    """Return whether a pruning method needs a prior network: what its class, or one that it builds on, says."""
    found = re.search(r"(?m)^    uses_prior: ClassVar\[bool\] = (True|False)$", _text(method))
    bases = re.findall(r"(?m)^class Method\((\w+)\.Method\)", _text(method))
    return found[1] == "True" if found else any(map(uses_prior, bases))


def _text(method: str) -> str:
    return (PRUNING / f"{method}.py").read_text(encoding="utf-8")


def _plain(node, where: str):
    """Return the literal of a default as the configuration would write it; ValueError if it has to be computed."""
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError):
        raise ValueError(f"{where}: give it a default that is a plain value, for it is read without running") from None
    return list(value) if isinstance(value, tuple) else value


def _meanings(text: str, names) -> dict[str, str]:
    """Return what the documentation `text` says of each name: `name: ...`, up to the next name or an empty line."""
    pattern = "|".join(map(re.escape, names)) or r"(?!)"
    found = re.findall(rf"(?ms)^({pattern}): (.*?)(?=^(?:{pattern}): |\n\s*\n|\Z)", text)
    return {name: meaning[0].upper() + " ".join(meaning.split())[1:] for name, meaning in found}
