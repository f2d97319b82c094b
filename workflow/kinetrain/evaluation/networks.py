"""Score tables of trained models and of the control predictors, in the columns of networks.tsv."""

import numpy as np
import pandas as pd

from kinetrain.errors import InputError
from kinetrain.networks import controls, effects
from kinetrain.networks.scores import edge_scores

IDENTITY = ["dataset", "method", "noise", "prior_corruption", "seed"]
COLUMNS = [*IDENTITY, "sparsity", "balanced_accuracy", "auroc", "auprc", "test_mse", "epochs", "cpu_seconds", "status"]
MANY_GENES = 100  # above this a heat map shows only the regulators of the gold standard
WEIGHTS = ("w_s", "w_p", "u_s", "u_p", "v")


def score_rows(model, runs: pd.DataFrame, truth) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the scores of all models of one training, one row per seed, and one model's effects beside the truth.

    `model` holds w_s, w_p (M, m, k), u_s, u_p (M, k, m), v (M, k), seeds (M,) and genes (k,); `truth` is (k, k).
    A model with weights that are not finite gets no scores; the effects are those of the first that has some.
    """
    rows, first = [], (None, runs.iloc[0])
    for index, seed in enumerate(model["seeds"]):
        run = runs[runs["seed"] == seed]
        if len(run) != 1:
            raise InputError(f"runs table: {len(run)} rows for seed {seed} of the model file, expected 1")
        weights = [model[name][index] for name in WEIGHTS]
        row = run.iloc[0].to_dict()
        if all(np.isfinite(array).all() for array in weights):
            effect = effects.effect_matrix(*weights)
            row |= edge_scores(effects.relative_effects(effect), truth)
            row |= {
                "sparsity": effects.sparsity(*weights),
                "mask_sparsity": effects.mask_sparsity(*weights[:4]),
                "out_degree": effects.mean_out_degree(effect),
            }
            first = (effect, run.iloc[0]) if first[0] is None else first
        rows.append(row)
    return _ordered(pd.DataFrame(rows)), _effect_rows(*first, model["genes"], truth)


def control_rows(priors, seeds, truth, persistence_mse: float) -> pd.DataFrame:
    """Return one row per prior, and one each for `regulators x all genes` and `persistence` (of the first seed).

    Controls have no weights, so their sparsity is empty; their out-degree tells how dense they are.
    """
    networks = [("prior alone", seed, prior) for seed, prior in zip(seeds, priors, strict=True)]
    networks.append(("regulators x all genes", seeds[0], controls.true_regulators_everywhere(truth)))
    rows = [
        {"method": method, "seed": seed, **edge_scores(network, truth), "out_degree": effects.mean_out_degree(network)}
        for method, seed, network in networks
    ]
    rows.append({"method": "persistence", "seed": seeds[0], "test_mse": persistence_mse})
    return _ordered(pd.DataFrame(rows).assign(status="finished"))


def _ordered(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with the columns of networks.tsv first, as far as the caller gave its identity."""
    first = [name for name in COLUMNS if name in table.columns or name not in IDENTITY]
    return table.reindex(columns=[*first, *(name for name in table.columns if name not in first)])


def _effect_rows(effect, run, genes, truth) -> pd.DataFrame:
    """Return the non-zero effects of one model, and the signs of the truth as method `truth`."""
    shown = {"truth": np.sign(truth)}
    if effect is not None:
        scaled = effect / (np.abs(effect).max() or 1)
        everything = len(genes) <= MANY_GENES
        shown[run["method"]] = scaled if everything else scaled * (np.asarray(truth) != 0).any(axis=0)
    parts = [
        _entries(network, np.asarray(genes)).assign(**{**run[IDENTITY], "method": name})
        for name, network in shown.items()
    ]
    return pd.concat(parts)[[*IDENTITY, "regulator", "target", "effect"]]


def _entries(network, genes) -> pd.DataFrame:
    regulators, targets = np.nonzero(network.T)
    effects_found = network[targets, regulators].round(4)
    return pd.DataFrame({"regulator": genes[regulators], "target": genes[targets], "effect": effects_found})
