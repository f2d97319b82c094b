"""Figure: mean ranks of the settings, and how far apart they must lie to differ (Demsar 2006)."""

import pandas as pd

from kinetrain.evaluation.benchmark import Benchmark, readable, table_of
from kinetrain.evaluation.scores import SETTING, friedman, in_all_problems
from kinetrain.figures.catalogue import FITS, MINI_BATCH, Declaration
from kinetrain.figures.settings import settings_in_order, shared, with_setting
from kinetrain.figures.style import BLACK, GREY, colour, new_figure, nothing_to_show

FIGURE = Declaration(
    title="Critical differences",
    section=MINI_BATCH,
    place=10,
    sources=FITS,
    needs=("problems", "optimizers"),
    caption="""
**Mean ranks of the settings by final objective** (1 is the lowest), over all problems and data replicates that every
setting was run with. On each data set the settings are ranked by their mean rank over its starts. Settings that a grey
line joins do not differ by Nemenyi's test at 0.05, of which one observation is that of a data set. It is drawn from
five problems on: with fewer, Nemenyi's test can hardly tell any settings apart. Source: Demsar 2006. Of more than eight
settings the best by mean rank of each optimizer is shown.""",
)


FEWEST_PROBLEMS = 5  # replicates of a problem are not others: they are drawn from the same truth


def tabulate(data: Benchmark) -> pd.DataFrame:
    """Return mean rank per setting, with the critical distance and the p value of Friedman's test; empty without it."""
    common = in_all_problems(readable(data.fits))
    found = friedman(common) if common["problem"].nunique() >= FEWEST_PROBLEMS else None
    names = ["critical_distance", "p_value", "statistic", "settings"]
    if found is None:
        return table_of([], [*SETTING, "rank", "data_sets", *names])
    table = found["ranks"].rename("rank").reset_index()
    table = table.assign(data_sets=found["blocks"], **{name: found[name] for name in names})
    return table.sort_values("rank")[[*SETTING, "rank", "data_sets", *names]]


def draw(table):
    """Return one axis of ranks, a setting per row, and a line over every largest group that does not differ."""
    if table.empty:
        return nothing_to_show("no test, as there are fewer than three settings or five problems")
    common, table = shared(table), with_setting(table).sort_values("rank", kind="stable").reset_index(drop=True)
    optimizer, distance = settings_in_order(table), table["critical_distance"].iloc[0]
    figure = new_figure(6.4, 1.2 + 0.3 * len(table))
    axis = figure.subplots()
    for place, row in enumerate(table.itertuples()):
        axis.plot(row.rank, place, "o", color=colour(optimizer[row.setting]), markersize=6)
    for first, last in _cliques(table["rank"].to_numpy(), distance):
        axis.plot(table["rank"][[first, last]], [first, last], color=GREY, linewidth=1.5, zorder=0)
    axis.plot([1, 1 + distance], [-0.8, -0.8], color=BLACK, linewidth=2)
    axis.text(
        1, -1.0, f"critical distance {distance:.2g} ({table['data_sets'].iloc[0]} data sets)", fontsize=7, va="bottom"
    )
    axis.set_yticks(range(len(table)), table["setting"], fontsize=7.5)
    axis.set(xlabel=f"Mean rank. {common}".strip(), ylim=(len(table) - 0.4, -1.6))
    return figure


def _cliques(ranks, distance: float) -> list[tuple[int, int]]:
    """Return first and last of every largest run of sorted ranks (n,) that lie within the distance."""
    ends = [max(j for j in range(len(ranks)) if ranks[j] - ranks[i] <= distance) for i in range(len(ranks))]
    return [(i, end) for i, end in enumerate(ends) if end > i and (i == 0 or ends[i - 1] < end)]
