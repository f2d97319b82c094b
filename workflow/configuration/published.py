"""The published objectives of PEtab problems, `resources/published/objectives.tsv`, by the names of their files."""

import csv
import math

from kinetrain.errors import InputError

COLUMNS = ["petab", "quantity", "objective", "source"]
KEYS = {"nominal": "reference_objective", "best known": "best_known_objective"}  # of a problem in the configuration


def load_objectives(path) -> dict[str, dict[str, float]]:
    """Return the published objectives {name of the PEtab file in the manifest: {key of a problem: objective}}.

    They are negative log-likelihoods of the measured data, without priors.

    Raises
    ------
    InputError
        Names the line and the column that is malformed, or stands there twice.
    """
    with open(path, encoding="utf-8", newline="") as file:
        header, *lines = csv.reader(file, delimiter="\t")
    if header != COLUMNS:
        raise InputError(f"{path}, line 1: expected the columns {', '.join(COLUMNS)}, got {', '.join(header)}")
    found: dict[str, dict[str, float]] = {}
    for number, line in enumerate(lines, start=2):
        if len(line) != len(COLUMNS) or line[1] not in KEYS:
            raise InputError(f"{path}, line {number}: expected {len(COLUMNS)} fields, the second {' or '.join(KEYS)}")
        name, quantity, objective, _ = line
        if KEYS[quantity] in found.setdefault(name, {}):
            raise InputError(f"{path}, line {number}: the objective '{quantity}' of {name} stands there already")
        found[name][KEYS[quantity]] = _number(objective, f"{path}, line {number}")
    return found


def _number(text: str, where: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"{where}: objective is {text!r}, expected a number")
    return number
