"""Figure: how sparse the models are and how well their networks agree with the gold standard."""

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from kinetrain.evaluation.names import in_order, label
from kinetrain.figures.style import GREY, colour, control_line, first_column, marker, nothing_to_show, panels


def draw(table) -> Figure:
    """Return one panel per data set: mean and standard deviation over seeds, controls as lines, the paper's hollow.

    `table` is that of kinetrain.evaluation.figure_tables.sparsity_against_accuracy.
    """
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
        axis.errorbar(
            100 * row["sparsity"],
            100 * row["balanced_accuracy"],
            xerr=100 * row["sparsity_sd"],
            yerr=100 * row["balanced_accuracy_sd"],
            capsize=2,
            color=colour(row["method"]),
            **marker(row["method"]),
        )
    axis.set_xlim(-3, 103)
    axis.set_xlabel("Sparsity of the model (%)")


def _heights(table) -> tuple[float, float]:
    """Return the limits of the vertical axis, which all panels share: every point with its error bar is inside."""
    mean, spread = 100 * table["balanced_accuracy"], 100 * table["balanced_accuracy_sd"].fillna(0)
    return min(45, (mean - spread).min() - 3), max(102, (mean + spread).max() + 2)


def _legend(table) -> list[Line2D]:
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
