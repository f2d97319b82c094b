"""Score tables of trained models, of their snapshots, and of the control predictors.

`model` holds the arrays of a model file: genes (k,), seeds (M,), chains (C, L) and parameters (M, *shape). `runs` has
a row per seed; `priors` are (k, k), in the order of the seeds; `truth` is (k, k), or None without a gold standard.
"""

import numpy as np
import pandas as pd

from kinetrain import tables
from kinetrain.errors import InputError
from kinetrain.networks import controls, effects, packed
from kinetrain.networks.metrics.edges import count_bits, packed_scores
from kinetrain.networks.scores import edge_scores
from kinetrain.tables import LEVEL, TABLES, completed

IDENTITY = [*LEVEL, "seed"]
EFFECT = ["regulator", "target", "effect"]
MANY_GENES = 100  # above this a heat map shows only the known regulators
MANY_REGULATORS = 60  # of a co-regulation map: those with most targets in the prior; or of the largest effects
SMALLEST = 5e-4  # relative to the largest; what a heat map cannot show is left out of its table


def score_rows(model, runs: pd.DataFrame, truth, priors) -> pd.DataFrame:
    """Return the scores of all models of one training, one row per seed.

    A model with weights that are not finite gets no scores.
    """
    rows = []
    for index in range(len(model["seeds"])):
        row, weights = run_of(runs, model["seeds"][index]).to_dict(), model_weights(model, index)
        if weights is not None:
            effect = effects.effect_matrix(weights, model["chains"])
            row |= {
                "sparsity": effects.sparsity(weights, model["chains"]),
                "mask_sparsity": effects.mask_sparsity(weights, model["chains"]),
                "dead_genes": effects.dead_genes(weights),
                "out_degree": effects.mean_out_degree(effect),
            }
            if truth is not None:
                row |= edge_scores(effects.relative_effects(effect), truth, priors[index])
        rows.append(row)
    return completed("networks", pd.DataFrame(rows))


def control_rows(expression, noise: float, seeds, priors, truth) -> pd.DataFrame:
    """Return the rows of the control predictors.

    One row per seed for the prior alone, where there is one, and for persistence (the noise differs), one with the
    first seed for the predictors that know regulators or targets. Controls have no weights, so their sparsity is empty;
    their out-degree is a measure of density.
    """
    known = {controls.PRIOR_ALONE: "yes", controls.PERSISTENCE: "no"}
    rows = []
    for method, seed, network, prior in _control_networks(seeds, priors, truth):
        row = {"method": method, "seed": seed, "out_degree": effects.mean_out_degree(network)}
        rows.append(row | (edge_scores(network, truth, prior) if truth is not None else {}))
    for seed in seeds:
        row = {"method": controls.PERSISTENCE, "seed": seed}
        noisy, pairs = expression.noisy(noise, seed), (expression.transitions, expression.split)
        row["test_mse"] = controls.persistence_error(expression.values, *pairs)
        row["test_mse_noisy"] = controls.persistence_error(noisy, *pairs)
        row["validation_mse"] = controls.persistence_error(noisy, *pairs, part="validation")
        rows.append(row)
    table = pd.DataFrame(rows).assign(status="finished")
    table["uses_prior"] = table["method"].map(known).fillna("truth")
    return completed("networks", table)


def _control_networks(seeds, priors, truth):
    """Yield method, seed, network and prior of the controls that are networks, one at a time, as each may be large."""
    if any(map(np.any, priors)):
        for seed, prior in zip(seeds, priors, strict=True):
            yield controls.PRIOR_ALONE, seed, prior, prior
    if truth is not None:
        prior = priors[0]
        for name, network in controls.informed(truth).items():
            yield name, seeds[0], network, prior


def path_rows(path, model, runs: pd.DataFrame, truth, priors) -> pd.DataFrame:
    """Return sparsity, losses and network scores of every snapshot of a training, up to the end of each model.

    `path` holds seeds (M,), epochs (E,), sparsity, mask_sparsity and validation_mse (M, E), and supports as
    `packed.as_arrays` makes them, of the weights behind the effects of `model`. A model that has ended, or failed, has
    no validation error from then on.
    """
    parts = []
    supports = packed.of_arrays(path)
    shapes = {name: model[name].shape[1:] for name in effects.names_behind(model["chains"], model)}
    present = None if truth is None else np.packbits(np.asarray(truth) != 0)
    for index, seed in enumerate(path["seeds"]):
        known = None if truth is None else np.packbits(np.asarray(priors[index]) != 0)
        rows = []
        for at in np.flatnonzero(~np.isnan(path["validation_mse"][index])):
            support = packed.unpack(supports[index * len(path["epochs"]) + at], shapes)
            bits = effects.edge_bits(support, model["chains"])
            rates = {} if truth is None else packed_scores(bits, present, known, np.size(truth))
            measured = {name: path[name][index, at] for name in ("sparsity", "mask_sparsity", "validation_mse")}
            rows.append({"epoch": path["epochs"][at], "edges": count_bits(bits)} | rates | measured)
        parts.append(pd.DataFrame(rows).assign(**run_of(runs, seed)[IDENTITY].to_dict()))
    return pd.concat(parts, ignore_index=True).reindex(columns=TABLES["path"].names())


def effect_rows(model, runs: pd.DataFrame, truth, prior) -> pd.DataFrame:
    """Return the median effects of the models that did not fail, and the signs of the truth as method `truth`."""
    identity = run_of(runs, model["seeds"][0])[list(LEVEL)].to_dict()
    genes = np.asarray(model["genes"])
    median = MedianEffects(genes, truth, prior)
    for index in range(len(model["seeds"])):
        weights = model_weights(model, index)
        if weights is not None:
            median.add(effects.effect_matrix(weights, model["chains"]))
    parts = [median.rows(identity)]
    if truth is not None:
        signs = _entries(np.sign(truth), genes, genes, EFFECT).assign(**{**identity, "method": "truth"})
        parts.insert(0, completed("effects", signs))
    return pd.concat([part for part in parts if len(part)] or parts)


class MedianEffects:
    """What a heat map shows of the effects of several models: their median, each scaled to a largest value of 1.

    Above MANY_GENES genes only regulators in the truth are kept, or in the `prior` where there is no truth, or those of
    the largest effects of the first model where there is neither.
    """

    def __init__(self, genes, truth, prior):
        self.genes, self.known = np.asarray(genes), np.asarray(prior if truth is None else truth) != 0
        self.shown = np.ones(len(genes), dtype=bool)
        self.scaled: list[np.ndarray] = []

    def add(self, effect) -> None:
        """Take the effects (k, k) [target, regulator] of a model; of them only what is shown is kept."""
        if not self.scaled and len(effect) > MANY_GENES:
            self.shown = self.known.any(axis=0)
            if not self.shown.any():
                self.shown[np.argsort(-np.abs(effect).sum(axis=0))[:MANY_REGULATORS]] = True
        self.scaled.append((effect[:, self.shown] / (np.abs(effect).max() or 1)).astype(np.float32))

    def rows(self, identity: dict) -> pd.DataFrame:
        """Return the table `effects` for the method `identity` (LEVEL); no rows without any model."""
        if not self.scaled:
            return tables.empty("effects")
        table = _entries(np.median(self.scaled, axis=0), self.genes[self.shown], self.genes, EFFECT)
        return completed("effects", table.assign(**identity, models=len(self.scaled)))


def coregulation_rows(model, runs: pd.DataFrame, prior) -> pd.DataFrame:
    """Return how strongly pairs of regulators share hidden units in the first model that did not fail.

    The regulators are those of the `prior` (of that model), at most MANY_REGULATORS, in an order in which those with
    common targets are neighbours. Method `prior` holds the numbers of common targets. Both are scaled to a largest
    value of 1. Columns: those of a run, regulator, other, place, other_place, value.
    """
    index, weights = first_model(model)
    run = run_of(runs, model["seeds"][index])
    present = (np.asarray(prior) != 0).astype(np.float32)
    degree = present.sum(axis=0)
    chosen = np.argsort(-degree, kind="stable")[: min(MANY_REGULATORS, np.count_nonzero(degree))]
    common = present[:, chosen].T @ present[:, chosen]
    order = _in_order_of_overlap(common)
    chosen, common = chosen[order], common[np.ix_(order, order)]
    shown = {"prior": common}
    if weights is not None:
        shown[run["method"]] = effects.shared_units(weights, model["chains"], chosen)
    names = ["regulator", "other", "value"]
    genes = np.asarray(model["genes"])[chosen]
    place = {gene: number for number, gene in enumerate(genes)}
    parts = [
        _entries(gram / (gram.max(initial=0) or 1), genes, genes, names).assign(**{**run[IDENTITY], "method": key})
        for key, gram in shown.items()
    ]
    table = pd.concat(parts)
    table = table.assign(place=table["regulator"].map(place), other_place=table["other"].map(place))
    return table[[*IDENTITY, "regulator", "other", "place", "other_place", "value"]]


def _in_order_of_overlap(common) -> np.ndarray:
    """Return an order of regulators by the targets they share: next is the one that shares most with the last.

    Shares are relative to the geometric mean of the two numbers of targets; the first has the most targets.
    """
    degree = np.diag(common)
    overlap = common / np.sqrt(np.outer(degree, degree))
    order = [int(np.argmax(degree))] if len(degree) else []
    left = np.ones(len(degree), dtype=bool)
    while len(order) < len(degree):
        left[order[-1]] = False
        order.append(int(np.argmax(np.where(left, overlap[order[-1]], -1))))
    return np.array(order, dtype=int)


def first_model(model) -> tuple[int, dict | None]:
    """Return index and weights of the first model whose weights are finite; 0 and None if there is none."""
    for index in range(len(model["seeds"])):
        weights = model_weights(model, index)
        if weights is not None:
            return index, weights
    return 0, None


def model_weights(model, index) -> dict | None:
    """Return the weights behind the effects of one model by name, None if some are not finite."""
    weights = {name: model[name][index] for name in effects.names_behind(model["chains"], model)}
    return weights if all(np.isfinite(array).all() for array in weights.values()) else None


def run_of(runs: pd.DataFrame, seed) -> pd.Series:
    """Return the row of one seed; InputError unless there is exactly one."""
    rows = runs[runs["seed"] == seed]
    if len(rows) != 1:
        raise InputError(f"runs table: {len(rows)} rows for seed {seed} of the model file, expected 1")
    return rows.iloc[0]


def _entries(network, regulators, targets, names) -> pd.DataFrame:
    """Return the entries of a matrix [target, regulator] that a heat map can show, under the three `names`."""
    columns, rows = np.nonzero(np.abs(network.T) >= SMALLEST)
    values = np.asarray(network, dtype=float)[rows, columns].round(4)
    return pd.DataFrame(dict(zip(names, (regulators[columns], targets[rows], values), strict=True)))
