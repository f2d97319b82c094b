"""Prior knowledge of the reactions of an over-complete model: a confidence in each, and its corruption."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kinetrain.data.text import as_numbers, read_table, refuse_repeated
from kinetrain.errors import InputError, did_you_mean

COLUMNS = ("parameterId", "reaction", "confidence")


@dataclass(frozen=True)
class ReactionPrior:
    """The c reactions that may be pruned, by their rate parameters, with a confidence of 0 to 1 in each, (c,)."""

    parameters: tuple[str, ...]
    reactions: tuple[str, ...]
    confidence: np.ndarray


def read_reaction_prior(path, parameters: pd.DataFrame) -> ReactionPrior:
    """Return the table `path` of parameterId, reaction and confidence.

    parameters: the estimated ones of the problem, with parameterScale and lowerBound (`given_starts`).

    Raises
    ------
    InputError
        If a column is missing, a parameter or a reaction stands there twice, a parameter is not estimated or cannot be
        zero, or a confidence is not between 0 and 1; with file and row.
    """
    table = read_table(path, text=("parameterId", "reaction"))
    for name in COLUMNS:
        if name not in table.columns:
            raise InputError(f"{path}: no column '{name}'; it needs {', '.join(COLUMNS)}")
        if table[name].isna().any():
            raise InputError(f"{path}: row {table[name].isna().idxmax()}: no {name}")
    if len(table) < 2:
        raise InputError(f"{path}: it has {len(table)} reactions; there is nothing to choose among")
    refuse_repeated(path, table["parameterId"], "the parameter")
    refuse_repeated(path, table["reaction"], "the reaction")
    for row, name in table["reaction"].items():
        if ";" in name:
            raise InputError(f"{path}: row {row}: the reaction '{name}' has a semicolon, which separates names")
    for row, name in table["parameterId"].items():
        _check_rate(f"{path}: row {row}: '{name}'", name, parameters)
    confidence = as_numbers(table["confidence"])[0]
    for row, value, cell in zip(table.index, confidence, table["confidence"], strict=True):
        if not 0 <= value <= 1:
            raise InputError(f"{path}: row {row}: confidence is '{cell}'; a number from 0 to 1 is needed")
    return ReactionPrior(tuple(table["parameterId"]), tuple(table["reaction"]), confidence)


def _check_rate(where: str, name: str, parameters: pd.DataFrame) -> None:
    """Refuse a parameter that is not estimated, or that a pruned reaction could not set to zero."""
    if name not in parameters.index:
        raise InputError(f"{where} is no estimated parameter of the problem{did_you_mean(name, parameters.index)}")
    scale, lower = parameters.loc[name, ["parameterScale", "lowerBound"]]
    if scale != "lin" or lower != 0:
        raise InputError(
            f"{where} has the scale {scale} and the lower bound {lower:g}; a reaction is pruned by a rate of zero: it "
            "needs lin and 0"
        )


def corrupt(confidence: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Return confidences (c,), a `share` of which stand at other reactions: each of them has that of another one.

    With equal generators, what a smaller share moves is among what a larger one moves. A single reaction has no other
    to exchange with, and stays.
    """
    order = rng.permutation(len(confidence))
    moved = order[: round(share * len(confidence))]
    corrupted = confidence.copy()
    corrupted[moved] = confidence[np.roll(moved, 1)]
    return corrupted
