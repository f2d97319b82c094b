"""Figure: standard against balanced Adam in the best starts of each (figure 2c of Stapor et al. 2022)."""

from matplotlib.figure import Figure

from kinetrain.evaluation.names import label
from kinetrain.figures.settings import looks, settings_in_order, shared, with_setting
from kinetrain.figures.style import first_column, nothing_to_show, panels
from kinetrain.figures.waterfall import curves


def draw(table) -> Figure:
    """Return one panel per problem: the sorted final objectives of the best quarter of the starts, with intervals.

    `table` is that of kinetrain.evaluation.fits.adam_comparison.
    """
    if table.empty:
        return nothing_to_show("no pair of standard and balanced Adam with the same schedule, batch size and safeguard")
    common, table = shared(table), with_setting(table)
    problems = list(table["problem"].drop_duplicates())
    figure, axes = panels(problems, width=3.2, height=3.0)
    look, lines = looks(settings_in_order(table)), {}
    for axis, problem in zip(axes, problems, strict=True):
        rows = table[table["problem"] == problem]
        lines |= curves(axis, rows, look, marker="o")
        axis.set(yscale="log", xlabel="Best starts, sorted (% of all starts)", xlim=(0, 108 * table["place"].max()))
        axis.text(0.03, 0.97, _note(rows), transform=axis.transAxes, fontsize=7, va="top")
    for axis in first_column(axes):
        axis.set_ylabel("Final objective above the best known\n(negative log-likelihood)")
    handles = [lines[setting] for setting in look]
    figure.legend(handles, list(look), loc="outside lower center", ncols=2, title=common, title_fontsize=8)
    return figure


def _note(rows) -> str:
    first = rows.drop_duplicates("setting")[["optimizer", "failed", "runs"]]
    told = [f"{label(name)}: {failed} of {runs} failed" for name, failed, runs in first.itertuples(index=False)]
    return "\n".join(told)
