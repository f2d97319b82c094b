"""Objective priors are the densities of SciPy, on every scale, with their derivatives."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from kinetrain.mechanistic.parameter_priors import Priors

UNSCALE = {"lin": lambda x: x, "log": np.exp, "log10": lambda x: 10.0**x}
LAWS = {  # of the parameter, or of its value on the scale
    "normal": (2, 0.5, stats.norm(2, 0.5)),
    "laplace": (2, 0.5, stats.laplace(2, 0.5)),
    "logNormal": (0.5, 0.3, stats.lognorm(0.3, scale=np.exp(0.5))),
    "logLaplace": (0.5, 0.3, stats.loglaplace(1 / 0.3, scale=np.exp(0.5))),
    "uniform": (0.5, 3, stats.uniform(0.5, 2.5)),
    "logUniform": (0.5, 3, stats.loguniform(0.5, 3)),
    "parameterScaleNormal": (0.2, 0.1, stats.norm(0.2, 0.1)),
    "parameterScaleLaplace": (0.2, 0.1, stats.laplace(0.2, 0.1)),
    "parameterScaleUniform": (0.1, 0.4, stats.uniform(0.1, 0.3)),
}


def priors(kind, scale, first, second):
    row = {"parameterScale": scale, "objectivePriorType": kind, "objectivePriorParameters": f"{first};{second}"}
    return Priors(pd.DataFrame([row], index=["a"]))


@pytest.mark.parametrize("scale", UNSCALE)
@pytest.mark.parametrize("kind", LAWS)
def test_they_are_densities_but_for_the_constants_of_uniform_ones(kind, scale):
    first, second, law = LAWS[kind]
    prior, on_scale = priors(kind, scale, first, second), kind.startswith("parameterScale")
    unscale, value = UNSCALE["lin" if on_scale else scale], lambda x: prior.value(np.array([x]))
    points = np.array([0.15, 0.3]) if on_scale or scale != "lin" else np.array([1.5, 2.5])
    expected = -law.logpdf(unscale(points))
    found = np.array([value(x) for x in points])
    if kind.lower().endswith("uniform"):
        found, expected = found - found[0], expected - expected[0]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
    slopes = [(value(x + 1e-6) - value(x - 1e-6)) / 2e-6 for x in points]
    np.testing.assert_allclose([prior.gradient(np.array([x]))[0] for x in points], slopes, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("kind", ["uniform", "logUniform"])
def test_uniform_ones_exclude_what_is_outside_but_not_their_ends(kind):
    prior = priors(kind, "log10", 1e-3, 7)
    found = [prior.value(np.array([x])) for x in (np.log10(1e-3), np.log10(7), -3.01, 0.85)]
    assert np.isfinite(found).tolist() == [True, True, False, False]
