"""Figure: measured time courses, and those that the best fit of each problem simulates."""

import numpy as np
import pandas as pd

from kinetrain.figures.catalogue import MINI_BATCH, Declaration
from kinetrain.figures.style import BLACK, BLUE, GREY, ORANGE, RED, new_figure, nothing_to_show

FIGURE = Declaration(
    title="Time courses of the best fit",
    section=MINI_BATCH,
    place=11,
    sources=("courses",),
    needs=("petab",),
    caption="""
**Measured and simulated time courses.** Dots: measurements with their noise; solid lines: simulated with the parameters
of the best of all fits; dashed: with the nominal ones (of artificial data the truth). Titles say how many of how many
curves are shown. Panels and curves are those of PEtab's visualization table, else the first observables, each in the
first conditions in which it is measured at several times. The noise is the standard deviation that the best fit
assumes. Where an observable has noise on a logarithmic scale its error bars are asymmetric. Lines are simulated at 100
even times and at the measured ones. Measurements of steady states (at infinite time) are not shown. Of several data
replicates the first is shown; ``tables/courses.tsv`` holds all. The best fit is that of ``tables/estimates.tsv``.""",
)

# Okabe & Ito 2008, without yellow, which is pale on white
COLOURS = [BLUE, RED, "#009E73", "#CC79A7", ORANGE, "#56B4E9", BLACK, GREY]
COLUMNS = 3
WIDTH, HEIGHT, LEGEND = 2.7, 2.2, 0.7  # inches of a panel, and of names beside it


def tabulate(courses: pd.DataFrame) -> pd.DataFrame:
    """Return the time courses of the first replicate of each problem, as the table `courses` has them."""
    first = courses.groupby("problem")["replicate"].transform("min")
    return courses[courses["replicate"] == first]


def draw(table):
    """Return a group of panels per problem: dots for measurements, lines for simulations, a colour per curve."""
    if table.empty:
        return nothing_to_show("no time courses")
    problems = list(table["problem"].drop_duplicates())
    numbers = [table.loc[table["problem"] == problem, "panel"].nunique() for problem in problems]
    columns = min(COLUMNS, max(numbers))
    rows = [-(-number // columns) for number in numbers]
    figure = new_figure((WIDTH + LEGEND) * columns, HEIGHT * sum(rows) + 0.3)
    grid = figure.subplots(sum(rows), columns, squeeze=False)
    for place, (problem, number) in enumerate(zip(problems, numbers, strict=True)):
        block = grid[sum(rows[:place]) : sum(rows[: place + 1])].ravel()
        own = table[table["problem"] == problem]
        for axis, panel in zip(block, own["panel"].drop_duplicates(), strict=False):
            _panel(axis, own[own["panel"] == panel], number)
        _legends(block[:number], min(number, columns))
        for spare in block[number:]:
            spare.set_visible(False)
    figure.legend(handles=_handles(table), loc="outside lower center", ncols=3)
    return figure


def _panel(axis, rows, panels) -> None:
    first = rows.iloc[0]
    curves = rows.groupby(["label", "condition", "observable"], sort=False)
    for number, ((label, *_), curve) in enumerate(curves):
        _curve(axis, curve, COLOURS[number % len(COLOURS)], _safe(str(label)))
    shown = {"curves": curves.ngroups, "panels": panels}
    note = ", ".join(f"{number} of {first[what]} {what}" for what, number in shown.items() if number < first[what])
    axis.set_title("\n".join(filter(None, [_safe(str(first["title"])), first["problem"], note])), fontsize=8)
    labels = {side: first[f"{side}_label"] for side in ("x", "y")}
    axis.set_xlabel(_safe(labels["x"]) if isinstance(labels["x"], str) else "Time (in the model's unit)", fontsize=8)
    axis.set_ylabel(_safe(labels["y"]) if isinstance(labels["y"], str) else "Value", fontsize=8)
    axis.set(xscale=first["x_scale"], yscale=first["y_scale"])


def _legends(axes, columns) -> None:
    """Name the curves: once, beside the first row, where all panels have the same ones, else beside each panel."""
    labels = [axis.get_legend_handles_labels()[1] for axis in axes]
    same = all(one == labels[0] for one in labels)
    for axis, names in zip(axes, labels, strict=True):
        if (axis is axes[columns - 1]) if same else len(names) > 1:
            axis.legend(loc="upper left", bbox_to_anchor=(1.0, 1), fontsize=7, borderaxespad=0, handletextpad=0.1)


def _curve(axis, curve, colour, label) -> None:
    measured = curve[curve["measurement"].notna()]
    time = curve["time"] + curve["x_offset"]
    for name, look in (("fitted", "-"), ("nominal", "--")):
        axis.plot(time, curve[name] + curve["y_offset"], look, color=colour, linewidth=1.2 if look == "-" else 0.9)
    low, high = _bars(measured)
    values = measured["measurement"] + measured["y_offset"]
    axis.errorbar(
        measured["time"] + measured["x_offset"],
        values,
        [values - low - measured["y_offset"], high + measured["y_offset"] - values],
        fmt="o",
        color=colour,
        markersize=3,
        elinewidth=0.7,
        label=label,
    )


def _bars(measured) -> tuple[pd.Series, pd.Series]:
    """Return the ends of the error bars, one standard deviation on the scale of the noise to both sides."""
    value, noise = measured["measurement"], measured["noise"].fillna(0)
    scale = measured["noise_scale"].iloc[0]
    if scale == "lin":
        return value - noise, value + noise
    factor = np.exp(noise * (np.log(10) if scale == "log10" else 1))
    return value / factor, value * factor


def _handles(table) -> list:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=BLACK, marker="o", markersize=3, linestyle="", label="measured, ± noise")]
    handles += [Line2D([], [], color=BLACK, label="best fit")]
    if table["nominal"].notna().any():
        handles += [Line2D([], [], color=GREY, linestyle="--", label="nominal parameters")]
    return handles


def _safe(text: str) -> str:
    """Return a text of a user that matplotlib can draw: dollars that enclose no formula are just dollars."""
    from matplotlib.mathtext import MathTextParser

    try:
        MathTextParser("path").parse(text)
    except ValueError:
        return text.replace("$", r"\$")
    return text
