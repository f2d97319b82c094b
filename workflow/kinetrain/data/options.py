"""The options of measured expression: how a file is read, and which transitions are held out."""

from dataclasses import dataclass
from typing import Literal

from kinetrain.options import LARGEST_SEED, Options, option

EACH_TIME = "times"  # in place of a number of bins: one for each time


@dataclass(frozen=True)
class Layout(Options):
    """The layout of a file: names of its columns, the layer of an AnnData file, averaging into bins."""

    time: str | tuple[str, ...] = option(
        "time",
        "Column of times: of a table, or of the cells (`obs`, a pseudotime). Of a list, each column is a lineage of "
        "the rows or cells that have a time in it.",
        filled=True,
        unique=True,
    )
    trajectory: str | tuple[str, ...] | None = option(
        None,
        "Column of trajectories, of a table or of the cells; of a list, such as `[treatment, replicate]`, the columns "
        "identify them together. null takes `trajectory` where it exists, else all rows are one trajectory.",
        filled=True,
        unique=True,
    )
    metadata: tuple[str, ...] = option(
        (),
        "Columns of a table that are no genes, such as batch or age; rows or columns that are no samples, where there "
        "is a sheet of samples.",
        unique=True,
    )
    layer: str | None = option(None, "Layer of the cells that holds the expression; null takes the matrix X.")
    bins: int | Literal["times"] | None = option(
        None,
        "Average each trajectory into that many points of equally many rows or cells, in the order of time; `times` "
        "averages rows of equal times (technical replicates), in any order; null keeps every time. Cells at the same "
        "time are averaged in any case.",
        least=2,
    )
    scale: Literal["log2", "raw"] | None = option(
        None,
        "`log2` takes log2(1 + x), of counts or intensities; null takes values as they are and refuses those above "
        "100, which are no logarithms; `raw` takes any up to 1e9.",
    )

    @property
    def clocks(self) -> tuple[str, ...]:
        """Columns of times."""
        return (self.time,) if isinstance(self.time, str) else self.time

    @property
    def labels(self) -> tuple[str, ...]:
        """Columns of labels, which together identify a trajectory, if any are named."""
        return (self.trajectory,) if isinstance(self.trajectory, str) else self.trajectory or ()

    @property
    def any_order(self) -> bool:
        """Whether rows of a table may have any order and equal times: those of cells, which are averaged."""
        return self.bins is not None or len(self.clocks) > 1


def held_out(fraction: float, pool: int) -> int:
    """Return how many of a pool of trajectories (or transitions) are held out, one at least of any fraction."""
    return max(1, round(fraction * pool)) if fraction > 0 else 0


@dataclass(frozen=True)
class Split(Options):
    """Which transitions are held out for validation and test."""

    validation: tuple[int, ...] = option(
        (),
        "Training trajectories (transitions, if there is one trajectory) that choose the checkpoint, counted from 0; "
        "without any, a fraction is drawn.",
        least=0,
        unique=True,
    )
    validation_fraction: float = option(
        0.13,
        "Fraction of the training trajectories (of the transitions, if there is one trajectory) that choose the "
        "checkpoint; drawn, unless `validation` names them.",
        above=0,
        below=1,
    )
    test_fraction: float = option(
        0, "Fraction of the trajectories that are held out, when there is no file `test`.", least=0, below=1
    )
    longest_interval: float | None = option(
        None,
        "Longer transitions are left out (time units of the data); null keeps all.",
        above=0,
    )
    seed: int = option(0, "Seed of the split.", least=0, most=LARGEST_SEED)
    rescale_time: bool = option(
        True,
        "Models see time in units of the median interval, or of half the longest if that is more; false leaves "
        "times as they are. The multipliers of PHOENIX start between 0 and 1 per unit of time, which training cannot "
        "correct if intervals are much longer or shorter.",
    )

    def trained(self, trajectories: int) -> int:
        """Return how many of several simulated trajectories are left to train on."""
        validated = len(self.validation) or held_out(self.validation_fraction, trajectories)
        return trajectories - validated - held_out(self.test_fraction, trajectories)

    def __post_init__(self):
        super().__post_init__()
        if (apart := self.validation_fraction + self.test_fraction) >= 1 and not self.validation:
            raise ValueError(f"validation_fraction + test_fraction = {apart:g} leaves nothing to train on")


@dataclass(frozen=True)
class Preparation(Split, Layout):
    """How measured trajectories are read and become transitions."""

    time_unit: str = option("time", "Unit of time in the file.")
    rescale_values: bool = option(
        False,
        "Models see values between 0 and 1: from all, the lowest value of the training trajectories is taken, and the "
        "rest divided by their range. PHOENIX saturates around 0.5 and learns little from values far above 1, such as "
        "log2 of counts. Errors are then those of the rescaled values.",
    )
