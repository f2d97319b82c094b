"""The yardsticks by name: a yardstick is a file of this room with a function `infer`."""

import importlib
import re
from pathlib import Path


def known_yardsticks() -> list[str]:
    """Return the names of all yardsticks, without loading any of them."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return [file.stem for file in files if re.search(r"(?m)^def infer\(", file.read_text(encoding="utf-8"))]


def find_yardstick(name: str):
    """Return the module of a yardstick: infer, LABEL, REFERENCE, USES_PRIOR and MOST_WORK."""
    return importlib.import_module(f"kinetrain.yardsticks.{name}")


YARDSTICKS = tuple(known_yardsticks())
LABELS = {name: find_yardstick(name).LABEL for name in YARDSTICKS}
