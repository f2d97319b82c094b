"""The options of neural training, and of tuning by cross-validation."""

import math
from dataclasses import dataclass
from typing import Annotated, Literal

from kinetrain.neural.fields import known_fields
from kinetrain.neural.integrators import known_integrators
from kinetrain.options import REQUIRED, Known, Options, Text, option
from kinetrain.pruning.events import PruningSchedule

MOST_TRIED = 10_000  # combinations of a grid
FEW = 5  # trajectories


def few_trajectories(number: int) -> bool:
    """Return whether these are too few trajectories to be the conditions of a fit: single transitions are then."""
    return number < FEW


@dataclass(frozen=True)
class TrainingOptions(Options):
    """How a vector field is trained; the defaults are those of the published 350-gene problem."""

    model: Annotated[str, Known("model", known_fields)] = option(
        "phoenix", "Vector field: a file of `workflow/kinetrain/neural/fields/`."
    )
    integrator: Annotated[str, Known("integrator", known_integrators)] = option(
        "fused",
        "Solver: `fused` (compiled, PHOENIX and MLPs of one hidden layer on the CPU; other models take rk4), `rk4` "
        "(torch), `adaptive_adjoint` (as published, slow).",
    )
    device: Annotated[str, Text("device", r"cpu|cuda(:[0-9]+)?", "cpu, cuda or cuda:NUMBER")] = option(
        "cpu", "Where torch computes: `cpu`, or `cuda` (integrator rk4)."
    )
    hidden: int | tuple[int, ...] = option(
        40,
        "Hidden units m of each branch of PHOENIX; of the hidden layer of an MLP, or a list for several layers.",
        least=1,
        most=10**6,
        filled=True,
    )
    epochs: int = option(200, "Passes over the training transitions; the same for all methods.", least=1, most=10**7)
    multipliers: Literal["living", "published", "slipped", "slow"] = option(
        "living",
        "Multipliers v of the genes of PHOENIX, which stay zero once they are. `living`: kept at 0.001 or above in "
        "training, and zero in the evaluated model where they are no larger; `published`: nothing is done; `slipped`: "
        "and after the first pruning event U_P learns five times as fast instead of v, as in the authors' code; "
        "`slow`: nothing is done, but v learns no faster than all else.",
    )
    learning_rate: float = option(1e-3, "Learning rate of Adam; gene multipliers v take five times as much.", above=0)
    minimum_learning_rate: float = option(4e-5, "Lowest learning rate after reductions on plateaus.", above=0)
    batch: int | Literal["trajectory"] = option(
        "trajectory",
        "Transitions per update, or `trajectory` for all those of one trajectory.",
        least=1,
    )
    plateau_patience: int = option(
        3, "Epochs without improvement before the learning rate is reduced by a tenth.", least=0
    )
    plateau_threshold: float = option(
        1e-6, "Smallest improvement of the validation loss that counts (expression units squared).", least=0
    )
    patience_epochs: int | None = option(
        40,
        "Epochs without a new best validation loss after which training stops; null never stops.",
        least=1,
    )
    rewind_by: float = option(
        0.7,
        "Fraction of the epochs after which a method that rewinds (imp, synflow) does so at the latest.",
        above=0,
        most=1,
    )
    keep: Literal["sparsest", "pruned", "final", "all"] = option(
        "sparsest",
        "Which epoch's model is the result: the sparsest within one standard error of the lowest validation error, the "
        "best after the first pruning event, the best after the last one (all methods are equally sparse then), or the "
        "best of all epochs, as published.",
    )
    steps: int = option(
        8, "Runge-Kutta steps per transition at the start (`fused`: of the longest).", least=1, most=10**6
    )
    tolerances: tuple[float, float] = option(
        (1e-3, 1e-5),
        "The number of steps grows when doubling it changes the validation loss by more than the first (relative), and "
        "shrinks below the second.",
        above=0,
    )
    checkpoint_seconds: float = option(30.0, "Seconds between checkpoints from which a killed run goes on.", least=0)

    def __post_init__(self):
        super().__post_init__()
        if self.minimum_learning_rate > self.learning_rate:
            raise ValueError(
                f"training.minimum_learning_rate {self.minimum_learning_rate} is above training.learning_rate "
                f"{self.learning_rate}"
            )
        if self.tolerances[0] <= self.tolerances[1]:
            raise ValueError(f"tolerances: expected a larger and a smaller number, got {list(self.tolerances)}")
        if self.device != "cpu" and self.integrator == "fused":
            raise ValueError(f"device: {self.device!r} needs another integrator than 'fused', such as 'rk4'")


@dataclass(frozen=True)
class NeuralOptions(TrainingOptions):
    """How a vector field is trained and pruned."""

    pruning: PruningSchedule = option(PruningSchedule(), "Pruning schedule: when weights are pruned, and how many.")

    def __post_init__(self):
        super().__post_init__()
        if self.pruning.first_epoch > self.epochs:
            raise ValueError(
                f"nothing is pruned: pruning.first_epoch {self.pruning.first_epoch} > training.epochs {self.epochs}"
            )


@dataclass(frozen=True, kw_only=True)
class Tuning(Options):
    """How the options of a method are chosen by cross-validation."""

    folds: int = option(
        5, "Folds of the trajectories (of the transitions, where there are few trajectories).", least=2, most=1000
    )
    grid: dict = option(
        REQUIRED,
        "Option of the method -> list of its values; `{each: [0, 0.5, 1]}` is all pairs of these.",
    )
    choice: Literal["best", "sparsest"] = option(
        "best", "Lowest mean validation error, or the sparsest within one standard error of it."
    )

    def __post_init__(self):
        super().__post_init__()
        if not self.grid:
            raise ValueError("grid: expected at least one option with a list of its values")
        for name, values in self.grid.items():
            listed = values["each"] if _in_pairs(values) else values
            if not isinstance(listed, list) or not listed:
                raise ValueError(f"grid.{name} = {values!r}: expected a list of values, or {{each: [...]}}")
        if self.combinations > MOST_TRIED:
            raise ValueError(
                f"grid: {self.combinations} combinations are more than {MOST_TRIED}, which nobody can train"
            )

    @property
    def combinations(self) -> int:
        """Number of settings that are tried."""
        return math.prod(
            len(values["each"]) ** 2 if _in_pairs(values) else len(values) for values in self.grid.values()
        )


def _in_pairs(values) -> bool:
    return isinstance(values, dict) and set(values) == {"each"}
