"""The settings of fits: what can be chosen, with units and defaults."""

from dataclasses import dataclass

from kinetrain.problems.options import SolverOptions


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
class MinibatchOptions(FullBatchOptions):
    """Settings of a mini-batch fit.

    schedule: name, start and end (learning rates), shape (`linear`, `inverse`, `logarithmic`, `constant`).
    batch_size: conditions per batch. rescue: 0 off, 1 shrink, 2 shrink and restart.
    """

    schedule: dict
    batch_size: int
    rescue: int = 2

    def __post_init__(self):
        super().__post_init__()
        if self.batch_size < 1:
            raise ValueError(f"'batch_size' is {self.batch_size}; at least 1 is needed")
        if self.rescue not in (0, 1, 2):
            raise ValueError(f"'rescue' is {self.rescue}; wanted 0 (off), 1 (shrink) or 2 (shrink, restart)")
        if sorted(self.schedule) != ["end", "name", "shape", "start"]:
            raise ValueError(f"'schedule' has the keys {sorted(self.schedule)}; wanted name, start, end, shape")
