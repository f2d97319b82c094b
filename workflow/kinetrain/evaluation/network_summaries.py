"""Summaries of trained networks for figures and findings, and the choice of panels and methods to show."""

import numpy as np
import pandas as pd

from kinetrain.appearance import in_order
from kinetrain.evaluation.statistics import POSITIVE, SHARE, mean_interval
from kinetrain.networks.controls import CONTROLS, PERSISTENCE
from kinetrain.yardsticks.methods import YARDSTICKS

GROUP = ["dataset", "noise", "prior_corruption"]
MOST_MAPS = 5  # methods whose heat maps fit into a row
# shown of more methods: three as in the paper, one by magnitude, one yardstick
SHOWN = ("sparseflow", "pinn_mp", "bioprune", "dash", "lasso")

# treatments of the multipliers of the genes, in the order of figures, with their labels
MULTIPLIERS = {"published": "v 5x", "slipped": "slip", "slow": "v 1x", "living": "living"}


def same_data(dataset: str, multipliers: str) -> str | None:
    """Return the common name of data sets that differ in their multipliers: NAME of NAME_living, NAME_slow, ..."""
    return dataset.removesuffix(f"_{multipliers}") if dataset.endswith(f"_{multipliers}") else None


def panel_names(table: pd.DataFrame) -> pd.Series:
    """Return a title per row: the data set and, where they are not 0, its noise and the corruption of its prior."""

    def name(row) -> str:
        parts = [str(row["dataset"])]
        parts += [f"noise {row['noise']:g}"] if row["noise"] else []
        parts += [f"{100 * row['prior_corruption']:g} % of prior moved"] if row["prior_corruption"] else []
        return ", ".join(parts)

    rows = table[GROUP].fillna({"noise": 0, "prior_corruption": 0})
    return pd.Series([name(row) for _, row in rows.iterrows()], index=table.index, dtype=object)


def means(models: pd.DataFrame, group: list[str], quantities, errors=()) -> pd.DataFrame:
    """Return mean and 95 % interval of each quantity over the models of each group, on the scale of shares or `errors`.

    Columns: those of `group`, quantity, models (those with a value), mean, low, high.
    """
    rows = []
    for key, part in models.groupby(group, sort=False, dropna=False):
        for quantity in quantities:
            values = part.get(quantity, pd.Series(dtype=float)).astype(float).dropna()
            scale = POSITIVE if quantity in errors else SHARE
            rows.append((*key, quantity, len(values), *mean_interval(values, scale=scale)))
    return pd.DataFrame(rows, columns=[*group, "quantity", "models", "mean", "low", "high"])


def sparsity_against_accuracy(networks: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Return mean and 95 % interval over seeds of sparsity and balanced accuracy per method and data set.

    Columns: panel, dataset, noise, prior_corruption, method, kind (method, control or published), models, sparsity,
    balanced_accuracy (each with _low and _high), source. Published values are added where the paper used the
    same data set and noise; controls have no sparsity.
    """
    scored = networks[networks["balanced_accuracy"].notna()]
    quantities = ("sparsity", "balanced_accuracy")
    names = [f"{quantity}{part}" for quantity in quantities for part in ("", "_low", "_high")]
    rows = [
        (*key, len(group), *(one for quantity in quantities for one in mean_interval(group[quantity], scale=SHARE)))
        for key, group in scored.groupby([*GROUP, "method"], sort=False, dropna=False)
    ]
    table = pd.DataFrame(rows, columns=[*GROUP, "method", "models", *names])
    table["kind"] = np.where(table["method"].isin(CONTROLS), "control", "method")
    table["source"] = "this run"
    table = pd.concat([table, *_published_points(table, published)], ignore_index=True)
    table.insert(0, "panel", panel_names(table))
    return table


def _published_points(table: pd.DataFrame, published: pd.DataFrame):
    """Yield the published points for the same data and noise, and priors no more corrupted than in the paper.

    There, one percentage is both the corruption and twice the standard deviation of the noise.
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


def by_multipliers(networks: pd.DataFrame) -> pd.DataFrame:
    """Return the trained models whose data sets differ in the multipliers alone, with a title `data` of the rest.

    These are data sets named NAME_living, NAME_published, ... after their `training.multipliers`.
    """
    models = networks[networks["multipliers"].isin(list(MULTIPLIERS))]
    shared = [same_data(*pair) for pair in zip(models["dataset"], models["multipliers"], strict=True)]
    models = models.assign(data=shared).dropna(subset=["data"])
    models["data"] = panel_names(models.assign(dataset=models["data"]))
    treatments = models.groupby("data")["multipliers"].transform("nunique")
    return models[treatments > 1]


def seed_means(models: pd.DataFrame, quantity: str, sign: int) -> pd.DataFrame:
    """Return per data set and method the mean of a quantity over seeds, and the place of the method by it.

    The index is dataset, noise, prior_corruption and method; the columns are mean, values (how many seeds have one),
    seeds and place, 1 for the best, which the sign of a good difference tells. A method of which seeds failed comes
    after those of which fewer did: one seed of five that did well by chance makes no best method. Without any value
    there is no place. Source: a choice of ours, as for failed runs in `scores.ranks` and failed folds in `tuning`.
    """
    groups = models.groupby([*GROUP, "method"])[quantity]
    table = pd.DataFrame({"mean": groups.mean(), "values": groups.count(), "seeds": groups.size()})
    share = (table["values"] / table["seeds"]).where(table["mean"].notna()).rename("share")
    before = share.groupby(level=GROUP).rank(ascending=False, method="min") - 1  # methods of which fewer seeds failed
    alike = (sign * table["mean"]).groupby([*(table.index.get_level_values(name) for name in GROUP), share])
    return table.assign(place=before + alike.rank(ascending=False))


def best_first(models: pd.DataFrame, quantity: str, sign: int) -> pd.DataFrame:
    """Return the methods of a single data set, those with a value, by their place: `seed_means` with the methods."""
    table = seed_means(models, quantity, sign).dropna(subset="place").droplevel(GROUP)
    return table.sort_values("place", kind="stable")


def of_seeds(table: pd.DataFrame) -> pd.Series:
    """Return per row of `seed_means` how many seeds its mean is of, as text; "" where it is of all or of none."""
    texts = [f"{row.values} of {row.seeds} seeds" if 0 < row.values < row.seeds else "" for row in table.itertuples()]
    return pd.Series(texts, index=table.index, dtype=object)


def relative_errors(networks: pd.DataFrame) -> pd.DataFrame:
    """Return what `prediction_error` does, also of models without an error, as those that failed; but no ratio_mean."""
    persistence = networks[networks["method"] == PERSISTENCE].groupby(GROUP, as_index=False)["test_mse"].mean()
    persistence = persistence.rename(columns={"test_mse": "persistence_mse"})
    table = networks[~networks["method"].isin(CONTROLS)].merge(persistence, on=GROUP)
    table["ratio"] = table["test_mse"] / table["persistence_mse"]
    table.insert(0, "panel", panel_names(table))
    return table[["panel", *GROUP, "method", "seed", "test_mse", "persistence_mse", "ratio"]]


def prediction_error(networks: pd.DataFrame) -> pd.DataFrame:
    """Return the test error of every trained model divided by that of persistence (next = now) on the same pairs.

    Columns: panel, dataset, noise, prior_corruption, method, seed, test_mse, persistence_mse, ratio, ratio_mean.
    """
    table = relative_errors(networks).dropna(subset="test_mse")
    return table.assign(ratio_mean=table.groupby([*GROUP, "method"])["ratio"].transform("mean"))


def few_of_many(table: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Return the rows of all methods if there are up to MOST_MAPS, else of one less, and of `reference`.

    Of more methods those SHOWN come first, then trained ones, then yardsticks.
    """
    methods = [name for name in table["method"].unique() if name != reference]
    if len(methods) > MOST_MAPS:
        others = [name for name in in_order(methods) if name not in SHOWN]
        others.sort(key=lambda name: name in YARDSTICKS)
        methods = [*(name for name in SHOWN if name in methods), *others][: MOST_MAPS - 1]
    return table[table["method"].isin([*methods, reference])]


def one_corruption(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of one corruption of the prior per data set and noise: the lowest above 0, if there is one."""
    corruption = table["prior_corruption"]
    above = corruption.where(corruption > 0).groupby([table["dataset"], table["noise"]]).transform("min")
    return table[corruption == above.fillna(0)]
