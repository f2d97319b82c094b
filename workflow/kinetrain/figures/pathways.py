"""Figure: which pathways hold the influential genes, by method."""

import numpy as np
from matplotlib.figure import Figure

from kinetrain.evaluation.names import in_order, label
from kinetrain.figures.style import nothing_to_show

LONGEST = 52  # letters of a pathway name that fit beside the map


def draw(table) -> Figure:
    """Return one heat map of z-scores per data set, a star where Bonferroni's p is below 0.05.

    `table` is that of kinetrain.evaluation.figure_tables.pathways.
    """
    if table.empty:
        return nothing_to_show("no pathway with more influence than chance gives")
    titles = list(table["panel"].drop_duplicates())
    methods = in_order(table["method"])
    rows = [int(table.loc[table["panel"] == title, "row"].max()) + 1 for title in titles]
    heights = [0.9 + 0.17 * count for count in rows]
    figure = Figure(figsize=(4.6 + 0.5 * len(methods), sum(heights)), layout="constrained")
    axes = figure.subplots(len(titles), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axis, title, count in zip(axes, titles, rows, strict=True):
        image = _heat_map(axis, table[table["panel"] == title], methods, count)
        axis.set_title(title)
        bar = figure.colorbar(image, ax=axis, fraction=0.06, aspect=14, shrink=min(1, 12 / count), anchor=(0, 1))
        bar.set_label("z-score", fontsize=8)
    return figure


def _heat_map(axis, rows, methods, count):
    scores = np.full((count, len(methods)), np.nan)
    columns = rows["method"].map(methods.index)
    scores[rows["row"], columns] = rows["z"]
    image = axis.pcolormesh(scores, cmap="Greens", vmin=0, edgecolor="white", linewidth=0.8)
    axis.invert_yaxis()
    dark = 0.6 * np.nanmax(scores)
    for _, row in rows[rows["significant"].astype(bool)].iterrows():
        ink = "white" if row["z"] > dark else "black"
        place = methods.index(row["method"]) + 0.5, row["row"] + 0.62
        axis.text(*place, "*", ha="center", va="center", fontsize=10, color=ink)
    names = rows.drop_duplicates("row").sort_values("row")["pathway"].astype(str)
    short = [name if len(name) <= LONGEST else name[: LONGEST - 1] + "…" for name in names]
    axis.set_yticks(np.arange(count) + 0.5, short, fontsize=7)
    axis.set_xticks(np.arange(len(methods)) + 0.5, [label(method) for method in methods], rotation=30, ha="right")
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    axis.grid(visible=False)
    return image
