"""Figure: heat map of pathways with influential genes, by method."""

import numpy as np
import pandas as pd

from kinetrain.appearance import in_order, label
from kinetrain.evaluation.network_summaries import GROUP, panel_names
from kinetrain.figures.catalogue import PRUNING, Declaration
from kinetrain.figures.style import new_figure, nothing_to_show

FIGURE = Declaration(
    title="Pathways",
    section=PRUNING,
    place=8,
    sources=("pathways",),
    needs=("datasets",),
    caption="""
**Which pathways hold the influential genes.** Colour: how far the summed influence of a gene set lies above that of
random sets (z-score, one scale for all panels); letters: tests that it passes after correction (P, permutation; R,
prerank; O, over-representation). Control: the same with the labels of the genes
permuted; no letter should stand there. The influence of a gene is the mean change of all other genes along a trajectory
when its initial value is drawn anew; the score of a gene set is the sum of the influences of its genes, averaged over
the models of all seeds. The z-score is that against permutations of the influences over all genes that occur in some
set; negative values are shown as 0. The tests have p below 0.05 after Bonferroni's correction for the sets tested: P,
the permutation test, whose p is that of all permutations where fewer than 10 of those drawn reach the score (counted
for up to 60 regulators, else by a saddlepoint approximation); R, prerank (the genes ranked by influence); O,
over-representation of the regulators that the models keep. The control
shows the highest z, and the tests passed, of any method. Shown are the 20 sets with the highest z of each method; sets
with no z above 0 are left out. Effect sizes, p-values and how often a set is among the top in single seeds stand in the
table of pathways. Score and permutation test follow Hossain et al. 2024, appendix B.8; all else is a choice of
ours.""",
)

CONTROL = "control"  # the column of the permuted labels
TESTS = {"P": "p_tail", "R": "gsea_p_value", "O": "ora_p_value"}  # letters of the tests and their p-values
LONGEST = 52  # letters of a pathway name that fit next to the map
TOP = 20  # pathways shown per method, as in Hossain et al. 2024


def tabulate(table: pd.DataFrame, top: int = TOP) -> pd.DataFrame:
    """Return the z-scores of all pathways that are among the `top` of some method with z > 0, per data set.

    Columns: panel, dataset, noise, prior_corruption, method (`control`: the highest of the permuted labels), pathway,
    z (negative values as 0), passed (letters of the tests with Bonferroni below 0.05), row (the order of the pathways
    in the panel: highest mean z of the methods first).
    """
    rank = table.groupby([*GROUP, "method"])["z"].rank(ascending=False, method="first")
    chosen = table.loc[(rank <= top) & (table["z"] > 0), [*GROUP, "pathway"]].drop_duplicates()
    shown = table.assign(passed=_passed(table)).merge(chosen, on=[*GROUP, "pathway"])
    shown["z"] = shown["z"].clip(lower=0)
    shown["mean_z"] = shown.groupby([*GROUP, "pathway"])["z"].transform("mean")
    control = table.assign(z=table["control_z"].clip(lower=0), passed=_passed(table, "control_"))
    control = control.groupby([*GROUP, "pathway"]).agg({"z": "max", "passed": _letters_of_any}).reset_index()
    means = shown[[*GROUP, "pathway", "mean_z"]].drop_duplicates()
    shown = pd.concat([shown, control.assign(method=CONTROL).merge(means, on=[*GROUP, "pathway"])])
    shown = shown.sort_values([*GROUP, "mean_z", "pathway"], ascending=[True, True, True, False, True])
    shown["row"] = shown.groupby(GROUP)["pathway"].transform(lambda names: pd.factorize(names)[0])
    shown.insert(0, "panel", panel_names(shown))
    return shown[["panel", *GROUP, "method", "pathway", "z", "passed", "row"]]


def _passed(table, prefix: str = "") -> pd.Series:
    """Return the letters of the tests that each gene set passes, corrected for the sets of its method."""
    count = table.groupby([*GROUP, "method"])["pathway"].transform("count")
    letters = [np.where(table[prefix + name] * count < 0.05, letter, "") for letter, name in TESTS.items()]
    return pd.Series(np.sum([part.astype(object) for part in letters], axis=0), index=table.index, dtype=str)


def _letters_of_any(passed) -> str:
    """Return the letters that occur in any of the texts."""
    return "".join(letter for letter in TESTS if passed.str.contains(letter).any())


def draw(table):
    """Return one heat map of z-scores per data set, with the letters of the tests that a set passes."""
    if table.empty:
        return nothing_to_show("no pathway with more influence than chance gives")
    titles = list(table["panel"].drop_duplicates())
    methods = [*in_order(set(table["method"]) - {CONTROL}), CONTROL]
    rows = [int(table.loc[table["panel"] == title, "row"].max()) + 1 for title in titles]
    heights = [0.9 + 0.17 * count for count in rows]
    figure = new_figure(4.6 + 0.5 * len(methods), sum(heights))
    axes = figure.subplots(len(titles), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axis, title, count in zip(axes, titles, rows, strict=True):
        image = _heat_map(axis, table[table["panel"] == title], methods, count, table["z"].max())
        axis.set_title(title)
        bar = figure.colorbar(image, ax=axis, fraction=0.06, aspect=14, shrink=min(1, 12 / count), anchor=(0, 1))
        bar.set_label("z-score", fontsize=8)
    return figure


def _heat_map(axis, rows, methods, count, highest):
    from seaborn import heatmap

    wide = rows.pivot(index="row", columns="method", values=["z", "passed"])
    scores, passed = (wide[name].reindex(range(count), columns=methods) for name in ("z", "passed"))
    names = rows.drop_duplicates("row").sort_values("row")["pathway"].astype(str)
    short = [name if len(name) <= LONGEST else name[: LONGEST - 1] + "…" for name in names]
    look = {"cmap": "Greens", "vmin": 0, "vmax": highest, "linewidth": 0.8, "linecolor": "white", "cbar": False}
    heatmap(scores.astype(float), annot=passed.fillna(""), fmt="", annot_kws={"fontsize": 7}, ax=axis, **look)
    axis.set_yticks(np.arange(count) + 0.5, short, fontsize=7, rotation=0)
    axis.set_xticks(np.arange(len(methods)) + 0.5, [_title(method) for method in methods], rotation=30, ha="right")
    axis.set(xlabel="", ylabel="")
    axis.tick_params(length=0)
    return axis.collections[0]


def _title(method):
    return "Control" if method == CONTROL else label(method)
