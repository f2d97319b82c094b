"""Names of the settings of fits in figures and sentences: a schedule is called by its learning rate."""

import pandas as pd

from kinetrain.appearance import label
from kinetrain.tables import FULL_BATCH


def setting_name(setting: tuple) -> str:
    """Return the name of a setting (optimizer, schedule, size, safeguard) in sentences, with all its parts."""
    optimizer, schedule, size, safeguard = setting
    if schedule == FULL_BATCH:
        return f"{label(optimizer)}, full batch"
    batch = "all conditions" if size == "full" else f"batch {size}"
    return f"{label(optimizer)}, {schedule}, {batch}, {label(safeguard)}"


def hybrids(fit_settings: dict) -> set[str]:
    """Return the names of optimizers that go on in full batch; fit_settings: as in kinetrain.evaluation.pairs."""
    return {name for name, settings in fit_settings.get("optimizers", {}).items() if "then" in settings}


def with_rates(table: pd.DataFrame, fit_settings: dict) -> pd.DataFrame:
    """Return a table of fits or traces whose schedules are called by their learning rates.

    fit_settings: as in kinetrain.evaluation.pairs. Where it has no rate the name of the configuration stays.
    """
    names = schedule_names(fit_settings.get("schedules", {}))
    return table.assign(schedule=[names.get(name, name) for name in table["schedule"]])


def schedule_names(schedules: dict[str, dict]) -> dict[str, str]:
    """Return distinct labels of schedules, as short as possible, by their names; none where none are distinct."""
    known = {name: schedule for name, schedule in schedules.items() if "start" in schedule}
    for describe in (_first_rate, _first_and_last_rate):
        names = {name: describe(schedule) for name, schedule in known.items()}
        if len(set(names.values())) == len(names):
            return names
    return {}


def _first_rate(schedule: dict) -> str:
    epochs = schedule.get("epochs")
    return f"rate {schedule['start']:g}" + (f", {epochs} epochs" if epochs else "")


def _first_and_last_rate(schedule: dict) -> str:
    shape = f", {schedule['shape']}" if "shape" in schedule else ""
    end = f", to {schedule['end']:g}" if "end" in schedule else ""
    return _first_rate(schedule) + shape + end
