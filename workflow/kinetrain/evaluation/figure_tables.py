"""The tidy tables behind the network figures."""

import numpy as np
import pandas as pd

CONTROLS = ("prior alone", "regulators x all genes", "persistence")
GROUP = ["dataset", "noise", "prior_corruption"]
TOP = 20  # pathways shown per method, as in Hossain et al. 2024


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
    wide = published[published["quantity"].isin(["sparsity", "balanced_accuracy"])]
    wide = wide[wide["evidence"] != "leaderboard"]
    wide = wide.pivot_table(index=["dataset", "noise", "method", "source"], columns="quantity", values="value").dropna()
    for (_, noise, _), rows in table.groupby(GROUP, sort=False):
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
    """Return the non-zero entries of the heat maps: the truth of every data set, then the methods.

    `effects` holds the first seed of each method that did not fail, scaled to a largest absolute value of 1, and the
    signs of the truth as method `truth`, once or more. Regulators stand in the order of their number of true targets,
    targets in that of their first true regulator, so the truth is a staircase. Columns: panel, dataset, noise,
    prior_corruption, method, regulator, target, regulator_place, target_place (from 0), effect.
    """
    parts = []
    for _, rows in effects.groupby(GROUP, sort=False):
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


def _places(edges: pd.DataFrame) -> tuple[dict, dict]:
    """Return the places of regulators and of targets in a heat map."""
    true_edges = edges[edges["method"] == "truth"]
    degree = true_edges["regulator"].value_counts().to_dict()
    regulators = sorted(edges["regulator"].unique(), key=lambda name: (-degree.get(name, 0), name))
    regulators = {name: place for place, name in enumerate(regulators)}
    first = true_edges.assign(place=true_edges["regulator"].map(regulators)).groupby("target")["place"].min().to_dict()
    targets = sorted(edges["target"].unique(), key=lambda name: (first.get(name, len(regulators)), name))
    return regulators, {name: place for place, name in enumerate(targets)}
