"""How a setting of a fit (optimizer, schedule, batch size) is named in a figure."""

import pandas as pd

from kinetrain.figures.style import in_order, label

SETTING = ["optimizer", "schedule", "batch_size"]


def settings_in_order(table: pd.DataFrame) -> list[tuple]:
    """Return the distinct (optimizer, schedule, batch_size) of a table, mini-batch optimizers first."""
    distinct = list(table[SETTING].drop_duplicates().itertuples(index=False, name=None))
    optimizers = in_order(table["optimizer"])
    return sorted(distinct, key=lambda setting: (optimizers.index(setting[0]), str(setting[1]), setting[2]))


def setting_label(setting: tuple, joint: str = "\n") -> str:
    """Return "Adam (balanced), S2, batch 5"; a setting without a schedule is a full-batch optimizer."""
    optimizer, schedule, batch_size = setting
    detail = "full batch" if schedule == "-" else f"{schedule}, batch {batch_size:g}"
    return f"{label(optimizer)}{joint}{detail}"
