"""Figure: held-out trajectories of a few genes, measured and as trained models predict them from their beginning."""

import pandas as pd

from kinetrain.appearance import in_order, label
from kinetrain.evaluation.network_summaries import GROUP, few_of_many, one_corruption, panel_names
from kinetrain.figures.catalogue import PRUNING, Declaration
from kinetrain.figures.style import BLACK, GREY, colour, control_line, new_figure, nothing_to_show
from kinetrain.networks.controls import PERSISTENCE

FIGURE = Declaration(
    title="Predicted trajectories",
    section=PRUNING,
    place=4,
    sources=("trajectories",),
    needs=("datasets",),
    caption="""
**Measured and predicted expression over time.** Dots: measured in held-out trajectories (hollow: used in training);
lines: whole trajectories that models predict from the first dot, median over seeds, with all seeds in the band; dashed:
persistence. Genes are those that vary most over time in the training data, the same for all models. A prediction
is the solution of the trained equations (relative tolerance 1e-6), from the first measured point of all genes; it sees
no later point, so that errors add up, unlike in the other figures, where the next time is predicted from the measured
one. Persistence says that nothing changes after the first point. Trajectories are the first two of the test data (of
the validation data, where there is no test). Where the data are one trajectory, single transitions are held out: the
whole trajectory is shown, and a dot is filled where the transition that ends there is held out. Predictions go on over
transitions that ``longest_interval`` leaves out. Measurements are without added noise, and rescaled where
``rescale_values`` says so; times are those of the data. Of a data set with several levels of noise the lowest is shown,
of several corruptions of a prior the lowest above 0, of more than six methods the unpruned one and those that the maps
of effects show, and of more than four data sets one trajectory each. What lies farther from all measured values than
these do from each other is cut off. Models without a prediction up to the last time are counted above the panel.""",
)

MANY = 4  # data sets; of more, one trajectory each is shown
WIDTH, HEIGHT = 2.3, 1.9  # inches of a panel


def tabulate(trajectories: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the table `trajectories` that are shown, with a title `panel` of their data."""
    table = few_of_many(trajectories, "unpruned")
    table = one_corruption(table[table["noise"] == table.groupby("dataset")["noise"].transform("min")])
    if table["dataset"].nunique() > MANY:
        table = table[table["trajectory"] == table.groupby("dataset")["trajectory"].transform("min")]
    groups = table[GROUP].drop_duplicates()
    return groups.assign(panel=panel_names(groups)).merge(table, on=GROUP)[["panel", *table.columns]]


def draw(table):
    """Return a group of panels per data set: a row per trajectory, a column per gene."""
    if table.empty:
        return nothing_to_show("no trained model")
    blocks = {title: list(own["trajectory"].drop_duplicates()) for title, own in table.groupby("panel", sort=False)}
    rows, columns = sum(map(len, blocks.values())), table.groupby("panel")["gene"].nunique().max()
    figure = new_figure(WIDTH * columns + 0.5, HEIGHT * rows + 0.4 * len(blocks) + 0.4)
    axes = iter(figure.subplots(rows, columns, squeeze=False))
    for title, numbers in blocks.items():
        own = table[table["panel"] == title]
        _block(own, title, [next(axes) for _ in numbers], numbers)
    handles = _handles(table)
    figure.legend(handles=handles, loc="outside lower center", ncols=min(4, len(handles)))
    return figure


def _block(own, title: str, rows, numbers) -> None:
    genes = list(own["gene"].drop_duplicates())
    for axes, number in zip(rows, numbers, strict=True):
        parts = own[own["trajectory"] == number]
        for axis, gene in zip(axes, genes, strict=False):
            _panel(axis, parts[parts["gene"] == gene])
        for spare in axes[len(genes) :]:
            spare.set_visible(False)
        axes[0].set_ylabel(f"Expression\ntrajectory {number}{_held_out(parts)}")
    for axis, gene in zip(rows[0], genes, strict=False):
        axis.set_title(str(gene), fontsize=9)
    rows[0][0].set_title(f"{title}\n{genes[0]}", fontsize=9)
    unit = own["time_unit"].iloc[0]
    for axis in rows[-1]:
        axis.set_xlabel("Time" if unit == "time" else f"Time ({unit})")


def _held_out(rows) -> str:
    splits = set(rows["split"].dropna())
    return next((f" ({name})" for name in ("test", "validation") if name in splits), "")


def _panel(axis, rows) -> None:
    notes = []
    for method in in_order(rows["method"]):
        own, tone = rows[rows["method"] == method], colour(method)
        axis.fill_between(own["time"], own["low"], own["high"], color=tone, alpha=0.15, linewidth=0)
        axis.plot(own["time"], own["predicted"], color=tone, linewidth=1.2)
        last = own.iloc[-1]
        if last["models"] < last["seeds"]:
            notes.append(f"{label(method)}: {last['models']} of {last['seeds']} models")
    measured = rows[rows["measured"].notna()].drop_duplicates("time")
    axis.axhline(measured["measured"].iloc[0], **control_line(PERSISTENCE, linewidth=0.8))
    trained = measured["split"] == "train"
    for part, face in ((measured[~trained], BLACK), (measured[trained], "white")):
        axis.plot(part["time"], part["measured"], "o", color=BLACK, markerfacecolor=face, markersize=3, linewidth=0)
    axis.set_title("\n".join(notes), loc="right", fontsize=6, fontweight="normal", color=GREY)
    low, high = measured["measured"].min(), measured["measured"].max()
    shown = axis.get_ylim()
    if high > low:
        axis.set_ylim(max(shown[0], 2 * low - high), min(shown[1], 2 * high - low))


def _handles(table) -> list:
    from matplotlib.lines import Line2D

    dot: dict = {"color": BLACK, "marker": "o", "markersize": 3, "linestyle": ""}
    looks: list[dict] = [{"color": colour(name), "label": label(name)} for name in in_order(table["method"])]
    looks += [dot | {"label": "measured"}]
    if (table["split"] == "train").any():
        looks += [dot | {"label": "measured, used in training", "markerfacecolor": "white"}]
    looks += [control_line(PERSISTENCE, linewidth=0.8, label="Persistence")]
    return [Line2D([], [], **look) for look in looks]
