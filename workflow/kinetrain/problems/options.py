"""Settings as dataclasses: unknown keys and wrong types are errors that name the key."""

from dataclasses import MISSING, dataclass, fields

from kinetrain.errors import InputError


@dataclass(frozen=True)
class NoOptions:
    """Settings of a step that has none."""


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
            raise InputError(f"settings: 'sensitivities' is '{self.sensitivities}'; it can be 'forward' or 'adjoint'")
        for key in ("absolute_tolerance", "relative_tolerance", "max_steps"):
            if getattr(self, key) <= 0:
                raise InputError(f"settings: '{key}' is {getattr(self, key)}; it must be positive")


def solver_options(options: SolverOptions) -> SolverOptions:
    """Return the part of a step's settings that says how the model is solved."""
    return SolverOptions(**{field.name: getattr(options, field.name) for field in fields(SolverOptions)})


def read_options(kind, settings: dict):
    """Return settings as an instance of the dataclass `kind`; a whole number is taken where a float is wanted.

    Raises
    ------
    InputError
        If a key is unknown or missing, or its value has the wrong type.
    """
    known = {field.name: field for field in fields(kind)}
    for key, value in settings.items():
        if key not in known:
            raise InputError(f"settings: unknown key '{key}' (known: {', '.join(known) or 'none'})")
        wanted = (int, float) if known[key].type is float else known[key].type
        if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
            name = getattr(known[key].type, "__name__", known[key].type)
            raise InputError(f"settings: '{key}' is {value!r}; expected {name}")
    for name, field in known.items():
        if name not in settings and field.default is MISSING and field.default_factory is MISSING:
            raise InputError(f"settings: no key '{name}'")
    return kind(**settings)
