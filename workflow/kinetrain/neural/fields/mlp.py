"""The multi-layer perceptron as a vector field: dg/dt = MLP(g) − g with ELU between layers (Hossain et al. 2024,
NeurIPS, appendix B.12).

The published model has two layers; with about twice the hidden units of PHOENIX per branch it has as many weights.
The source does not specify biases and initial values: every layer has a bias, and both are drawn as in a linear layer
of PyTorch, uniform within ±1/√inputs (choice of ours). Functions have the names of those of `phoenix`.
"""

import math
import sys
from itertools import pairwise

import numpy as np
import torch

from kinetrain.errors import InputError
from kinetrain.neural import mlp_rk4
from kinetrain.neural.integrators import rk4
from kinetrain.seeds import INITIAL_WEIGHTS, generator

LEARNING_RATE_FACTOR = {}  # all learn at the same rate


def shapes(genes: int, hidden) -> dict[str, tuple[int, ...]]:
    """Return the name and shape of every parameter of one model: matrices w1, w2, ..., biases b1, b2, ...

    hidden: number of units of the hidden layer, or one number per hidden layer from the input to the output.

    Raises
    ------
    InputError
        If these are not whole numbers from 1.
    """
    widths = list(hidden) if isinstance(hidden, list | tuple | np.ndarray) else [hidden]
    if not widths or not all(isinstance(width, int | np.integer) and width >= 1 for width in widths):
        raise InputError(f"hidden: expected a whole number from 1, or one per hidden layer, got {hidden!r}")
    widths = [genes, *widths, genes]
    found = {}
    for layer, (inputs, outputs) in enumerate(pairwise(widths), start=1):
        found |= {f"w{layer}": (outputs, inputs), f"b{layer}": (outputs,)}
    return found


def chains(shapes) -> tuple[tuple[str, ...], ...]:
    """Return the names of the matrices from the input to the output, as the only chain."""
    return (tuple(f"w{layer}" for layer in range(1, layers(shapes) + 1)),)


def layers(shapes) -> int:
    """Return the number of layers, given anything with the names of all parameters."""
    return len([name for name in shapes if name.startswith("w")])


def initialise(seed: int, genes: int, hidden) -> dict[str, np.ndarray]:
    """Return the initial values of one model: weights and biases of a layer uniform within ±1/√inputs."""
    rng, wanted = generator(seed, INITIAL_WEIGHTS), shapes(genes, hidden)
    start = {}
    for layer in range(1, layers(wanted) + 1):
        bound = 1 / math.sqrt(wanted[f"w{layer}"][1])
        start |= {name: rng.uniform(-bound, bound, wanted[name]) for name in (f"w{layer}", f"b{layer}")}
    return start


def production(parameters: dict[str, torch.Tensor], state: torch.Tensor) -> torch.Tensor:
    """Return MLP(g) (M, B, k) at the state g (M, B, k): the production of each gene, in units of expression."""
    last = layers(parameters)
    for layer in range(1, last + 1):
        state = torch.baddbmm(parameters[f"b{layer}"][:, None], state, parameters[f"w{layer}"].mT)
        state = torch.nn.functional.elu(state) if layer < last else state
    return state


def derivative(parameters: dict[str, torch.Tensor], state: torch.Tensor) -> torch.Tensor:
    """Return dg/dt (M, B, k) at the state (M, B, k), in units of expression per unit of time."""
    return production(parameters, state) - state


def magnitudes(weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return |W| of every matrix of one model."""
    return {name: np.abs(part) for name, part in weights.items() if name.startswith("w")}


def value_and_gradient(parameters, start, end, duration, weight, steps):
    """Return the loss (M,) and its gradients: by hand with one hidden layer, by autograd with more.

    Arguments as in `rk4.value_and_gradient`.
    """
    arguments = parameters, start, end, duration, weight, steps
    if layers(parameters) == 2:
        return mlp_rk4.value_and_gradient(*arguments)
    return rk4.autograd_value_and_gradient(sys.modules[__name__], *arguments)
