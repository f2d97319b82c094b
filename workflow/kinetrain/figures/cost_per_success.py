"""Figure: expected cost, restarts included, of coming within a distance of the optimum."""

import numpy as np
import pandas as pd

from kinetrain.evaluation.benchmark import SMALLEST, Benchmark, readable, table_of
from kinetrain.evaluation.scores import BLOCK, SETTING, costs_to_targets, expected_costs, of_settings
from kinetrain.figures.catalogue import FITS, MINI_BATCH, Declaration
from kinetrain.figures.settings import looks, settings_in_order, shared, with_setting
from kinetrain.figures.style import BLACK, GREY, new_figure, nothing_to_show

FIGURE = Declaration(
    title="Cost per success",
    section=MINI_BATCH,
    place=0,
    sources=FITS,
    needs=("problems",),
    caption="""
**What a success costs.** Above: share of the starts whose final objective lies at most this far above the best value
known. Below: expected cost of one success, a run that comes within the target on the horizontal axis. That is the cost
of all starts, each until it gets there or ends, over the number that get there, so that restarts are paid. Starts are
those on all data replicates; a curve that does not reach 1 has starts that failed or ended further away. Targets get
harder to the right; band: 95 % hierarchical bootstrap over data replicates and starts; a curve ends where no start gets
nearer. Where two curves cross, the answer to "which optimizer is cheaper" changes. Costs are in gradients of the full
objective. Dotted: the true parameters of artificial data. Costs are known to a constant factor, that between two points
of a trace (about 20). Source of the expected cost: Hansen et al. 2009 (expected running time). Of more than eight
settings the best by mean rank of each optimizer is shown, chosen on the same runs.""",
)

TARGETS = 40
MOST = 0.8  # of all runs of a problem; the hardest target that they end within is shown, and ten times more
COLUMNS = ["problem", *SETTING, "part", "excess", "value", "low", "high", "successes", "runs", "true_excess"]


def tabulate(data: Benchmark) -> pd.DataFrame:
    """Return the points of both panels: `part` is `share` (of starts) or `cost` (expected, in full gradients).

    Columns: problem and setting, part, excess (objective above the best known), value, low, high (95 % interval),
    successes, runs, true_excess (of the true parameters, NaN for measured data).
    """
    fits = readable(data.fits)
    traces = of_settings(data.traces, fits[SETTING].drop_duplicates().itertuples(index=False, name=None))
    parts = []
    for problem, group in fits.groupby("problem", sort=False):
        targets = _targets(group)
        true = data.true_excess.get(problem, np.nan)
        for setting, own in group.groupby(SETTING, sort=False):
            same = {"problem": problem, **dict(zip(SETTING, setting, strict=True)), "true_excess": true}
            ends = _share(own, targets[0])
            cost = _cost(own, traces[traces["problem"] == problem], targets)
            parts += [part.assign(**same, runs=len(own)) for part in (ends, cost)]
    return table_of(parts, COLUMNS)


def _targets(fits) -> np.ndarray:
    """Return the targets: from above most ends to the smallest difference that counts.

    Single diverged runs would compress the range of all others.
    """
    ended = fits.loc[np.isfinite(fits["excess"]), "excess"]
    highest = 10 * ended.quantile(MOST) if len(ended) else 0.0
    return np.geomspace(max(highest, 10 * SMALLEST), SMALLEST, TARGETS)


def _share(own, highest: float) -> pd.DataFrame:
    """Return the steps of the distribution of the final objectives, up to the highest target."""
    ended = np.sort(own.loc[own["excess"] <= highest, "excess"].clip(lower=SMALLEST))
    count = np.append(np.arange(1, len(ended) + 1), len(ended))
    steps = {"part": "share", "excess": np.append(ended, highest), "value": count / len(own), "successes": count}
    return pd.DataFrame(steps)


def _cost(own, traces, targets) -> pd.DataFrame:
    cost, hit = costs_to_targets(own, traces, targets)
    value, low, high = expected_costs(own[BLOCK], cost, hit)
    whole = (own["gradient_weight"] * own["conditions"]).iloc[0]
    table = {"part": "cost", "excess": targets, "value": value / whole, "low": low / whole, "high": high / whole}
    return pd.DataFrame(table | {"successes": hit.sum(axis=0)}).query("successes > 0")


def draw(table):
    """Return one column per problem: the distribution of the final objectives above, the expected cost below."""
    if table.empty:
        return nothing_to_show("no fits")
    common, table = shared(table), with_setting(table)
    problems, look = list(table["problem"].drop_duplicates()), looks(settings_in_order(table))
    figure = new_figure(3.4 * len(problems) + (1.2 if len(problems) == 1 else 0), 5.6)
    axes = figure.subplots(2, len(problems), squeeze=False, sharex="col")
    lines = {}
    for column, problem in zip(axes.T, problems, strict=True):
        rows = table[table["problem"] == problem]
        column[0].set_title(problem)
        _panel(column[0], rows[rows["part"] == "share"], look, "steps-post")
        lines |= _panel(column[1], rows[rows["part"] == "cost"], look, "default")
        _finish(column, rows)
    axes[0, 0].set_ylabel("Share of starts that end\nat most this far above")
    axes[1, 0].set_ylabel("Expected cost per success\n(gradients of the full objective)")
    columns = min(len(lines), 2 if len(problems) == 1 else 4)
    handles = [lines[one] for one in look if one in lines]
    names = [one for one in look if one in lines]
    figure.legend(handles, names, loc="outside lower center", ncols=columns, title=common, title_fontsize=8)
    return figure


def _panel(axis, rows, look, style) -> dict:
    lines = {}
    for setting, own in rows.groupby("setting", sort=False):
        own = own.sort_values("excess")
        (lines[setting],) = axis.plot(own["excess"], own["value"], drawstyle=style, linewidth=1.3, **look[setting])
        axis.fill_between(own["excess"], own["low"], own["high"], color=look[setting]["color"], alpha=0.13, linewidth=0)
    return lines


def _finish(column, rows) -> None:
    above, below = column
    above.set(xscale="log", ylim=(-0.03, 1.03))
    positive = (rows.loc[rows["part"] == "cost", "value"] > 0).any()  # starts that meet all targets cost nothing
    below.set(
        yscale="log" if positive else "linear", xlabel="Objective above the best known\n(harder targets to the right)"
    )
    below.set_xlim(rows["excess"].max() * 1.2, rows["excess"].min() / 1.2)
    true = rows["true_excess"].iloc[0]
    for axis in column:
        if np.isfinite(true) and true > 0:
            axis.axvline(true, color=BLACK, linestyle=":", linewidth=1)
    above.axhline(1, color=GREY, linewidth=0.6)
