"""The tidy tables behind the network figures."""

import json

import numpy as np
import pandas as pd

from kinetrain.evaluation.names import label
from kinetrain.evaluation.statistics import mean_interval
from kinetrain.networks.controls import CONTROLS

GROUP = ["dataset", "noise", "prior_corruption"]
TOP = 20  # pathways shown per method, as in Hossain et al. 2024
FEW = 5  # methods whose heat maps fit beside each other
OF_MANY = ("sparseflow", "pinn_mp", "bioprune", "dash")  # shown of more methods; the last three as in the paper
RECOVERY = ("recall_outside_prior", "wrong_prior_kept", "balanced_accuracy_outside_prior")


def panel_names(table: pd.DataFrame) -> pd.Series:
    """Return a title per row: the data set and, where they are not 0, its noise and the corruption of its prior."""

    def name(row) -> str:
        parts = [str(row["dataset"])]
        parts += [f"noise {row['noise']:g}"] if row["noise"] else []
        parts += [f"{100 * row['prior_corruption']:g} % of prior moved"] if row["prior_corruption"] else []
        return ", ".join(parts)

    rows = table[GROUP].fillna({"noise": 0, "prior_corruption": 0})
    return pd.Series([name(row) for _, row in rows.iterrows()], index=table.index, dtype=object)


def sparsity_against_accuracy(networks: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Return mean and standard deviation over seeds of sparsity and balanced accuracy per method and data set.

    Columns: panel, dataset, noise, prior_corruption, method, kind (method, control or published), models, sparsity,
    sparsity_sd, balanced_accuracy, balanced_accuracy_sd, source. Published values are added where the paper used the
    same data set and noise; controls have no sparsity.
    """
    scored = networks[networks["balanced_accuracy"].notna()]
    grouped = scored.groupby([*GROUP, "method"], sort=False)
    table = grouped.agg(
        models=("seed", "size"),
        sparsity=("sparsity", "mean"),
        sparsity_sd=("sparsity", "std"),
        balanced_accuracy=("balanced_accuracy", "mean"),
        balanced_accuracy_sd=("balanced_accuracy", "std"),
    ).reset_index()
    table["kind"] = np.where(table["method"].isin(CONTROLS), "control", "method")
    table["source"] = "this run"
    table = pd.concat([table, *_published_points(table, published)], ignore_index=True)
    table.insert(0, "panel", panel_names(table))
    return table


def _published_points(table: pd.DataFrame, published: pd.DataFrame):
    """Yield the published points beside the same data and noise, and priors no more corrupted than in the paper.

    There, one percentage stands for the corruption and for twice the standard deviation of the noise.
    """
    wide = published[published["quantity"].isin(["sparsity", "balanced_accuracy"])]
    wide = wide[wide["evidence"] != "leaderboard"]
    wide = wide.pivot_table(index=["dataset", "noise", "method", "source"], columns="quantity", values="value").dropna()
    for (_, noise, corruption), rows in table.groupby(GROUP, sort=False):
        if corruption > 2 * noise + 1e-9:
            continue
        first = rows.iloc[0]
        for (dataset, its_noise, method, source), values in wide.iterrows():
            if dataset.lower() == str(first["dataset"]).lower() and np.isclose(its_noise, noise):
                point = {name: first[name] for name in GROUP} | values.to_dict()
                yield pd.DataFrame([point | {"method": method, "kind": "published", "source": source}])


def prediction_error(networks: pd.DataFrame) -> pd.DataFrame:
    """Return the test error of every trained model divided by that of persistence (next = now) on the same pairs.

    Columns: panel, dataset, noise, prior_corruption, method, seed, test_mse, persistence_mse, ratio, ratio_mean.
    """
    persistence = networks[networks["method"] == "persistence"].groupby(GROUP, as_index=False)["test_mse"].mean()
    persistence = persistence.rename(columns={"test_mse": "persistence_mse"})
    models = networks[~networks["method"].isin(CONTROLS) & networks["test_mse"].notna()]
    table = models.merge(persistence, on=GROUP)
    table["ratio"] = table["test_mse"] / table["persistence_mse"]
    table["ratio_mean"] = table.groupby([*GROUP, "method"])["ratio"].transform("mean")
    table.insert(0, "panel", panel_names(table))
    return table[["panel", *GROUP, "method", "seed", "test_mse", "persistence_mse", "ratio", "ratio_mean"]]


def pathways(table: pd.DataFrame, top: int = TOP) -> pd.DataFrame:
    """Return the z-scores of all pathways that are among the `top` of some method with z > 0, per data set.

    Columns: panel, dataset, noise, prior_corruption, method, pathway, z (negative values as 0), significant
    (Bonferroni below 0.05), row (the order of the pathways in the panel: highest mean z first).
    """
    rank = table.groupby([*GROUP, "method"])["z"].rank(ascending=False, method="first")
    chosen = table.loc[(rank <= top) & (table["z"] > 0), [*GROUP, "pathway"]].drop_duplicates()
    shown = table.merge(chosen, on=[*GROUP, "pathway"])
    shown["z"] = shown["z"].clip(lower=0)
    shown["significant"] = shown["p_bonferroni"] < 0.05
    shown["mean_z"] = shown.groupby([*GROUP, "pathway"])["z"].transform("mean")
    shown = shown.sort_values([*GROUP, "mean_z", "pathway"], ascending=[True, True, True, False, True])
    shown["row"] = shown.groupby(GROUP)["pathway"].transform(lambda names: pd.factorize(names)[0])
    shown.insert(0, "panel", panel_names(shown))
    return shown[["panel", *GROUP, "method", "pathway", "z", "p_bonferroni", "significant", "row"]]


def effect_matrices(effects: pd.DataFrame) -> pd.DataFrame:
    """Return the entries of the heat maps: the truth of every data set and noise, then the methods.

    `effects` holds the first seed of each method that did not fail, scaled to a largest absolute value of 1, and the
    signs of the truth as method `truth`, once or more. Regulators stand in the order of their number of true targets,
    targets in that of their first true regulator, so the truth is a staircase. Columns: panel, dataset, noise,
    prior_corruption, method, regulator, target, regulator_place, target_place (from 0), effect. Of many methods, and
    of several corruptions of a prior, `few_of_many` and `one_corruption` tell which are kept.
    """
    parts = []
    for _, rows in one_corruption(few_of_many(effects, "truth")).groupby(GROUP, sort=False):
        distinct = rows.drop_duplicates(["method", "regulator", "target"])
        regulators, targets = _places(distinct)
        places = {
            "regulator_place": distinct["regulator"].map(regulators),
            "target_place": distinct["target"].map(targets),
        }
        parts.append(distinct.assign(**places))
    names = [*GROUP, "method", "regulator", "target", "regulator_place", "target_place", "effect"]
    table = pd.concat(parts)[names] if parts else pd.DataFrame(columns=names)
    table.insert(0, "panel", panel_names(table))
    return table


def coregulation(table: pd.DataFrame) -> pd.DataFrame:
    """Return the heat maps of regulators that share hidden units (in the prior: targets), and how well these agree.

    Of many methods and corruptions the same are kept as for the effect matrices. Columns: panel, dataset, noise,
    prior_corruption, method, regulator, other, place, other_place, value, agreement (correlation with the prior over
    all pairs of different regulators; NaN for the prior itself and where nothing varies).
    """
    kept = one_corruption(few_of_many(table, "prior"))
    kept = kept.drop_duplicates([*GROUP, "method", "regulator", "other"])
    kept = kept.assign(agreement=np.nan)
    for _, rows in kept.groupby(GROUP, sort=False):
        size = int(rows[["place", "other_place"]].max(axis=None)) + 1
        maps = {method: _above_diagonal(own, size) for method, own in rows.groupby("method")}
        for method, own in maps.items():
            if method != "prior" and "prior" in maps and own.std() > 0 and maps["prior"].std() > 0:
                kept.loc[rows.index[rows["method"] == method], "agreement"] = np.corrcoef(own, maps["prior"])[0, 1]
    kept.insert(0, "panel", panel_names(kept))
    return kept[["panel", *GROUP, "method", "regulator", "other", "place", "other_place", "value", "agreement"]]


def _above_diagonal(rows: pd.DataFrame, size: int) -> np.ndarray:
    matrix = np.zeros((size, size))
    matrix[rows["place"], rows["other_place"]] = rows["value"]
    return matrix[np.triu_indices(size, 1)]


def few_of_many(table: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Return the rows of all methods if there are up to FEW, otherwise of those OF_MANY, and of `reference`."""
    methods = [name for name in table["method"].unique() if name != reference]
    if len(methods) > FEW:
        methods = [name for name in OF_MANY if name in methods] or methods[:FEW]
    return table[table["method"].isin([*methods, reference])]


def one_corruption(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of one corruption of the prior per data set and noise: the lowest above 0, if there is one."""
    corruption = table["prior_corruption"]
    above = corruption.where(corruption > 0).groupby([table["dataset"], table["noise"]]).transform("min")
    return table[corruption == above.fillna(0)]


def pruning_path(path: pd.DataFrame, networks: pd.DataFrame) -> pd.DataFrame:
    """Return how accurate the networks are at every snapshot of the training, and the accuracy of the controls.

    Mean and 95 % interval over the seeds still training at that epoch. Columns: panel, dataset, noise,
    prior_corruption, method, kind (method or control), epoch, models, sparsity, balanced_accuracy,
    balanced_accuracy_low, balanced_accuracy_high; controls have neither epoch nor sparsity.
    """
    scored = path[path["balanced_accuracy"].notna()]
    rows = []
    for key, group in scored.groupby([*GROUP, "method", "epoch"], sort=False):
        named = dict(zip([*GROUP, "method", "epoch"], key, strict=True))
        rows.append(named | {"kind": "method", "sparsity": group["sparsity"].mean()} | _accuracy(group))
    known = networks[networks["method"].isin(CONTROLS) & networks["balanced_accuracy"].notna()]
    known = known.merge(scored[GROUP].drop_duplicates())
    for key, group in known.groupby([*GROUP, "method"], sort=False):
        rows.append(dict(zip([*GROUP, "method"], key, strict=True)) | {"kind": "control"} | _accuracy(group))
    names = ["balanced_accuracy", "balanced_accuracy_low", "balanced_accuracy_high"]
    table = pd.DataFrame(rows, columns=[*GROUP, "method", "kind", "epoch", "models", "sparsity", *names])
    table.insert(0, "panel", panel_names(table))
    return table


def _accuracy(group: pd.DataFrame) -> dict:
    mean, low, high = mean_interval(group["balanced_accuracy"])
    interval = {"balanced_accuracy": mean, "balanced_accuracy_low": low, "balanced_accuracy_high": high}
    return interval | {"models": group["seed"].nunique()}


def prior_recovery(networks: pd.DataFrame) -> pd.DataFrame:
    """Return, per method and corruption of the prior, what was found outside the prior and what wrong was kept of it.

    Columns: panel (data set and noise), dataset, noise, prior_corruption, method, quantity (one of RECOVERY), models,
    mean, low, high (95 % interval over seeds). Quantities that have no value anywhere in a panel are left out.
    """
    rows = []
    methods = networks[~networks["method"].isin(CONTROLS)]
    for key, group in methods.groupby([*GROUP, "method"], sort=False):
        for quantity in RECOVERY:
            values = group[quantity].dropna() if quantity in group else []
            if len(values):
                summary = dict(zip(("mean", "low", "high"), mean_interval(values), strict=True))
                named = dict(zip([*GROUP, "method"], key, strict=True))
                rows.append(named | {"quantity": quantity, "models": len(values)} | summary)
    table = pd.DataFrame(rows, columns=[*GROUP, "method", "quantity", "models", "mean", "low", "high"])
    table.insert(0, "panel", panel_names(table.assign(prior_corruption=0.0)))
    return table


def tuning(folds: pd.DataFrame) -> pd.DataFrame:
    """Return the mean validation error over the folds of every setting that was tried.

    Columns: panel (method and data set), dataset, noise, prior_corruption, method, setting (JSON), lambda1 and lambda2
    where the settings are a pair of them, otherwise key and value of the one number that varies, folds,
    validation_mse, standard_error, chosen. A setting that failed in a fold has no error.
    """
    rows = []
    for key, group in folds.groupby([*GROUP, "method", "setting"], sort=False):
        errors = group["validation_mse"].astype(float)
        spread = errors.std() / np.sqrt(len(errors)) if len(errors) > 1 else np.nan
        summary = {"folds": len(errors), "validation_mse": errors.mean(skipna=False), "standard_error": spread}
        named = dict(zip([*GROUP, "method", "setting"], key, strict=True))
        rows.append(named | _axes(key[-1]) | summary | {"chosen": bool(group["chosen"].all())})
    axes = ["lambda1", "lambda2", "key", "value"]
    names = [*GROUP, "method", "setting", *axes, "folds", "validation_mse", "standard_error", "chosen"]
    table = pd.DataFrame(rows, columns=names)
    table.insert(0, "panel", [f"{label(method)} on " for method in table["method"]] + panel_names(table))
    return table


def _axes(setting: str) -> dict:
    """Return where a setting, given as JSON, stands in a figure: at (lambda1, lambda2), or at the value of its key."""
    chosen = json.loads(setting)
    if len(chosen.get("lambdas", ())) == 2:
        return dict(zip(("lambda1", "lambda2"), chosen["lambdas"], strict=True))
    key = ", ".join(chosen)
    return {"key": key, "value": next((value for value in chosen.values() if isinstance(value, int | float)), np.nan)}


def _places(edges: pd.DataFrame) -> tuple[dict, dict]:
    """Return the places of regulators and of targets in a heat map."""
    true_edges = edges[edges["method"] == "truth"]
    degree = true_edges["regulator"].value_counts().to_dict()
    regulators = sorted(edges["regulator"].unique(), key=lambda name: (-degree.get(name, 0), name))
    regulators = {name: place for place, name in enumerate(regulators)}
    first = true_edges.assign(place=true_edges["regulator"].map(regulators)).groupby("target")["place"].min().to_dict()
    targets = sorted(edges["target"].unique(), key=lambda name: (first.get(name, len(regulators)), name))
    return regulators, {name: place for place, name in enumerate(targets)}
