"""Figure: heat maps of the effects of genes on each other, in the gold standard and in the models."""

import numpy as np
import pandas as pd

from kinetrain.appearance import in_order, label
from kinetrain.evaluation.network_summaries import GROUP, few_of_many, one_corruption, panel_names
from kinetrain.figures.catalogue import PRUNING, Declaration
from kinetrain.figures.style import heat_map, new_figure, nothing_to_show

FIGURE = Declaration(
    title="Effect matrices",
    section=PRUNING,
    place=5,
    sources=("effects",),
    needs=("datasets",),
    caption="""
**Which gene acts on which.** Columns are regulators, rows are targets; red activates, blue represses. The effect of a
gene on another is the sum over all paths of weights through the hidden units, times the multiplier of the target
(Hossain et al. 2024). Each panel of a method shows the median over all seeds that did not fail, each scaled to a
largest absolute value of 1, with full colour from 0.05 as in the paper, or from 0.5 where genes are few enough to be
named: what differs between seeds is pale. The gold standard shows signs where they are known and presence where not.
Regulators are ordered by their number of true targets and targets by their first true regulator, the same in all panels
of a row, so that the gold standard is a staircase. With more than 100 genes only regulators that occur in the gold
standard (in the prior, where there is none) are shown; what a model says about other genes as regulators enters the
scores, but not this figure. Genes on which neither the gold standard nor a model shown acts are left out as targets. Of
more than five methods four are shown, and of several corruptions of a prior the lowest above 0. Effects below 0.0005 of
the largest are not drawn. "none": no such model, or no gold standard. The matrix error is the root of the summed
squared differences of the median from the gold standard, both with squares that sum up to 1, over the entries shown: 0
where they are alike, 1.41 where they have nothing in common. Where the gold standard has no negative sign, sizes of
effects are compared. It is of our making: the paper does not say how those of its figure 3 are normalised.""",
)

MOST_NAMED = 25  # genes in a row or column of a panel
STRONG = 0.05  # effects of this share of the largest have full colour, as in Hossain et al. 2024, figure 3
STRONG_OF_FEW = 0.5  # the same where all genes are named, of whose effects few are as small as 0.05


def tabulate(effects: pd.DataFrame) -> pd.DataFrame:
    """Return the entries of the heat maps: the truth of every data set and noise, then the methods.

    `effects` holds the median over the seeds of each method, each scaled to a largest absolute value of 1, and the
    signs of the truth as method `truth`, once or more. Regulators stand in the order of their number of true targets,
    targets in that of their first true regulator, so the truth is a staircase. Columns: panel, dataset, noise,
    prior_corruption, method, regulator, target, regulator_place, target_place (from 0), effect, and matrix_error of
    the whole panel, NaN without a gold standard. Of many methods, and of several corruptions of a prior, those of
    `few_of_many` and `one_corruption` are kept.
    """
    parts = []
    for _, rows in one_corruption(few_of_many(effects, "truth")).groupby(GROUP, sort=False):
        distinct = rows.drop_duplicates(["method", "regulator", "target"])
        regulators, targets = _places(distinct)
        places = {
            "regulator_place": distinct["regulator"].map(regulators),
            "target_place": distinct["target"].map(targets),
        }
        parts.append(distinct.assign(**places, matrix_error=distinct["method"].map(_matrix_errors(distinct))))
    names = [*GROUP, "method", "regulator", "target", "regulator_place", "target_place", "effect", "matrix_error"]
    table = pd.concat(parts)[names] if parts else pd.DataFrame(columns=names)
    table.insert(0, "panel", panel_names(table))
    return table


def draw(table):
    """Return one row of panels per data set and noise: the gold standard, then methods; red: activates."""
    if table.empty:
        return nothing_to_show("no effects")
    titles = list(table["panel"].drop_duplicates())
    methods = in_order(table["method"])
    figure = new_figure(0.6 + 2.0 * len(methods), 2.6 * len(titles))
    axes = figure.subplots(len(titles), len(methods), squeeze=False)
    strong = STRONG_OF_FEW if table[["regulator_place", "target_place"]].max(axis=None) < MOST_NAMED else STRONG
    for row, title in zip(axes, titles, strict=True):
        own = table[table["panel"] == title]
        shape = own["target_place"].max() + 1, own["regulator_place"].max() + 1
        for axis, method in zip(row, methods, strict=True):
            edges = own[own["method"] == method]
            look = {"cmap": "RdBu_r", "vmin": -strong, "vmax": strong, "aspect": "auto"}
            image = heat_map(axis, edges["target_place"], edges["regulator_place"], edges["effect"], shape, **look)
            error = edges["matrix_error"].max()
            text = label(method) + (f"\nmatrix error {error:.2f}" if pd.notna(error) else "")
            axis.set_title(text, fontsize=9, fontweight="normal")
            axis.set_xlabel(_regulators(own), fontsize=8)
            _name(axis.xaxis, own, "regulator")
        row[0].set_ylabel(title.replace(", ", "\n", 1) + f"\n{shape[0]} targets", fontsize=8)
        _name(row[0].yaxis, own, "target")
    bar = figure.colorbar(image, ax=axes, shrink=0.8 / len(titles), aspect=20, extend="both", pad=0.01)
    bar.set_label(f"Effect (largest of a model = 1,\nfull colour from {strong:g})", fontsize=8)
    return figure


def _name(axis, edges, kind: str) -> None:
    """Name the regulators or targets of a panel at their places, where there are few."""
    genes = edges.drop_duplicates(f"{kind}_place")
    if len(genes) <= MOST_NAMED:
        look = {"fontsize": 6, "rotation": 90 if kind == "regulator" else 0}
        axis.set_ticks(genes[f"{kind}_place"], genes[kind], **look)


def _regulators(edges) -> str:
    """Return what the columns are: any gene, or only the regulators of the gold standard."""
    shown = set(edges["regulator"])
    true = set(edges.loc[edges["method"] == "truth", "regulator"])
    return f"{len(shown)} regulators of\nthe gold standard" if shown == true else f"{len(shown)} genes as regulators"


def _matrix_errors(effects: pd.DataFrame) -> dict[str, float]:
    """Return {method: distance of its effects from the gold standard}, of matrices with squares that sum up to 1."""
    matrices = effects.pivot_table(index=["regulator", "target"], columns="method", values="effect").fillna(0.0)
    if "truth" not in matrices:
        return {}
    if (matrices["truth"] >= 0).all():
        matrices = matrices.abs()
    scaled = matrices / np.sqrt((matrices**2).sum())
    errors = np.sqrt((scaled.sub(scaled["truth"], axis=0) ** 2).sum(skipna=False))
    return errors.drop("truth").to_dict()


def _places(edges: pd.DataFrame) -> tuple[dict, dict]:
    """Return the places of regulators and of targets in a heat map."""
    true_edges = edges[edges["method"] == "truth"]
    degree = true_edges["regulator"].value_counts().to_dict()
    ordered = sorted(edges["regulator"].unique(), key=lambda name: (-degree.get(name, 0), name))
    regulators = {name: place for place, name in enumerate(ordered)}
    first = true_edges.assign(place=true_edges["regulator"].map(regulators)).groupby("target")["place"].min().to_dict()
    targets = sorted(edges["target"].unique(), key=lambda name: (first.get(name, len(regulators)), name))
    return regulators, {name: place for place, name in enumerate(targets)}
