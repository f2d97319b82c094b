"""Figures: how well ensembles describe problems of many conditions, on training and on held-out data."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy.stats import gaussian_kde

from kinetrain.evaluation.names import label
from kinetrain.figures.style import BLACK, BLUE, GREY, ORANGE, RED, nothing_to_show

COLUMNS = ("scatter", "roc", "rmse", "best", "worst")
MOST_POINTS = 4000  # of a scatter; the density is estimated from these
EXAMPLES = {"best": BLUE, "worst": RED}


def draw(table) -> Figure:
    """Return one row per problem: measured against simulated, ROC curves, errors of groups, best and worst group.

    `table` is that of kinetrain.evaluation.large_scale.figure_table, for the training or the test set.
    """
    if table.empty:
        return nothing_to_show("no predictions of many conditions")
    problems = list(table["problem"].drop_duplicates())
    figure = Figure(figsize=(3 * len(COLUMNS), 3.1 * len(problems)), layout="constrained")
    grid = figure.subplots(len(problems), len(COLUMNS), squeeze=False)
    for axes, problem in zip(grid, problems, strict=True):
        rows = table[table["problem"] == problem]
        optimizer = label(rows["optimizer"].iloc[0])
        axes[0].set_title(f"{label(problem)}\n{optimizer}")
        for axis, panel in zip(axes, COLUMNS, strict=True):
            own = rows[rows["panel"] == panel]
            PANELS[panel](axis, own) if len(own) else axis.set_visible(False)
    return figure


def _scatter(axis, rows) -> None:
    """Draw measured against simulated values, brighter where points are dense."""
    rows = rows[np.isfinite(rows["x"]) & np.isfinite(rows["y"])]
    rows = rows.sample(MOST_POINTS, random_state=0) if len(rows) > MOST_POINTS else rows
    points = rows[["x", "y"]].to_numpy()
    density = _density(points)
    order = np.argsort(density, kind="stable")
    axis.scatter(*points[order].T, c=density[order], cmap="viridis", s=6, linewidth=0, rasterized=True)
    low, high = points.min(), points.max()
    axis.plot([low, high], [low, high], color=BLACK, linewidth=0.8, linestyle="--")
    correlation = np.corrcoef(points.T)[0, 1]
    axis.text(0.04, 0.96, f"r = {correlation:.3f}", transform=axis.transAxes, va="top", fontsize=8)
    axis.set(xlabel="Measured (standardized)", ylabel="Simulated (standardized)", aspect="equal")


def _density(points) -> np.ndarray:
    """Return the density at each point (n, 2); equal where points are too few or lie on a line."""
    try:
        return gaussian_kde(points.T)(points.T)
    except (np.linalg.LinAlgError, ValueError):
        return np.ones(len(points))


def _roc(axis, rows) -> None:
    curves = rows[rows["place"] == 0]
    for predictor, curve in curves.groupby("predictor", sort=False):
        ensemble = predictor == "ensemble"
        look = {"color": BLUE, "linewidth": 1.8, "zorder": 3} if ensemble else {"color": "#BBBBBB", "linewidth": 0.8}
        axis.plot(curve["x"], curve["y"], **look)
    point = rows[rows["place"] == 1]
    axis.plot(point["x"], point["y"], "o", color=ORANGE, markersize=6, markeredgecolor=BLACK, zorder=4)
    axis.plot([0, 1], [0, 1], color=BLACK, linewidth=0.8, linestyle="--")
    axis.text(0.96, 0.06, rows["label"].iloc[0], transform=axis.transAxes, ha="right", fontsize=8)
    axis.set(xlabel="False positive rate", ylabel="True positive rate", aspect="equal", xlim=(-0.03, 1.03))
    axis.set_ylim(-0.03, 1.03)


def _rmse(axis, rows) -> None:
    axis.errorbar(rows["x"], rows["y"], rows["sd"], fmt="o", color=GREY, markersize=3, elinewidth=0.8)
    for place, colour in EXAMPLES.items():
        own = rows[rows["label"] == place]
        axis.plot(own["x"], own["y"], "o", color=colour, markersize=6)
        for x, y in own[["x", "y"]].itertuples(index=False):
            side = {"best": "left", "worst": "right"}[place]
            axis.annotate(place, (x, y), (0, 7), textcoords="offset points", ha=side, fontsize=7, color=colour)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.set(xlabel="Groups, by error", ylabel="RMSE (standardized)")
    axis.set_ylim(bottom=0)
    axis.margins(y=0.15)


def _example(axis, rows) -> None:
    """Draw one group: what was measured, and the ensemble with its standard deviation."""
    place = rows["panel"].iloc[0]
    measured, ensemble = (rows[rows["predictor"] == name] for name in ("measured", "ensemble"))
    look = {"color": EXAMPLES[place], "markersize": 4, "elinewidth": 0.8, "label": "ensemble"}
    axis.errorbar(ensemble["x"], ensemble["y"], ensemble["sd"], fmt="o", **look)
    axis.plot(measured["x"], measured["y"], "_", color=BLACK, markersize=6, label="measured")
    axis.set_title(f"{place.capitalize()} group\n{rows['group'].iloc[0]}", fontsize=8, color=EXAMPLES[place])
    axis.set(xlabel="Measurements, by size", ylabel="Value (standardized)")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.legend(loc="upper left")


PANELS = {"scatter": _scatter, "roc": _roc, "rmse": _rmse, "best": _example, "worst": _example}
