"""Figure: standard against balanced Adam in the best starts of each (figure 2c of Stapor et al. 2022)."""

import pandas as pd

from kinetrain.appearance import label
from kinetrain.evaluation.benchmark import (
    PLACES,
    QUARTER,
    Benchmark,
    adams,
    for_all_problems,
    sorted_objectives,
    table_of,
)
from kinetrain.evaluation.scores import SETTING
from kinetrain.figures.catalogue import FITS, MINI_BATCH, Declaration
from kinetrain.figures.curves import curves_of_settings, draw_sorted
from kinetrain.figures.style import nothing_to_show

FIGURE = Declaration(
    title="Standard and balanced Adam",
    section=MINI_BATCH,
    place=6,
    sources=FITS,
    needs=("problems", "optimizers"),
    caption="""
**Standard against balanced Adam**, after figure 2c of Stapor et al. 2022. Final objectives above the best known of the
best quarter of the starts of each, sorted, with 95 % intervals as bands. The best quarter is the best 25 of 100 as in
the paper; intervals are those of the quantile, by hierarchical bootstrap over data replicates and starts. Both have the
schedule, batch size and safeguard at which the two together rank best, named below the panels: a choice of ours. The
best quarter are other starts for each of the two, and it hides how often a run fails, which is noted above each panel;
*Findings* compares the two start by start over all runs. Differences below 0.001 are drawn at 0.001.""",
)


def tabulate(data: Benchmark) -> pd.DataFrame:
    """Return the sorted final objectives of the best quarter of the starts of standard and balanced Adam.

    Columns: problem and setting, place (share of starts that end at least as low), excess, low, high (95 % hierarchical
    bootstrap interval of the quantile), failed, runs and the interval of the failure rate.
    """
    fits = for_all_problems(data.fits, adams)
    parts = [sorted_objectives(group, 1 / QUARTER) for _, group in fits.groupby(["problem", *SETTING], sort=False)]
    return table_of(parts, PLACES)


def draw(table):
    """Return one panel per problem: the sorted final objectives of the best quarter of the starts, with intervals."""
    if table.empty:
        return nothing_to_show("no pair of standard and balanced Adam with the same schedule, batch size and safeguard")
    limit = 108 * table["place"].max()

    def panel(axis, rows, look):
        lines = draw_sorted(axis, rows, look, marker="o")
        axis.set(yscale="log", xlabel="Best starts, sorted (% of all starts)", xlim=(0, limit))
        note = _note(rows)  # above the panel: curves may lie anywhere in it
        place = {"xytext": (0, 3), "xycoords": "axes fraction", "textcoords": "offset points"}
        axis.annotate(note, (0, 1), fontsize=7, va="bottom", **place)
        axis.set_title(axis.get_title(loc="left"), pad=6 + 9 * len(note.splitlines()))
        return lines

    return curves_of_settings(table, panel, 3.2, "Final objective", most_columns=2)


def _note(rows) -> str:
    first = rows.drop_duplicates("setting")[["optimizer", "failed", "runs"]]
    notes = [f"{label(name)}: {failed} of {runs} failed" for name, failed, runs in first.itertuples(index=False)]
    return "\n".join(notes)
