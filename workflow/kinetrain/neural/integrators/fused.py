"""Runge-Kutta of PHOENIX and of the perceptron with one hidden layer in compiled kernels: as `rk4`, on one core,
several times faster.

Transitions of PHOENIX take steps of about equal size: the longest one takes `steps`, the others a number in proportion
to their length and three more (`rk4`, and the perceptron: all take `steps`), so that none costs more than its error
requires.

A kernel is compiled on first use, for the instructions of this processor, and kept in $XDG_CACHE_HOME/kinetrain
(~/.cache/kinetrain), in a folder of its own for each kind of processor, so that a cache shared by the different nodes
of a cluster works on all of them. Other fields, other devices and other number formats than float32 are passed on to
`rk4`, as are predictions of the perceptron.
"""

import ctypes
import hashlib
import struct
from collections.abc import Mapping
from copy import copy
from functools import cache
from pathlib import Path

import numpy as np
import torch

from kinetrain.cache import cache_folder, cached
from kinetrain.compiler import X86, CompilerError, compile_library, kind_of_machine, runnable
from kinetrain.errors import InputError
from kinetrain.neural import ensemble
from kinetrain.neural.fields import mlp, phoenix
from kinetrain.neural.integrators import rk4
from kinetrain.neural.phoenix_rk4 import MATRICES

TOGETHER = False  # one model is solved after the other: its weights stay in the cache of the core
WHOLE_EPOCHS = (phoenix,)  # fields of which `train_epoch` trains one model

FOLDER = Path(__file__).parent
FLAGS = ("-std=c++17", "-O3", "-fno-math-errno", "-fno-trapping-math", "-Wno-psabi")
LIBRARY = "kernel.so"
# The parameters in the order in which the kernels take them, and one that has as many numbers as hidden units.
NAMES, MLP_NAMES = tuple(phoenix.shapes(1, 1)), tuple(mlp.shapes(1, 1))
HIDDEN_BIAS = {phoenix: "b_s", mlp: "b1"}


class Gradients(Mapping):
    """Gradients by the names of the parameters: views of `rows` (M, P), their parts in the order of the parameters."""

    def __init__(self, parameters, models: int):
        self.layout, size = _layout(tuple([(name, part.shape[1:]) for name, part in parameters.items()]))
        self.rows = torch.empty(models, size)

    def __mul__(self, factor) -> "Gradients":
        """Return the gradients of each model times a factor of its own, (M,)."""
        product = copy(self)
        product.rows = self.rows * factor[:, None]
        return product

    def __getitem__(self, name: str) -> torch.Tensor:
        shape, strides, at = self.layout[name]
        models, size = self.rows.shape
        return self.rows.as_strided((models, *shape), (size, *strides), at)

    def __iter__(self):
        return iter(self.layout)

    def __len__(self) -> int:
        return len(self.layout)


@cache
def _layout(shapes):
    """Return {name: (shape, strides, beginning)} of the parts of a row of parameters, and the length of the row."""
    layout, at = {}, 0
    for name, shape in shapes:
        layout[name] = shape, torch.empty(shape).stride(), at
        at += shape.numel()
    return layout, at


def predict(field, parameters, start, duration, steps: list[int]):
    """Return the states (M, B, k) at the end of transitions that start at (M, B, k) and last (M, B).

    steps: one number per model, that of its longest transition.
    """
    if not _suited(field, *parameters.values(), start, duration):
        return rk4.predict(field, parameters, start, duration, steps)
    models, rows, genes, hidden = _sizes(phoenix, parameters, start, duration)
    end = torch.empty(models, rows, genes)
    tensors = [start, duration, *(parameters[name] for name in NAMES), end]
    for own, addresses in zip(steps, _addresses(tensors, models), strict=True):
        _check(_kernel().kinetrain_predict(_PREDICT.pack(genes, hidden, rows, own, *addresses)))
    return end


def value_and_gradient(field, parameters, start, end, duration, weight, steps: list[int], mask=None):
    """Return the loss (M,) of every model and the `Gradients` with respect to its parameters.

    start, end (M, B, k); duration, weight (M, B); steps: one number per model, that of its longest transition. Rows
    of weight 0 are not computed. mask: {name: (M, *shape)} of bool, false for weights that are zero and whose
    gradient is not wanted, which is then zero; with few weights left only those are computed with.
    """
    if field is mlp and mlp.layers(parameters) == 2 and _in_memory(*parameters.values(), start, end, duration, weight):
        return _of_perceptron(parameters, start, end, duration, weight, steps)
    if not _suited(field, *parameters.values(), start, end, duration, weight):
        return rk4.value_and_gradient(field, parameters, start, end, duration, weight, steps, mask)
    models, rows, genes, hidden = _sizes(phoenix, parameters, start, duration)
    _check_ends(start, end, duration, weight)
    value, gradients = torch.empty(models), Gradients(parameters, models)
    tensors = [start, duration, *(parameters[name] for name in NAMES), end, weight, value, gradients.rows]
    if mask is not None:
        tensors += [_mask_of(mask, parameters, name) for name in MATRICES]
    places = [4 * gradients.layout[name][2] for name in NAMES]
    for own, addresses in zip(steps, _addresses(tensors, models), strict=True):
        row, masks = addresses[12], addresses[13:] or (0, 0, 0, 0)
        written = [row + place for place in places]
        _check(
            _kernel().kinetrain_gradient(_GRADIENT.pack(genes, hidden, rows, own, *addresses[:12], *written, *masks))
        )
    return value, gradients


def adam_step(weights, gradient, first, second, rates, updates, mask=None) -> None:
    """Move the weights (M, P) in place by a step of Adam, as `ensemble.adam_step`; where mask is false none moves."""
    rows = [weights, gradient, first, second]
    shared = rates.shape[1] == 1
    if not all(_ours(row) and row.stride(-1) == 1 for row in rows) or not _ours(rates):
        return ensemble.adam_step(weights, gradient, first, second, rates, updates, *([] if mask is None else [mask]))
    if not all(row.shape == weights.shape for row in rows) or rates.shape not in (weights.shape, (len(weights), 1)):
        raise ValueError(f"gradient, moments or rates do not fit the weights {tuple(weights.shape)}")
    rates = rates if rates.stride(-1) == 1 or shared else rates.contiguous()
    if mask is not None:
        mask = _bytes(mask)
    tensors = [*rows, rates, *([] if mask is None else [mask])]
    for own, addresses in zip(updates.tolist(), _addresses(tensors, len(weights)), strict=True):
        addresses = addresses if mask is not None else [*addresses, 0]
        _kernel().kinetrain_adam(_ADAM.pack(weights.shape[1], own, shared, *addresses))
    return None


def train_epoch(shapes, weights, moments, mask, rates, updates: int, transitions, batches, steps: int, floor: float):
    """Train PHOENIX by one epoch of mini-batches in one call, in place; return the sum of losses over transitions.

    shapes: of the parameters, in the order of `weights` (P,); moments: the two of Adam (P,); mask, rates (P,) or (1,);
    updates: steps of Adam so far; transitions: start and end (N, k) and duration (N,); batches: the indices of each;
    floor: what multipliers are raised to after each update. The numbers are those of `value_and_gradient` and
    `adam_step`, batch by batch; their loop in Python takes as long as the kernel of a pruned model.
    """
    hidden, genes = shapes["w_s"]
    layout, size = _layout(tuple((name, torch.Size(shape)) for name, shape in shapes.items()))
    order, sizes = np.concatenate(batches), np.array([len(batch) for batch in batches])
    numbers = np.array([floor, 0.0])
    tensors = [*transitions, weights, torch.empty(size), *moments, rates, _bytes(mask)]
    if not all(_ours(part) for part in tensors[:-1]) or not all(part.is_contiguous() for part in tensors):
        raise ValueError("an epoch in one call wants contiguous float32 in memory")
    if not all(len(part) == size for part in (weights, *moments, mask)) or order.max(initial=0) >= len(transitions[0]):
        raise ValueError(f"weights {len(weights)}, moments, mask or batches do not fit {shapes} and the transitions")
    given = [part.data_ptr() for part in tensors]
    places = [layout[name][2] for name in (*NAMES, *MATRICES)]
    shared = len(rates) == 1
    heads = genes, hidden, len(batches), steps, size, updates, shared, order.ctypes.data, sizes.ctypes.data
    _check(_kernel().kinetrain_epoch(_EPOCH.pack(*heads, *given, numbers.ctypes.data, *places)))
    return numbers[1]


def production_error(field, parameters, states, wanted):
    """Return the mean squared difference (M,) of the production from what is wanted, as `rk4.production_error`."""
    if not _suited(field, *parameters.values(), states, wanted):
        return rk4.production_error(field, parameters, states, wanted)
    if wanted.shape != states.shape:
        raise ValueError(f"states {tuple(states.shape)} and what is wanted {tuple(wanted.shape)} differ in shape")
    return _ProductionError.apply(states, wanted, *(parameters[name] for name in NAMES))


class _ProductionError(torch.autograd.Function):
    """The error of `production_error` and its gradients, which one call of the kernel computes."""

    @staticmethod
    def forward(context, states, wanted, *tensors):
        parameters = dict(zip(NAMES, tensors, strict=True))
        models, rows, genes, hidden = _sizes(phoenix, parameters, states, states[..., 0])
        value, gradients = torch.empty(models), Gradients(parameters, models)
        places = [4 * gradients.layout[name][2] for name in NAMES]
        for addresses in _addresses([states, wanted, *tensors, value, gradients.rows], models):
            written = [addresses[-1] + place for place in places]
            _check(_kernel().kinetrain_production_error(_ERROR.pack(genes, hidden, rows, *addresses[:-1], *written)))
        context.gradients = gradients
        return value

    @staticmethod
    def backward(context, slope):
        return None, None, *(context.gradients * slope).values()


_PREDICT, _GRADIENT, _ADAM = struct.Struct("14q"), struct.Struct("27q"), struct.Struct("9q")
_ERROR, _EPOCH = struct.Struct("20q"), struct.Struct("30q")
_PERCEPTRON = struct.Struct("17q")


def _of_perceptron(parameters, start, end, duration, weight, steps):
    """Return what `value_and_gradient` returns, of the perceptron with one hidden layer."""
    models, rows, genes, hidden = _sizes(mlp, parameters, start, duration)
    _check_ends(start, end, duration, weight)
    value, gradients = torch.empty(models), Gradients(parameters, models)
    given, written = ([parts[name] for name in MLP_NAMES] for parts in (parameters, gradients))
    call = _library("mlp_kernel").kinetrain_mlp_gradient
    for own, addresses in zip(
        steps, _addresses([start, duration, *given, end, weight, value, *written], models), strict=True
    ):
        _check(call(_PERCEPTRON.pack(genes, hidden, rows, own, *addresses)))
    return value, gradients


def _ours(tensor) -> bool:
    return tensor.dtype is torch.float32 and tensor.is_cpu


def _in_memory(*tensors) -> bool:
    return all(map(_ours, tensors))


def _suited(field, *tensors) -> bool:
    return field is phoenix and _in_memory(*tensors)


def _sizes(field, parameters, start, duration) -> tuple[int, int, int, int]:
    """Return the numbers of models, rows, genes and hidden units; ValueError where the shapes do not fit."""
    models, rows, genes = start.shape
    hidden = parameters[HIDDEN_BIAS[field]].shape[1]
    expected = _shapes(field, models, genes, hidden)
    if any(parameters[name].shape != shape for name, shape in expected) or duration.shape != start.shape[:2]:
        shapes = {name: tuple(part.shape) for name, part in parameters.items()}
        raise ValueError(f"shapes do not fit: start {tuple(start.shape)}, duration {tuple(duration.shape)}, {shapes}")
    return models, rows, genes, hidden


def _check_ends(start, end, duration, weight) -> None:
    if end.shape != start.shape or weight.shape != duration.shape:
        raise ValueError(f"end {tuple(end.shape)} or weight {tuple(weight.shape)} does not fit {tuple(start.shape)}")


@cache
def _shapes(field, models: int, genes: int, hidden: int):
    return [(name, (models, *shape)) for name, shape in field.shapes(genes, hidden).items()]


def _mask_of(mask, parameters, name: str):
    part = mask.get(name)
    if part is None:
        return torch.ones(parameters[name].shape, dtype=torch.bool)
    if part.shape != parameters[name].shape:
        raise ValueError(f"mask of {name}: shape {tuple(part.shape)} instead of {tuple(parameters[name].shape)}")
    return _bytes(part)


def _bytes(mask):
    return mask if mask.dtype is torch.bool and mask.is_cpu else mask.to("cpu", torch.bool)


def _addresses(tensors: list, models: int):
    """Yield for every model the addresses of its part of the tensors, made contiguous where needed.

    The copies live as long as this generator: loop over it, and use no address after the loop.
    """
    tensors = [part if part.is_contiguous() or part[0].is_contiguous() else part.contiguous() for part in tensors]
    first = [tensor.data_ptr() for tensor in tensors]
    if models == 1:  # strides take longer than all else here
        yield first
        return
    strides = [tensor.stride(0) * tensor.element_size() for tensor in tensors]
    for model in range(models):
        yield [at + model * stride for at, stride in zip(first, strides, strict=True)]


def _check(code: int) -> None:
    if code:
        raise MemoryError("not enough memory for the tape of the Runge-Kutta steps: use smaller batches")


def _kernel():
    """Return the kernel of PHOENIX for this processor."""
    return _library("phoenix_kernel")


@cache
def _library(name: str):
    """Return the kernel of a C++ file of this folder, for this processor."""
    return _load(_compiled(name, runnable()[0]))


@cache
def _load(file: Path):
    library = ctypes.CDLL(str(file))
    for name in ("predict", "gradient", "production_error", "adam", "epoch", "mlp_gradient"):
        name = f"kinetrain_{name}"
        if hasattr(library, name):
            getattr(library, name).argtypes = [ctypes.c_char_p]
    return library


def _compiled(name: str, instructions: str) -> Path:
    """Return the kernel `name` for these instructions (`kinetrain.compiler.X86`), compiled where it is missing.

    Raises
    ------
    InputError
        If there is no C++ compiler, or it fails.
    """
    source, flags = FOLDER / f"{name}.cpp", [*FLAGS, *X86[instructions]]
    read = [path.read_text() for path in (source, *sorted(FOLDER.glob("*.hpp")))]
    content = hashlib.sha256(f"{read}{flags}".encode()).hexdigest()[:16]
    folder = cache_folder() / f"{name.removesuffix('_kernel')}-{content}-{kind_of_machine()}"

    def write(folder):
        try:
            compile_library(source, folder / LIBRARY, flags)
        except CompilerError as error:
            raise InputError(f"integrator: fused: {error}. `integrator: rk4` needs no compiler") from None

    return cached(folder, write) / LIBRARY
