"""Figure: predictions of ensembles on problems of many conditions (figures 4 and 5 of Stapor et al. 2022)."""

import numpy as np
import pandas as pd

from kinetrain.appearance import label
from kinetrain.evaluation.large_scale import SETS, figure_table
from kinetrain.figures.catalogue import MINI_BATCH, Declaration
from kinetrain.figures.style import BLACK, BLUE, GREY, ORANGE, RED, new_figure, nothing_to_show

FIGURE = Declaration(
    title="Many conditions",
    section=MINI_BATCH,
    place=9,
    sources=("predictions",),
    needs=("problems", "predictions"),
    caption="""
**Ensembles on the data that they were fitted to.** One row per problem and data, for the run (optimizer and
setting) whose ensemble has the lowest error on the training data. An ensemble is the mean prediction of the best runs
by training objective (ten, if as many ended). All values are standardized by observable: minus the mean of its training
measurements, divided by their standard deviation, on its logarithm where the likelihood is on a logarithmic scale; so
observables in different units can be pooled, and an error of 1 is that of predicting the mean. From left to right:
measured against simulated values, brighter where points are dense (at most 4000 are drawn), with Pearson's r; ROC
curves of telling responsive from other (group, condition, observable) triples, for the ensemble (blue) and its single
runs (grey), where responsive means a measured response above the median of the training data, and the orange point
marks the threshold with the largest sensitivity + specificity (Youden 1950); the root mean squared error of each group
(cell line; a condition where a problem has no groups), ranked, with the standard deviation over single runs; and the
best and the worst fitted group, measured (bars) and simulated (mean and standard deviation over the ensemble). Fewer
than six groups are neither classified nor ranked: instead their time courses are drawn, at most four groups with four
curves each, measured (dots) and simulated (lines, with that standard deviation). The
panels follow Stapor et al. 2022, figure 4. The paper's definition of a response could not be read; ours stands here.
Its data set is not public, so its values are not comparable and not shown.

**Ensembles on held-out groups.** Panels as for the fitted data, for groups (cell lines) that no fit has seen.
The scaling of such a group is estimated for each run from the measurements of the group's first condition alone, by
weighted least squares; this control is not scored. The run is the one that describes the training data best; means,
standard deviations, the median that defines a response and the threshold of the classification all come from the
training data. The panels follow Stapor et al. 2022, figure 5a-d; how the paper scales new cell lines could not be
read.""",
)

COLUMNS = ("scatter", "roc", "rmse", "best", "worst")
DATA = {"train": "fitted data", "test": "held-out groups"}
MOST_POINTS = 4000  # of a scatter; the density is estimated from these
EXAMPLES = {"best": BLUE, "worst": RED}
CURVES = BLUE, RED, ORANGE, BLACK  # of the time courses of a group


def tabulate(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the panels of the fitted data and of held-out groups (`evaluation.large_scale.figure_table`), by `set`."""
    return pd.concat([figure_table(predictions, part).assign(set=part) for part in SETS], ignore_index=True)


def draw(table):
    """Return one row per problem and data: measured against simulated, ROC curves, errors, best and worst group."""
    if table.empty:
        return nothing_to_show("no predictions of many conditions")
    rows = list(table[["problem", "set"]].drop_duplicates().itertuples(index=False, name=None))
    figure = new_figure(3 * len(COLUMNS), 3.1 * len(rows))
    grid = figure.subplots(len(rows), len(COLUMNS), squeeze=False)
    for axes, (problem, part) in zip(grid, rows, strict=True):
        own = table[(table["problem"] == problem) & (table["set"] == part)]
        axes[0].set_title(f"{label(problem)}, {DATA[part]}\n{label(own['optimizer'].iloc[0])}")
        courses = own[own["panel"] == "course"]
        for place, (axis, panel) in enumerate(zip(axes, COLUMNS, strict=True)):
            shown = own[own["panel"] == panel]
            if len(shown):
                PANELS[panel](axis, shown)
            elif len(group := courses[courses["place"] == place - 1]):
                _course(axis, group)
            else:
                axis.set_visible(False)
    return figure


def _course(axis, rows) -> None:
    """Draw the time courses of one group: dots as measured, lines as simulated, a colour per curve."""
    for shade, (name, curve) in zip(CURVES, rows.groupby("label", sort=False), strict=False):
        measured, ensemble = (curve[curve["predictor"] == one] for one in ("measured", "ensemble"))
        axis.errorbar(ensemble["x"], ensemble["y"], ensemble["sd"], color=shade, linewidth=1.2, elinewidth=0.8)
        axis.plot(measured["x"], measured["y"], "o", color=shade, markersize=4, label=name)
    axis.set_title(f"Group {rows['group'].iloc[0]}", fontsize=8)
    axis.set(xlabel="Time", ylabel="Value (standardized)")
    axis.margins(y=0.35)  # room for the legend
    axis.legend(loc="upper center", ncols=2, fontsize=6, columnspacing=1, handletextpad=0.3)


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
    from scipy.stats import gaussian_kde

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
    from matplotlib.ticker import MaxNLocator

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
    from matplotlib.ticker import MaxNLocator

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
