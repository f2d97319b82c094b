"""Which measurements are drawn as time courses: panels and their curves, by PEtab's visualization table or without.

Source: PEtab 1, visualization table. Of that, lines over time are drawn; other plots are left out with a warning.
"""

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kinetrain.errors import InputError, InputWarning
from kinetrain.mechanistic.petab_files import read_description, visualization_files
from kinetrain.mechanistic.petab_tables import read_tables

MOST_PANELS = 12
MOST_CURVES = {"table": 12, "default": 4}  # of a panel, with the visualization table and without one
DEFAULTS = {"plotTypeSimulation": "LinePlot", "xValues": "time", "xScale": "lin", "yScale": "lin"}
COLUMNS = ["plotId", "plotName", "datasetId", "yValues", "xOffset", "yOffset", "xLabel", "yLabel", "legendEntry"]


@dataclass
class Curve:
    """The measurements of one observable in one condition; `rows` (m,): their positions among all measurements.

    panel, label: its panel and its name there. title, x_label, y_label (empty where not given), x_scale, y_scale
    (`linear` or `log`): of the panel. x_offset, y_offset: what is added to times and values where it is drawn.
    """

    panel: str
    title: str
    label: str
    rows: np.ndarray
    x_label: str = ""
    y_label: str = ""
    x_scale: str = "linear"
    y_scale: str = "linear"
    x_offset: float = 0.0
    y_offset: float = 0.0


def curves(path, measured: pd.DataFrame, titles: dict[str, str]) -> pd.DataFrame:
    """Return the curves to draw: a row per `Curve`, with its fields, in the order of panels.

    path: of the PEtab YAML. measured: all measurements, with columns observable, simulated (the observable of the
    compiled model), dataset, condition, label (of the condition) and time. titles: of observables.

    Further columns: curves, panels: how many there are, of the panel and of the problem; of these the first
    MOST_CURVES (of observables without a visualization table 4) and MOST_PANELS are returned. Measurements at an
    infinite time (steady states) have no place on the axis and are left out; so are curves of a single time, unless the
    visualization table asks for them.
    """
    measured = measured[np.isfinite(measured["time"])]
    found, most = _planned(path, measured), MOST_CURVES["table"]
    if not found:
        found, most = _by_observable(measured, titles), MOST_CURVES["default"]
    table = pd.DataFrame([vars(curve) for curve in found], columns=list(Curve.__dataclass_fields__))
    table["curves"] = table.groupby("panel")["panel"].transform("size")
    table["panels"] = table["panel"].nunique()
    shown = table["panel"].drop_duplicates()[:MOST_PANELS]
    return table[table["panel"].isin(shown) & (table.groupby("panel").cumcount() < most)]


def _by_observable(measured, titles) -> list[Curve]:
    """Return a panel per observable, with a curve per condition in which it is measured at several times."""
    found = []
    for observable, rows in measured.groupby("observable", sort=False):
        for curve in _split(rows):
            if curve["time"].nunique() > 1:
                found.append(Curve(observable, titles.get(observable, observable), _name(curve), _positions(curve)))
    return found


def _planned(path, measured) -> list[Curve]:
    """Return the curves of the visualization table, none where there is no table that asks for lines over time."""
    try:
        files = visualization_files(path, read_description(path))
        table = read_tables(files, None) if files else pd.DataFrame()
        for name in ("xOffset", "yOffset"):
            if name in table and table[name].dtype == object and table[name].notna().any():
                raise InputError(f"{files[-1]}: {name} must be numbers")
    except InputError as error:
        _warn(f"{error}; observables are drawn instead")
        return []
    if table.empty:
        return []
    table = table.reindex(columns=[*COLUMNS, *DEFAULTS]).astype(object).fillna(DEFAULTS)
    lines = (table["plotTypeSimulation"] == "LinePlot") & (table["xValues"] == "time")
    drawn = {number: _curves_of(row, measured) for number, row in table[lines & table["plotId"].notna()].iterrows()}
    found = [curve for some in drawn.values() for curve in some]
    without = [number for number, some in drawn.items() if not some]
    for reason, rows in {
        "ask for other plots than lines over time": table.index[~lines],
        "have no plotId": table.index[lines & table["plotId"].isna()],
        "fit no measurements": without,
    }.items():
        if len(rows):
            _warn(f"{files[-1]}: {len(rows)} of {len(table)} rows {reason} (the first is row {rows[0]}): left out")
    return found


def _curves_of(row, measured) -> list[Curve]:
    """Return the curves of a row of the visualization table, none where it fits no measurements."""
    chosen = np.ones(len(measured), bool)
    for key, column in (("datasetId", "dataset"), ("yValues", "observable")):
        if pd.notna(row[key]):
            chosen &= (measured[column] == row[key]).to_numpy()
    parts = _split(measured[chosen])
    words = {key: "" if pd.isna(row[key]) else _text(row[key]) for key in COLUMNS}
    label = words["legendEntry"] or words["datasetId"] or words["yValues"]
    return [
        Curve(
            panel=words["plotId"],
            title=words["plotName"] or words["plotId"],
            label=label if len(parts) == 1 else ", ".join(filter(None, [label, _name(part)])),
            rows=_positions(part),
            x_label=words["xLabel"],
            y_label=words["yLabel"],
            x_scale=_scale(row["xScale"]),
            y_scale=_scale(row["yScale"]),
            x_offset=_offset(row["xOffset"]),
            y_offset=_offset(row["yOffset"]),
        )
        for part in parts
    ]


def _split(measured) -> list[pd.DataFrame]:
    """Return the measurements by condition and observable of the compiled model, which a curve has one of."""
    return [part for _, part in measured.groupby(["condition", "simulated"], sort=False)]


def _name(curve) -> str:
    """Return the label of the condition; the observable too, where overrides made it one of several."""
    first = curve.iloc[0]
    return first["label"] if first["simulated"] == first["observable"] else f"{first['label']}, {first['simulated']}"


def _positions(curve) -> np.ndarray:
    return curve.index.to_numpy(int)


def _offset(value) -> float:
    return 0.0 if pd.isna(value) else float(value)


def _scale(text) -> str:
    return "log" if str(text).startswith("log") else "linear"


def _text(value) -> str:
    """Return a cell as text: a column of numbers was read as such, and 4.0 is 4."""
    return f"{value:g}" if isinstance(value, float) else str(value).strip()


def _warn(text) -> None:
    warnings.warn(text, InputWarning, stacklevel=3)
