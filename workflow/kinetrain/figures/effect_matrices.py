"""Figure: heat maps of which gene acts on which, in the gold standard and in the models."""

from matplotlib.figure import Figure

from kinetrain.evaluation.names import in_order, label
from kinetrain.figures.style import heat_map, nothing_to_show

STRONG = 0.05  # effects of this share of the largest have full colour, as in Hossain et al. 2024, figure 3


def draw(table) -> Figure:
    """Return one row of panels per data set and noise: the gold standard, then methods; red activates, blue represses.

    `table` is that of kinetrain.evaluation.figure_tables.effect_matrices.
    """
    if table.empty:
        return nothing_to_show("no effects")
    titles = list(table["panel"].drop_duplicates())
    methods = in_order(table["method"])
    figure = Figure(figsize=(0.6 + 2.0 * len(methods), 2.6 * len(titles)), layout="constrained")
    axes = figure.subplots(len(titles), len(methods), squeeze=False)
    for row, title in zip(axes, titles, strict=True):
        own = table[table["panel"] == title]
        shape = own["target_place"].max() + 1, own["regulator_place"].max() + 1
        for axis, method in zip(row, methods, strict=True):
            edges = own[own["method"] == method]
            look = {"cmap": "RdBu_r", "vmin": -STRONG, "vmax": STRONG, "aspect": "auto"}
            image = heat_map(axis, edges["target_place"], edges["regulator_place"], edges["effect"], shape, **look)
            axis.set_title(label(method), fontsize=9, fontweight="normal")
            axis.set_xlabel(_regulators(own), fontsize=8)
        row[0].set_ylabel(title.replace(", ", "\n", 1) + f"\n{shape[0]} targets", fontsize=8)
    bar = figure.colorbar(image, ax=axes, shrink=0.8 / len(titles), aspect=20, extend="both", pad=0.01)
    bar.set_label(f"Effect (largest of the panel = 1,\nfull colour from {STRONG:g})", fontsize=8)
    return figure


def _regulators(edges) -> str:
    """Return what the columns are: any gene, or only the regulators of the gold standard."""
    shown = set(edges["regulator"])
    true = set(edges.loc[edges["method"] == "truth", "regulator"])
    return f"{len(shown)} regulators of\nthe gold standard" if shown == true else f"{len(shown)} genes as regulators"
