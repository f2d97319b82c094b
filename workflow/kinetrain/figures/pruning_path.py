"""Figure: accuracy of the networks along the pruning path, from dense to sparse models."""

import pandas as pd

from kinetrain.appearance import in_order, label
from kinetrain.evaluation.network_summaries import GROUP, panel_names
from kinetrain.evaluation.statistics import SHARE, mean_interval
from kinetrain.figures.catalogue import PRUNING, Declaration
from kinetrain.figures.style import GREY, colour, control_line, first_column, marker, nothing_to_show, panels
from kinetrain.networks.controls import CONTROLS
from kinetrain.yardsticks.methods import YARDSTICKS

FIGURE = Declaration(
    title="Accuracy along the pruning path",
    section=PRUNING,
    place=2,
    sources=("path", "networks"),
    needs=("datasets",),
    caption="""
**Accuracy along the pruning path.** Each line is one method, each marker its networks before a pruning event: mean over
seeds, band: 95 % interval. Methods are compared at equal sparsity here, which the single best models of the figure
above are not. Markers stand at the mean sparsity of the seeds that were still training (of methods without events, at
the same epochs); intervals are by Student's t on the logit scale. The horizontal axis is logarithmic in the weights
that remain, since every event removes a fraction of these; sparser than 99.5 % is drawn there. Sparsity and balanced
accuracy are defined as above. Black lines: predictors without training, namely the prior alone, every true regulator
regulating every true target or all genes, and all genes regulating every true target. Coloured dashed lines:
yardsticks, ordinary network inference on the same data, whose models have no such weights; those whose networks are
dense are at chance, and are judged by their rankings in the figure above. A choice of ours.""",
)

LEAST = 0.5  # per cent of the weights: sparser models are drawn here
SPARSITIES = (0, 50, 80, 90, 95, 98, 99)


def tabulate(path: pd.DataFrame, networks: pd.DataFrame) -> pd.DataFrame:
    """Return how accurate networks are at every snapshot of the training, and those of controls and yardsticks.

    Mean and 95 % interval over the seeds still training at that epoch. Columns: panel, dataset, noise,
    prior_corruption, method, kind (method, control or yardstick), epoch, models, sparsity, balanced_accuracy,
    balanced_accuracy_low, balanced_accuracy_high; controls and yardsticks have neither epoch nor sparsity.
    """
    scored = path[path["balanced_accuracy"].notna()]
    rows = []
    for key, group in scored.groupby([*GROUP, "method", "epoch"], sort=False):
        named = dict(zip([*GROUP, "method", "epoch"], key, strict=True))
        rows.append(named | {"kind": "method", "sparsity": group["sparsity"].mean()} | _accuracy(group))
    for kind, names in (("control", CONTROLS), ("yardstick", YARDSTICKS)):
        known = networks[networks["method"].isin(names) & networks["balanced_accuracy"].notna()]
        known = known.merge(scored[GROUP].drop_duplicates())
        for key, group in known.groupby([*GROUP, "method"], sort=False):
            rows.append(dict(zip([*GROUP, "method"], key, strict=True)) | {"kind": kind} | _accuracy(group))
    values = ["balanced_accuracy", "balanced_accuracy_low", "balanced_accuracy_high"]
    table = pd.DataFrame(rows, columns=[*GROUP, "method", "kind", "epoch", "models", "sparsity", *values])
    table.insert(0, "panel", panel_names(table))
    return table


def draw(table):
    """Return one panel per data set: mean and 95 % interval of balanced accuracy, at the mean sparsity of a snapshot.

    The horizontal axis is logarithmic in the weights that remain, as each event removes a fraction of these.
    """
    if table.empty:
        return nothing_to_show("no scored snapshots")
    titles = list(table["panel"].drop_duplicates())
    figure, axes = panels(titles, width=3.6, height=3.3, legend=1.7, sharey=True)
    sparsest = min(_remaining(table["sparsity"]).min() / 1.15, 4.5)
    for axis, title in zip(axes, titles, strict=True):
        _panel(axis, table[table["panel"] == title], sparsest)
    for axis in first_column(axes):
        axis.set_ylabel("Balanced accuracy (%)")
    # the intervals of two seeds are wider than the axis, which is that of the means
    axes[0].set_ylim(min(45, 100 * table["balanced_accuracy"].min() - 3), 102)
    figure.legend(handles=_legend(table), loc="outside right upper")
    return figure


def _panel(axis, rows, sparsest) -> None:
    axis.axhline(50, color=GREY, linewidth=0.8)
    for _, row in rows[rows["kind"] != "method"].iterrows():
        axis.axhline(100 * row["balanced_accuracy"], **_line(row["method"]))
    methods = rows[rows["kind"] == "method"]
    for method in in_order(methods["method"]):
        own = methods[methods["method"] == method].sort_values("epoch")
        look = {"color": colour(method), "linewidth": 1.1, **marker(method, 3.5)}
        axis.plot(_remaining(own["sparsity"]), 100 * own["balanced_accuracy"], **look)
        bounds = (100 * own[f"balanced_accuracy_{side}"] for side in ("low", "high"))
        axis.fill_between(_remaining(own["sparsity"]), *bounds, color=colour(method), alpha=0.12, linewidth=0)
    axis.set_xscale("log")
    axis.minorticks_off()
    axis.set_xticks([100 - tick for tick in SPARSITIES], SPARSITIES)
    axis.set_xlim(115, sparsest)
    axis.set_xlabel("Sparsity of the model (%)")


def _remaining(sparsity):
    """Return the remaining weights in per cent, as drawn."""
    return (100 * (1 - sparsity)).clip(lower=LEAST)


def _line(name: str) -> dict:
    """Return the look of the line of a control or of a yardstick."""
    return control_line(name) if name in CONTROLS else {"color": colour(name), "linewidth": 1, "linestyle": (0, (5, 2))}


def _legend(table):
    from matplotlib.lines import Line2D

    methods, lines = (
        in_order(table.loc[own, "method"]) for own in (table["kind"] == "method", table["kind"] != "method")
    )
    looks = [{"color": colour(name), "linewidth": 1.1, **marker(name, 4.5), "label": label(name)} for name in methods]
    looks += [{**_line(name), "label": label(name)} for name in lines]
    return [Line2D([], [], **look) for look in [*looks, {"color": GREY, "linewidth": 0.8, "label": "Chance"}]]


def _accuracy(group: pd.DataFrame) -> dict:
    mean, low, high = mean_interval(group["balanced_accuracy"], scale=SHARE)
    interval = {"balanced_accuracy": mean, "balanced_accuracy_low": low, "balanced_accuracy_high": high}
    return interval | {"models": group["seed"].nunique()}
