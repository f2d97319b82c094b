"""Verdicts on the tables and figures of Hossain et al. 2024 (NeurIPS), each computed from the result tables.

Most cells of its tables are images that could not be read; what its text and captions claim is checked instead. A claim
is `reproduced`, `not reproduced`, `not comparable because ...` or `not run`. Means of fewer models than
`statistics.FEWEST_SEEDS` are not comparable.
"""

import numpy as np
import pandas as pd

from kinetrain.appearance import in_order, label
from kinetrain.evaluation.paper_tables import NOT_RUN, UNREAD
from kinetrain.evaluation.statistics import FEWEST_SEEDS

TOPIC = "Verdict on the paper"
JUDGED = {"reproduced": "yes", "not reproduced": "no"}
SPARSE, DENSE = 80, 50  # "sparsity below 50 % goes with clearly worse accuracy than above 80 %"
UNKNOWN = (np.nan, np.nan)  # where there are no two numbers to compare
NEAR = 5  # points by which "about 20 points", "similar" and "chance" may be missed
SHARES = ["sparsity", "balanced_accuracy", "true_negative_rate"]
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
        verdicts = cells["verdict"].replace(UNREAD, "could not be read in the paper")
        counts = verdicts.str.partition(" because")[0].value_counts()
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
        judged = "no" if len(wrong) and len(wrong) >= good else "yes" if good else "-"
        yield TOPIC, f"Table {number}", f"Numbers: {', '.join(said)}.{detail}", good, good + len(wrong), judged


def _because(own: pd.DataFrame) -> str:
    datasets = own["dataset"].dropna().unique()
    return f"this run has none of its data sets ({', '.join(datasets)})."


def claims_of_the_paper(networks: pd.DataFrame, pathways: pd.DataFrame | None):
    """Yield the claims of text and captions on tables 1 to 9 and figures 2 to 7; nothing where their data were not run.

    Claims whose methods were not run, or have no numbers, are left out.
    """
    for place, level, claims, instead, because in CHECKS:
        models = _models(networks, *level)
        outcome = "" if len(models) else because
        models = models if len(models) else _models(networks, instead, *level[1:])
        for statement, values, holds, methods in claims(_means(models)):
            if np.isfinite(values).all():
                few = _few(_counts(models).loc[list(methods)])
                yield _row(place, statement + _finished(models), values, outcome or few or holds)
    if len(_means(_models(networks, "sim350", 0.025, 0.05))):
        because = "the matrix errors of the paper could not be read"
        yield _row("Figure 3", "Effect matrices by noise and method.", UNKNOWN, because)
    for place, (dataset, instead, words, finders) in PATHWAYS.items():
        yield from _of_pathways(place, pathways, dataset, instead, words, finders)
    if _has(pathways, "yeast3551"):
        because = "neither gold standard nor gene sets of the paper could be had"
        yield _row("Figure 6", "Pathways of yeast.", UNKNOWN, because)


def _models(networks, dataset: str, noise: float, corruption: float) -> pd.DataFrame:
    """Return the models of the methods of the paper on one level of a data set; none where all of them failed."""
    same = (networks["dataset"] == dataset) & networks["method"].isin(METHODS)
    same &= np.isclose(networks["noise"].astype(float), noise)
    same &= np.isclose(networks["prior_corruption"].astype(float), corruption)
    return networks[same & (networks.loc[same, "status"] != "failed").any()]


def _means(models: pd.DataFrame) -> pd.DataFrame:
    """Return the mean quantities by method over the models that did not fail, shares in per cent."""
    finished = models[models["status"] != "failed"]
    means = finished.groupby("method")[[*SHARES, "out_degree", "test_mse"]].mean()
    return means.assign(**100 * means[SHARES])


def _finished(models: pd.DataFrame) -> str:
    """Return how many models the means of methods are of that lost some, as text."""
    counts = _counts(models)
    said = _listed(counts[counts["sum"].between(1, counts["size"] - 1)])
    return f" Models that did not fail: {said}." if said else ""


def _counts(models: pd.DataFrame) -> pd.DataFrame:
    """Return by method the number of models that did not fail (`sum`), and of all (`size`)."""
    return (models["status"] != "failed").groupby(models["method"]).agg(["sum", "size"])


def _few(counts: pd.DataFrame) -> str:
    """Return why methods with these numbers of models cannot be compared, "" if they can."""
    return _undecided(_listed(counts[counts["sum"] < FEWEST_SEEDS]))


def _undecided(said: str) -> str:
    """Return why the methods named in a text cannot be compared, "" if there are none."""
    return f"fewer than {FEWEST_SEEDS} models decide nothing ({said})" if said else ""


def _listed(counts: pd.DataFrame) -> str:
    return ", ".join(
        f"{label(name)} {counts['sum'][name]} of {counts['size'][name]}" for name in in_order(counts.index)
    )


# Claims by the means of `_means`: each yields it in words with our numbers, the two numbers that are compared, whether
# it holds, or why it cannot be compared, and the methods whose means these are.


def _of_accuracy(means: pd.DataFrame):
    accuracy, sparsity = means["balanced_accuracy"], means["sparsity"]
    sparse, dense = accuracy[sparsity > SPARSE].mean(), accuracy[sparsity < DENSE].mean()
    said = f"Sparsity below {DENSE} % goes with worse accuracy than above {SPARSE} %: {dense:.1f} against {sparse:.1f}."
    yield said, (dense, sparse), dense < sparse, means.index[(sparsity > SPARSE) | (sparsity < DENSE)]
    other = "imp" if "imp" in accuracy else "sparseflow"
    if {"dash", other} <= set(accuracy.index):
        lead = accuracy["dash"] - accuracy[other]
        said = f"DASH is about 20 points of balanced accuracy above {label(other)}: {lead:.1f}."
        yield said, (accuracy["dash"], accuracy[other]), abs(lead - 20) <= NEAR, ("dash", other)
    if {"pathreg", "l0", "c_node"} <= set(accuracy.index):
        best = max(accuracy["l0"], accuracy["c_node"])
        said = (
            f"PathReg is more accurate than L0 and C-NODE: {accuracy['pathreg']:.1f} against {accuracy['l0']:.1f} and "
            f"{accuracy['c_node']:.1f}."
        )
        yield said, (accuracy["pathreg"], best), accuracy["pathreg"] > best, ("pathreg", "l0", "c_node")


def _of_simulated(means: pd.DataFrame):
    if "unpruned" in means.index:
        zeros = means.loc["unpruned", "sparsity"]
        yield f"The unpruned model is at most 12 % sparse: {zeros:.1f} %.", (zeros, 12), zeros <= 12, ("unpruned",)


def _of_table_1(means: pd.DataFrame):
    yield from _of_simulated(means)
    yield from _alike(means, "imp", "sparsity", "IMP is about as sparse as DASH")
    if {"dash", "pinn_mp"} < set(means.index):
        error = means["test_mse"]
        lower = list(error.index[error < error["dash"]])
        said = f"PINN + MP alone has a lower test error than DASH: ours {', '.join(map(label, lower)) or 'none'}."
        yield said, (error["pinn_mp"], error["dash"]), lower == ["pinn_mp"], error.dropna().index


def _of_noise(means: pd.DataFrame):
    yield from _of_simulated(means)
    if {"dash", "bioprune", "pinn_mp"} <= set(means.index):
        wrong = 100 - means["true_negative_rate"]
        said = (
            f"With 10 % noise DASH has fewer spurious effects than BioPrune and PINN + MP: on {wrong['dash']:.1f} % of "
            f"the wrong pairs against {wrong['bioprune']:.1f} and {wrong['pinn_mp']:.1f} %."
        )
        least = min(wrong["bioprune"], wrong["pinn_mp"])
        yield said, (wrong["dash"], least), wrong["dash"] < least, ("dash", "bioprune", "pinn_mp")


def _of_breast_cancer(means: pd.DataFrame):
    if "sparseflow" in means.index:
        accuracy = means.loc["sparseflow", "balanced_accuracy"]
        said, near = f"SparseFlow is no better than chance: {accuracy:.1f} %.", abs(accuracy - 50) <= NEAR
        yield said, (accuracy, 50), near, ("sparseflow",)
    yield from _alike(means, "bioprune", "balanced_accuracy", "BioPrune is about as accurate as DASH")


def _of_yeast(means: pd.DataFrame):
    if {"dash", "bioprune"} <= set(means.index):
        ours, theirs = means.loc[["dash", "bioprune"], "sparsity"]
        said = f"DASH is 3 points of sparsity above BioPrune: {ours - theirs:.1f}."
        yield said, (ours, theirs), 0 < ours - theirs < 6, ("dash", "bioprune")
        ours, theirs = means.loc[["dash", "bioprune"], "balanced_accuracy"]
        said = f"DASH is 10 points of balanced accuracy above BioPrune, or 2 by perturbations: {ours - theirs:.1f}."
        yield said, (ours, theirs), "neither gold standard of the paper could be had", ("dash", "bioprune")


def _of_bone_marrow(means: pd.DataFrame):
    yield from _alike(means, "imp", "sparsity", "IMP is about as sparse as DASH")
    degree = means["out_degree"]
    if {"dash", "imp"} <= set(degree.index):
        said = "The out-degree of DASH is less than half of that of IMP"
        said = f"{said}: {degree['dash']:.1f} against {degree['imp']:.1f}."
        yield said, degree[["dash", "imp"]], degree["dash"] < degree["imp"] / 2, ("dash", "imp")
    if {"dash", "pathreg"} <= set(degree.index):
        said = "The out-degree of PathReg is an order of magnitude larger than that of DASH"
        said = f"{said}: {degree['pathreg']:.1f} against {degree['dash']:.1f}."
        yield said, degree[["pathreg", "dash"]], degree["pathreg"] > 5 * degree["dash"], ("dash", "pathreg")


def _alike(means: pd.DataFrame, method: str, quantity: str, said: str):
    if {"dash", method} <= set(means.index):
        theirs, ours = means.loc[[method, "dash"], quantity]
        said = f"{said}: {theirs:.1f} against {ours:.1f} %."
        yield said, (theirs, ours), abs(theirs - ours) <= NEAR, ("dash", method)


# Place in the paper; data set, noise and corruption of the prior; claims; the data set that may stand in, and why what
# it gives cannot be compared.
CHECKS = (
    ("Figure 2", ("sim350", 0.025, 0.05), _of_accuracy, "", ""),
    ("Figure 4", ("sim690", 0.025, 0.05), _of_accuracy, "", ""),
    ("Table 1", ("sim350", 0.025, 0.05), _of_table_1, "", ""),
    ("Table 3", ("sim350_noise", 0, 0), _of_simulated, "", ""),
    ("Table 4 and figure 3", ("sim350_noise", 0.05, 0.1), _of_noise, "", ""),
    ("Table 2", ("brca11165", 0, 0), _of_breast_cancer, "brca500", "500 genes stand in for the 11,165 of the paper"),
    ("Table 2", ("yeast3551", 0, 0), _of_yeast, "yeast500", "500 genes stand in for the 3,551 of the paper"),
    ("Table 9", ("hema_eryth", 0, 0), _of_bone_marrow, "hema_b", "B cells stand in for the erythroid cells"),
)


def _of_pathways(place, pathways, dataset, instead, words, finders):
    """Yield whether the named pathways pass Bonferroni in models of the `finders` and in no others."""
    because = "" if _has(pathways, dataset) else f"{instead} stands in for the data of the paper"
    dataset = instead if because else dataset
    if not _has(pathways, dataset):
        return
    own = pathways[(pathways["dataset"] == dataset) & (pathways["status"] != "failed")]
    passed, models = own[own["p_bonferroni"] < 0.05], own.groupby("method")["models"].max()
    models = models[models < FEWEST_SEEDS]
    few = _undecided(", ".join(f"{label(name)} {models[name]:.0f}" for name in in_order(models.index)))
    for word in words:
        named = own["pathway"].str.contains(word, case=False)
        found = list(passed.loc[passed["pathway"].str.contains(word, case=False), "method"].unique())
        others = set(own["method"]) - set(finders)
        lacking = "" if set(own["method"]) - others else "no model of these methods could be tested"
        lacking = lacking or ("" if others else "no model of another method could be tested")
        lacking = lacking or ("" if named.any() else "no gene set of that name was tested")
        said = (
            f"Gene sets with '{word}' in their names ({own.loc[named, 'pathway'].nunique()} tested) stand out in "
            f"{', '.join(map(label, finders))} alone: ours in {', '.join(map(label, found)) or 'none'}."
        )
        holds = bool(found) and set(found) <= set(finders)
        yield _row(place, said, (len(found), np.nan), because or lacking or few or holds)


def _has(table, dataset: str) -> bool:
    return table is not None and (table["dataset"] == dataset).any()


def _row(place: str, statement: str, values, outcome):
    """Return a statement with its verdict; `outcome` is whether the claim holds, or why it cannot be compared."""
    if isinstance(outcome, str):
        return TOPIC, place, f"{statement} Not comparable because {outcome}.", *values, "-"
    verdict = "reproduced" if outcome else "not reproduced"
    return TOPIC, place, f"{statement} {verdict.capitalize()}.", *values, JUDGED[verdict]
