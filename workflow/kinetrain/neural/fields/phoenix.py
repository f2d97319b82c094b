"""The PHOENIX vector field: sums and products of Hill-like terms (Hossain et al. 2024, Genome Biology 25:127).

    φ(g) = (g − ½) / (1 + |g − ½|)
    dg/dt = relu(v) ∘ (U_S [W_S φ + b_S] + U_P exp[W_P log(1 + φ) + b_P] − g)

A vector field is a module with the functions of this one. `derivative` and `production` work on M models at once:
parameters are a dict of tensors (M, *shape), the state is (M, B, k) for B rows and k genes. `value_and_gradient`
is optional: without it the integrator differentiates `derivative` by autograd.
"""

import math

import numpy as np
import torch

from kinetrain.errors import InputError
from kinetrain.neural import phoenix_rk4
from kinetrain.seeds import INITIAL_WEIGHTS, generator

LEARNING_RATE_FACTOR = {"v": 5.0}  # the multipliers v learn five times as fast as the other parameters

value_and_gradient = phoenix_rk4.value_and_gradient


def shapes(genes: int, hidden: int) -> dict[str, tuple[int, ...]]:
    """Return the name and shape of every parameter of one model with k genes and m hidden units per branch.

    Raises
    ------
    InputError
        If `hidden` is not a whole number from 1.
    """
    if not isinstance(hidden, int | np.integer) or hidden < 1:
        raise InputError(f"hidden: PHOENIX has one number of units, the same in both branches, got {hidden!r}")
    first, second = (hidden, genes), (genes, hidden)
    return {"w_s": first, "b_s": (hidden,), "w_p": first, "b_p": (hidden,), "u_s": second, "u_p": second, "v": (genes,)}


def chains(shapes) -> tuple[tuple[str, ...], ...]:
    """Return the names of the matrices, those of each branch from the input to the output: sums, then products."""
    return ("w_s", "u_s"), ("w_p", "u_p")


def initialise(seed: int, genes: int, hidden: int) -> dict[str, np.ndarray]:
    """Return initial values of one model: sparse Gaussian first layers, orthogonal second layers, v from U(0, 1)."""
    rng = generator(seed, INITIAL_WEIGHTS)
    bound = 1 / math.sqrt(genes)
    return {
        "w_s": _sparse(rng, hidden, genes),
        "b_s": rng.uniform(-bound, bound, hidden),
        "w_p": _sparse(rng, hidden, genes),
        "b_p": rng.uniform(-bound, bound, hidden),
        "u_s": _orthogonal(rng, genes, hidden),
        "u_p": _orthogonal(rng, genes, hidden),
        "v": rng.uniform(0, 1, genes),
    }


def production(parameters: dict[str, torch.Tensor], state: torch.Tensor) -> torch.Tensor:
    """Return c(g) (M, B, k) at the state g (M, B, k): the production of each gene, in units of expression.

    dg/dt = relu(v) ∘ (c(g) − g), so that v > 0 is a rate and c(g) the expression that a gene tends to.
    """
    shifted = state - 0.5
    hill = shifted / (1 + shifted.abs())
    sums = torch.baddbmm(parameters["b_s"][:, None], hill, parameters["w_s"].mT)
    products = torch.baddbmm(parameters["b_p"][:, None], torch.log1p(hill), parameters["w_p"].mT).exp()
    return torch.bmm(sums, parameters["u_s"].mT) + torch.bmm(products, parameters["u_p"].mT)


def derivative(parameters: dict[str, torch.Tensor], state: torch.Tensor) -> torch.Tensor:
    """Return dg/dt (M, B, k) at the state (M, B, k), in units of expression per unit of time."""
    return torch.relu(parameters["v"])[:, None] * (production(parameters, state) - state)


def magnitudes(weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the magnitudes of weights for pruning: |W_S|, exp(W_P), |U_S| ∘ relu(v) and |U_P| ∘ relu(v).

    W_P acts on logarithms, its effect is multiplicative, hence the exponential. Source: the data terms of DASH in
    Hossain et al. 2024 (NeurIPS), there divided by their sums.
    """
    rate = np.maximum(weights["v"], 0)[:, None]
    return {
        "w_s": np.abs(weights["w_s"]),
        "u_s": np.abs(weights["u_s"]) * rate,
        "w_p": np.exp(weights["w_p"]),
        "u_p": np.abs(weights["u_p"]) * rate,
    }


def _sparse(rng, rows: int, columns: int) -> np.ndarray:
    """Return a Gaussian matrix with 95 % zeros, at random places, the same number in every column.

    One entry at least is not zero, which matters below 20 rows; choice of ours.
    """
    matrix = rng.normal(0, 0.05, (rows, columns))
    zeros = min(math.ceil(0.95 * rows), rows - 1)
    return np.where(np.argsort(rng.random((rows, columns)), axis=0) < zeros, 0.0, matrix)


def _orthogonal(rng, rows: int, columns: int) -> np.ndarray:
    """Return a matrix with orthonormal columns (rows, where it has fewer rows than columns)."""
    tall = rng.normal(size=(max(rows, columns), min(rows, columns)))
    basis, triangle = np.linalg.qr(tall)
    basis = basis * np.sign(np.diag(triangle))  # makes the factorisation unique, and the draw uniform
    return basis if rows >= columns else basis.T
