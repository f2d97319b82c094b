"""The options of fits of PEtab problems: those of any fit, and of the solver."""

from dataclasses import dataclass

from kinetrain.mechanistic.solver_options import SolverOptions
from kinetrain.training.options import FullBatchOptions, MinibatchOptions


@dataclass(frozen=True, kw_only=True)
class FullBatchFit(FullBatchOptions, SolverOptions):
    """Options of a full-batch fit."""


@dataclass(frozen=True, kw_only=True)
class MinibatchFit(MinibatchOptions, SolverOptions):
    """Options of a mini-batch fit."""
