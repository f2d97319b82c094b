"""The network on which the models of one method agree over seeds, for data without a gold standard."""

from xml.etree import ElementTree

import numpy as np
import pandas as pd

from kinetrain.evaluation.networks import IDENTITY, model_weights, run_of
from kinetrain.networks import effects
from kinetrain.tables import TABLES, empty

MOST = 5000  # edges of a network; of unpruned models every pair is one
LEAST_FREQUENCY = 0.5  # share of the models that have an edge
ATTRIBUTES = {"sign": "int", "median_effect": "double", "frequency": "double", "sign_agreement": "double"}


def consensus(model, runs: pd.DataFrame, most: int = MOST) -> pd.DataFrame:
    """Return the edges that at least half of the models have, the strongest first, at most `most` of them.

    Effects of each model are scaled to a largest absolute value of 1. median_effect is the median over all models that
    did not fail, those without the edge counting as 0; frequency: the share of models with the edge; sign: of the
    median, or of the mean where that is 0; sign_agreement: the share of the models with the edge that have this sign.
    """
    found = [weights for weights in (model_weights(model, place) for place in range(len(model["seeds"]))) if weights]
    identity = run_of(runs, model["seeds"][0])[IDENTITY].drop("seed").to_dict()
    if not found:
        return empty("consensus")
    genes = np.asarray(model["genes"])
    # One matrix at a time: those of all models would not fit into memory with many genes.
    candidates = np.unique(np.concatenate([_strongest(_scaled(weights, model), most) for weights in found]))
    values = np.array([_scaled(weights, model).ravel()[candidates] for weights in found])
    present = values != 0
    median, mean = np.median(values, axis=0), values.mean(axis=0)
    sign = np.sign(np.where(median == 0, mean, median)).astype(int)
    agreeing = (np.sign(values) == sign) & present
    targets, regulators = np.unravel_index(candidates, (len(genes), len(genes)))
    table = pd.DataFrame(
        {
            **identity,
            "regulator": genes[regulators],
            "target": genes[targets],
            "sign": sign,
            "median_effect": median,
            "frequency": present.mean(axis=0),
            "sign_agreement": agreeing.sum(axis=0) / np.maximum(present.sum(axis=0), 1),
            "models": len(found),
        }
    )
    table = table[(table["frequency"] >= LEAST_FREQUENCY) & (table["sign"] != 0)]
    order = np.argsort(-table["median_effect"].abs().to_numpy(), kind="stable")
    return table.iloc[order[:most]][TABLES["consensus"].names()].reset_index(drop=True)


def _scaled(weights, model) -> np.ndarray:
    effect = effects.effect_matrix(weights, model["chains"])
    return effect / (np.abs(effect).max() or 1)


def _strongest(effect, most: int) -> np.ndarray:
    """Return the places of the largest effects in the flattened matrix, at most `most`, none that is zero."""
    size = np.abs(effect).ravel()
    places = np.argpartition(-size, most)[:most] if len(size) > most else np.arange(len(size))
    return places[size[places] > 0]


def graphml(table: pd.DataFrame) -> str:
    """Return a network as GraphML, which Cytoscape and igraph open: genes as nodes, effects as directed edges."""
    root = ElementTree.Element("graphml", xmlns="http://graphml.graphdrawing.org/xmlns")
    for name, kind in ATTRIBUTES.items():
        ElementTree.SubElement(root, "key", {"id": name, "for": "edge", "attr.name": name, "attr.type": kind})
    graph = ElementTree.SubElement(root, "graph", edgedefault="directed")
    for gene in dict.fromkeys([*table["regulator"], *table["target"]]):
        ElementTree.SubElement(graph, "node", id=str(gene))
    for row in table.to_dict("records"):
        edge = ElementTree.SubElement(graph, "edge", source=str(row["regulator"]), target=str(row["target"]))
        for name in ATTRIBUTES:
            ElementTree.SubElement(edge, "data", key=name).text = f"{row[name]:g}"
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"
