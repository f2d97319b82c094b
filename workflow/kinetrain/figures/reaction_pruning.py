"""Figure: reactions of over-complete models, pruned by magnitude, by the prior, by both, and the truth."""

import numpy as np
import pandas as pd

from kinetrain.evaluation.reaction_summaries import LABELS, QUANTITIES, at_level, levels, means
from kinetrain.evaluation.statistics import BLOCK
from kinetrain.figures.catalogue import PRUNING, Declaration
from kinetrain.figures.style import colour, error_bars, marker, new_figure, nothing_to_show
from kinetrain.mechanistic.reaction_options import METHODS

FIGURE = Declaration(
    title="Pruned reactions of mechanistic models",
    section=PRUNING,
    place=12,
    sources=("reactions", "reaction_path"),
    needs=("reactions",),
    caption="""
**Which reactions of an over-complete mechanistic model survive.** Upper row: the kept reactions against the true
ones, by the share of confidences moved to other reactions; below: the ranking, and every pruning event. Artificial
data are drawn with a few reactions of the model, the true ones. From the end of each fit the reactions of the lowest
score are removed, event by event, and the rest is fitted again: the score is the rate of a reaction (magnitude), the
confidence in it that was known before (prior), or a mixture of both after DASH; colours are those of SparseFlow,
BioPrune and DASH, which score weights by the same. Controls: reactions removed at random, and the unpruned model,
fitted on with the budget of all events. How many reactions are kept is chosen without the truth: by the lowest
Bayesian information criterion along the path. Methods without a prior are lines across. Reactions are ranked by how
long they stay, those that stay by their rate. Below, centre and right: at the middle share of confidences moved; the
objective of held-out conditions, which neither fits nor choice saw, per run above that of the fit before the first
event. Bands and bars: 95 % intervals of the mean, by hierarchical bootstrap over networks, data replicates and
starts. All of this is a choice of ours: neither paper prunes mechanistic models.""",
)
SMALL = 10  # changes of the objective up to here are drawn on a linear scale
PATH = {
    "balanced_accuracy": "Balanced accuracy\nafter every event",
    "held_out_change": "Held-out objective\nabove that of the whole model",
}


def tabulate(reactions: pd.DataFrame, reaction_path: pd.DataFrame) -> pd.DataFrame:
    """Return means with 95 % intervals by method.

    Columns: part (chosen: of the reactions that are kept; path: after every event, at the middle corruption), quantity,
    method, prior_corruption, event, left, mean, low, high, runs.
    """
    kept = means(reactions, ["method", "prior_corruption"], QUANTITIES).assign(part="chosen")
    known = levels(reactions)
    path = at_level(reaction_path, known[len(known) // 2] if known else None)
    path = path[(path["method"] != "unpruned") & np.isfinite(path["objective"].astype(float))]
    first = path[path["event"] == 0].set_index([*BLOCK, "method"])["held_out_objective"]
    before = first.reindex(pd.MultiIndex.from_frame(path[[*BLOCK, "method"]])).to_numpy()
    changed = path.assign(held_out_change=path["held_out_objective"] - before)
    along = means(changed, ["method", "prior_corruption", "event", "left"], PATH).assign(part="path")
    columns = ["part", "quantity", "method", "prior_corruption", "event", "left", "mean", "low", "high", "runs"]
    return pd.concat([kept, along], ignore_index=True).reindex(columns=columns)


def draw(table):
    """Return scores by corruption of the prior, and along the pruning path."""
    if table.empty:
        return nothing_to_show("no pruned reactions")
    figure = new_figure(9.6, 5.6)
    axes = figure.subplots(2, 3)
    kept, path = table[table["part"] == "chosen"], table[table["part"] == "path"]
    places = sorted(kept["prior_corruption"].dropna().unique()) or [0.0]
    for axis, (quantity, title) in zip(axes.flat, QUANTITIES.items(), strict=False):
        axis.set_title(title[0].upper() + title[1:])
        for method, rows in kept[kept["quantity"] == quantity].groupby("method", sort=False):
            _by_corruption(axis, rows, method, places)
        axis.set_xlabel("Confidences moved (%)")
        axis.set_ylim(-3, 103)
    for axis, (quantity, title) in zip(axes.flat[len(QUANTITIES) :], PATH.items(), strict=True):
        axis.set_title(title)
        _along(axis, path[path["quantity"] == quantity], share=quantity in QUANTITIES)
    axes[0, 0].set_ylabel("Of the kept reactions (%)")
    axes[1, 0].set_ylabel("Of the ranking (%)")
    figure.legend(handles=_legend(table), loc="outside lower center", ncols=len(LABELS))
    return figure


def _by_corruption(axis, rows, method, places) -> None:
    look = _look(method, 4.5)
    if rows["prior_corruption"].isna().all():
        row = rows.iloc[0]
        axis.axhline(100 * row["mean"], color=look["color"], linewidth=1, linestyle="--")
        axis.axhspan(100 * row["low"], 100 * row["high"], color=look["color"], alpha=0.12, linewidth=0)
        return
    rows = rows.sort_values("prior_corruption")
    shift = (0.01 if method == "both" else -0.01) * max(places[-1], 0.1)
    at = 100 * (rows["prior_corruption"] + shift)
    axis.errorbar(at, 100 * rows["mean"], 100 * error_bars(rows), elinewidth=0.8, **look)
    axis.set_xticks([100 * place for place in places])


def _along(axis, rows, share: bool) -> None:
    factor = 100 if share else 1
    for method, own in rows.groupby("method", sort=False):
        own, look = own.sort_values("left"), _look(method, 3.5)
        axis.plot(own["left"], factor * own["mean"], **look)
        bounds = factor * own["low"], factor * own["high"]
        axis.fill_between(own["left"], *bounds, color=look["color"], alpha=0.12, linewidth=0)
    axis.set_xlabel("Reactions that are not pruned")
    axis.invert_xaxis()
    if share:
        axis.set_ylabel("%")
    elif rows[["low", "high"]].abs().max(axis=None) > 10 * SMALL:  # else its labels would overlap
        axis.set_yscale("symlog", linthresh=SMALL)


def _look(method: str, size: float) -> dict:
    name = METHODS[method].like
    return {"color": colour(name), "linewidth": 1, **marker(name, size)}


def _legend(table):
    from matplotlib.lines import Line2D

    shown = set(table["method"])
    return [Line2D([], [], label=label, **_look(name, 4.5)) for name, label in LABELS.items() if name in shown]
