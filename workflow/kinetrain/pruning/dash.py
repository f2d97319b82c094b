"""DASH: prune by the weights and by what is known of the network, weighed by λ₁ and λ₂ (Hossain et al. 2024, NeurIPS).

With scores Ω (m, k) of the first layer and Ψ (k, m) of the second, one wants ΩᵀΩ to look like the co-regulation C
and ΨΩ like the prior P. Ω solves the first as a recurrence over pruning events, Ψ the second by a pseudo-inverse.
"""

import numpy as np

from kinetrain.errors import InputError
from kinetrain.pruning.magnitude import normalised_magnitudes

PRUNES = True
USES_PRIOR = True
BRANCHES = ("s", "p")


def start(rng, genes: int, hidden: int) -> dict[str, np.ndarray]:
    """Return the memory before the first event: random first-layer scores, uniform in (0, 1)."""
    return {f"omega_{branch}": rng.random((hidden, genes)) for branch in BRANCHES}


def scores(weights, prior, memory, options):
    """Return the score of every prunable weight, {name: array}, and the memory for the next event.

    weights: dict of float64 arrays of one model; prior: its (P, C), P (k, k) [target, regulator], C (k, k);
    options: lambdas (λ₁, λ₂), variant `normalised` or `published`.
    """
    return mixed_scores(weights, prior, memory, *options.lambdas, options.variant)


def mixed_scores(weights, prior, memory, lambda1: float, lambda2: float, variant: str):
    """Return scores and memory for λ₁ (first layer, C) and λ₂ (second layer, P).

    `published` mixes the raw prior terms, which are not on the scale of the data terms, so that λ has no fixed
    meaning; `normalised` divides them by their sum and solves with a small ridge, so that λ is a convex weight.
    """
    network, coregulation = np.abs(prior[0]), prior[1] / prior[1].sum()
    mixed, memory = normalised_magnitudes(weights), dict(memory)
    for branch in BRANCHES:
        first, second = f"w_{branch}", f"u_{branch}"
        omega = memory[f"omega_{branch}"]
        known = np.abs(_solve_gram(omega, omega, variant) @ coregulation)
        omega = lambda1 * _scaled(known, variant) + (1 - lambda1) * mixed[first]
        memory[f"omega_{branch}"] = mixed[first] = omega
        known = np.abs(network @ _solve_gram(omega, omega, variant).T)
        mixed[second] = lambda2 * _scaled(known, variant) + (1 - lambda2) * mixed[second]
    return mixed, memory


def _solve_gram(omega, right, variant):
    """Return (Ω Ωᵀ)⁻¹ times `right`, with a ridge of 1e-8 of the trace in the normalised variant.

    Raises
    ------
    InputError
        If the published variant, which has no ridge, meets a singular matrix.
    """
    gram = omega @ omega.T
    if variant == "normalised":
        gram[np.diag_indices_from(gram)] += 1e-8 * np.trace(gram)
    elif np.linalg.matrix_rank(gram) < len(gram):
        raise InputError(
            f"variant 'published' needs a prior of at least as many regulators as hidden units ({len(gram)}): "
            "fewer hidden units or the variant 'normalised' would do"
        )
    return np.linalg.solve(gram, right)


def _scaled(known, variant):
    return known / known.sum() if variant == "normalised" else known
