"""Findings on networks without a gold standard: how far seeds agree, and which genes act most on others."""

import numpy as np
import pandas as pd

from kinetrain.appearance import label
from kinetrain.evaluation.network_summaries import GROUP, panel_names
from kinetrain.evaluation.statements import counted, number_text
from kinetrain.evaluation.statistics import FEWEST_SEEDS

STRONGEST = 100  # edges that a statement is about
NAMED = 3  # genes that are named


def stable_edges(consensus: pd.DataFrame):
    """Yield per data set and method how many of the strongest edges all models have; nothing of a single model."""
    for panel, method, group in _several(consensus):
        edges = group.head(STRONGEST)  # the strongest stand first
        shared = int(((edges["frequency"] == 1) & (edges["sign_agreement"] == 1)).sum())
        statement = (
            f"{method}: of the {counted(len(edges), 'strongest edge')} that at least half of "
            f"{group['models'].iloc[0]:.0f} models have, all models have {shared}, with one sign."
        )
        yield "Stability of networks", panel, statement, shared, len(edges), "-"


def leading_regulators(regulators: pd.DataFrame):
    """Yield per data set and method which genes have the most influence, and in how many models each leads."""
    for panel, method, group in _several(regulators):
        first = group.nsmallest(NAMED, "place")
        said = [
            f"{gene} ({number_text(influence)}; among the highest in {round(share * models)})"
            for gene, influence, share, models in first[["gene", "influence", "top_share", "models"]].to_numpy()
        ]
        statement = f"{method}: the most influence, as the mean of {first['models'].iloc[0]:.0f} models, have "
        yield "Regulators", panel, statement + ", ".join(said) + ".", np.nan, np.nan, "-"


def _several(table: pd.DataFrame):
    """Yield panel, label of the method (marked where models are few) and rows of every method of several models."""
    for (*_, method), group in table[table["models"] > 1].groupby([*GROUP, "method"], sort=False):
        few = f" (fewer than {FEWEST_SEEDS} models)" if group["models"].iloc[0] < FEWEST_SEEDS else ""
        yield panel_names(group).iloc[0], label(method) + few, group
