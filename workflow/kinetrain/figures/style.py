"""The style of all figures: fonts, axes, panels, files without dates; colours of methods are those of `appearance`."""

import numpy as np

from kinetrain.appearance import BLACK, look
from kinetrain.files import atomic
from kinetrain.networks.controls import CONTROLS

# Okabe & Ito 2008: distinguishable with every common colour vision
ORANGE, BLUE, RED = "#E69F00", "#0072B2", "#D55E00"
GREY = "#777777"
PLAIN = 1e-3, 1e4  # numbers on axes that are written in full, others as powers of 10
STROKES = dict.fromkeys("x+1234", 1.35)  # markers that are drawn by lines alone
LARGER = {"*": 1.5, "P": 1.1, "X": 1.1, "D": 0.85, "d": 1.1, **STROKES}  # so that all look equally large

RULES = {
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#E6E6E6",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
    "svg.hashsalt": "kinetrain",
    "figure.dpi": 200,  # texts are measured as they are drawn: with fewer dots they are up to 6 % narrower
    "savefig.dpi": 200,
}


def use_style():
    """Return a context in which figures have the style of the project."""
    import matplotlib as mpl

    return mpl.rc_context(RULES)


def colour(name: str) -> str:
    """Return the colour of a method or optimizer, the same in every figure."""
    return look(name).colour


def marker(name: str, size: float = 6) -> dict:
    """Return marker and its size of a method, for `plot`, the same in every figure."""
    shape = look(name).marker
    width = 1.5 if shape in STROKES else 0.8
    return {"marker": shape, "markersize": size * LARGER.get(shape, 1), "markeredgewidth": width}


def control_line(name: str, **more) -> dict:
    """Return the look of the line of a control predictor."""
    return {"color": BLACK, "linewidth": 1, "linestyle": CONTROLS[name].dashes, **more}


def new_figure(width: float, height: float):
    """Return an empty figure of width x height inches, with a layout that avoids overlaps."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)  # keeps its renderer: without it every text is measured by a new one, 6 GB in a long figure
    return figure


def panels(titles, width: float, height: float, legend: float = 0, **options):
    """Return a figure and one axes per title, each of width x height inches, with `legend` inches more on the right.

    Up to three panels stand in a row, or four where there are more than nine; four stand two by two.
    """
    count = len(titles)
    columns = 2 if count == 4 else min(3 if count <= 9 else 4, count)
    rows = -(-count // columns)
    figure = new_figure(width * columns + legend, height * rows)
    axes = list(figure.subplots(rows, columns, squeeze=False, **options).flat)
    for spare in axes[count:]:
        spare.set_visible(False)
    for axis, title in zip(axes, titles, strict=False):
        axis.set_title(title.replace(", ", "\n", 1))
    return figure, axes[:count]


def first_column(axes):
    """Return the axes that stand leftmost in their row, which carry the label of the vertical axis."""
    return [axis for axis in axes if axis.get_subplotspec().is_first_col()]


def heat_map(axis, rows, columns, values, shape, **look):
    """Draw `values` at their places in an otherwise empty matrix, and return the image; `look` goes to imshow.

    A panel without any value says "none": an empty map would be that of a model without effects.
    """
    matrix = np.zeros(shape)
    matrix[rows, columns] = values
    axis.set(xticks=[], yticks=[])
    axis.grid(visible=False)
    axis.spines[:].set(visible=True, color="#BBBBBB")
    if not len(values):
        axis.text(0.5, 0.5, "none", transform=axis.transAxes, ha="center", va="center", color=GREY, fontsize=8)
    # nearest, not antialiased: a single effect must stay visible in a map of many genes
    return axis.imshow(matrix, interpolation="nearest", **look)


def error_bars(rows) -> np.ndarray:
    """Return the distances (2, n) from `mean` to `low` and to `high`; 0 where the interval is not known."""
    bars = np.stack([rows["mean"] - rows["low"], rows["high"] - rows["mean"]])
    return np.where(np.isnan(bars), 0, bars)


def nothing_to_show(why: str):
    """Return a figure that says there is nothing to show, and why."""
    figure = new_figure(5, 1.2)
    figure.text(0.5, 0.5, f"Nothing to show: {why}", ha="center", va="center", color=GREY, fontsize=10)
    return figure


def log_ticks(low: float, high: float) -> list[float]:
    """Return two to six marks of a logarithmic axis: powers of 10, with 3 or 2 and 5 times these, or even steps.

    Three at least where they are written in full, which takes less space than powers of 10.
    """
    from matplotlib.ticker import LogLocator, MaxNLocator

    even = MaxNLocator(5, steps=[1, 2, 5, 10], min_n_ticks=4)
    for locator in (LogLocator(numticks=6), LogLocator(subs=(1, 3)), LogLocator(subs=(1, 2, 5)), even):
        ticks = [float(tick) for tick in locator.tick_values(low, high) if low <= tick <= high]
        if len(ticks) >= (3 if _in_full(low, high) else 2):
            break
    return ticks if len(ticks) <= (6 if _in_full(low, high) else 5) else ticks[::2]


def _in_full(low: float, high: float) -> bool:
    return PLAIN[0] <= low and high <= PLAIN[1]


def label_log_axes(figure) -> None:
    """Give the logarithmic axes that matplotlib would label by itself the marks of `log_ticks`.

    On axes of about a decade it would label the marks between powers of 10 too, as 3 × 10¹ and 4 × 10¹, which overlap.
    """
    from matplotlib.ticker import LogFormatter, NullFormatter

    for axes in figure.axes:
        for axis, limits, limit in (
            (axes.xaxis, axes.get_xlim(), axes.set_xlim),
            (axes.yaxis, axes.get_ylim(), axes.set_ylim),
        ):
            if axis.get_scale() != "log" or not isinstance(axis.get_major_formatter(), LogFormatter):
                continue
            if min(limits) <= 0:  # nothing is drawn, as all runs failed: matplotlib would find no marks
                limits = limit(1, 10)
            axis.set_minor_formatter(NullFormatter())
            low, high = sorted(map(float, limits))
            ticks = log_ticks(low, high)
            axis.set_ticks(ticks, [f"{tick:g}" if _in_full(low, high) else _as_power(tick) for tick in ticks])


def _as_power(number: float) -> str:
    """Return a number as 10³ or 3 × 10³, in the form that matplotlib sets."""
    digits, exponent = f"{number:.3e}".split("e")
    power = f"10^{{{int(exponent)}}}"
    return f"${power}$" if float(digits) == 1 else f"${float(digits):g}\\times{power}$"


def save(figure, paths) -> None:
    """Write a figure to files, each in the format of its suffix; the same figure gives the same bytes.

    What takes longest, the layout and the extent of what is drawn, is found once for all formats.
    """
    metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None, "ModDate": None}, "png": {"Software": None}}
    label_log_axes(figure)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    extent = figure.get_tightbbox().padded(0.1)  # inches
    for path in paths:
        with atomic(path) as temporary:
            kind = metadata[temporary.suffix[1:]]
            figure.savefig(temporary, metadata=kind, bbox_inches=extent, facecolor="white")
