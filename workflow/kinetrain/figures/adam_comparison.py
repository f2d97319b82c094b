"""Figure: standard against balanced Adam in the best starts of each (figure 2c of Stapor et al. 2022)."""

from matplotlib.figure import Figure

from kinetrain.evaluation.names import label
from kinetrain.figures.curves import curves_of_settings, draw_sorted
from kinetrain.figures.style import nothing_to_show


def draw(table) -> Figure:
    """Return one panel per problem: the sorted final objectives of the best quarter of the starts, with intervals.

    `table` is that of kinetrain.evaluation.fits.adam_comparison.
    """
    if table.empty:
        return nothing_to_show("no pair of standard and balanced Adam with the same schedule, batch size and safeguard")
    limit = 108 * table["place"].max()

    def panel(axis, rows, look):
        lines = draw_sorted(axis, rows, look, marker="o")
        axis.set(yscale="log", xlabel="Best starts, sorted (% of all starts)", xlim=(0, limit))
        axis.text(0.03, 0.97, _note(rows), transform=axis.transAxes, fontsize=7, va="top")
        return lines

    return curves_of_settings(table, panel, 3.2, "Final objective", most_columns=2)


def _note(rows) -> str:
    first = rows.drop_duplicates("setting")[["optimizer", "failed", "runs"]]
    told = [f"{label(name)}: {failed} of {runs} failed" for name, failed, runs in first.itertuples(index=False)]
    return "\n".join(told)
