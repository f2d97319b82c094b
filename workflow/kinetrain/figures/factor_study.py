"""Figure: accuracy and error of neural models and yardsticks by one factor of the simulated networks at a time."""

import numpy as np
import pandas as pd

from kinetrain.appearance import in_order, label
from kinetrain.evaluation.network_summaries import GROUP, means, prediction_error
from kinetrain.figures.catalogue import PRUNING, Declaration
from kinetrain.figures.style import BLACK, colour, error_bars, marker, new_figure, nothing_to_show
from kinetrain.networks.controls import CONTROLS
from kinetrain.yardsticks.methods import YARDSTICKS

FIGURE = Declaration(
    title="When is a neural model worth its training?",
    section=PRUNING,
    place=6,
    sources=("networks", "simulations"),
    needs=("datasets", "factors"),
    caption="""
**When is a neural model worth its training?** Random networks that differ from a common baseline in one factor at a
time: a column per factor, from left to right its levels. Solid lines: neural models; dashed: ordinary network
inference on the same data (yardsticks). Test error: mean squared error on noise-free test data divided by that of
"next = now" (line at 1, logarithmic axis). Mean over seeds and 95 % interval by Student's t on the logit scale (errors:
logarithmic); seeds draw the model, the noise and the corruption of the prior, while the network of a level is one draw,
so that steps between neighbouring levels of the first factors may be due to the network. Ranges (Hill exponents, EC50)
stand by their middle. A level without a point: a model's error is infinite.""",
)

QUANTITIES = {"auprc": "AUPRC (%)", "balanced_accuracy": "Balanced accuracy (%)", "ratio": "Relative test error"}
TITLES = {
    "exponents": "Hill exponent",
    "half": "EC50",
    "decay_spread": "Spread of decay rates",
    "in_degree": "Regulators per target",
    "trajectories": "Trajectories",
    "noise": "Noise",
    "prior_corruption": "Prior moved",
}
NO_FACTORS = ("dataset", "seed")


def tabulate(networks: pd.DataFrame, simulations: pd.DataFrame) -> pd.DataFrame:
    """Return mean and 95 % interval over seeds of every quantity, method and level of every factor.

    The baseline has the most frequent value of every factor; a level of a factor differs from it in that factor alone.
    Columns: factor, value, method, quantity, models, mean, low, high.
    """
    names = ["factor", "value", "method", "quantity", "models", "mean", "low", "high"]
    simulations = simulations[~simulations["factor"].isin(NO_FACTORS)]
    settings = simulations.pivot(index="dataset", columns="factor", values="value").astype(float)
    levels = networks[GROUP].drop_duplicates()
    levels = levels[levels["dataset"].isin(settings.index)].merge(settings.reset_index(), on="dataset")
    if levels.empty:
        return pd.DataFrame(columns=names)
    values = levels.drop(columns="dataset").fillna(-1)  # what is drawn counts as one value
    usual = values.mode().iloc[0]
    differs = values != usual
    errors = prediction_error(networks)[[*GROUP, "method", "seed", "ratio"]]
    models = networks[~networks["method"].isin(CONTROLS)]
    models = models.merge(errors, on=[*GROUP, "method", "seed"], how="left")
    parts = []
    for factor in values.columns:
        own = levels[~differs.drop(columns=factor).any(axis=1)].assign(value=values[factor])
        if own["value"].nunique() < 2:
            continue
        scored = models.merge(own[[*GROUP, "value"]]).sort_values(["value", "method"], kind="stable")
        parts.append(means(scored, ["value", "method"], QUANTITIES, errors=["ratio"]).assign(factor=factor))
    return pd.concat(parts)[names] if parts else pd.DataFrame(columns=names)


def draw(table):
    """Return one column of panels per factor and one row per quantity."""
    if table.empty:
        return nothing_to_show("no data sets that differ from a baseline in one factor")
    known = [name for name in TITLES if name in set(table["factor"])]
    factors = [*known, *sorted(set(table["factor"]) - set(known))]
    methods = in_order(table["method"])
    figure = new_figure(2.3 * len(factors) + 1.9, 2.3 * len(QUANTITIES))
    axes = figure.subplots(len(QUANTITIES), len(factors), squeeze=False, sharey="row", sharex="col")
    for row, (quantity, name) in zip(axes, QUANTITIES.items(), strict=True):
        for axis, factor in zip(row, factors, strict=True):
            _panel(axis, table[(table["factor"] == factor) & (table["quantity"] == quantity)], methods, quantity)
        row[0].set_ylabel(name)
    for axis, factor in zip(axes[0], factors, strict=True):
        axis.set_title(TITLES.get(factor, factor.replace("_", " ")))
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper")
    return figure


def _panel(axis, rows, methods, quantity) -> None:
    values = np.sort(rows["value"].unique())
    scale = 1 if quantity == "ratio" else 100
    for number, method in enumerate(methods):
        own = rows[rows["method"] == method].set_index("value").reindex(values).replace(np.inf, np.nan)
        places = np.arange(len(values)) + 0.3 * (number / max(len(methods) - 1, 1) - 0.5)  # keeps intervals apart
        bars = scale * error_bars(own)
        if quantity == "ratio":  # bounds below zero cannot be drawn on a logarithmic axis
            bars[0] = np.fmin(bars[0], 0.9 * own["mean"])
        look = {"color": colour(method), "linestyle": "--" if method in YARDSTICKS else "-", **marker(method, 4)}
        axis.errorbar(places, scale * own["mean"], bars, linewidth=1, elinewidth=0.7, label=label(method), **look)
    if quantity == "ratio":
        axis.set_yscale("log")
        axis.axhline(1, color=BLACK, linewidth=0.8)
    axis.set_xticks(range(len(values)), [f"{value:.3g}" if value >= 0 else "drawn" for value in values])
