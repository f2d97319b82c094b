"""DASH: prune by the weights and by prior knowledge, combined by one λ per layer (Hossain et al. 2024, NeurIPS).

Every matrix of a chain, from the input to the output, has scores Ω_l. Their product should resemble the prior P,
so each is compared with what the others leave of P, by pseudo-inverses. With two layers, Ω₁ᵀΩ₁ of the first should
resemble the co-regulation C, solved as a recurrence over pruning events.
"""

from dataclasses import dataclass
from functools import reduce
from typing import ClassVar, Literal

import numpy as np

from kinetrain.errors import InputError
from kinetrain.options import option
from kinetrain.pruning import method
from kinetrain.pruning.magnitude import normalised_magnitudes

LABEL, COLOUR, MARKER, PLACE = "DASH", "#0072B2", "*", 14


@dataclass(frozen=True)
class Method(method.Method):
    """Removes the weights with the lowest (1 − λ) · data + λ · prior."""

    uses_prior: ClassVar[bool] = True
    prunes: ClassVar[bool] = True

    lambdas: tuple[float, ...] = option(
        (0.5, 0.95),
        "Weight of the prior against the weights of the model, one number from 0 to 1 per layer, input first. The "
        "authors' (0.5, 0.05) goes with `published`, in which the prior outweighs the model in the last layer by "
        "orders of magnitude; 0.95 is the same with normalised terms.",
        least=0,
        most=1,
        filled=True,
    )
    variant: Literal["corrected", "published"] = option(
        "corrected",
        "`corrected` divides the prior terms by their sum, so that λ is a convex weight, and solves with a small "
        "ridge; `published` mixes them as they come, as in the authors' code, which leaves λ without a fixed meaning, "
        "and after the first event lets U_P learn five times as fast instead of the multipliers v.",
    )

    def start_memory(self, rng, field, shapes):
        """Return random scores, uniform in (0, 1) as in the authors' code; InputError unless there is a λ per layer."""
        layers = max(map(len, field.chains(shapes)))
        if len(self.lambdas) != layers:
            raise InputError(f"lambdas: expected {layers} numbers, one per layer, got {list(self.lambdas)}")
        return random_scores(rng, field, shapes)

    def rate_factors(self, factors, pruned):
        """Return the learning-rate factors of single parameters; `published` has the error of the authors' code."""
        return published_factors(factors, pruned, self.variant)

    def scores(self, event):
        """Return the score of every prunable weight, {matrix: array}, and the memory for the next event."""
        return mixed_scores(event, self.lambdas, self.variant)


def published_factors(factors, pruned: bool, variant: str) -> dict[str, float]:
    """Return the learning-rate factors of single parameters.

    In the authors' code the faster rate of the multipliers v moves to the sixth group of parameters, U_P, when the
    optimizer is created again after the first event.
    """
    moved = variant == "published" and pruned and "v" in factors
    return {"u_p": factors["v"]} if moved else factors


def random_scores(rng, field, shapes) -> dict[str, np.ndarray]:
    """Return scores Ω in (0, 1) for the matrices whose scores are needed before they are known."""
    return {f"omega_{name}": rng.random(shapes[name]) for chain in field.chains(shapes) for name in _remembered(chain)}


def _remembered(chain) -> tuple[str, ...]:
    """Return the matrices whose scores at one event enter those of the next: of two the first, else all others."""
    return chain[:1] if len(chain) == 2 else chain[1:]


def mixed_scores(event, lambdas, variant: str):
    """Return the scores (1 − λ) · data + λ · prior of all matrices and the memory for the next event.

    The layers of a chain are scored from the input to the output, each with the new scores of those below and the
    last ones of those above.
    """
    network, coregulation = abs(event.prior[0]), event.prior[1] / event.prior[1].sum()
    mixed = normalised_magnitudes(event)
    memory: dict[str, np.ndarray] = {}
    for chain in event.field.chains({name: part.shape for name, part in event.weights.items()}):
        omegas = [event.memory.get(f"omega_{name}") for name in chain]
        for layer, (name, weight) in enumerate(zip(chain, lambdas, strict=True)):
            known = np.abs(_prior_term(layer, omegas, network, coregulation, variant))
            known = known / known.sum() if variant == "corrected" else known
            omegas[layer] = mixed[name] = weight * known + (1 - weight) * mixed[name]
        memory |= {f"omega_{name}": mixed[name] for name in _remembered(chain)}
    return mixed, memory


def _prior_term(layer: int, omegas, network, coregulation, variant: str) -> np.ndarray:
    """Return the prior's scores of one layer, given the scores of the others; network P (k, k), coregulation C."""
    if len(omegas) == 2 and layer == 0:
        return _inverse(omegas[0], variant).T @ coregulation  # Ω(t−1)ᵀ Ω(t) = C
    below, above = omegas[:layer], omegas[layer + 1 :]
    known = network
    if above:
        known = _inverse(_product(above).T, variant).T @ known
    if below:
        known = known @ _inverse(_product(below), variant)
    return known if above or below else known.toarray()


def _product(omegas) -> np.ndarray:
    """Return Ω_n … Ω₂ Ω₁ of layers in the order from the input to the output."""
    return reduce(lambda product, omega: omega @ product, omegas)


def _inverse(omega, variant: str) -> np.ndarray:
    """Return the right pseudo-inverse Ωᵀ (Ω Ωᵀ)⁻¹, with a ridge of 1e-8 of the trace in the corrected variant.

    Raises
    ------
    InputError
        If the published variant, which has no ridge, meets a singular matrix.
    """
    gram = omega @ omega.T
    if variant == "corrected":
        gram[np.diag_indices_from(gram)] += 1e-8 * np.trace(gram)
    elif np.linalg.matrix_rank(gram) < len(gram):
        raise InputError(
            f"variant 'published' needs a prior of at least as many regulators as hidden units ({len(gram)}), and "
            "hidden layers of one width: fewer hidden units or the variant 'corrected' would do"
        )
    return np.linalg.solve(gram, omega).T
