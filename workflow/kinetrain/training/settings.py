"""The settings of fits: what can be chosen, with units and defaults."""

from dataclasses import dataclass, field
from typing import Literal

from kinetrain.mechanistic.solver_options import SolverOptions
from kinetrain.training.schedules import SHAPES
from kinetrain.training.update_rules import RULES


@dataclass(frozen=True, kw_only=True)
class FullBatchOptions(SolverOptions):
    """Settings of a full-batch fit.

    epochs: the budget, in gradients of the full objective. seed: of the starting points.
    """

    epochs: int
    seed: int = 0

    def __post_init__(self):
        super().__post_init__()
        if self.epochs < 1:
            raise ValueError(f"'epochs' is {self.epochs}; at least 1 is needed")


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A learning-rate schedule by its `name`: rates at start and end, and a shape of `schedules.SHAPES` in between."""

    name: str
    start: float
    end: float
    shape: str = "logarithmic"

    def __post_init__(self):
        if self.shape not in SHAPES:
            raise ValueError(f"shape '{self.shape}' is unknown (known: {', '.join(SHAPES)})")
        if not (self.start > 0 and self.end > 0):
            raise ValueError(f"rates must be positive, got start {self.start} and end {self.end}")


@dataclass(frozen=True, kw_only=True)
class Safeguard:
    """What is done about steps that fail or do not improve.

    rescue: 0 off, 1 shrink the step, 2 shrink and restart. line_search: most shorter steps tried on the same
    mini-batch, 0 is off. form: both as `published` (parPE with its quirks) or `clean`.
    """

    name: str
    rescue: Literal[0, 1, 2] = 2
    line_search: int = 0
    form: Literal["published", "clean"] = "published"

    def __post_init__(self):
        if self.line_search < 0:
            raise ValueError(f"'line_search' is {self.line_search}; it cannot be negative")


@dataclass(frozen=True, kw_only=True)
class Optimizer:
    """How a mini-batch optimizer moves: by a rule of `updaters.RULES`, or a class of `torch.optim` with its arguments.

    A hybrid goes on by `then`, a full-batch optimizer, after `share` of the budget.
    """

    rule: str | None = None
    torch: str | None = None
    arguments: dict = field(default_factory=dict)
    then: str | None = None
    share: float = 0.2

    def __post_init__(self):
        if (self.rule is None) == (self.torch is None):
            raise ValueError("wanted either 'rule' or 'torch'")
        if self.rule is not None and self.rule not in RULES:
            raise ValueError(f"rule '{self.rule}' is unknown (known: {', '.join(RULES)})")
        if self.rule is not None and self.arguments:
            raise ValueError("'arguments' are for 'torch' only: the rules have fixed constants")
        if self.then not in (None, "fides", "l_bfgs_b", "ipopt"):
            raise ValueError(f"'then' is '{self.then}'; it can be fides, l_bfgs_b or ipopt")
        if not 0 < self.share < 1:
            raise ValueError(f"'share' is {self.share}; it must be between 0 and 1")


@dataclass(frozen=True, kw_only=True)
class MinibatchOptions(FullBatchOptions):
    """Settings of a mini-batch fit. batch_size: conditions per batch, `full` takes all of them."""

    optimizer: Optimizer
    schedule: Schedule
    batch_size: int | str
    safeguard: Safeguard = field(default_factory=lambda: Safeguard(name="rescue"))

    def __post_init__(self):
        super().__post_init__()
        if self.batch_size != "full" and (isinstance(self.batch_size, str) or self.batch_size < 1):
            raise ValueError(f"'batch_size' is {self.batch_size!r}; wanted a positive number or 'full'")
