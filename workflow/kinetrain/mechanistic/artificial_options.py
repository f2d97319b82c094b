"""The options of artificial data: how conditions are drawn, and what is measured in them."""

from dataclasses import dataclass
from typing import ClassVar

from kinetrain.mechanistic.solver_options import EARLIEST, LATEST, SolverOptions, is_reachable
from kinetrain.options import ABSENT, LARGEST_SEED, REQUIRED, Options, option


@dataclass(frozen=True, kw_only=True)
class Distribution(Options):
    """How the value of an input is drawn: one of these."""

    constant: float = option(ABSENT, "Always this value.")
    uniform: tuple[float, float] = option(ABSENT, "Uniform between two values.")
    log10_uniform: tuple[float, float] = option(
        ABSENT, "10 to a power that is uniform between two values.", least=-100, most=100
    )
    log10_normal: tuple[float, float] = option(
        ABSENT, "10 to a normal power with this mean and standard deviation.", least=-100, most=100
    )
    log_normal_factor: float = option(
        ABSENT, "The model's own value times e to a normal power with this standard deviation.", above=0, most=100
    )
    choice: tuple[float, ...] = option(ABSENT, "One of these values.", filled=True)

    exactly_one: ClassVar[tuple[str, ...]] = (
        *("constant", "uniform", "log10_uniform", "log10_normal", "log_normal_factor", "choice"),
    )

    def __post_init__(self):
        super().__post_init__()
        for low, high in filter(None, (self.uniform, self.log10_uniform)):
            if low >= high:
                raise ValueError(f"the range {low:g} to {high:g} is empty; give the lower end first")
        if self.log10_normal and self.log10_normal[1] < 0:
            raise ValueError(f"the standard deviation {self.log10_normal[1]:g} of log10_normal is negative")

    @property
    def rule(self) -> tuple[str, tuple]:
        """Name of the distribution, and its numbers."""
        name = next(name for name in self.exactly_one if getattr(self, name) is not None)
        value = getattr(self, name)
        return name, value if isinstance(value, tuple) else (value,)


@dataclass(frozen=True, kw_only=True)
class Protocol(Options):
    """A kind of experiment."""

    weight: float = option(1, "Relative frequency of the protocol.", above=0)
    inputs: dict[str, Distribution] = option(
        REQUIRED,
        "Input (a column of the condition table, or a parameter, species or compartment of the model) -> how its value "
        "is drawn, e.g. `{log10_uniform: [-1, 1]}`; an input that is not named keeps its value in the first row.",
    )


@dataclass(frozen=True, kw_only=True)
class Groups(Options):
    """Groups of conditions ("cell lines") that share drawn inputs and, unless `scaling` is false, one scaling."""

    count: int = option(REQUIRED, "Number of groups.", least=1, most=10**6)
    inputs: dict[str, Distribution] = option(REQUIRED, "Inputs that are drawn once per group.")
    scaling: bool = option(True, "Each group has an estimated factor on all its observables.")
    test: int = option(0, "Groups (the last ones) that are held out and only predicted.", least=0)
    control: dict[str, float] = option(
        ABSENT, "Inputs of each group's first condition, from which the scaling of a held-out group is computed."
    )

    def __post_init__(self):
        super().__post_init__()
        if self.test >= self.count:
            raise ValueError(f"test {self.test} must be below count {self.count}, or nothing is left to fit")

    def names(self) -> list[str]:
        """Return the names of the groups."""
        return [f"g{number:02d}" for number in range(self.count)]


@dataclass(frozen=True, kw_only=True)
class Artificial(Options):
    """Artificial data for drawn conditions; of observables on a log scale `noise` is the deviation on that scale."""

    conditions: int = option(REQUIRED, "Number of conditions that are drawn.", least=1, most=10**7)
    replicates: int = option(1, "Independent data sets with noise of their own.", least=1, most=10**4)
    seed: int = option(0, "Seed of conditions and noise.", least=0, most=LARGEST_SEED)
    times: tuple[float, ...] = option(
        REQUIRED,
        "Measured time points (model time units), rising; `.inf` is the steady state.",
        least=0,
        infinite=True,
        filled=True,
    )
    observables: tuple[str, ...] | None = option(None, "Observables that are measured; null takes all.", unique=True)
    start_width: float | None = option(
        None,
        "Starts are drawn within so many decades around the truth, where the bounds leave models that cannot be "
        "solved; null takes the bounds.",
        above=0,
        most=100,
    )
    noise: float = option(
        0.1, "Standard deviation as a fraction of the largest noise-free value of the observable.", above=0, most=1e6
    )
    protocols: tuple[Protocol, ...] = option(
        REQUIRED, "Kinds of experiments; each condition follows one of them.", filled=True
    )
    groups: Groups = option(ABSENT, "Groups of conditions (cell lines), over which the conditions are split evenly.")

    def __post_init__(self):
        super().__post_init__()
        if sorted(set(self.times)) != list(self.times):
            raise ValueError(f"'times' must rise without repeats, got {list(self.times)}")
        if bad := [time for time in self.times if not is_reachable(time)]:
            raise ValueError(
                f"no solver can reach the time {bad[0]:g}; {EARLIEST:g} to {LATEST:g}, 0 and .inf are times"
            )
        groups = self.groups
        if groups and self.conditions < groups.count:
            raise ValueError(f"{self.conditions} 'conditions' are too few for {groups.count} groups")
        if groups and (twice := set(groups.inputs) & {name for one in self.protocols for name in one.inputs}):
            raise ValueError(f"'{min(twice)}' is drawn by both groups and protocols")

    def drawn(self) -> dict[str, Distribution]:
        """Return how inputs are drawn, by name; of several protocols the first one's distribution."""
        rules: dict[str, Distribution] = {}
        for protocol in self.protocols:
            rules = protocol.inputs | rules
        return rules | (self.groups.inputs if self.groups else {})

    def fitted_conditions(self) -> int:
        """Return the number of conditions that are fitted: those of the groups that are not held out."""
        if not self.groups:
            return self.conditions
        members = [number * self.groups.count // self.conditions for number in range(self.conditions)]
        return sum(member < self.groups.count - self.groups.test for member in members)


@dataclass(frozen=True, kw_only=True)
class ArtificialOptions(SolverOptions, Artificial):
    """Options of artificial data and of the solver that simulates them."""
