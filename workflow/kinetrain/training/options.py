"""The options of fits: budget, optimizer, learning-rate schedule, batch size, safeguard."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from kinetrain.options import ABSENT, LARGEST_SEED, REQUIRED, Known, Options, option
from kinetrain.training.optimizers import known_optimizers
from kinetrain.training.schedules import SHAPES, learning_rate
from kinetrain.training.update_rules import known_rules


@dataclass(frozen=True, kw_only=True)
class FitOptions(Options):
    """Options of any fit."""

    epochs: int = option(REQUIRED, "Budget, in gradients of the full objective.", least=1, most=10**7)
    seed: int = option(0, "Seed of the starting points.", least=0, most=LARGEST_SEED)


@dataclass(frozen=True, kw_only=True)
class Restarts(Options):
    """What is done with a budget that a full-batch optimizer leaves."""

    restarts: bool = option(
        False,
        "Where an optimizer ends before its budget is used, search on from another random point: a fit is then the "
        "best of a multi-start of as many local searches as the budget pays for.",
    )


@dataclass(frozen=True, kw_only=True)
class SideBySide(Options):
    """How the starts of a mini-batch setting share the processor."""

    side_by_side: bool = option(
        True,
        "Advance the starts of a mini-batch setting together, where batches of all of them fill the lanes of the "
        "kinetics kernel; `false` runs them one after another, to measure the CPU time of single ones. The results are "
        "the same.",
    )


@dataclass(frozen=True, kw_only=True)
class FullBatchOptions(FitOptions, Restarts):
    """Options of a full-batch fit."""


@dataclass(frozen=True, kw_only=True)
class LearningRates(Options):
    """Learning rates over the epochs."""

    start: float = option(REQUIRED, "Learning rate of the first epoch (parameter scale).", above=0)
    end: float = option(0.001, "Learning rate of the last epoch (parameter scale).", above=0)
    shape: Annotated[str, Known("shape", lambda: list(SHAPES))] = option(
        "logarithmic", "Interpolation between start and end."
    )
    epochs: int | None = option(
        None,
        "Epochs after which the mini-batch run ends, or a hybrid goes on in full batch, where that is less than the "
        "budget; null is the budget, or its `share` of a hybrid.",
        least=2,
    )


@dataclass(frozen=True, kw_only=True)
class LearningRateSchedule(LearningRates):
    """Learning rates with the name that they have in the tables."""

    name: str


@dataclass(frozen=True, kw_only=True)
class StepControl(Options):
    """What is done about steps that fail or do not improve."""

    rescue: Literal[0, 1, 2] = option(2, "Rescue interceptor: 0 off, 1 shrink the step, 2 shrink and restart.")
    line_search: int = option(
        0, "Most trial steps of the line search on the same mini-batch; 0 is off.", least=0, most=1000
    )
    variant: Literal["published", "corrected"] = option("published", "Both as in parPE, or without its errors.")


@dataclass(frozen=True, kw_only=True)
class Safeguard(StepControl):
    """Step control with the name that it has in the tables."""

    name: str


# Of torch.optim, those that move one vector by its gradient: LBFGS needs a function, Muon matrices, SparseAdam sparse
# gradients. A list, as a configuration is checked without torch; a test compares it with the torch that is pinned.
TORCH = ["ASGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax"]
TORCH += ["NAdam", "RAdam", "RMSprop", "Rprop", "SGD"]


@dataclass(frozen=True, kw_only=True)
class Optimizer(Options):
    """How a mini-batch optimizer moves: by an update rule, or a class of `torch.optim` with its arguments."""

    exactly_one: ClassVar[tuple[str, ...]] = ("rule", "torch")

    rule: Annotated[str, Known("rule", known_rules)] = option(
        ABSENT, "An update rule, a file of `workflow/kinetrain/training/update_rules/`."
    )
    torch: Annotated[str, Known("optimizer of torch", lambda: TORCH)] = option(
        ABSENT, "An optimizer class of `torch.optim`."
    )
    arguments: dict = option({}, "Arguments of the torch optimizer besides its learning rate.")
    then: Annotated[str, Known("full-batch optimizer", known_optimizers)] = option(
        ABSENT, "A hybrid: this full-batch optimizer continues from the last iterate."
    )
    subset: float | None = option(
        None,
        "Share of the conditions, drawn once per start, that are all that the optimizer sees before a hybrid goes on; "
        "null is all. A control: what does as well as mini-batches owes it to redundant data, not to chance.",
        above=0,
        most=1,
    )
    share: float = option(0.2, "Share of the budget before a hybrid continues in full batch.", above=0, below=1)

    def __post_init__(self):
        super().__post_init__()
        if self.rule is not None and self.arguments:
            raise ValueError("'arguments' are for 'torch' only: update rules have fixed constants; leave them out")
        if "lr" in self.arguments:
            raise ValueError("arguments: 'lr' is set by the schedule; leave it out")
        if self.subset is not None and self.then is None:
            raise ValueError("'subset' is for a hybrid, which goes on with all conditions: say `then`, or leave it out")


@dataclass(frozen=True, kw_only=True)
class MinibatchOptions(FitOptions, SideBySide):
    """Options of a mini-batch fit."""

    optimizer: Optimizer
    schedule: LearningRateSchedule
    batch_size: int | Literal["full"] = option(REQUIRED, "Conditions per mini-batch; `full` takes all.", least=1)
    safeguard: Safeguard = field(default_factory=lambda: Safeguard(name="rescue"))

    def __post_init__(self):
        super().__post_init__()
        self.learning_rate()

    @property
    def epochs_in_batches(self) -> float:
        """The epochs of the schedule, after which the run ends or a hybrid goes on in full batch."""
        share = self.optimizer.share if self.optimizer.then else 1.0
        return min(self.schedule.epochs or math.inf, self.epochs * share)

    def learning_rate(self) -> Callable[[float], float]:
        """Return the learning rate as a function of the epoch; InputError if there are too few epochs."""
        return learning_rate(self.schedule.shape, self.schedule.start, self.schedule.end, self.epochs_in_batches)
