"""Figure: sparsity of the models against the accuracy of their networks."""

from kinetrain.appearance import in_order, label
from kinetrain.evaluation.network_summaries import sparsity_against_accuracy as tabulate  # noqa: F401
from kinetrain.figures.catalogue import PRUNING, Declaration
from kinetrain.figures.style import GREY, colour, control_line, first_column, marker, nothing_to_show, panels

FIGURE = Declaration(
    title="Sparsity against balanced accuracy",
    section=PRUNING,
    place=1,
    sources=("networks", "published"),
    needs=("datasets",),
    caption="""
**How sparse the models are, and how true their networks.** Filled: mean over the seeds of this run with its 95 %
interval; hollow: values published by Hossain et al. for the same data. Lines: predictions without any training, which a
method has to beat. Intervals are by Student's t on the logit scale, over the seeds whose training did not fail; by
default a seed's model is the sparsest within one standard error of its lowest validation error. Published values are
shown only where data set and noise are the same and the prior is corrupted by 5 % at most per noise of 0.025, as in the
paper (digitised from a figure of the first version of the paper, about 0.3 points exact, possibly for a prior without
corruption). Sparsity: share of exact zeros among the weights of the four matrices, where a weight behind a gene with a
multiplier of zero or below counts as zero, as in the paper. Balanced accuracy: mean of the true positive and the true
negative rate over all ordered pairs of genes, the diagonal included; an edge is predicted where the effect of one gene
on another is not exactly zero.

Crosses: ordinary network inference on the same data (yardsticks), whose sparsity is the share of pairs without an edge.
Dashed: the prior network itself, used as the prediction without any training. Dash-dotted: every true regulator is said
to regulate every true target; dotted: every gene; widely dotted: all genes are said to regulate every true target. A
network that does not beat these predictors cannot count as learned; showing them is a choice of ours. Grey: chance.""",
)


def draw(table):
    """Return one panel per data set: mean and 95 % interval over seeds, controls as lines, the paper's hollow."""
    if table.empty:
        return nothing_to_show("no scored networks")
    titles = list(table["panel"].drop_duplicates())
    figure, axes = panels(titles, width=3.4, height=3.3, legend=1.7, sharey=True)
    for axis, title in zip(axes, titles, strict=True):
        _panel(axis, table[table["panel"] == title])
    for axis in first_column(axes):
        axis.set_ylabel("Balanced accuracy (%)")
    axes[0].set_ylim(_heights(table))
    figure.legend(handles=_legend(table), loc="outside right upper")
    return figure


def _panel(axis, rows) -> None:
    axis.axhline(50, color=GREY, linewidth=0.8)
    for _, row in rows[rows["kind"] == "control"].iterrows():
        axis.axhline(100 * row["balanced_accuracy"], **control_line(row["method"]))
    for _, row in rows[rows["kind"] == "published"].iterrows():
        place = 100 * row["sparsity"], 100 * row["balanced_accuracy"]
        axis.plot(*place, **marker(row["method"], 8), color=colour(row["method"]), markerfacecolor="none")
    for _, row in rows[rows["kind"] == "method"].iterrows():
        bars = {name: _bar(row, name) for name in ("sparsity", "balanced_accuracy")}
        axis.errorbar(
            100 * row["sparsity"],
            100 * row["balanced_accuracy"],
            xerr=bars["sparsity"],
            yerr=bars["balanced_accuracy"],
            capsize=2,
            color=colour(row["method"]),
            **marker(row["method"]),
        )
    axis.set_xlim(-3, 103)
    axis.set_xlabel("Sparsity of the model (%)")


def _bar(row, name) -> list:
    """Return how far the interval of a mean reaches to both sides in per cent, nowhere for a single model."""
    return [[100 * abs(row[name] - row[f"{name}_{side}"])] for side in ("low", "high")]


def _heights(table) -> tuple[float, float]:
    """Return the limits of the vertical axis, which all panels share: every point with its error bar is inside."""
    lowest = table["balanced_accuracy_low"].fillna(table["balanced_accuracy"]).min()
    return min(45, 100 * lowest - 3), 102


def _legend(table):
    from matplotlib.lines import Line2D

    handles = []
    for method in in_order(table.loc[table["kind"] != "control", "method"]):
        kinds = set(table.loc[table["method"] == method, "kind"])
        fill = colour(method) if "method" in kinds else "none"
        look = {"linestyle": "", "color": colour(method), "markerfacecolor": fill, "label": label(method)}
        handles.append(Line2D([], [], **look, **marker(method)))
    for method in in_order(table.loc[table["kind"] == "control", "method"]):
        handles.append(Line2D([], [], **control_line(method, label=label(method))))
    handles.append(Line2D([], [], color=GREY, linewidth=0.8, label="Chance"))
    if (table["kind"] == "published").any():
        handles.append(Line2D([], [], marker="o", linestyle="", color=GREY, markerfacecolor="none", label="Published"))
    return handles
