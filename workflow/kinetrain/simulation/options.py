"""The options of simulated expression: networks, random or published, and their trajectories."""

from dataclasses import dataclass
from itertools import pairwise

from kinetrain.data.options import Split
from kinetrain.options import LARGEST_SEED, Options, option

FILE_EXPONENTS = (1.39, 1.8)  # the range that the Hill exponents in the published files of edges were drawn from


@dataclass(frozen=True)
class Trajectories(Options):
    """How many trajectories are simulated, at which times, and which are held out."""

    trajectories: int = option(60, "Simulated trajectories, for training, validation and test.", least=3, most=10**6)
    times: tuple[float, ...] = option(
        (0.0, 2.0, 3.0, 7.0, 9.0),
        "Time points of every trajectory, rising (units of the inverse degradation rate).",
        least=0,
    )
    validation: tuple[int, ...] = option(
        (),
        "Training trajectories that choose the checkpoint, counted from 0; without any, a fraction is drawn.",
        least=0,
        unique=True,
    )
    validation_fraction: float = option(
        0.1,
        "Fraction of the trajectories that choose the checkpoint; drawn, unless `validation` names them.",
        above=0,
        below=1,
    )
    test_fraction: float = option(
        0.1, "Fraction of the trajectories that are held out, when there is no file `test`.", least=0, below=1
    )
    seed: int = option(1, "Seed of network and trajectories.", least=0, most=LARGEST_SEED)
    rescale_time: bool = option(
        True,
        "Models see time in units of the median interval, or of half the longest if that is more; false leaves times "
        "as they are.",
    )

    def __post_init__(self):
        super().__post_init__()
        if len(self.times) < 2 or any(b <= a for a, b in pairwise(self.times)):
            raise ValueError(f"times must be two or more, and increase: {list(self.times)}")
        self.split  # noqa: B018 - so that wrong fractions are found before anything is simulated

    @property
    def split(self) -> Split:
        """Which transitions are held out for validation and test."""
        apart = self.validation, self.validation_fraction, self.test_fraction
        return Split(*apart, seed=self.seed, rescale_time=self.rescale_time)


@dataclass(frozen=True)
class Simulation(Trajectories):
    """Trajectories of a random network of these sizes, with these kinetics."""

    genes: int = option(80, "Number of genes of a random network.", least=4, most=10**6)
    regulators: int = option(24, "Genes that regulate others.", least=1)
    inputs: int = option(16, "Regulators that stay constant.", least=1)
    modules: int = option(
        8,
        "Groups of genes with regulators of their own. They serve as gene sets, together with a planted one of the "
        "genes with the most targets and random decoys.",
        least=1,
    )
    in_degree: int | None = option(
        None, "Regulators of every regulated gene; null draws 1, 2 or 3, as in the published network.", least=1
    )
    exponents: tuple[float, float] = option(
        (1.01, 1.7), "Range of the Hill exponents; cooperative kinetics have high ones.", above=0
    )
    half: tuple[float, float] = option(
        (0.4, 0.6), "Range of the EC50, between 0 and 1; low ones saturate.", above=0, below=1
    )
    decay_spread: float = option(1.0, "Rates of the genes are log-uniform between its inverse and itself.", least=1)

    def __post_init__(self):
        super().__post_init__()
        for part, whole in (("inputs", "regulators"), ("regulators", "genes"), ("modules", "genes")):
            if (small := getattr(self, part)) > (large := getattr(self, whole)):
                raise ValueError(f"{part} {small} > {whole} {large}; give at most that")
        if self.in_degree is not None and self.in_degree >= self.regulators:
            raise ValueError(f"in_degree {self.in_degree}: must be below the {self.regulators} regulators")
        for name in ("exponents", "half"):
            _refuse_falling(name, getattr(self, name))


def stretched_exponents():
    """Return the option `exponents` of a published network."""
    return option(
        FILE_EXPONENTS,
        "Range that the Hill exponents, between 1.39 and 1.8 in the published files, are stretched to.",
        above=0,
    )


@dataclass(frozen=True)
class PublishedSimulation(Trajectories):
    """Trajectories of a published network, whose Hill exponents are stretched to the range `exponents`."""

    exponents: tuple[float, float] = stretched_exponents()

    def __post_init__(self):
        super().__post_init__()
        _refuse_falling("exponents", self.exponents, equal=False)


def _refuse_falling(name: str, pair, equal: bool = True) -> None:
    """Refuse a range whose ends are in the wrong order, or, unless `equal`, the same."""
    low, high = pair
    if low > high or (low == high and not equal):
        raise ValueError(f"{name}: must be above 0, the smaller first, got {low:g} and {high:g}")
