"""PEtab 1 problems given to AMICI's import, with formulas as PEtab's own parser reads them.

AMICI lets sympy read formulas as Python, in which `E1`, `Max` and `sum` are functions, `lambda` is a keyword, `a == b`
is false whatever a and b are, and `&&` and `piecewise` mean nothing.
"""

import copy

import pandas as pd
import petab.v1 as petab
from amici.importers.petab.v1 import _sbml_import
from amici.importers.petab.v1._import_helpers import petab_noise_distribution_to_amici
from amici.importers.utils import MeasurementChannel, symbol_with_assumptions
from petab.v1.math import sympify_petab

from kinetrain.mechanistic.petab_checks import PREEQUILIBRATION
from kinetrain.mechanistic.petab_tables import for_amici


def import_problem(problem: petab.Problem, path, **options) -> None:
    """Let AMICI import the SBML model of a problem (`petab_reader.read_petab`) with its observables."""
    original, _sbml_import.get_observation_model = _sbml_import.get_observation_model, _observation_model
    try:
        # The linter, which is slow with large tables, has checked it before.
        _sbml_import.import_model_sbml(_without_overrides(for_amici(problem, path)), validate=False, **options)
    finally:
        _sbml_import.get_observation_model = original


def _observation_model(observables) -> list[MeasurementChannel]:
    """Return what AMICI's function of this name returns, with formulas that are read."""
    channels = []
    for name, row in observables.iterrows():
        title, formula = row.get("observableName"), sympify_petab(row["observableFormula"])
        # AMICI has no states in the noise: there the observable stands for its formula.
        noise = sympify_petab(row["noiseFormula"]).subs(formula, symbol_with_assumptions(name))
        distribution = petab_noise_distribution_to_amici(row)
        title = "" if pd.isna(title) else str(title)
        channels.append(
            MeasurementChannel(name, name=title, formula=formula, sigma=noise, noise_distribution=distribution)
        )
    return channels


def _without_overrides(problem: petab.Problem) -> petab.Problem:
    """Return a problem with a row of measurements for each observable and condition, which AMICI's import takes.

    AMICI checks for overrides that change over time. Our tables have none, but its check mistakes missing
    pre-equilibration, and numbers for noise, for such overrides.
    """
    part = copy.copy(problem)
    part.measurement_df = problem.measurement_df.drop_duplicates(["observableId", "simulationConditionId"])
    before = problem.measurement_df.reindex(columns=[PREEQUILIBRATION]).squeeze(axis=1).dropna()
    part.measurement_df = part.measurement_df.assign(
        preequilibrationConditionId=before.iloc[0] if len(before) else None
    )
    return part
