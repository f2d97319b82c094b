"""Figure: performance profiles and data profiles of the settings over all problems."""

import numpy as np
import pandas as pd

from kinetrain.evaluation.benchmark import SMALLEST, Benchmark, readable, table_of
from kinetrain.evaluation.cost_ratios import TARGETS
from kinetrain.evaluation.scores import BLOCK, SETTING, costs_to_targets, of_settings
from kinetrain.figures.catalogue import FITS, MINI_BATCH, Declaration
from kinetrain.figures.settings import looks, settings_in_order, shared, with_setting
from kinetrain.figures.style import new_figure, nothing_to_show

FIGURE = Declaration(
    title="Performance and data profiles",
    section=MINI_BATCH,
    place=3,
    sources=FITS,
    needs=("problems", "optimizers"),
    caption="""
**How often a setting is the cheapest, and how often it reaches the target**, over all problems, data replicates and
starts. Above: share of the starts from which a setting reaches the target at up to so many times the cost of the
cheapest; below: against the cost itself. Targets are coarse, medium and fine (100, 10 and 1 above the best value
known). Above are performance profiles (Dolan and More 2002), in which the cheapest setting is that from the same start;
below data profiles (More and Wild 2009), with costs in gradients of the full objective. Of more than eight settings the
best by mean rank of each optimizer is shown, chosen on the same runs; settings that not all problems were run with are
shown over those that were.""",
)

COLUMNS = [*SETTING, "target", "part", "at", "share", "runs"]


def tabulate(data: Benchmark) -> pd.DataFrame:
    """Return the steps of both profiles: `part` is `ratio` (to the cheapest setting) or `cost` (in full gradients)."""
    fits = readable(data.fits)
    traces = of_settings(data.traces, fits[SETTING].drop_duplicates().itertuples(index=False, name=None))
    cost, hit = costs_to_targets(fits, traces, np.array(list(TARGETS.values())))
    parts = []
    for number, target in enumerate(TARGETS):
        own = fits[[*BLOCK, *SETTING]].assign(reached=np.where(hit[:, number], cost[:, number], np.inf))
        cheapest = own.groupby(BLOCK)["reached"].transform("min")
        whole = (fits["gradient_weight"] * fits["conditions"]).to_numpy()
        ratio = own["reached"].clip(lower=SMALLEST) / cheapest.clip(lower=SMALLEST)  # 1 where neither costs anything
        for part, at in (("ratio", ratio), ("cost", own["reached"] / whole)):
            for setting, group in at.groupby([own[name] for name in SETTING], sort=False):
                reached = np.sort(group[np.isfinite(group)])
                steps = {"at": reached, "share": np.arange(1, len(reached) + 1) / len(group), "runs": len(group)}
                same = dict(zip(SETTING, setting, strict=True)) | {"target": target, "part": part}
                parts.append(pd.DataFrame(steps).assign(**same))
    return table_of(parts, COLUMNS)


def draw(table):
    """Return one column per target: performance profiles above, data profiles below."""
    if table.empty:
        return nothing_to_show("no setting reaches a target")
    common, table = shared(table), with_setting(table)
    look = looks(settings_in_order(table))
    figure = new_figure(3.2 * len(TARGETS), 5.2)
    axes = figure.subplots(2, len(TARGETS), sharey=True, sharex="row")
    lines = {}
    for column, target in zip(axes.T, TARGETS, strict=True):
        column[0].set_title(f"{target} target ({TARGETS[target]:g})")
        for axis, part in zip(column, ("ratio", "cost"), strict=True):
            rows = table[(table["target"] == target) & (table["part"] == part)]
            for setting, own in rows.groupby("setting", sort=False):
                own = own.sort_values("at")
                at = [*own["at"], rows["at"].max() * 1.1]  # no further start arrives
                (lines[setting],) = axis.step(
                    at, [*own["share"], own["share"].iloc[-1]], where="post", linewidth=1.3, **look[setting]
                )
            axis.set(xscale="log" if (rows["at"] > 0).any() else "linear", ylim=(-0.03, 1.03))
        column[0].set_xlabel("Cost over that of the cheapest")
        column[1].set_xlabel("Cost (gradients of the full objective)")
    for axis in axes[:, 0]:
        axis.set_ylabel("Share of the starts")
    drawn = [setting for setting in look if setting in lines]
    handles = [lines[setting] for setting in drawn]
    figure.legend(handles, drawn, loc="outside lower center", ncols=min(len(drawn), 3), title=common, title_fontsize=8)
    return figure
