"""Solver options: those of the user, with open ones filled by what was measured (`solver_choice`), or by defaults."""

import json
import math
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from kinetrain.errors import InputError
from kinetrain.options import Options, option

# What AMICI is given where the user leaves a value open and nothing was measured. A backward solve of more steps
# fails; adjoint sensitivities pay off from FEW_PARAMETERS on.
AMICI: dict[str, Any] = {
    "absolute_tolerance": 1e-10,
    "relative_tolerance": 1e-8,
    "gradient_tolerance": 1e-6,
    "max_steps": 2000,
    "max_steps_backward": 20000,
    "gradient_weight": 5.0,
}
FEW_PARAMETERS = 30
# The same for the kinetics kernel. States in mol per litre can be as small as 1e-12 and matter on a logarithmic scale.
# With 1e-12 steps are fewer by a fifth, and 3 of 200 random starts of Bachmann's model off by more than 1e-6.
KERNEL: dict[str, Any] = {"absolute_tolerance": 1e-16, "relative_tolerance": 1e-6, "max_steps": 5000}
EARLIEST, LATEST = 1e-100, 1e15  # times but 0 and infinity, in size; both engines fail at 1e20


def is_reachable(time: float) -> bool:
    """Whether solvers reach a time, or a time of this size: 0, infinity (a steady state), or EARLIEST to LATEST."""
    return time in (0, math.inf) or EARLIEST <= time <= LATEST


@dataclass(frozen=True)
class SolverOptions(Options):
    """How a model is solved. `auto` and None are open: the measured best (`merged`), else safe constants.

    gradient_tolerance is absolute too, and a tenth of it for backward problem and quadratures. The weights are counted
    in solves of a condition without sensitivities; without an information_weight that of the gradient is taken if it
    is by forward sensitivities, else the information is not used. The engine is chosen by `engines.choose`.

    Source of trials: parPE (6; 1 is without relaxation).
    """

    sensitivities: Literal["auto", "adjoint", "forward"] = option(
        "auto", "How gradients are computed; `auto` takes the faster one."
    )
    absolute_tolerance: float | None = option(None, "Absolute tolerance of the integrator (state units).", above=0)
    relative_tolerance: float | None = option(None, "Relative tolerance of the integrator.", above=0)
    gradient_tolerance: float | None = option(
        None, "Relative tolerance of sensitivities or of the adjoint problem.", above=0
    )
    max_steps: int | None = option(
        None, "Integration steps per condition after which a simulation counts as failed.", least=1
    )
    max_steps_backward: int | None = option(
        None, "Steps of the adjoint problem after which a gradient counts as failed.", least=1
    )
    gradient_weight: float | None = option(
        None, "Cost of a gradient in forward solves, by which budgets are counted.", above=0
    )
    information_weight: float | None = option(
        None,
        "The same of a gradient with the Fisher information, which Fides uses; not measured where `sensitivities` is "
        "`adjoint`, and without it, or where the budget pays for less than ten of them, Fides goes by gradients alone.",
        above=0,
    )
    trials: int = option(
        1,
        "How often a failed solve is tried, each time with tolerances 100 times looser (parPE: 6).",
        least=1,
        most=6,
    )
    priors: bool = option(False, "Add the PEtab priors once per full objective.")
    engine: Literal["auto", "kernel", "amici"] = option(
        "auto",
        "What solves the model: the kinetics `kernel`, code made for the model, or `amici`; `auto` takes the kernel "
        "where it supports the model and agrees with AMICI. Sensitivities, gradient tolerance, backward steps and "
        "trials are AMICI's alone.",
    )

    def __post_init__(self):
        super().__post_init__()
        if self.engine == "kernel" and self.trials > 1:
            raise ValueError(f"'trials' is {self.trials}, but only the engine 'amici' tries failed solves again")


def solver_options(options: SolverOptions) -> SolverOptions:
    """Return the part of a step's settings that says how the model is solved."""
    return SolverOptions(**{field.name: getattr(options, field.name) for field in fields(SolverOptions)})


def merged(options: SolverOptions, path=None) -> SolverOptions:
    """Return the solver's part of `options`, with open values filled from the file that measure_solver.py wrote.

    Without a file (None) they stay open, and the problem takes safe constants.

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
    """Return `options` with open values (`auto`, None) taken from `chosen`."""
    names = [field.name for field in fields(SolverOptions) if getattr(options, field.name) in (None, "auto")]
    return replace(options, **{name: getattr(chosen, name) for name in names})


def safe_options(n_parameters: int) -> SolverOptions:
    """Return settings that serve most models, for a problem with that many estimated parameters."""
    few = n_parameters < FEW_PARAMETERS
    return SolverOptions(sensitivities="forward" if few else "adjoint", engine="amici", **AMICI)
