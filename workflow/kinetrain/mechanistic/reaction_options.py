"""The methods of pruning reactions, and the options: how often, and how many at a time."""

from dataclasses import dataclass
from typing import Annotated

from kinetrain.mechanistic.solver_options import SolverOptions
from kinetrain.options import LARGEST_SEED, Known, Options, option
from kinetrain.training.optimizers import known_optimizers

UNPRUNED, RANDOM = "unpruned", "random"


@dataclass(frozen=True)
class ReactionMethod:
    """The criterion by which reactions are removed.

    like: the method of pruning weights with the same criterion, whose colour and marker it has. prior_weight: of the
    prior in the score; None is that of the option `prior_weight`.
    """

    label: str
    like: str
    prior_weight: float | None = 0.0


METHODS = {
    UNPRUNED: ReactionMethod("Unpruned", "unpruned"),
    RANDOM: ReactionMethod("At random", "random"),
    "magnitude": ReactionMethod("By magnitude", "sparseflow"),
    "both": ReactionMethod("By magnitude and prior", "dash", None),
    "prior": ReactionMethod("By the prior", "bioprune", 1.0),
}


@dataclass(frozen=True, kw_only=True)
class ReactionPruning(Options):
    """Reactions of an over-complete model are removed, event by event, and what is left is fitted again."""

    methods: tuple[Annotated[str, Known("method", lambda: list(METHODS))], ...] = option(
        tuple(METHODS),
        "By what reactions are removed: the smallest rates (`magnitude`), the least confidence (`prior`), "
        "a mixture (`both`), chance (`random`); `unpruned` is fitted on with the same budget.",
        unique=True,
        filled=True,
    )
    prior_corruption: tuple[float, ...] = option(
        (0,),
        "Shares of the reactions whose confidences are exchanged among each other.",
        least=0,
        most=1,
        unique=True,
        filled=True,
    )
    prior_weight: float = option(
        0.5, "Weight λ of the prior in `both`: 0 is `magnitude`, 1 is `prior`.", least=0, most=1
    )
    events: int = option(20, "Number of pruning events.", least=1, most=1000)
    fraction: float = option(0.1, "Fraction of the remaining reactions that an event removes.", above=0, below=1)
    epochs: int = option(
        15,
        "Budget of the fit after each event, in gradients of all conditions; the unpruned model is given that of all "
        "events at once.",
        least=2,
        most=10**6,
    )
    begin: Annotated[str, Known("optimizer", known_optimizers)] = option(
        "fides_bfgs", "Optimizer whose fits are pruned, one of `fits.full_batch.optimizers`."
    )
    optimizer: Annotated[str, Known("optimizer", known_optimizers)] = option(
        "l_bfgs_b",
        "Full-batch optimizer that fits what is left. With L-BFGS-B rates become exactly zero; Fides stays within the "
        "bounds, so that what is not pruned is kept.",
    )

    def corruptions(self, method: str) -> tuple[float | None, ...]:
        """Return the corruptions of the prior that a method is run with; None for one that uses no prior."""
        return (None,) if METHODS[method].prior_weight == 0 else self.prior_corruption


@dataclass(frozen=True, kw_only=True)
class ReactionPruningOptions(ReactionPruning, SolverOptions):
    """Options of a run that prunes reactions."""

    seed: int = option(0, "Seed of chance and of the corruption of the prior.", least=0, most=LARGEST_SEED)
