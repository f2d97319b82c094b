"""Figure: mean rank by optimizer and learning-rate schedule (figure 2b of Stapor et al. 2022)."""

import pandas as pd

from kinetrain.appearance import in_order, label
from kinetrain.evaluation.benchmark import Benchmark, for_all_problems, rank_table, schedule_grid
from kinetrain.figures.catalogue import FITS, MINI_BATCH, Declaration
from kinetrain.figures.style import GREY, colour, nothing_to_show, panels
from kinetrain.tables import FULL_BATCH

FIGURE = Declaration(
    title="Rank by optimizer and schedule",
    section=MINI_BATCH,
    place=5,
    sources=FITS,
    needs=("problems", "schedules"),
    caption="""
**Mean rank by optimizer and learning-rate schedule**, after figure 2b of Stapor et al. 2022. From each start all shown
settings are ranked by their final objective, 1 being the lowest; a dot is the mean rank, the line its 95 % interval.
Intervals are by hierarchical bootstrap over problems, data replicates and starts. Ties share their mean rank, and
failed runs tie at the bottom (choices of ours: the paper's rules could not be read). Ranks depend on the compared set:
it is exactly what is shown, and its size stands below each panel. The mean over models is that over the models that
were run with the same settings. Shown are the schedules at the batch size and safeguard that most combinations of
optimizer and schedule were run with (named in the legend); full-batch optimizers are ranked with them. Schedules are
called by their first learning rate. Ranks do not show the sizes of differences; see *Final objective per optimizer*
for these. The paper's schedules and ranks could not be read.""",
)

MARKERS = "osD^vPX*<>pdhH8"  # of the schedules, in their order
MEAN = {"all problems": "Mean over models"}


def tabulate(data: Benchmark) -> pd.DataFrame:
    """Return the mean rank of every optimizer with every schedule, per problem and over all. Columns: RANKS.

    Over all are the most problems that were run with the same settings.
    """
    return rank_table(for_all_problems(data.fits, schedule_grid))


def draw(table):
    """Return one panel per problem and one over all: a row per optimizer, a dot with interval per schedule."""
    if table.empty:
        return nothing_to_show("no optimizer was run with several schedules")
    problems, optimizers = list(table["problem"].drop_duplicates()), in_order(table["optimizer"])
    schedules = sorted(set(table["schedule"]) - {FULL_BATCH})
    titles = [MEAN.get(problem, problem) for problem in problems]
    height = 0.9 + 0.36 * len(optimizers)
    figure, axes = panels(titles, width=3.2, height=height, legend=1.0, sharey=True)
    for axis, problem in zip(axes, problems, strict=True):
        rows = table[table["problem"] == problem]
        _panel(axis, rows, optimizers, schedules)
        axis.set_xlabel(f"Mean rank (1 = best of {rows['compared'].max()})")
    axes[0].set_yticks(range(len(optimizers)), [label(name) for name in optimizers])
    axes[0].set_ylim(len(optimizers) - 0.5, -0.5)
    figure.legend(_handles(schedules), [*schedules, "full batch"], loc="outside right center", title=_same(table))
    return figure


def _panel(axis, rows, optimizers, schedules) -> None:
    for row in rows.itertuples():
        shift = 0 if row.schedule == FULL_BATCH else (schedules.index(row.schedule) + 0.5) / len(schedules) - 0.5
        place = optimizers.index(row.optimizer) + 0.8 * shift
        tone = colour(row.optimizer)
        axis.plot([row.rank_low, row.rank_high], [place] * 2, color=tone, linewidth=1.2)
        axis.plot(row.rank, place, color=tone, markersize=4, **_marker(row.schedule, schedules))
    axis.grid(axis="y", visible=False)
    for place in range(1, len(optimizers)):
        axis.axhline(place - 0.5, color="#E6E6E6", linewidth=0.6)


def _marker(schedule: str, schedules: list[str]) -> dict:
    if schedule == FULL_BATCH:
        return {"marker": "|", "markeredgewidth": 2}
    return {"marker": MARKERS[schedules.index(schedule) % len(MARKERS)]}


def _handles(schedules):
    from matplotlib.lines import Line2D

    names = [*schedules, FULL_BATCH]
    return [Line2D([], [], color=GREY, linestyle="none", markersize=5, **_marker(name, schedules)) for name in names]


def _same(table) -> str:
    """Return the batch sizes and safeguards that the runs share, as the title of the legend."""
    mini = table[table["schedule"] != FULL_BATCH]
    sizes = ", ".join("all" if size == "full" else str(size) for size in mini["size"].unique())
    return f"batch {sizes},\n{', '.join(label(name) for name in mini['safeguard'].unique())}"
