"""How a model is solved: what a user gives, filled by what was measured for the problem (`solver_choice`)."""

import json
from dataclasses import dataclass, fields, replace
from pathlib import Path

from kinetrain.errors import InputError

SENSITIVITIES = ("auto", "forward", "adjoint")
MAX_TRIALS = 6
# Where nothing was measured: adjoint pays off with many parameters, and a backward solve that needs more steps fails.
SAFE = {
    "absolute_tolerance": 1e-10,
    "relative_tolerance": 1e-8,
    "gradient_tolerance": 1e-6,
    "max_steps": 2000,
    "max_steps_backward": 20000,
    "gradient_weight": 5.0,
}
FEW_PARAMETERS = 30


@dataclass(frozen=True)
class SolverOptions:
    """How a model is solved. `auto` and None stand for what is measured to be best (`merged`), else safe constants.

    sensitivities: `forward`, `adjoint` or `auto`. absolute_tolerance (in units of the states), relative_tolerance: of
    the states; gradient_tolerance: of sensitivities, backward problem and quadratures, relative, and absolute too (a
    tenth of it for the latter two). max_steps and max_steps_backward (adjoint only) are per solve of one condition.
    priors: whether -log p(theta) of the parameter table's priors is part of the objective. trials: how often a failing
    solve is tried, each time with 100 times looser tolerances. gradient_weight: the cost of a gradient of a condition,
    in solves without sensitivities; information_weight: that of a gradient with the Fisher information, which takes
    forward sensitivities (None: that of the gradient if it is by forward sensitivities, else the information is not
    used).

    Raises
    ------
    ValueError
        If a value is out of its range; the message names the field.

    Source of trials: parPE (6; 1 is without relaxation).
    """

    sensitivities: str = "auto"
    absolute_tolerance: float | None = None
    relative_tolerance: float | None = None
    gradient_tolerance: float | None = None
    max_steps: int | None = None
    max_steps_backward: int | None = None
    priors: bool = False
    trials: int = 1
    gradient_weight: float | None = None
    information_weight: float | None = None

    def __post_init__(self):
        if self.sensitivities not in SENSITIVITIES:
            raise ValueError(f"'sensitivities' is '{self.sensitivities}'; it can be {', '.join(SENSITIVITIES)}")
        for key in (*SAFE, "information_weight"):
            value = getattr(self, key)
            if value is not None and not value > 0:
                raise ValueError(f"'{key}' is {value}; it must be positive, or null to be chosen")
        if not 1 <= self.trials <= MAX_TRIALS:
            raise ValueError(f"'trials' is {self.trials}; it must be between 1 and {MAX_TRIALS}")


def solver_options(options: SolverOptions) -> SolverOptions:
    """Return the part of a step's settings that says how the model is solved."""
    return SolverOptions(**{field.name: getattr(options, field.name) for field in fields(SolverOptions)})


def merged(options: SolverOptions, path=None) -> SolverOptions:
    """Return the solver's part of `options`, with what is open filled from the file that measure_solver.py wrote.

    Without a file (None) what is open stays so, and the problem takes safe constants.

    Raises
    ------
    InputError
        If the file is missing, or is not one of measure_solver.py.
    """
    options = solver_options(options)
    if path is None:
        return options
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file of chosen solver settings (measure_solver.py)")
    try:
        chosen = json.loads(path.read_text())["chosen"]
        return filled(options, SolverOptions(**chosen))
    except (json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: not a file of measure_solver.py: no valid 'chosen' in it ({error})") from None


def filled(options: SolverOptions, chosen: SolverOptions) -> SolverOptions:
    """Return `options` with everything that is open (`auto`, None) taken from `chosen`."""
    names = [field.name for field in fields(SolverOptions) if getattr(options, field.name) in (None, "auto")]
    return replace(options, **{name: getattr(chosen, name) for name in names})


def safe_options(n_parameters: int) -> SolverOptions:
    """Return settings that serve most models, for a problem with that many estimated parameters."""
    return SolverOptions(sensitivities="forward" if n_parameters < FEW_PARAMETERS else "adjoint", **SAFE)
