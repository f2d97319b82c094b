"""How a model is solved."""

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class SolverOptions:
    """How a model is solved.

    sensitivities: `forward` or `adjoint`. Tolerances are those of the states; max_steps is per solve of one condition.
    priors: whether -log p(theta) of the parameter table's priors is part of the objective.
    """

    sensitivities: str = "forward"
    absolute_tolerance: float = 1e-10
    relative_tolerance: float = 1e-8
    max_steps: int = 2000
    priors: bool = False

    def __post_init__(self):
        if self.sensitivities not in ("forward", "adjoint"):
            raise ValueError(f"'sensitivities' is '{self.sensitivities}'; it can be 'forward' or 'adjoint'")
        for key in ("absolute_tolerance", "relative_tolerance", "max_steps"):
            if getattr(self, key) <= 0:
                raise ValueError(f"'{key}' is {getattr(self, key)}; it must be positive")


def solver_options(options: SolverOptions) -> SolverOptions:
    """Return the part of a step's settings that says how the model is solved."""
    return SolverOptions(**{field.name: getattr(options, field.name) for field in fields(SolverOptions)})
