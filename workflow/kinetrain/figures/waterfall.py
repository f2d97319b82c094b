"""Figure: the sorted final objectives of all starts (waterfall plot)."""

import pandas as pd

from kinetrain.evaluation.benchmark import PLACES, Benchmark, readable, sorted_objectives, table_of
from kinetrain.evaluation.scores import SETTING
from kinetrain.figures.catalogue import FITS, MINI_BATCH, Declaration
from kinetrain.figures.curves import curves_of_settings, draw_sorted
from kinetrain.figures.style import nothing_to_show

FIGURE = Declaration(
    title="All starts",
    section=MINI_BATCH,
    place=3,
    sources=FITS,
    needs=("problems",),
    caption="""
**All starts, sorted.** Final objectives above the best known of all starts and data replicates of each setting, from
the best to the worst; a curve ends where the failed runs begin. Band: 95 % interval of the quantile by hierarchical
bootstrap over data replicates and starts. Of more than eight settings the best by mean rank of each optimizer is
shown, chosen on the same runs. Differences below 0.001 are drawn at 0.001. A flat beginning means that many starts
find the same optimum.""",
)


def tabulate(data: Benchmark) -> pd.DataFrame:
    """Return the sorted final objectives of each setting: a row per place. Columns as adam_comparison."""
    groups = readable(data.fits).groupby(["problem", *SETTING], sort=False)
    return table_of([sorted_objectives(group) for _, group in groups], PLACES)


def draw(table):
    """Return one panel per problem: a curve per setting that ends where its starts fail, with an interval as a band."""
    if table.empty:
        return nothing_to_show("no fits")
    return curves_of_settings(table, _panel, 3.4, "Final objective")


def _panel(axis, rows, look) -> dict:
    lines = draw_sorted(axis, rows, look)
    axis.set(yscale="log", xlabel="Starts, sorted (%)", xlim=(0, 100))
    return lines
