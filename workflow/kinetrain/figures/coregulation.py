"""Figure: heat maps of which regulators act through the same hidden units, beside their common targets in the prior."""

from matplotlib.figure import Figure

from kinetrain.evaluation.names import in_order, label
from kinetrain.figures.style import heat_map, nothing_to_show

STRONG = 0.5  # of the largest value: full colour


def draw(table) -> Figure:
    """Return one row of square maps per data set and noise: the prior, then the methods.

    `table` is that of kinetrain.evaluation.figure_tables.coregulation.
    """
    if table.empty:
        return nothing_to_show("no regulators")
    titles, methods = list(table["panel"].drop_duplicates()), in_order(table["method"])
    figure = Figure(figsize=(0.9 + 2.0 * len(methods), 2.5 * len(titles)), layout="constrained")
    axes = figure.subplots(len(titles), len(methods), squeeze=False)
    for row, title in zip(axes, titles, strict=True):
        own = table[table["panel"] == title]
        size = int(own[["place", "other_place"]].max(axis=None)) + 1
        for axis, method in zip(row, methods, strict=True):
            rows = own[own["method"] == method]
            look = {"cmap": "Purples", "vmin": 0, "vmax": STRONG}
            image = heat_map(axis, rows["place"], rows["other_place"], rows["value"], (size, size), **look)
            axis.set_title(label(method), fontsize=9, fontweight="normal")
            agreement = rows["agreement"].dropna()
            axis.set_xlabel(f"agreement {agreement.iloc[0]:.2f}" if len(agreement) else "", fontsize=8)
        row[0].set_ylabel(title.replace(", ", "\n", 1) + f"\n{size} regulators", fontsize=8)
    bar = figure.colorbar(image, ax=axes, shrink=0.8 / len(titles), aspect=20, extend="max", pad=0.01)
    bar.set_label(f"Shared units or targets\n(largest of the panel = 1,\nfull colour from {STRONG:g})", fontsize=8)
    return figure
