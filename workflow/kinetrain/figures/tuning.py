"""Figure: the settings of a method that were tried by cross-validation, and the one that was chosen."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from kinetrain.figures.style import BLACK, BLUE, RED, nothing_to_show, panels


def draw(table) -> Figure:
    """Return one panel per method and data set: a heat map over the pair of λ, or a curve over the one setting.

    `table` is that of kinetrain.evaluation.figure_tables.tuning.
    """
    if table.empty:
        return nothing_to_show("no tuned settings")
    titles = list(table["panel"].drop_duplicates())
    figure, axes = panels(titles, width=3.9, height=3.3)
    for axis, title in zip(axes, titles, strict=True):
        rows = table[table["panel"] == title]
        _grid(figure, axis, rows) if rows["lambda1"].notna().all() else _curve(axis, rows)
    return figure


def _grid(figure, axis, rows) -> None:
    first, second = (np.sort(rows[name].unique()) for name in ("lambda1", "lambda2"))
    unit, rows = _rounded_unit(rows)
    errors = rows.pivot(index="lambda2", columns="lambda1", values="validation_mse").reindex(second, columns=first)
    image = axis.pcolormesh(np.ma.masked_invalid(errors), cmap="viridis_r", edgecolor="white", linewidth=0.6)
    for _, row in rows[rows["chosen"]].iterrows():
        corner = np.searchsorted(first, row["lambda1"]), np.searchsorted(second, row["lambda2"])
        axis.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor=RED, linewidth=2.2, clip_on=False, zorder=3))
    axis.set_xticks(np.arange(len(first)) + 0.5, [f"{value:g}" for value in first], rotation=45 * (len(first) > 6))
    axis.set_yticks(np.arange(len(second)) + 0.5, [f"{value:g}" for value in second])
    axis.set(xlabel="λ₁, weight of the prior in the first layer", ylabel="λ₂, in the last layer", facecolor="#DDDDDD")
    axis.tick_params(length=0)
    axis.grid(visible=False)
    bar = figure.colorbar(image, ax=axis)
    bar.set_label(f"Validation error ({unit})", fontsize=8)


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
