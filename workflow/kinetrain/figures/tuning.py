"""Figure: validation error of the settings tried by cross-validation, and the choice."""

import json

import numpy as np
import pandas as pd

from kinetrain.appearance import label
from kinetrain.evaluation.network_summaries import GROUP, panel_names
from kinetrain.figures.catalogue import PRUNING, Declaration
from kinetrain.figures.style import BLACK, BLUE, RED, nothing_to_show, panels

FIGURE = Declaration(
    title="Tuned settings",
    section=PRUNING,
    place=7,
    sources=("tuning",),
    needs=("datasets", "tuning"),
    caption="""
**Tuned settings.** Validation error of the settings that were tried by cross-validation over trajectories, mean over
folds, and the one that was chosen (red). Maps: the weights λ of the prior in the scores of the first and the last
layer; grey: failed in some fold. Curves: one setting, bars one standard error of the mean over folds. Test data are not
used. The paper tunes λ by K-fold cross-validation and states neither K nor the grid.""",
)


def tabulate(folds: pd.DataFrame) -> pd.DataFrame:
    """Return the mean validation error over the folds of every setting that was tried.

    Columns: panel (method and data set), dataset, noise, prior_corruption, method, setting (JSON), lambda1 and lambda2
    where the settings are a pair of them, otherwise key and value of the one number that varies, folds,
    validation_mse, standard_error, chosen. A setting that failed in a fold has no error.
    """
    rows = []
    for key, group in folds.groupby([*GROUP, "method", "setting"], sort=False):
        errors = group["validation_mse"].astype(float)
        spread = errors.std() / np.sqrt(len(errors)) if len(errors) > 1 else np.nan
        summary = {"folds": len(errors), "validation_mse": errors.mean(skipna=False), "standard_error": spread}
        named = dict(zip([*GROUP, "method", "setting"], key, strict=True))
        rows.append(named | _axes(key[-1]) | summary | {"chosen": bool(group["chosen"].all())})
    axes = ["lambda1", "lambda2", "key", "value"]
    names = [*GROUP, "method", "setting", *axes, "folds", "validation_mse", "standard_error", "chosen"]
    table = pd.DataFrame(rows, columns=names)
    table.insert(0, "panel", [f"{label(method)} on " for method in table["method"]] + panel_names(table))
    return table


def draw(table):
    """Return one panel per method and data set: a heat map over the pair of λ, or a curve over the one setting."""
    if table.empty:
        return nothing_to_show("no tuned settings")
    titles = list(table["panel"].drop_duplicates())
    figure, axes = panels(titles, width=3.9, height=3.3)
    for axis, title in zip(axes, titles, strict=True):
        rows = table[table["panel"] == title]
        _grid(axis, rows) if rows["lambda1"].notna().all() else _curve(axis, rows)
    return figure


def _grid(axis, rows) -> None:
    from matplotlib.patches import Rectangle
    from seaborn import heatmap

    first, second = (np.sort(rows[name].unique()) for name in ("lambda1", "lambda2"))
    unit, rows = _rounded_unit(rows)
    errors = rows.pivot(index="lambda2", columns="lambda1", values="validation_mse").reindex(second, columns=first)
    bar = {"label": f"Validation error ({unit})"}
    heatmap(errors, cmap="viridis_r", linewidth=0.6, linecolor="white", ax=axis, cbar_kws=bar)
    axis.invert_yaxis()
    for _, row in rows[rows["chosen"]].iterrows():
        corner = np.searchsorted(first, row["lambda1"]), np.searchsorted(second, row["lambda2"])
        axis.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor=RED, linewidth=2.2, clip_on=False, zorder=3))
    axis.set_xticks(np.arange(len(first)) + 0.5, [f"{value:g}" for value in first], rotation=45 * (len(first) > 6))
    axis.set_yticks(np.arange(len(second)) + 0.5, [f"{value:g}" for value in second], rotation=0)
    axis.set(xlabel="λ₁, weight of the prior in the first layer", ylabel="λ₂, in the last layer", facecolor="#DDDDDD")
    axis.tick_params(length=0)


def _curve(axis, rows) -> None:
    unit, rows = _rounded_unit(rows.sort_values("value"))
    spread = rows["standard_error"].fillna(0)
    places = np.arange(len(rows))  # evenly spaced, as grids are seldom even
    axis.errorbar(places, rows["validation_mse"], spread, color=BLUE, marker="o", markersize=4, capsize=2, linewidth=1)
    chosen = rows["chosen"].to_numpy(bool)
    axis.plot(places[chosen], rows["validation_mse"][chosen], "o", markersize=10, color=RED, markerfacecolor="none")
    named = rows["value"].notna().all()
    axis.set_xticks(places, [f"{row['value']:g}" if named else str(row["setting"]) for _, row in rows.iterrows()])
    axis.tick_params(axis="x", rotation=45 if len(rows) > 6 else 0)
    axis.set(xlabel=str(rows["key"].iloc[0]).replace("_", " "), ylabel=f"Validation error ({unit})")
    axis.grid(axis="x", color=BLACK, alpha=0.05)


def _rounded_unit(rows):
    """Return the power of ten that errors are shown in, as text, and the rows with errors in that unit."""
    typical = rows["validation_mse"].abs().median()
    power = int(np.floor(np.log10(typical))) if typical > 0 else 0
    unit = "MSE" if power in (-1, 0) else f"MSE × $10^{{{-power}}}$"
    scale = 1.0 if power in (-1, 0) else 10.0**power
    return unit, rows.assign(**{name: rows[name] / scale for name in ("validation_mse", "standard_error")})


def _axes(setting: str) -> dict:
    """Return where a setting, given as JSON, stands in a figure: at (lambda1, lambda2), or at the value of its key."""
    chosen = json.loads(setting)
    if len(chosen.get("lambdas", ())) == 2:
        return dict(zip(("lambda1", "lambda2"), chosen["lambdas"], strict=True))
    key = ", ".join(chosen)
    return {"key": key, "value": next((value for value in chosen.values() if isinstance(value, int | float)), np.nan)}
