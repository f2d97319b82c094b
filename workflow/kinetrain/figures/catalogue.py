"""The declaration of a figure, and all figures by name. A figure is one file of this folder.

Such a file holds `FIGURE` (a `Declaration`), `tabulate(...)`, which returns the tidy table of the figure, and
`draw(table)`, which returns a matplotlib figure. Rules, scripts and report read these. The rules read them before any
environment exists, so matplotlib, seaborn and SciPy are imported inside functions.
"""

import importlib
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import kinetrain.figures
from kinetrain import registry

MINI_BATCH, PRUNING = "2 Mini-batch training", "3 Pruning"  # sections of the report
FITS = ("fits", "traces", "nominal")  # sources that `tabulate` takes together, as `evaluation.benchmark.Benchmark`


@dataclass(frozen=True)
class Declaration:
    """The declaration of a figure.

    title, section, place: where it stands in the report. sources: the result tables (`tables`) that `tabulate` takes
    under these names, or `published` for the published values of networks. caption: reStructuredText. needs: what a
    configuration must contain for the figure to be drawn: names of `HAS` in rules/targets.smk, as `problems`,
    `datasets`, `factors` (several random networks), `multipliers` (data sets that differ in them alone), or what its
    grids of fits vary (`optimizers`, `schedules`, `batch_sizes`, `safeguards`).
    """

    title: str
    section: str
    place: int
    sources: tuple[str, ...]
    needs: tuple[str, ...]
    caption: str


def tidy_table(figure: ModuleType, sources: list[Any], best_known: dict[str, Any], fit_settings: dict[str, Any]) -> Any:
    """Return the table that a figure is drawn from; sources: the tables of FIGURE.sources, in their order.

    best_known, fit_settings: as of `evaluation.benchmark.benchmark`, which figures of FITS are given.
    """
    from kinetrain.evaluation.benchmark import benchmark

    if figure.FIGURE.sources == FITS:
        fits, traces, nominal = sources
        return figure.tabulate(benchmark(fits, traces, nominal, best_known, fit_settings))
    return figure.tabulate(*sources)


def find_figures() -> dict[str, ModuleType]:
    """Return the files of all figures by name, in the order of the report."""
    files = {name: importlib.import_module(f"kinetrain.figures.{name}") for name in registry.names(kinetrain.figures)}
    figures = {name: file for name, file in files.items() if hasattr(file, "FIGURE")}

    def place(item: tuple[str, ModuleType]) -> tuple[str, int, str]:
        name, file = item
        return file.FIGURE.section, file.FIGURE.place, name

    return dict(sorted(figures.items(), key=place))
