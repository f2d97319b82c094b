"""Priors of a PEtab parameter table (version 1, objective priors), as -log p and its gradient."""

import numpy as np
import pandas as pd

from kinetrain.errors import InputError

LN10 = np.log(10.0)
ROUNDING = 1e-9  # of the ends of uniform priors, which are often the bounds too


class Priors:
    """-log p(theta) of the objective priors in a table of the n estimated parameters.

    `normal` and `laplace` hold on the linear scale, `logNormal` and `logLaplace` are densities of the linear parameter
    whose natural logarithm is normal or Laplace, `parameterScale...` ones hold on the scale of the estimation. Uniform
    priors (`uniform`, and `logUniform`, of the logarithm) are infinite outside their ends; that constant of their
    density is left out, those of the others are kept, as in the likelihood.

    Source: PEtab 1, parameter table; Stapor et al. 2022 have none, that priors count once per full objective is a
    choice of ours.
    """

    def __init__(self, table):
        self.terms = []
        columns = table.reindex(columns=["parameterScale", "objectivePriorType", "objectivePriorParameters"])
        for index, (name, scale, kind, numbers) in enumerate(columns.itertuples(name=None)):
            kind = "parameterScaleUniform" if pd.isna(kind) else kind
            if kind == "parameterScaleUniform" and pd.isna(numbers):  # PEtab then takes the bounds
                continue
            on_scale = kind.startswith("parameterScale")
            shape = kind.removeprefix("parameterScale").lower()
            if shape not in ("normal", "laplace", "lognormal", "loglaplace", "uniform", "loguniform"):
                known = "normal, laplace, uniform, logNormal, logLaplace and logUniform are"
                raise InputError(f"parameter '{name}': the prior '{kind}' is not supported ({known})")
            centre, width = prior_numbers(f"objectivePriorParameters of '{name}'", kind, numbers)
            self.terms.append((index, "lin" if on_scale else scale, shape, centre, width))

    @classmethod
    def of_terms(cls, terms) -> "Priors":
        """Return priors with given terms (attribute `terms`)."""
        priors = cls.__new__(cls)
        priors.terms = [tuple(term) for term in terms]
        return priors

    def value(self, theta) -> float:
        """Return -log p at theta (n,) on the parameters' scales."""
        return float(sum(_term(theta[index], *rest)[0] for index, *rest in self.terms))

    def gradient(self, theta) -> np.ndarray:
        """Return the gradient (n,) of -log p on the parameters' scales."""
        gradient = np.zeros(len(theta))
        for index, *rest in self.terms:
            gradient[index] += _term(theta[index], *rest)[1]
        return gradient


def prior_numbers(where, kind, text) -> tuple[float, float]:
    """Return the two numbers of a prior; InputError, which begins with `where`, if they are not such."""
    try:
        first, second = (float(part) for part in str(text).split(";"))
    except ValueError:
        first = second = np.nan
    uniform = kind.lower().endswith("uniform")
    if not np.isfinite([first, second]).all() or (first > second if uniform else second <= 0):
        wanted = "the lower end, then the upper one" if uniform else "the centre, then a positive width"
        found = "empty" if text != text else f"'{text}'"
        raise InputError(f"{where}: the prior '{kind}' takes two numbers, {wanted}, but they are {found}")
    return first, second


def _term(x, scale, shape, centre, width):
    """Return -log p of one parameter and its derivative by x, its value on `scale`.

    centre, width: of uniform priors, their lower and upper end.
    """
    factor = {"lin": 0.0, "log": 1.0, "log10": LN10}[scale]
    value = np.exp(factor * x) if factor else x
    slope = factor * value if factor else 1.0
    if shape.endswith("uniform") and not centre - ROUNDING * abs(centre) <= value <= width + ROUNDING * abs(width):
        return np.inf, np.nan
    constant, more = 0.0, 0.0
    if shape.startswith("log"):  # the density of the parameter is that of its logarithm divided by it
        value, slope = np.log(value), slope / value
        constant, more = value, slope
    if shape.endswith("uniform"):
        return constant, more
    distance = (value - centre) / width
    if shape.endswith("normal"):
        density, rise = 0.5 * np.log(2 * np.pi * width**2) + 0.5 * distance**2, distance / width
    else:
        density, rise = np.log(2 * width) + abs(distance), np.sign(distance) / width
    return constant + density, more + slope * rise
