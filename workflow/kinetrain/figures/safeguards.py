"""Figure: failures and final objective with and without rescue and line search (figure 3 of Stapor et al. 2022)."""

import numpy as np
import pandas as pd

from kinetrain.appearance import label
from kinetrain.evaluation.benchmark import (
    FAILURES,
    SMALLEST,
    Benchmark,
    failure_counts,
    for_all_problems,
    safeguard_grid,
)
from kinetrain.evaluation.scores import BLOCK, SETTING
from kinetrain.evaluation.statistics import median_over_blocks
from kinetrain.figures.catalogue import FITS, MINI_BATCH, Declaration
from kinetrain.figures.settings import looks, settings_in_order
from kinetrain.figures.style import new_figure, nothing_to_show

FIGURE = Declaration(
    title="Rescue interceptor and line search",
    section=MINI_BATCH,
    place=8,
    sources=FITS,
    needs=("problems", "safeguards"),
    caption="""
**Rescue interceptor and line search**, in place of figure 3 of Stapor et al. 2022, whose values could not be read.
Above: share of runs that failed, with 95 % Wilson interval. Below: median final objective above the best known,
failed runs counted as infinitely bad, with 95 % interval by hierarchical bootstrap over data replicates and starts; a
median that is a failed run is not drawn, and an interval that reaches into the failed runs goes to the top. Compared
are runs that differ in nothing but the safeguard, of the combinations of optimizer, schedule and batch size that most
safeguards were run with. *Shrink*: after a failed evaluation the last step is repeated five times shorter; *restart*:
after ten failures the moments are cleared and the step is almost zero. In brackets: the names of safeguards that
differ in their variant alone (published: as in parPE; corrected: without its errors). Every trial is paid from the
same budget.""",
)

RESCUE = {0: "no rescue", 1: "rescue:\nshrink", 2: "rescue:\nshrink, restart"}


def tabulate(data: Benchmark) -> pd.DataFrame:
    """Return per problem and safeguard the failure rate and the median final objective, with intervals.

    rescue and line_search are the settings behind the name of the safeguard, missing where it is unknown.
    """
    rows, known = [], data.fit_settings.get("safeguards", {})
    for (problem, *setting), group in for_all_problems(data.fits, safeguard_grid).groupby(
        ["problem", *SETTING], sort=False
    ):
        median, low, high = np.maximum(median_over_blocks(group[BLOCK], group["excess"]), SMALLEST)
        own = known.get(setting[-1], {})
        row = {"problem": problem, **dict(zip(SETTING, setting, strict=True))}
        row |= {"rescue": own.get("rescue", np.nan), "line_search": own.get("line_search", np.nan)}
        rows.append(row | {"excess": median, "low": low, "high": high} | failure_counts(group))
    names = ["problem", *SETTING, "rescue", "line_search", "excess", "low", "high", *FAILURES]
    return pd.DataFrame(rows, columns=names)


def draw(table):
    """Return two panels per problem: failure rate (above) and median final objective (below) by safeguard."""
    if table.empty:
        return nothing_to_show("no optimizer was run with several safeguards")
    table = table.sort_values(["rescue", "line_search", "safeguard"], kind="stable")
    table = table.assign(setting=[_line(*row) for row in table[["optimizer", "schedule", "size"]].to_numpy()])
    places = _places(table)
    problems, look = list(table["problem"].drop_duplicates()), looks(settings_in_order(table))
    width = max(3.4, 0.5 + 1.05 * len(places))
    figure = new_figure(width * len(problems), 4.6)
    axes, lines = figure.subplots(2, len(problems), squeeze=False, sharex=True, sharey="row"), {}
    for (above, below), problem in zip(axes.T, problems, strict=True):
        above.set_title(problem.replace(", ", "\n", 1))
        lines |= _column(above, below, table[table["problem"] == problem], list(places), look)
    _limits(axes, table)
    axes[0, 0].set_xticks(range(len(places)), places.values(), fontsize=7)
    axes[0, 0].set_ylabel("Failed runs (%)")
    axes[1, 0].set_ylabel("Median final objective\nabove the best known\n(negative log-likelihood)")
    figure.legend(list(lines.values()), list(lines), loc="outside lower center", ncols=len(problems))
    return figure


def _line(optimizer: str, schedule: str, size) -> str:
    return f"{label(optimizer)}, {schedule}, " + ("all conditions" if size == "full" else f"batch {size}")


def _places(table) -> dict[str, str]:
    """Return the labels of safeguards; the names of those that differ in their variant alone stand below."""
    described = {row.safeguard: _describe(row) for row in table.itertuples()}
    texts = list(described.values())
    return {name: text if texts.count(text) == 1 else f"{text}\n({label(name)})" for name, text in described.items()}


def _describe(row) -> str:
    """Return the rescue mode and the steps of the line search below each other, or the name where they are unknown."""
    if np.isnan(row.rescue):
        return label(row.safeguard).replace(" ", "\n")
    return f"{RESCUE[int(row.rescue)]}\n" + (
        f"line search {row.line_search:g}" if row.line_search else "no line search"
    )


def _column(above, below, rows, places, look) -> dict:
    lines, settings = {}, [*rows.groupby("setting", sort=False)]
    for number, (setting, own) in enumerate(settings):
        shift = 0.16 * (number - (len(settings) - 1) / 2)
        at = np.array([places.index(name) for name in own["safeguard"]]) + shift
        style = {"color": look[setting]["color"], "marker": "o", "markersize": 5, "linestyle": "none"}
        rate, low, high = own["failed"] / own["runs"], own["failure_low"], own["failure_high"]
        lines[setting] = above.errorbar(at, 100 * rate, yerr=[100 * (rate - low), 100 * (high - rate)], **style)
        ended = np.isfinite(own["excess"])
        at, own = at[ended], own[ended]
        top = own["high"].replace(np.inf, 1e12)  # to the top of the panel: it reaches into the failed runs
        below.errorbar(at, own["excess"], yerr=[own["excess"] - own["low"], top - own["excess"]], **style)
    return lines


def _limits(axes, table) -> None:
    drawn = table[["excess", "low", "high"]].to_numpy()
    drawn = drawn[np.isfinite(drawn)]
    low, high = (drawn.min(), drawn.max()) if len(drawn) else (1.0, 10.0)
    axes[1, 0].set(yscale="log", ylim=(low / 1.5, max(high, 10 * low) * 1.5))
    axes[0, 0].set(xlim=(-0.5, table["safeguard"].nunique() - 0.5), ylim=(0, 100 * table["failure_high"].max() + 3))
    for axis in axes.flat:
        axis.grid(axis="x", visible=False)
