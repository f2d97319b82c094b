"""Figure: mean rank by batch size, with full-batch optimizers (figure 2g of Stapor et al. 2022)."""

import pandas as pd

from kinetrain.appearance import label
from kinetrain.evaluation.benchmark import Benchmark, batch_size_grid, for_all_problems, rank_table
from kinetrain.evaluation.scores import size_order
from kinetrain.figures.catalogue import FITS, MINI_BATCH, Declaration
from kinetrain.figures.rank_by_schedule import MEAN
from kinetrain.figures.settings import looks, settings_in_order
from kinetrain.figures.style import first_column, nothing_to_show, panels
from kinetrain.tables import FULL_BATCH

FIGURE = Declaration(
    title="Rank by mini-batch size",
    section=MINI_BATCH,
    place=7,
    sources=FITS,
    needs=("problems", "batch_sizes"),
    caption="""
**Mean rank by batch size**, after figure 2g of Stapor et al. 2022. Ranks as in *Mean rank by optimizer and schedule*,
among the settings shown here; vertical lines and bands: 95 % intervals by hierarchical bootstrap over problems, data
replicates and starts. The lines are runs that differ in nothing but the batch size, of the (at most two) combinations
of optimizer, schedule and safeguard that most sizes were run with and that rank best; the paper shows its best two
with its second schedule. *all*: every condition in one batch, the same optimizer without chance, which
separates the effect of mini-batches from that of the optimizer. Horizontal: full-batch optimizers. All runs have the
same budget, so that smaller batches make more steps. The mean over models is that over the models that were run with
the same
settings. The paper's batch sizes and ranks could not be read.""",
)


def tabulate(data: Benchmark) -> pd.DataFrame:
    """Return the mean rank of every batch size and of full-batch optimizers, as rank_by_schedule."""
    return rank_table(for_all_problems(data.fits, batch_size_grid))


def draw(table):
    """Return one panel per problem and one over all: a line per optimizer over batch sizes, full batch as a band."""
    if table.empty:
        return nothing_to_show("no optimizer was run with several batch sizes")
    rows = table[["optimizer", "schedule", "safeguard"]].itertuples(index=False, name=None)
    table = table.assign(size=table["size"].astype(str), setting=[_line(*row) for row in rows])
    sizes = sorted(set(table.loc[table["schedule"] != FULL_BATCH, "size"]), key=size_order)
    problems = list(table["problem"].drop_duplicates())
    figure, axes = panels([MEAN.get(problem, problem) for problem in problems], width=3.2, height=2.9)
    look, lines = looks(settings_in_order(table)), {}
    for axis, problem in zip(axes, problems, strict=True):
        lines |= _panel(axis, table[table["problem"] == problem], sizes, look)
    for axis in first_column(axes):
        axis.set_ylabel("Mean rank (1 = best)")
    columns = min(len(look), 2 if len(axes) == 1 else 4)
    figure.legend([lines[one] for one in look], list(look), loc="outside lower center", ncols=columns)
    return figure


def _line(optimizer: str, schedule: str, safeguard: str) -> str:
    whole = schedule == FULL_BATCH
    return f"{label(optimizer)}, " + ("full batch" if whole else f"{schedule}, {label(safeguard)}")


def _panel(axis, rows, sizes, look) -> dict:
    lines = {}
    for number, (setting, own) in enumerate(rows.groupby("setting", sort=False)):
        style, first = look[setting], own.iloc[0]
        if first["schedule"] == FULL_BATCH:
            lines[setting] = axis.axhline(first["rank"], linewidth=1.2, **style)
            axis.axhspan(first["rank_low"], first["rank_high"], color=style["color"], alpha=0.12, linewidth=0)
            continue
        own = own.sort_values("size", key=lambda column: column.map(size_order))
        places = [sizes.index(size) + 0.06 * (number - 1) for size in own["size"]]
        # of equal ranks, mean and bounds are sums in another order, which may differ by rounding
        errors = [(own["rank"] - own["rank_low"]).clip(lower=0), (own["rank_high"] - own["rank"]).clip(lower=0)]
        lines[setting] = axis.errorbar(places, own["rank"], yerr=errors, marker="o", markersize=4, **style)
    axis.set_xticks(range(len(sizes)), ["all" if size == "full" else size for size in sizes])
    axis.set_xlim(-0.4, len(sizes) - 0.6)
    axis.set_xlabel(f"Conditions per batch ({rows['compared'].max()} settings)")
    return lines
