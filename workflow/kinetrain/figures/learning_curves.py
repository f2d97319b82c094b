"""Figure: training and validation error of neural models by epoch, beside persistence."""

import pandas as pd

from kinetrain.appearance import in_order, label
from kinetrain.evaluation.network_summaries import GROUP, few_of_many, panel_names
from kinetrain.figures.catalogue import PRUNING, Declaration
from kinetrain.figures.style import BLACK, colour, control_line, first_column, nothing_to_show, panels
from kinetrain.networks.controls import PERSISTENCE

FIGURE = Declaration(
    title="Learning curves",
    section=PRUNING,
    place=4,
    sources=("history", "networks"),
    needs=("datasets",),
    caption="""
**Training and validation error by epoch.** Mean squared error of predicting the next time point, over transitions and
genes: solid, on validation data; dotted, on training data. A model above the dashed line predicts its validation data
worse than persistence, which says that nothing changes. Lines are medians over the seeds that are still training, the
band is the range of their validation error. Both data are with the noise that was added, so that neither error can fall
to zero. The training error is the mean over the mini-batches of an epoch, in which the weights move, so it may lie
above the validation error. Steps upward are pruning events. Of more than five methods those that the maps of effects
show are drawn.""",
)


def tabulate(history: pd.DataFrame, networks: pd.DataFrame) -> pd.DataFrame:
    """Return training and validation error by method and epoch, and the validation error of persistence.

    Columns: panel, dataset, noise, prior_corruption, method, epoch (missing for persistence), models (seeds still in
    training), train_loss, validation_mse (medians over them), low, high (range of the validation error).
    """
    shown = few_of_many(history, PERSISTENCE)
    table = shown.groupby([*GROUP, "method", "epoch"], sort=False, as_index=False).agg(
        models=("seed", "nunique"),
        train_loss=("train_loss", "median"),
        validation_mse=("validation_mse", "median"),
        low=("validation_mse", "min"),
        high=("validation_mse", "max"),
    )
    persistence = networks[(networks["method"] == PERSISTENCE) & networks["validation_mse"].notna()]
    persistence = persistence.groupby([*GROUP, "method"], as_index=False)["validation_mse"].mean()
    persistence = persistence.merge(table[GROUP].drop_duplicates())
    table = pd.concat([part for part in (table, persistence) if len(part)] or [table], ignore_index=True)
    table.insert(0, "panel", panel_names(table))
    return table


def draw(table):
    """Return one panel per data set: two lines per method, and one where persistence lies."""
    if table.empty:
        return nothing_to_show("no training")
    titles = list(table["panel"].drop_duplicates())
    figure, axes = panels(titles, width=4.6 if len(titles) == 1 else 3.4, height=2.8)
    for axis, title in zip(axes, titles, strict=True):
        _panel(axis, table[table["panel"] == title])
    for axis in first_column(axes):
        axis.set_ylabel("Mean squared error")
    handles = _handles(table)
    figure.legend(handles=handles, loc="outside lower center", ncols=min(4, len(handles)) if len(axes) > 1 else 2)
    return figure


def _panel(axis, rows) -> None:
    for method in in_order(rows.loc[rows["method"] != PERSISTENCE, "method"]):
        own = rows[rows["method"] == method].sort_values("epoch")
        axis.fill_between(own["epoch"], own["low"], own["high"], color=colour(method), alpha=0.15, linewidth=0)
        axis.plot(own["epoch"], own["train_loss"], ":", color=colour(method), linewidth=1)
        axis.plot(own["epoch"], own["validation_mse"], color=colour(method), linewidth=1.2)
    for value in rows.loc[rows["method"] == PERSISTENCE, "validation_mse"]:
        axis.axhline(value, **control_line(PERSISTENCE))
    axis.set(yscale="log", xlabel="Epoch")


def _handles(table) -> list:
    from matplotlib.lines import Line2D

    looks = [
        {"color": colour(name), "label": label(name)}
        for name in in_order(table["method"].unique())
        if name != PERSISTENCE
    ]
    looks += [{"color": BLACK, "label": "validation"}, {"color": BLACK, "linestyle": ":", "label": "training"}]
    if (table["method"] == PERSISTENCE).any():
        looks.append(control_line(PERSISTENCE, label="Persistence (validation)"))
    return [Line2D([], [], **look) for look in looks]
