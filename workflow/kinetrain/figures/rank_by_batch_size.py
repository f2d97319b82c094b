"""Figure: mean rank by batch size, beside full-batch optimizers (figure 2g of Stapor et al. 2022)."""

from matplotlib.figure import Figure

from kinetrain.evaluation.names import FULL_BATCH, label
from kinetrain.evaluation.scores import size_order
from kinetrain.figures.rank_by_schedule import MEAN
from kinetrain.figures.settings import looks, settings_in_order
from kinetrain.figures.style import first_column, nothing_to_show, panels


def draw(table) -> Figure:
    """Return one panel per problem and one over all: a line per optimizer over batch sizes, full batch as a band.

    `table` is that of kinetrain.evaluation.fits.rank_by_batch_size.
    """
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
        errors = [own["rank"] - own["rank_low"], own["rank_high"] - own["rank"]]
        lines[setting] = axis.errorbar(places, own["rank"], yerr=errors, marker="o", markersize=4, **style)
    axis.set_xticks(range(len(sizes)), ["all" if size == "full" else size for size in sizes])
    axis.set_xlim(-0.4, len(sizes) - 0.6)
    axis.set_xlabel(f"Conditions per batch ({rows['compared'].max()} settings)")
    return lines
