"""Names, colours and dashes of settings of fits (optimizer, schedule, batch size, safeguard) in figures."""

import pandas as pd

from kinetrain.appearance import in_order, label
from kinetrain.figures.style import colour
from kinetrain.tables import FULL_BATCH

PARTS = {"schedule": "{}", "batch": "batch {}", "safeguard": "{}"}
DASHES = ("-", "--", ":", "-.")  # settings of one optimizer share its colour


def with_setting(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with a column `setting`, such as "Adam (balanced), rate 0.3, batch 5" or "Fides, full batch".

    An optimizer without a schedule is a full-batch one, whatever the number of conditions of its problem. Parts that
    all mini-batch settings share are left out: `shared` returns them. The batch size is `size` or else `batch_size`.
    """
    parts = _parts(table)
    shown = [name for name in PARTS if name not in _same(parts)]
    rows = parts[["optimizer", *shown]].itertuples(index=False, name=None)
    full = table["schedule"] == FULL_BATCH
    names = [
        f"{label(optimizer)}, full batch" if whole else ", ".join([label(optimizer), *_names_of_parts(shown, values)])
        for (optimizer, *values), whole in zip(rows, full, strict=True)
    ]
    return table.assign(setting=names)


def shared(table: pd.DataFrame) -> str:
    """Return what the mini-batch settings of a table have in common, for a line below its figure; "" for nothing."""
    same = _same(_parts(table))
    named = [f"{name if name == 'safeguard' else ''} {_part(name, value)}".strip() for name, value in same.items()]
    return f"All mini-batch runs: {', '.join(named)}." if same else ""


def settings_in_order(table: pd.DataFrame) -> dict[str, str]:
    """Return the optimizer of every distinct setting, in the fixed order of the optimizers."""
    distinct = table[["setting", "optimizer"]].drop_duplicates()
    optimizer = dict(zip(distinct["setting"], distinct["optimizer"], strict=True))
    place = in_order(optimizer.values()).index
    return dict(sorted(optimizer.items(), key=lambda item: (place(item[1]), item[0])))


def looks(settings: dict[str, str]) -> dict[str, dict]:
    """Return colour and dashes of every setting: the optimizer's colour; its settings differ in dashes."""
    look: dict[str, dict] = {}
    seen: dict[str, int] = {}
    for setting, optimizer in settings.items():
        look[setting] = {"color": colour(optimizer), "linestyle": DASHES[seen.get(optimizer, 0) % len(DASHES)]}
        seen[optimizer] = seen.get(optimizer, 0) + 1
    return look


def _parts(table: pd.DataFrame) -> pd.DataFrame:
    size = table["size"] if "size" in table else table["batch_size"]
    batch = [str(value) if isinstance(value, str) else f"{value:g}" for value in size]
    return table[["optimizer", "schedule", "safeguard"]].assign(batch=batch)


def _same(parts: pd.DataFrame) -> dict[str, str]:
    """Return the parts in which several mini-batch settings agree; for a single setting, its safeguard."""
    mini = parts[parts["schedule"] != FULL_BATCH].drop_duplicates()
    same = {name: mini[name].iloc[0] for name in PARTS if mini[name].nunique() == 1}
    return same if len(mini) > 1 else {name: value for name, value in same.items() if name == "safeguard"}


def _names_of_parts(names, values) -> list[str]:
    return [_part(name, value) for name, value in zip(names, values, strict=True)]


def _part(name: str, value: str) -> str:
    if name == "batch" and value == "full":
        return "all conditions"
    return PARTS[name].format(label(value) if name == "safeguard" else value)
