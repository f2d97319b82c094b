"""Labels of conditions: the names of the condition table, else the inputs that differ between conditions."""

import pandas as pd

from kinetrain.mechanistic.petab_checks import PAIR
from kinetrain.mechanistic.petab_tables import condition_name

MOST_INPUTS = 3  # in a label; where more differ, the id of the condition is shorter and says as much


def labels_of_version_1(problem) -> dict[str, str]:
    """Return the labels of all measured conditions of a PEtab 1 problem, by `petab_tables.condition_name`."""
    table = problem.condition_df
    names = table.reindex(columns=["conditionName"])["conditionName"].dropna().to_dict()
    inputs = table.drop(columns="conditionName", errors="ignore")
    values, given = {}, {}
    pairs = problem.measurement_df.reindex(columns=PAIR).astype(object).fillna("").drop_duplicates()
    for before, condition in pairs.itertuples(index=False, name=None):
        name = condition_name(before, condition)
        values[name] = inputs.loc[condition].to_dict()
        if before:
            values[name] |= {f"{key} before": value for key, value in inputs.loc[before].items()}
        if condition in names:
            given[name] = str(names[condition]) + (f", after {names.get(before, before)}" if before else "")
    return labels_by_inputs(values) | given


def labels_of_version_2(problem) -> dict[str, str]:
    """Return the labels of all experiments of a PEtab 2 problem (`petab.v2.Problem`), by id."""
    changes = {one.id: one.changes for one in problem.conditions}
    values: dict[str, dict] = {}
    for experiment in problem.experiments:
        found = values.setdefault(experiment.id, {})
        for number, period in enumerate(experiment.sorted_periods):
            when = f" from {period.time:g}" if number else ""
            for change in (change for name in period.condition_ids for change in changes[name]):
                found[f"{change.target_id}{when}"] = change.target_value
    return labels_by_inputs(values)


def labels_by_inputs(values: dict[str, dict]) -> dict[str, str]:
    """Return a label for each condition: the inputs whose values are not the same in all, such as `EGF 0.1, t_end 600`.

    values: of the inputs, by condition. A condition has its own name where more than MOST_INPUTS differ, where none
    does, and where its label would be that of another.
    """
    table = pd.DataFrame.from_dict(values, orient="index").map(_text)
    differing = [column for column in table if table[column].nunique(dropna=False) > 1]
    if not 0 < len(differing) <= MOST_INPUTS:
        return {name: name for name in values}
    rows = table[differing].to_dict("index")
    labels = {name: ", ".join(f"{key} {value}" for key, value in row.items() if value) for name, row in rows.items()}
    shared = pd.Series(list(labels.values())).value_counts()
    return {str(name): label if label and shared[label] == 1 else str(name) for name, label in labels.items()}


def _text(value) -> str:
    """Return a value in three digits; nothing where it is missing: the input is then as the model has it."""
    if pd.isna(value):
        return ""
    try:
        return f"{float(f'{float(value):.3g}'):g}"  # 2890, not 2.89e+03
    except (TypeError, ValueError):
        return str(value)
