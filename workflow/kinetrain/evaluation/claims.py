"""Published results of mechanistic training, each with our value where there is one."""

import numpy as np
import pandas as pd

from kinetrain.evaluation.benchmark import QUARTER, Benchmark, batch_size_grid, for_all_problems
from kinetrain.evaluation.cost_ratios import reductions
from kinetrain.evaluation.pairs import ALL
from kinetrain.evaluation.scores import size_order
from kinetrain.evaluation.setting_names import schedule_names
from kinetrain.evaluation.statements import interval_text
from kinetrain.tables import FULL_BATCH

NOT_RUN, NOT_FOUND = "not run", "not found"
SHOWN = 10  # final objectives of ours, the lowest first, as many as the published ones


def with_our_values(claims: pd.DataFrame, data: Benchmark, nominal: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the published claims with the column `ours`: our value, or "not run", or "not found" on neither side.

    claims: resources/published/mechanistic_claims.tsv; its column `measure` names our value: a key of
    MEASURES, `contrast NAME` for a row of `pairs`, `ends OPTIMIZER` for final objectives on the measured data of the
    subject, `nominal` for its objective at the nominal parameters.
    """
    rows = claims[["subject", "value", "measure"]].itertuples(index=False, name=None)
    ours = [_ours(subject, value, measure, data, nominal, pairs) for subject, value, measure in rows]
    return claims.drop(columns="measure").assign(ours=ours)


def _ours(subject: str, value: str, measure, data, nominal, pairs) -> str:
    if not isinstance(measure, str):
        return NOT_FOUND if value == "NOT FOUND" else NOT_RUN
    kind, _, name = measure.partition(" ")
    if kind == "contrast":
        return _contrasts(pairs[pairs["contrast"] == name]) or NOT_RUN
    if measure in MEASURES:
        return (MEASURES[measure](data) if len(data.fits) else "") or NOT_RUN
    measured = nominal[(nominal["problem"] == subject) & (nominal["data"] == "measured")]
    if measured.empty:
        return NOT_RUN
    if kind == "nominal":
        return f"{measured['objective_nominal'].iloc[0]:.4f}"
    ends = data.fits.loc[
        (data.fits["problem"] == subject) & (data.fits["optimizer"] == name), "objective"
    ].sort_values()
    if ends.empty:
        return NOT_RUN
    failed = int((~np.isfinite(ends)).sum())
    return ";".join(f"{value:.4f}" for value in ends[:SHOWN]) + f" (lowest of {len(ends)} runs, {failed} failed)"


def _contrasts(rows: pd.DataFrame) -> str:
    whole = rows[rows["problem"] == ALL] if (rows["problem"] == ALL).any() else rows
    better = {"first": "the first is better", "second": "the second is better", "undecided": "undecided"}
    return "; ".join(f"{row.first} against {row.second}: {better[row.verdict]}" for row in whole.itertuples())


def _reduction(data: Benchmark) -> str:
    table = reductions(data)
    return "; ".join(
        f"{row.problem} ({row.conditions} conditions), {row.quality} of {row.full_batch}: "
        f"{interval_text(row.factor, row.low, row.high)} times"
        for row in table.itertuples()
    )


def _sizes(data: Benchmark) -> str:
    return _listed(sorted(_mini(data)["size"].unique(), key=size_order))


def _rates(data: Benchmark) -> str:
    schedules, run = data.fit_settings.get("schedules", {}), set(_mini(data)["schedule"])
    known = [schedules[name] for name, called in schedule_names(schedules).items() if called in run]
    return "; ".join(f"{one['start']:g} to {one['end']:g}" for one in known if "end" in one)


def _mini(data: Benchmark) -> pd.DataFrame:
    return data.fits[data.fits["schedule"] != FULL_BATCH]


def _listed(values) -> str:
    return ", ".join(str(value) for value in values)


def _starts(data: Benchmark) -> pd.Series:
    return data.fits.groupby("problem")["start"].nunique()


MEASURES = {
    "problems": lambda data: _listed(data.fits["problem"].unique()),
    "starts": lambda data: _listed(sorted(_starts(data).unique())),
    "best starts": lambda data: f"best {_listed(sorted(int(n) for n in set(np.ceil(_starts(data) / QUARTER))))}",
    "schedule of batch sizes": lambda data: _listed(_mini_schedules(for_all_problems(data.fits, batch_size_grid))),
    "reduction": _reduction,
    "learning rates": _rates,
    "number of schedules": lambda data: str(_mini(data)["schedule"].nunique()),
    "batch sizes": _sizes,
    "epochs": lambda data: _listed(sorted(_mini(data).groupby("problem")["epochs"].max().unique())),
    "conditions": lambda data: _listed(sorted(data.fits["conditions"].unique())),
    "scores": lambda data: "in tables/scores.tsv",
    "cpu hours": lambda data: f"{data.fits['cpu_seconds'].sum() / 3600:.3g}",
}


def _mini_schedules(fits: pd.DataFrame) -> list[str]:
    return sorted(set(fits["schedule"]) - {FULL_BATCH})
