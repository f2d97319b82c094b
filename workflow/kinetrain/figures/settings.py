"""How a setting of a fit (optimizer, schedule, batch size) is named in a figure."""

import pandas as pd

from kinetrain.evaluation.names import in_order, label


def with_setting(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with a column `setting`, such as "Adam (balanced), S2, batch 5" or "Fides, full batch".

    An optimizer without a schedule is a full-batch one, whatever the number of conditions of its problem.
    """
    rows = table[["optimizer", "schedule", "batch_size"]].itertuples(index=False, name=None)
    return table.assign(setting=[_name(*row) for row in rows])


def settings_in_order(table: pd.DataFrame) -> dict[str, str]:
    """Return the optimizer of every distinct setting, in the fixed order of the optimizers."""
    distinct = table[["setting", "optimizer"]].drop_duplicates()
    optimizer = dict(zip(distinct["setting"], distinct["optimizer"], strict=True))
    place = in_order(optimizer.values()).index
    return dict(sorted(optimizer.items(), key=lambda item: (place(item[1]), item[0])))


def _name(optimizer: str, schedule: str, batch_size: float) -> str:
    if schedule == "-":
        return f"{label(optimizer)}, full batch"
    return f"{label(optimizer)}, {schedule}, batch {batch_size:g}"
