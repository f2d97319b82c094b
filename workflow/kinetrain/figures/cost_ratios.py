"""Figure: cost of full-batch training over that of mini-batches and hybrids, by the distance to the optimum."""

import numpy as np

from kinetrain.appearance import label
from kinetrain.evaluation.cost_ratios import BEST, CLAIMED, TARGETS
from kinetrain.evaluation.cost_ratios import ratios as tabulate  # noqa: F401
from kinetrain.figures.catalogue import FITS, MINI_BATCH, Declaration
from kinetrain.figures.style import BLACK, GREY, colour, new_figure, nothing_to_show

FIGURE = Declaration(
    title="Cost ratios",
    section=MINI_BATCH,
    place=1,
    sources=FITS,
    needs=("problems", "optimizers"),
    caption="""
**"More than an order of magnitude"**, the claim of Stapor et al. 2022, read off the cost per success: expected cost of
a success of full-batch training over that of the cheapest mini-batch setting (filled) and hybrid (open). Above 1 full
batch costs more; dashed: ten times more. Targets are coarse, medium and fine (100, 10 and 1 above the best value
known); a hybrid goes on in full batch. Settings, and the best full-batch optimizer, are chosen for each target on one
half of the starts and judged on the other half. Bars: 95 % hierarchical bootstrap over data replicates and starts; they
go to the edge where one side never reaches the target. Above: forward solves of one condition; below: CPU seconds of
the evaluations, mini-batch runs from several starts side by side, as they are run.""",
)

UNITS = {"cost": "forward solves", "cpu_seconds": "CPU seconds"}
KINDS = {"mini-batch": True, "hybrid": False}  # filled markers or open ones


def draw(table):
    """Return one column per problem, one row per unit of cost: a group of points with bars per target."""
    if table.empty:
        return nothing_to_show("no mini-batch or no full-batch fits")
    drawn = table[_is_drawn(table)]
    without = [name for name in table["problem"].unique() if name not in set(drawn["problem"])]
    if drawn.empty:
        return nothing_to_show("no target is reached by both sides")
    problems, others = list(drawn["problem"].unique()), list(table["other"].unique())
    figure = new_figure(3.4 * len(problems) + (1.2 if len(problems) == 1 else 0), 5.2)
    axes = figure.subplots(2, len(problems), squeeze=False, sharex=True, sharey=True)
    lines = {}
    for column, problem in zip(axes.T, problems, strict=True):
        column[0].set_title(problem)
        for axis, unit in zip(column, UNITS, strict=True):
            rows = table[(table["problem"] == problem) & (table["unit"] == unit)]
            lines |= _panel(axis, rows, others)
    for axis, unit in zip(axes[:, 0], UNITS.values(), strict=True):
        axis.set_ylabel(f"Cost of full batch over\nmini-batch ({unit})")
    said = f"Not shown, as no target is reached by both sides: {', '.join(without)}." if without else None
    look = {"loc": "outside lower center", "ncols": 2 if len(problems) == 1 else 4, "title_fontsize": 8}
    figure.legend(lines.values(), lines.keys(), title=said, **look)
    return figure


def _is_drawn(rows):
    return np.isfinite(rows["factor"]) & (rows["factor"] > 0)


def _panel(axis, rows, others) -> dict:
    lines, places = {}, np.linspace(-0.36, 0.36, len(others) * len(KINDS))
    for number, (other, (kind, filled)) in enumerate((other, kind) for other in others for kind in KINDS.items()):
        own = rows[(rows["other"] == other) & (rows["kind"] == kind) & _is_drawn(rows)]
        if own.empty:
            continue
        tone = BLACK if other == BEST else colour(other)
        at = [list(TARGETS).index(target) + places[number] for target in own["target"]]
        name = f"{other if other == BEST else label(other)} over {kind}"
        look = {"color": tone, "markerfacecolor": tone if filled else "white", "markersize": 4.5}
        (lines[name],) = axis.plot(at, own["factor"], "o", **look)
        axis.vlines(at, own["low"].clip(lower=1e-9), own["high"].clip(upper=1e9), color=tone, linewidth=1)
    axis.axhline(1, color=GREY, linewidth=0.8)
    axis.axhline(CLAIMED, color=GREY, linewidth=0.8, linestyle="--")
    axis.set(yscale="log", ylim=_limits(rows))
    axis.set_xticks(range(len(TARGETS)), [f"{name}\n({value:g})" for name, value in TARGETS.items()])
    axis.grid(axis="x", visible=False)
    return lines


def _limits(rows) -> tuple[float, float]:
    """Return a range that holds all ratios and the claimed one, and the bars as far as three times beyond."""
    known = rows.loc[_is_drawn(rows), "factor"]
    return min(0.1, known.min() / 3) if len(known) else 0.1, max(30.0, known.max() * 3) if len(known) else 30.0
