"""Verdicts on the tables and figures of Hossain et al. 2024 (NeurIPS), each computed from the result tables.

Most cells of its tables are images that could not be read; what its text and captions claim is checked instead. A claim
is `reproduced`, `not reproduced`, `not comparable because ...` or `not run`.
"""

import numpy as np
import pandas as pd

from kinetrain.appearance import label
from kinetrain.evaluation.paper_tables import NOT_RUN

TOPIC = "Verdict on the paper"
JUDGED = {"reproduced": "yes", "not reproduced": "no"}
SPARSE, DENSE = 0.8, 0.5  # "sparsity below 50 % goes with clearly worse accuracy than above 80 %"
UNKNOWN = (np.nan, np.nan)  # where there are no two numbers to compare
NEAR = 5  # points of balanced accuracy by which "about 20 points" may be missed
# the models of the paper
METHODS = ["unpruned", "l0", "c_node", "pathreg", "dst", "imp", "synflow", "sparseflow"]
METHODS += ["pinn", "pinn_mp", "bioprune", "dash"]
# what the text says of single pathways: word in the names of the sets, and the methods that alone should find them
PATHWAYS = {
    "Figure 5": ("brca11165", "brca500", ("TP53", "FOXO", "heme"), ("bioprune", "dash", "pinn", "pinn_mp")),
    "Figure 7": ("hema_eryth", "hema_b", ("heme", "RUNX1"), ("dash",)),
}


def tables_of_the_paper(tables: pd.DataFrame):
    """Yield per table how many of its numbers are reproduced, and which are not; nothing where none of it was run."""
    for number, own in tables.groupby("table"):
        cells = own[own["method"].notna() & (own["verdict"] != "-")]
        if not (own["n"] > 0).any():
            if (tables["n"] > 0).any():
                yield TOPIC, f"Table {number}", f"not run: {_because(own)}", np.nan, np.nan, "-"
            continue
        counts = cells["verdict"].str.partition(" because")[0].value_counts()
        said = [f"{count} {verdict}" for verdict, count in counts.items()]
        wrong = cells[cells["verdict"] == "not reproduced"]
        listed = [
            f"{row.condition}, {label(row.method)}, {row.metric.replace('_', ' ')} {row.mean:.3g} (published "
            f"{row.published:.3g})"
            for row in wrong.itertuples()
        ]
        detail = f" Not reproduced: {'; '.join(listed)}." if listed else ""
        absent = own[own["method"].isna() & (own["verdict"] == NOT_RUN)]["condition"].unique()
        detail += f" Not run: {'; '.join(absent)}." if len(absent) else ""
        good = counts.get("reproduced", 0)
        judged = "no" if len(wrong) > good else "yes" if good else "-"
        yield TOPIC, f"Table {number}", f"Numbers: {', '.join(said)}.{detail}", good, good + len(wrong), judged


def _because(own: pd.DataFrame) -> str:
    datasets = own["dataset"].dropna().unique()
    return f"this run has none of its data sets ({', '.join(datasets)})."


def claims_of_the_paper(networks: pd.DataFrame, pathways: pd.DataFrame | None):
    """Yield the claims of text and captions on figures 2 to 7 and table 9; nothing where their data were not run."""
    for place, dataset in (("Figure 2", "sim350"), ("Figure 4", "sim690")):
        means = _means(networks, dataset, 0.025, 0.05)
        if len(means):
            for statement, values, reproduced in _of_accuracy(means):
                yield _row(place, statement, values, reproduced)
    if len(_means(networks, "sim350", 0.025, 0.05)):
        because = "the matrix errors of the paper could not be read"
        yield _row("Figure 3", "Effect matrices by noise and method.", UNKNOWN, because)
    yield from _out_degrees(networks)
    for place, (dataset, instead, words, finders) in PATHWAYS.items():
        yield from _of_pathways(place, pathways, dataset, instead, words, finders)
    if _has(pathways, "yeast3551"):
        because = "neither gold standard nor gene sets of the paper could be had"
        yield _row("Figure 6", "Pathways of yeast.", UNKNOWN, because)


def _means(networks, dataset: str, noise: float, corruption: float) -> pd.DataFrame:
    """Return the mean sparsity, balanced accuracy and out-degree by method on one level of a data set."""
    same = (networks["dataset"] == dataset) & (networks["status"] != "failed")
    same &= np.isclose(networks["noise"].astype(float), noise)
    same &= np.isclose(networks["prior_corruption"].astype(float), corruption)
    return networks[same].groupby("method")[["sparsity", "balanced_accuracy", "out_degree"]].mean()


def _of_accuracy(means: pd.DataFrame):
    """Yield claims on sparsity and accuracy: in words, the two numbers compared, and whether they hold."""
    accuracy = 100 * means["balanced_accuracy"]
    trained = means[means.index.isin(METHODS)]
    sparse, dense = (
        accuracy[trained.index[chosen]] for chosen in (trained["sparsity"] > SPARSE, trained["sparsity"] < DENSE)
    )
    if len(sparse) and len(dense):
        numbers = f"{dense.mean():.1f} against {sparse.mean():.1f}"
        said = f"Sparsity below 50 % goes with worse accuracy than above 80 %: {numbers}."
        yield said, (dense.mean(), sparse.mean()), dense.mean() < sparse.mean()
    other = "imp" if "imp" in accuracy else "sparseflow"
    if {"dash", other} <= set(accuracy.index):
        lead = accuracy["dash"] - accuracy[other]
        said = f"DASH is about 20 points of balanced accuracy above {label(other)}: {lead:.1f}."
        yield said, (accuracy["dash"], accuracy[other]), abs(lead - 20) <= NEAR
    if {"pathreg", "l0", "c_node"} <= set(accuracy.index):
        best = max(accuracy["l0"], accuracy["c_node"])
        said = (
            f"PathReg is more accurate than L0 and C-NODE: {accuracy['pathreg']:.1f} against {accuracy['l0']:.1f} and "
            f"{accuracy['c_node']:.1f}."
        )
        yield said, (accuracy["pathreg"], best), accuracy["pathreg"] > best


def _out_degrees(networks):
    for dataset, because in (("hema_eryth", ""), ("hema_b", "B cells stand in for the erythroid cells")):
        means = _means(networks, dataset, 0, 0)
        if {"dash", "imp"} <= set(means.index):
            ours, theirs = means.loc[["dash", "imp"], "out_degree"]
            said = f"The out-degree of DASH is less than half of that of IMP: {ours:.1f} against {theirs:.1f}."
            yield _row("Table 9", said, (ours, theirs), because or ours < theirs / 2)
            return


def _of_pathways(place, pathways, dataset, instead, words, finders):
    """Yield whether the named pathways pass Bonferroni in models of the `finders` and in no others."""
    because = "" if _has(pathways, dataset) else f"{instead} stands in for the data of the paper"
    dataset = instead if because else dataset
    if not _has(pathways, dataset):
        return
    own = pathways[(pathways["dataset"] == dataset) & (pathways["status"] != "failed")]
    passed = own[own["p_bonferroni"] < 0.05]
    for word in words:
        named = own["pathway"].str.contains(word, case=False)
        found = list(passed.loc[passed["pathway"].str.contains(word, case=False), "method"].unique())
        said = (
            f"Gene sets with '{word}' in their names ({own.loc[named, 'pathway'].nunique()} tested) stand out in "
            f"{', '.join(map(label, finders))} alone: ours in {', '.join(map(label, found)) or 'none'}."
        )
        holds = bool(found) and set(found) <= set(finders)
        yield _row(place, said, (len(found), np.nan), because or holds)


def _has(table, dataset: str) -> bool:
    return table is not None and (table["dataset"] == dataset).any()


def _row(place: str, statement: str, values, outcome):
    """Return a statement with its verdict; `outcome` is whether the claim holds, or why it cannot be compared."""
    if isinstance(outcome, str):
        return TOPIC, place, f"{statement} Not comparable because {outcome}.", *values, "-"
    verdict = "reproduced" if outcome else "not reproduced"
    return TOPIC, place, f"{statement} {verdict.capitalize()}.", *values, JUDGED[verdict]
