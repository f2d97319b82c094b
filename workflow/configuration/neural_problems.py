"""Checks of vector fields among the fit problems."""

from configuration.checks import ConfigurationError, part
from kinetrain.errors import did_you_mean
from kinetrain.neural.options import few_trajectories
from kinetrain.options import read_options
from kinetrain.simulation.options import Trajectories
from kinetrain.training.optimizers import known_optimizers, not_neural

OF_PETAB = (
    "tables_elsewhere",
    "reference_objective",
    "solver",
    "artificial",
    "predict",
    "reactions",
)  # theirs alone


def check_neural(key: str, given: dict, fits: dict, datasets: dict) -> None:
    """Refuse a problem whose data set is unknown, or that asks for what only a PEtab problem has."""
    name = given["neural"]["dataset"]
    if name not in datasets:
        known = f"{did_you_mean(name, datasets)}; known: {', '.join(datasets) or 'none'}"
        raise ConfigurationError(f"{key}.neural.dataset: there is no data set '{name}'{known}")
    for option in OF_PETAB:
        if option in given:
            raise ConfigurationError(f"{key}.{option}: only PEtab problems have it; leave it out")
    if "start_from" in fits:
        raise ConfigurationError(
            f"{key}.fits.start_from: is for PEtab problems; a vector field starts from its random weights"
        )
    full_batch = {name: f"{key}.fits.full_batch.optimizers" for name in fits["full_batch"]["optimizers"]}
    hybrids = {one["then"]: f"{key}.fits.optimizers.{name}.then" for name, one in _hybrids(fits).items()}
    for optimizer, where in {**full_batch, **hybrids}.items():
        if reason := not_neural(optimizer):
            others = ", ".join(one for one in known_optimizers() if not not_neural(one))
            raise ConfigurationError(f"{where}: {optimizer} {reason}; take {others}")


def _hybrids(fits: dict) -> dict[str, dict]:
    """Return the hybrids that the grids name."""
    named = {name for grid in filter(None, fits["mini_batch"].values()) for name in grid["optimizers"]}
    return {name: one for name, one in fits["optimizers"].items() if name in named and "then" in one}


def only_noise(key: str, levels: list[tuple]) -> float:
    """Return the noise of a data set that has one only."""
    noises = sorted({noise for noise, _ in levels})
    if len(noises) > 1:
        listed = ", ".join(f"{noise:g}" for noise in noises)
        raise ConfigurationError(f"{key}.noise: the data set has several ({listed}): say which is fitted")
    return noises[0]


def training_conditions(dataset: dict) -> int | None:
    """Return the number of conditions of a simulated data set; of others the jobs find it out."""
    simulate = dataset.get("simulate")
    if simulate is None or "train" in simulate:
        return None
    options = read_options(Trajectories, part(Trajectories, simulate))
    trained = options.split.trained(options.trajectories)
    return trained * (len(options.times) - 1) if few_trajectories(trained) else trained
