"""Labels, colours and markers of methods, optimizers and predictors, collected from the files that declare them.

A file may hold LABEL (its name in figures and texts), COLOUR and MARKER (of matplotlib) and PLACE (its position among
its kind). Without a label its name is shown; without a colour or marker it gets one that nothing else has.
"""

import colorsys
from dataclasses import dataclass, replace
from functools import cache
from zlib import crc32

from kinetrain import registry
from kinetrain.networks.controls import CONTROLS
from kinetrain.pruning import methods
from kinetrain.training import optimizers, update_rules
from kinetrain.yardsticks import methods as yardsticks

BLACK = "#000000"
HYBRIDS = ("#E60099", "#00B400", "#9900E6", "#00C8D0")  # no hybrid may pass for one of its parts, nor for another
LAST = 1000  # place of files without PLACE
# Hues a golden angle apart, in three shades: 48 colours of which neighbours differ much.
PALETTE = tuple(
    "#{:02X}{:02X}{:02X}".format(
        *(round(255 * part) for part in colorsys.hls_to_rgb((0.618 * index) % 1, (0.42, 0.58, 0.3)[index % 3], 0.55))
    )
    for index in range(48)
)
APART = 60  # least distance of distinguishable colours, in sums over red, green and blue of 0 to 255
MARKERS = ("x", "+", "1", "2", "3", "4", "8", "o", "s", "v", "^", "<", ">", "p", "h", "D", "P", "X", "d", "H")
MARKED = (1, 2)  # kinds that are drawn by markers: methods and yardsticks
REFERENCES = {"truth": "Gold standard", "prior": "Prior"}  # networks that others are compared with


@dataclass(frozen=True)
class Look:
    """Label, colour and marker of one entry, its kind, and its place among its kind."""

    label: str
    colour: str = ""
    marker: str = ""
    kind: int = 0
    place: int = LAST


@cache
def known_looks() -> dict[str, Look]:
    """Return the looks of all references, methods, yardsticks, control predictors and optimizers, in their order."""
    looks = {name: Look(text, BLACK) for name, text in REFERENCES.items()}
    for package, kind in ((methods, 1), (yardsticks, 2), (update_rules, 4), (optimizers, 5)):
        for name in registry.names(package):
            looks[name] = _declared(registry.find(package, name, "file"), name, kind)
    looks |= {name: Look(one.label, BLACK, kind=3, place=place) for place, (name, one) in enumerate(CONTROLS.items())}
    looks |= {f"{name}_hierarchical": _hierarchical(looks[name]) for name in registry.names(optimizers)}
    looks = dict(sorted(looks.items(), key=lambda item: (item[1].kind, item[1].place, item[0])))
    colours = {look.colour for look in looks.values()} | set(HYBRIDS)
    markers = {look.marker for look in looks.values()}
    for name, look in looks.items():
        marked = look.kind in MARKED and not look.marker
        marker = _free(name, MARKERS, markers) if marked else look.marker or MARKERS[0]
        looks[name] = replace(look, colour=look.colour or _colour(name, PALETTE, colours), marker=marker)
    return looks


def _declared(module, name: str, kind: int) -> Look:
    label, colour, marker = (getattr(module, key, "") for key in ("LABEL", "COLOUR", "MARKER"))
    return Look(label or _spaced(name), colour, marker, kind, getattr(module, "PLACE", LAST))


def _hierarchical(look: Look) -> Look:
    return replace(look, label=f"{look.label} (hierarchical)", colour="")


def _spaced(name) -> str:
    return str(name).replace("_", " ")


def _colour(name: str, choices: tuple[str, ...], taken: set) -> str:
    """Return the first free colour that lies APART from all that are taken, else the one farthest from them."""

    def distance(colour):
        return min(sum(abs(a - b) for a, b in zip(_parts(colour), _parts(one), strict=True)) for one in taken if one)

    ordered = _from(name, choices)
    chosen = next((one for one in ordered if distance(one) >= APART), max(ordered, key=distance))
    taken.add(chosen)
    return chosen


def _parts(colour: str) -> list[int]:
    return [int(colour[place : place + 2], 16) for place in (1, 3, 5)]


def _from(name: str, choices: tuple[str, ...]) -> tuple[str, ...]:
    """Return the choices, beginning at one that follows from the name."""
    start = crc32(name.encode()) % len(choices)
    return choices[start:] + choices[:start]


def _free(name: str, choices: tuple[str, ...], taken: set) -> str:
    """Return one of the choices that is not taken, and take it; any of them if all are taken."""
    ordered = _from(name, choices)
    chosen = next((one for one in ordered if one not in taken), ordered[0])
    taken.add(chosen)
    return chosen


def look(name) -> Look:
    """Return the look of a name; one made from the name for what no file declares, such as a configured hybrid."""
    known = known_looks()
    if name in known:
        return known[name]
    text = str(name)
    first, joined, second = text.partition("_then_")
    label = _spaced(text)
    if joined and second in known:
        label = f"{look(first).label}, then {look(second).label}"
        label = label[0].upper() + label[1:]
    colours = {one.colour for one in known.values()}
    return Look(label, _colour(text, HYBRIDS if joined else PALETTE, colours), _free(text, MARKERS, set()))


def label(name) -> str:
    """Return the label of a method, predictor or optimizer in figures, tables and statements."""
    return look(name).label


def in_order(names) -> list[str]:
    """Return distinct names in a fixed order: methods, yardsticks, controls, optimizers; unknown ones last, by name."""
    known = list(known_looks())
    return sorted(set(names), key=lambda name: (known.index(name) if name in known else len(known), str(name)))
